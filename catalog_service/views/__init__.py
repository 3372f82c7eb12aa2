"""The JSON contract: what REST and ``--json`` answer with, and what GraphQL's types are made from.

In: records, versions and matches. Out: frozen Structs that msgspec encodes as they are. A field is absent when it
does not apply; the lists of a change are always there.
"""
