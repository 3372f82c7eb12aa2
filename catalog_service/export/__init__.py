"""Allowlists as files: `choose` picks the records, `prepare` what a format can hold, `formats` renders it.

A list that would be short, empty or over a device's limit is an error or carries a count: never a shorter file.
"""
