"""The outside world becomes words: fetch -> Document -> parse -> EndpointSets.

One module an upstream, each holding only what is special about it; `sources.py` lists them. Only
`catalog_service.sync` imports this package's sources. A checklist for a new source is in README.md.
"""
