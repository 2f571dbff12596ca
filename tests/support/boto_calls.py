"""The AWS actions that a module's code can call, read from its source.

A client is an attribute or a name that ends in `client`; its methods count wherever they are named,
called or handed on. So do the names given to `get_paginator`.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from botocore import xform_name
from botocore.session import get_session

import quota_enforcer

SERVICES = ("bedrock", "cloudwatch", "dynamodb", "iam", "lambda", "logs", "scheduler", "sns", "sqs")
ROOT = Path(quota_enforcer.__file__).parent
NO_OPERATIONS = {"can_paginate", "close", "exceptions", "get_paginator", "get_waiter", "meta"}
TRANSACTION_PARTS = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Delete": "dynamodb:DeleteItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
}
OTHER_NAMES = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
"""Operations whose IAM action has another name."""


@cache
def methods() -> dict[str, str]:
    """IAM action by method name; a name that two services share names neither."""
    found: dict[str, list[str]] = {}
    session = get_session()
    for service in SERVICES:
        for operation in session.get_service_model(service).operation_names:
            action = f"{service}:{operation}"
            found.setdefault(xform_name(operation), []).append(OTHER_NAMES.get(action, action))
    return {name: actions[0] for name, actions in found.items() if len(actions) == 1}


def actions_of(module: str) -> set[str]:
    """Every action that the AWS adapters imported by a module, directly or not, can call."""
    return {
        action
        for name in closure(module)
        if name.startswith("quota_enforcer.aws.")
        for action in actions_in(path_of(name).read_text(encoding="utf-8"), name)
    }


def actions_in(source: str, module: str) -> Iterator[str]:
    """The actions in one module's source; raises LookupError for a method nobody knows."""
    for node in ast.walk(ast.parse(source)):
        for method in _methods_named(node):
            if method == "transact_write_items":
                yield from _transacted(source)
            elif method in methods():
                yield methods()[method]
            else:
                raise LookupError(f"{module} uses client method {method}: no action known for it")


def closure(module: str) -> set[str]:
    """The module and all modules of this package that it imports at run time."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_imports(ast.parse(path_of(name).read_text(encoding="utf-8"))))
    return found


def path_of(module: str) -> Path:
    """The file of a module of this package."""
    bare = ROOT.joinpath(*module.split(".")[1:])
    return bare / "__init__.py" if bare.is_dir() else bare.with_suffix(".py")


def _methods_named(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(
            func=ast.Attribute(attr="get_paginator"), args=[ast.Constant(value=str(name))]
        ):
            yield name
        case ast.Attribute(value=ast.Attribute(attr=owner) | ast.Name(id=owner), attr=attr):
            if owner.endswith("client") and attr not in NO_OPERATIONS:
                yield attr


def _transacted(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Dict):
            for key in node.keys:
                if isinstance(key, ast.Constant) and key.value in TRANSACTION_PARTS:
                    yield TRANSACTION_PARTS[str(key.value)]


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] == ROOT.name:
                yield module
                yield from (
                    f"{module}.{name.name}"
                    for name in node.names
                    if path_of(f"{module}.{name.name}").is_file()
                )
            case ast.Import():
                yield from (n.name for n in node.names if n.name.split(".")[0] == ROOT.name)
            case _:
                yield from _imports(node)
