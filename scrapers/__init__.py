"""The outside world becomes words: fetch -> Document -> parse -> EndpointSets.

One module an upstream, each holding only what is special about it; `sources.py` lists them. Only sync and the
composition root import this package. A checklist for a new source is in README.md.
"""
