"""What one GraphQL document may ask, measured before it is validated, and the same for every transport.

In: a parsed document and its variables. Out: errors, none where it is within bounds. Fragments are measured once
each, so a document that spreads them into millions of fields is refused as quickly as any other; strawberry's own
limiters would follow every spread. Called by `operation`.

Pages and depth are wider than the 200 and 8 of limits-and-faults.md C3: a firewall wants its whole list at once, and
Relay's connections cost two levels each. The cost bounds what the two multiply to.

| limit      | counts                                                                                          |
|------------|-------------------------------------------------------------------------------------------------|
| MAX_TOKENS | words and brackets of the document; the parser stops there                                      |
| MAX_DEPTH  | fields inside fields; those of introspection do not count, graphql-core bounds them             |
| MAX_ALIASES| renamed fields                                                                                  |
| MAX_SAME   | one field written again and again in one place: validation compares every pair                  |
| MAX_COST   | 1 a field, 1,000 a field that reads anew (every question, `history`), 100,000 `lookupMany`;     |
|            | what stands in a list counts once for each of `first` or `last`, ten times where it has neither |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_list_type,
)
from graphql.type import get_nullable_type
from msgspec import Struct
from strawberry.types.field import StrawberryField

MAX_TOKENS = 1000
MAX_DEPTH = 12
MAX_ALIASES = 15
MAX_SAME = 50
MAX_COST = 300_000
READS_ANEW = 1000
_UNBOUNDED_LIST = 10
_OF_A_PAGE = ("edges", "nodes")


class _Size(Struct, frozen=True):
    depth: int = 0
    aliases: int = 0
    same: int = 0
    cost: int = 0

    def beside(self, other: _Size) -> _Size:
        return _Size(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            max(self.same, other.same),
            self.cost + other.cost,
        )


def beyond(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, object]) -> list[GraphQLError]:
    """Return why ``document`` asks too much; [] when it does not. Cycles and unknown fields are left to validation."""
    total = _Size()
    measured = _Measured(schema, document, {**_defaults(document), **variables})
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            root = schema.get_root_type(definition.operation)
            total = total.beside(measured.selected(definition.selection_set, root))
    asked = (
        (total.depth, MAX_DEPTH, "levels deep"),
        (total.aliases, MAX_ALIASES, "aliases"),
        (total.same, MAX_SAME, "times the same field in one place"),
        (total.cost, MAX_COST, "cost (see `first`)"),
    )
    return [
        GraphQLError(f"this query is {_number(found)} {what}; {most:,} is the most")
        for found, most, what in asked
        if found > most
    ]


def _defaults(document: DocumentNode) -> dict[str, object]:
    """Return the numbers that variables are when nothing is given for them."""
    return {
        one.variable.name.value: int(one.default_value.value)
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
        for one in definition.variable_definitions or ()
        if isinstance(one.default_value, IntValueNode)
    }


def _number(value: int) -> str:
    return f"{value:,}" if value < 10**9 else "over a thousand million"


class _Measured:
    """The sizes of one document's parts."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, object]) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }
        self._sizes: dict[str, _Size] = {}

    def selected(self, selections: SelectionSetNode | None, type_: GraphQLNamedType | None) -> _Size:
        """Return the size of ``selections`` on ``type_``; None: a type that nobody knows."""
        if selections is None:
            return _Size()
        names = Counter((one.alias or one.name).value for one in selections.selections if isinstance(one, FieldNode))
        total = _Size(same=max(names.values(), default=0))
        for one in selections.selections:
            if isinstance(one, FieldNode):
                total = total.beside(self._field(one, type_))
            elif isinstance(one, InlineFragmentNode):
                total = total.beside(self.selected(one.selection_set, self._type(one, type_)))
            elif isinstance(one, FragmentSpreadNode):
                total = total.beside(self._fragment(one.name.value))
        return total

    def _fragment(self, name: str) -> _Size:
        if name not in self._sizes and name in self._fragments:
            self._sizes[name] = _Size()  # what a cycle comes back to
            fragment = self._fragments[name]
            self._sizes[name] = self.selected(fragment.selection_set, self._type(fragment, None))
        return self._sizes.get(name, _Size())

    def _type(
        self, fragment: InlineFragmentNode | FragmentDefinitionNode, otherwise: GraphQLNamedType | None
    ) -> GraphQLNamedType | None:
        condition = fragment.type_condition
        return self._schema.get_type(condition.name.value) if condition else otherwise

    def _field(self, node: FieldNode, type_: GraphQLNamedType | None) -> _Size:
        name = node.name.value
        fields = getattr(type_, "fields", {})
        field: GraphQLField | None = fields.get(name)
        inner = self.selected(node.selection_set, get_named_type(field.type) if field else None)
        aliases = inner.aliases + bool(node.alias)
        if name.startswith("__"):
            return _Size(aliases=aliases, same=inner.same, cost=1)
        times = self._times(node, field, type_) if field else 1
        return _Size(1 + inner.depth, aliases, inner.same, _own_cost(field) + times * inner.cost)

    def _times(self, node: FieldNode, field: GraphQLField, parent: GraphQLNamedType | None) -> int:
        """Return how often what is selected in ``node`` may be there."""
        given = {one.name.value: one.value for one in node.arguments or ()}
        for name in ("first", "last"):
            if name in field.args and name in given:
                value = given[name]
                found = self._variables.get(value.name.value) if isinstance(value, VariableNode) else None
                number = int(value.value) if isinstance(value, IntValueNode) else found
                if isinstance(number, int | float):
                    return max(1, int(number))
        if "first" in field.args:
            definition = field.extensions.get("strawberry-definition")
            return definition.metadata.get("first", _UNBOUNDED_LIST) if isinstance(definition, StrawberryField) else 1
        paged = isinstance(parent, GraphQLObjectType) and "pageInfo" in parent.fields and node.name.value in _OF_A_PAGE
        listed = is_list_type(get_nullable_type(field.type)) and is_composite_type(get_named_type(field.type))
        return _UNBOUNDED_LIST if listed and not paged else 1


def _own_cost(field: GraphQLField | None) -> int:
    """Return what a field costs by itself: more, if it asks the catalogue or the store, not what its parent holds."""
    definition = field.extensions.get("strawberry-definition") if field else None
    if not (isinstance(definition, StrawberryField) and definition.is_async):
        return 1
    cost: int = definition.metadata.get("cost", READS_ANEW)
    return cost
