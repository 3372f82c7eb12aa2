"""Lists of plain records, completed in one compiled loop instead of one call a field: data and errors are the same.

graphql-core completes each field of each record by itself, at about 3 us a field. Here the selection of a list is
turned once into Python that builds the dictionaries of a whole list, as long as everything selected is an attribute,
or made from its parent alone, and of a type known here; nested objects and lists of them too. Whatever is not as its
type says (a null too much, another type, an exception) ends the loop, and graphql-core does the whole list its own
way, with its own errors. Handed to strawberry by `schema`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from types import FunctionType
from typing import Any, Never

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import Path
from msgspec import UNSET, Struct
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.field import StrawberryField

_COMPILED = 256


class Executor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's executor, with the loop in front of its own way to complete a list."""

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> Any:
        """Complete a list: as one, or as graphql-core does it where that cannot be."""
        shape = None if self._middleware else self._shape(item_type, field_details_list)
        if shape is not None and isinstance(items, tuple | list):
            try:
                return _compiled(shape)(items)
            except Exception:  # noqa: BLE001, S110 - graphql-core finds it again, and says what it is and where
                pass
        return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)

    @property
    def _middleware(self) -> bool:
        return bool(self.middleware_manager and self.middleware_manager.middlewares)

    def _shape(self, type_: GraphQLOutputType, details: FieldDetailsList) -> _Value | None:
        """Return what a value of ``type_`` looks like, None where something in it is to be resolved."""
        nullable = not is_non_null_type(type_)
        bare = type_.of_type if is_non_null_type(type_) else type_
        if is_leaf_type(bare):
            return _Value(nullable, leaf=bare)
        if is_list_type(bare):
            item = self._shape(bare.of_type, details)
            return _Value(nullable, item=item) if item else None
        if is_object_type(bare):
            fields = self._fields(bare, details)
            return _Value(nullable, object_=bare, fields=fields) if fields is not None else None
        return None

    def _fields(self, type_: GraphQLObjectType, details: FieldDetailsList) -> tuple[_Field, ...] | None:
        selected, deferred, _ = self.collect_subfields(type_, details)
        found: list[_Field] = []
        for key, group in selected.items():
            node = group[0].node
            if node.name.value == "__typename":
                found.append(_Field(key, typename=type_.name))
                continue
            field = type_.fields.get(node.name.value)
            read = None if field is None or node.arguments or field.args else _reader(field)
            value = self._shape(field.type, group) if field and read else None
            if value is None or read is None:
                return None
            found.append(_Field(key, read, value))
        return None if deferred else tuple(found)


class _Value(Struct, frozen=True):
    """A type, as far as the loop has to know it: a leaf, a list of items, or an object with fields."""

    nullable: bool
    leaf: GraphQLLeafType | None = None
    item: _Value | None = None
    object_: GraphQLObjectType | None = None
    fields: tuple[_Field, ...] = ()


class _Field(Struct, frozen=True):
    """One key of an object: an attribute's name, what makes it from its parent, or the type's name."""

    key: str
    read: str | Callable[[object], object] = ""
    value: _Value | None = None
    typename: str = ""


def _reader(field: GraphQLField) -> str | Callable[[object], object] | None:
    """Return how a field is read off its parent; None for one that takes more than that."""
    definition = field.extensions.get("strawberry-definition")
    if not isinstance(definition, StrawberryField) or definition.extensions or definition.permission_classes:
        return None
    resolver = definition.base_resolver
    if resolver is None:
        return definition.python_name
    alone = resolver.parent_parameter and not (resolver.arguments or resolver.info_parameter or resolver.is_async)
    made = resolver.wrapped_func
    return made if alone and isinstance(made, FunctionType) else None


@lru_cache(_COMPILED)
def _compiled(item: _Value) -> Callable[[Iterable[object]], list[object]]:
    """Return the loop over items of this shape."""
    code = _Code()
    items = code.items(item, "items")
    code.lines += ["def loop(items):", f"    return {items}"]
    exec("\n".join(code.lines), code.names)  # noqa: S102 - made of the schema's own names and numbered variables
    loop: Callable[[Iterable[object]], list[object]] = code.names["loop"]
    return loop


class _Code:
    """Python under way: functions for objects, and the names they use."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"UNSET": UNSET, "text": _text, "texts": _texts, "listed": _listed, "fail": _fail}

    def expression(self, value: _Value, source: str) -> str:
        """Return what completes the variable ``source``; it raises where the value is not of its type."""
        if value.leaf is not None:
            done = self._leaf(value.leaf, source)
        elif value.item is not None:
            done = self.items(value.item, source)
        else:
            done = f"{self._object(value)}({source})"
        missing = "None" if value.nullable else "fail()"
        return f"({missing} if {source} is None or {source} is UNSET else {done})"

    def _leaf(self, leaf: GraphQLLeafType, source: str) -> str:
        if leaf.name in {"String", "ID"}:
            return f"({source} if {source}.__class__ is str else text({source}))"
        if leaf.name == "Boolean":
            return f"({source} if {source}.__class__ is bool else fail())"
        if leaf.name == "Int":
            return f"({source} if {source}.__class__ is int and -2147483648 <= {source} <= 2147483647 else fail())"
        if isinstance(leaf, GraphQLEnumType):
            wrapped = getattr(leaf, "wrapped_cls", ())
            return f"{self._named({one: leaf.coerce_output_value(one) for one in wrapped})}[{source}]"
        return f"{self._named(_coerced(leaf))}({source})"

    def items(self, item: _Value, source: str) -> str:
        """Return what completes the variable ``source``, a list."""
        if item.leaf is not None and item.leaf.name in {"String", "ID"} and not item.nullable:
            return f"texts({source})"
        inner = f"i{len(self.names)}"
        self.names[inner] = None  # taken
        return f"[{self.expression(item, inner)} for {inner} in listed({source})]"

    def _object(self, value: _Value) -> str:
        """Write a function that makes the dictionary of an object, and return its name."""
        name = f"object{len(self.names)}"
        self.names[name] = None
        body, pairs = [f"def {name}(parent):"], []
        if value.object_ and value.object_.is_type_of:
            body.append(f"    if not {self._named(value.object_.is_type_of)}(parent, None): fail()")
        for number, field in enumerate(value.fields):
            if field.value is None:
                pairs.append(f"{field.key!r}: {field.typename!r}")
                continue
            read = f"parent.{field.read}" if isinstance(field.read, str) else f"{self._named(field.read)}(parent)"
            body.append(f"    v{number} = {read}")
            pairs.append(f"{field.key!r}: {self.expression(field.value, f'v{number}')}")
        self.lines += [*body, f"    return {{{', '.join(pairs)}}}"]
        return name

    def _named(self, thing: object) -> str:
        name = f"n{len(self.names)}"
        self.names[name] = thing
        return name


def _text(value: object) -> object:
    """Return a text of a class of its own, such as a StrEnum's member, as it is."""
    return value if isinstance(value, str) else _fail()


def _texts(values: object) -> object:
    """Return ``values``, a list of texts, as they are: JSON knows no tuples. Joining is the quickest way to ask."""
    listed: Any = _listed(values)
    "".join(listed)
    return listed


def _listed(values: object) -> Iterable[object]:
    return values if isinstance(values, tuple | list) else _fail()


def _fail() -> Never:
    raise TypeError


def _coerced(leaf: GraphQLLeafType) -> Callable[[object], object]:
    def coerce(value: object) -> object:
        found = leaf.coerce_output_value(value)
        return _fail() if found is None else found

    return coerce
