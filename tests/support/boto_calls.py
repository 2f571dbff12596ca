"""The AWS actions that a function's code can call, read from the source that it reaches.

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
from reached_code import at_run_time, reached

SERVICES = (
    *("account", "bedrock", "cloudformation", "cloudwatch", "dynamodb", "iam", "lambda", "logs"),
    *("scheduler", "secretsmanager", "sns", "sqs", "sts"),
)
OF_MODULES = {
    "quota_enforcer.aws.account.identity_center": ("identitystore", "sso-admin"),
    "quota_enforcer.aws.account.team_sources": ("iam", "s3"),
}
"""Modules of services whose methods are called as some of another one are."""
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
    "sso-admin:ListInstances": "sso:ListInstances",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
"""Operations whose IAM action has another name."""


@cache
def methods(services: tuple[str, ...] = SERVICES) -> dict[str, str]:
    """IAM action by method name; a name that two services share names neither."""
    found: dict[str, list[str]] = {}
    session = get_session()
    for service in services:
        for operation in session.get_service_model(service).operation_names:
            action = f"{service}:{operation}"
            found.setdefault(xform_name(operation), []).append(OTHER_NAMES.get(action, action))
    return {name: actions[0] for name, actions in found.items() if len(actions) == 1}


def actions_of(module: str) -> set[str]:
    """Every action that a function can call whose handler is this module of ours."""
    return {
        action
        for place, definitions in reached(ROOT, module).items()
        for definition in definitions
        for action in _actions_once(definition, place.module)
    }


@cache
def _actions_once(definition: ast.AST, module: str) -> frozenset[str]:
    """Most definitions are reached by several functions."""
    return frozenset(actions_in(definition, module))


def actions_in(code: ast.AST, module: str) -> Iterator[str]:
    """The actions in a piece of a module; raises LookupError for a method nobody knows.

    A transaction is its parts: what it may hold is what the code makes for it, wherever that is.
    """
    known = methods(OF_MODULES.get(module, SERVICES))
    for node in at_run_time(code):
        yield from _parts_made(node)
        for method in _methods_named(node):
            if method == "transact_write_items":
                continue
            if method not in known:
                raise LookupError(f"{module} uses client method {method}: no action known for it")
            yield known[method]


def _methods_named(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(
            func=ast.Attribute(attr="get_paginator"), args=[ast.Constant(value=str(name))]
        ):
            yield name
        case ast.Attribute(value=ast.Attribute(attr=owner) | ast.Name(id=owner), attr=attr):
            if owner.endswith("client") and attr not in NO_OPERATIONS:
                yield attr


def _parts_made(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Dict):
        for key in node.keys:
            if isinstance(key, ast.Constant) and key.value in TRANSACTION_PARTS:
                yield TRANSACTION_PARTS[str(key.value)]
