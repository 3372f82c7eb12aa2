"""What the catalogue can be asked: one module a question, under REST, GraphQL, the pages and the command line alike.

In: a reader or a snapshot, and typed arguments. Out: the Structs of `views`. Those that take a snapshot do no I/O.
"""
