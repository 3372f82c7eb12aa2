"""GraphQL: `view` answers HTTP, `query` asks the same `reads` as REST, the others are its types.

Types are the Structs of `views` and `schema`, field by field, in GraphQL's casing. Resolvers return those Structs as
they are; strawberry reads plain attributes off them, never methods (limits-and-faults.md A4: methods on leaves cost
three times as much).
"""
