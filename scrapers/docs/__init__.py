"""Docs pages: HTML or Markdown in, a `Page` of blocks out, and what its tables mean.

`reader.read_page` makes the page, `tables` tells a table's columns by their header words, `cells`
reads names, prefixes and tags, `clouds` says for which clouds a row speaks (with `cloud_words` and
`cloud_uses`), `records` gives ids. `parse` makes the records of a page, by its `rules`, with `rows`, `prose`
and `build`; `refusals` says why it cannot. Nothing here knows a single page:
`scrapers.pages` does.
"""
