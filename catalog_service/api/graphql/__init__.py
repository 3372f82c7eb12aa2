"""GraphQL: `view` is the door for every transport, `operation` what happens to one document, `query`, `mutation` and
`subscription` the questions, asked of the same `reads` as REST; the others are its types, pages and limits.

Types are the Structs of `views` and `schema`, field by field, in GraphQL's casing. Resolvers return those Structs as
they are, and `fast` completes lists of them in one compiled loop as long as their fields are plain attributes: keep
hot fields free of resolvers.
"""
