"""REST, version 1: a module a resource, each with its handlers and their operations; `routes` has them all.

A handler parses, asks `reads` and encodes. Reads of the current version never wait for Redis: they come from the
snapshot in memory, or from the bodies `Answers` keeps.
"""
