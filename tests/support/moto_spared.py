"""moto, spared what it does again and again; together it takes half as long."""

from copy import deepcopy
from functools import cache
from threading import local
from types import SimpleNamespace
from typing import Any

import pytest
from moto.core.serialize import AttributePickerContext, ResponseSerializer
from moto.core.utils import method_names_from_class
from moto.dynamodb import models
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing import ast_nodes, validators


def spare(patch: pytest.MonkeyPatch) -> None:
    _copy_tables_once(patch)
    _check_expressions_once(patch)
    _name_members_once(patch)
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


def _check_expressions_once(patch: pytest.MonkeyPatch) -> None:
    """It counts the clauses of an update again in each part of it, and looks up what to do.

    What the whole has, its parts have no more of.
    """
    patch.setattr(
        validators.ActionCountValidator,
        "traverse",
        lambda check, whole: check.verify_action_counts(whole),
    )
    nodes: Any = ast_nodes  # without types

    def traverse(walk: Any, node: Any, place: int = -1) -> Any:
        if not isinstance(node, nodes.Node):
            return node
        parent = node.parent
        for number, child in enumerate(node.children or ()):
            walk.pre_processing_of_child(node, number)
            traverse(walk, child, number)
        known = walk.__dict__.setdefault("known", {})
        kind = type(node)
        if kind not in known:
            todo = walk._processing_map().items()  # noqa: SLF001 - there is no public one
            known[kind] = next((do for each, do in todo if issubclass(kind, each)), None)
        if known[kind]:
            node = known[kind](node)
            node.parent = parent
            if parent:
                parent.children[place] = node
        return node

    patch.setattr(nodes.DepthFirstTraverser, "traverse_node_recursively", traverse)


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
