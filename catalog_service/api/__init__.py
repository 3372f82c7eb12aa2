"""The catalogue over HTTP: `app` wires, `reads` answers, `rest` and `graphql` ask it in their own words.

`problems` holds the one table from errors to statuses; `answers` everything HTTP caching needs.
"""
