"""Allowlists as files: `choose` picks the records and refuses a list that would be short, `formats` renders it."""
