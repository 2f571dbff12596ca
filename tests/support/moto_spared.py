"""moto, spared what it does again and again; together it takes half as long."""

from copy import deepcopy
from functools import cache
from threading import local
from types import SimpleNamespace
from typing import Any

import pytest
from moto.core.serialize import AttributePickerContext, ResponseSerializer
from moto.core.utils import method_names_from_class
from moto.dynamodb import models, responses
from moto.dynamodb.models.dynamo_type import DynamoType, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import bytesize
from moto.dynamodb.parsing import ast_nodes, expressions, validators

# Both without types.
Nodes: Any = ast_nodes
Parsing: Any = expressions
NO_HOOK = Nodes.DepthFirstTraverser.pre_processing_of_child
SMALL = 400_000
"""The bytes of an item that moto takes in any case."""


def spare(patch: pytest.MonkeyPatch) -> None:
    _copy_tables_once(patch)
    _parse_expressions_once(patch)
    _check_expressions_once(patch)
    _size_items_once(patch)
    _name_members_once(patch)
    # Only for what calls AWS by `requests`, which nothing of ours does.
    patch.setattr("moto.core.models.RESPONSES_METHODS", [])
    # For each request it lists all methods of a service.
    patch.setattr("moto.core.responses.method_names_from_class", cache(method_names_from_class))


def _copy_tables_once(patch: pytest.MonkeyPatch) -> None:
    """Before a transaction it copies the table once for each write; here once for them all."""
    whole = models.DynamoDBBackend.transact_write_items
    copies = local()

    def transact(backend: Any, writes: list[dict[str, Any]]) -> None:
        copies.of = {}
        whole(backend, writes)

    def copied(original: Any) -> Any:
        if not isinstance(original, Table):
            return deepcopy(original)
        if original.name not in copies.of:
            copies.of[original.name] = deepcopy(original)
        return copies.of[original.name]

    patch.setattr(models, "copy", SimpleNamespace(deepcopy=copied))
    patch.setattr(models.DynamoDBBackend, "transact_write_items", transact)


def _parse_expressions_once(patch: pytest.MonkeyPatch) -> None:
    """An update is parsed to see which names it uses, and once more to be made."""
    parser = Parsing.UpdateExpressionParser
    seen: dict[str, Any] = {}

    def look(expression: str) -> Any:
        seen[expression] = parser.make(expression)
        return seen[expression]

    def take(expression: str) -> Any:
        return seen.pop(expression, None) or parser.make(expression)

    patch.setattr(responses, "UpdateExpressionParser", SimpleNamespace(make=look))
    patch.setattr(models, "UpdateExpressionParser", SimpleNamespace(make=take))


def _check_expressions_once(patch: pytest.MonkeyPatch) -> None:
    """It counts and compares the clauses of an update again in each part of it.

    What the whole has, its parts have no more of. And its tree is copied and walked by what is
    made for any object.
    """
    for validator, check in (
        (validators.ActionCountValidator, "verify_action_counts"),
        (validators.OverlappingPathsValidator, "check_for_overlapping_paths"),
    ):
        patch.setattr(
            validator, "traverse", lambda found, whole, check=check: getattr(found, check)(whole)
        )
    patch.setattr(Nodes.Node, "__deepcopy__", _copied, raising=False)
    patch.setattr(Nodes.DepthFirstTraverser, "traverse", _traverse)


def _copied(node: Any, _: Any = None) -> Any:
    """A tree with the same leaves."""
    twin = object.__new__(type(node))
    twin.type, twin.parent = node.type, None
    twin.children = node.children and [
        _copied(each) if isinstance(each, Nodes.Node) else each for each in node.children
    ]
    for each in twin.children or ():
        if isinstance(each, Nodes.Node):
            each.parent = twin
    return twin


def _traverse(walk: Any, whole: Any) -> Any:
    """Each node after its children, and what it becomes in its place."""
    todo = walk._processing_map()  # noqa: SLF001 - there is no public one
    before = None
    if type(walk).pre_processing_of_child is not NO_HOOK:
        before = walk.pre_processing_of_child
    known: dict[type, Any] = {}

    def replaced(node: Any) -> Any:
        children: list[Any] = node.children or []
        for number, child in enumerate(children):
            if before is not None:
                before(node, number)
            if isinstance(child, Nodes.Node):
                children[number] = replaced(child)
        kind = type(node)
        if kind not in known:
            known[kind] = next((do for of, do in todo.items() if issubclass(kind, of)), None)
        if known[kind] is None:
            return node
        made = known[kind](node)
        made.parent = node.parent
        return made

    return replaced(whole)


def _size_items_once(patch: pytest.MonkeyPatch) -> None:
    """For each attribute that an item gets it sizes up all of them.

    Here only where what was set since it last did so could make the item too large.
    """
    checked = LimitedSizeDict.__setitem__

    def size(key: str, value: Any) -> int:
        return int(bytesize(key) + (value.size() if type(value) is DynamoType else SMALL))

    def set_item(item: Any, key: str, value: Any) -> None:
        at_most = vars(item).get("at_most", SMALL) + size(key, value)
        if at_most < SMALL:
            dict.__setitem__(item, key, value)
        else:
            checked(item, key, value)
            at_most = sum(size(*each) for each in item.items())
        item.at_most = at_most

    patch.setattr(LimitedSizeDict, "__setitem__", set_item)


def _name_members_once(patch: pytest.MonkeyPatch) -> None:
    """For each value that an answer could have it works out by which names that may go."""
    pick = ResponseSerializer.get_value
    known: dict[Any, tuple[Any, list[str]]] = {}

    def get_value(serializer: Any, value: Any, key: str, shape: Any) -> Any:
        picker = serializer._value_picker  # noqa: SLF001 - likewise
        if type(value) is not dict or picker.response_transformers:
            return pick(serializer, value, key, shape)
        asked = type(picker), key, id(shape)
        if asked not in known:
            context = AttributePickerContext(obj=value, key=key, shape=shape)
            names = list(picker.get_possible_keys(context))
            known[asked] = shape, names  # kept, so its id is too
        for name in known[asked][1]:
            if name in value:
                return value[name]
        return None

    patch.setattr(ResponseSerializer, "get_value", get_value)
