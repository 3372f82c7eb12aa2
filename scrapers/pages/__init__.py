"""The docs pages this catalogue reads: one module a page, each with its `RULES` and little else; `sources` lists them.

The engine that reads every page by its rules is `scrapers.docs`.
"""
