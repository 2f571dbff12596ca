"""Offline checks of one statement of a policy document."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, Final

from quota_enforcer.core.policies.names import PARTITIONS

_ELEMENTS: Final = {
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition",
}  # fmt: skip
_ACTION: Final = re.compile(r"\*|[a-z0-9-]+:[A-Za-z0-9*?]+")
_ARN: Final = re.compile(r"arn:(?P<partition>[^:]+):[a-z0-9*-]+:[^:]*:(?P<account>[^:]*):.+")
_ACCOUNT: Final = re.compile(r"\d{12}|aws|\*|", re.ASCII)
_SID: Final = re.compile(r"[A-Za-z0-9]*")
_USER_ID: Final = re.compile(r"[^*?]*|\*:[^*?]+")
_CALLS: Final = ("bedrock:invokemodel", "bedrock:invokemodelwithresponsestream")
_MODEL: Final = re.compile(r":(?:foundation-model|inference-profile)/(?P<id>.*)")


def of_statement(statement: dict[str, Any], *, grants: bool) -> Iterator[str]:
    """What is wrong in a statement; `grants` where its Allow gives permissions by itself."""
    for element in sorted(set(statement) - _ELEMENTS):
        yield f"{element!r} is no element of such a policy"
    if not _SID.fullmatch(str(statement.get("Sid", ""))):
        yield "its Sid may only have letters and digits"
    if statement.get("Effect") not in ("Allow", "Deny"):
        yield f"Effect is {statement.get('Effect')!r}: write 'Allow' or 'Deny'"
    for element in ("Action", "Resource"):
        yield from _of_pair(statement, element)
    for action in [*a_list(statement.get("Action")), *a_list(statement.get("NotAction"))]:
        if not isinstance(action, str) or not _ACTION.fullmatch(action):
            yield f"{action!r} is no action: write service:Action"
    for resource in [*a_list(statement.get("Resource")), *a_list(statement.get("NotResource"))]:
        yield from _of_resource(resource)
    if grants and statement.get("Effect") == "Allow":
        yield from _of_grant(statement)
    yield from _of_condition(statement)


def partitions_of(statement: dict[str, Any]) -> Iterator[str]:
    """The partitions that a statement's resources are in."""
    for resource in a_list(statement.get("Resource")):
        arn = _ARN.fullmatch(resource) if isinstance(resource, str) else None
        if arn is not None and arn["partition"] in PARTITIONS:
            yield arn["partition"]


def a_list(value: Any) -> list[Any]:
    """A list of values; IAM takes a single one in its place."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _of_pair(statement: dict[str, Any], element: str) -> Iterator[str]:
    """Action or NotAction, Resource or NotResource: one of the two, and not empty."""
    named = [each for each in (element, f"Not{element}") if each in statement]
    if len(named) != 1:
        has = " and ".join(named) or "neither"
        yield f"it needs {element} or Not{element}, and has {has}"
    elif not a_list(statement[named[0]]):
        yield f"{named[0]} is empty"
    if statement.get("Effect") == "Allow" and f"Not{element}" in statement:
        yield f"Allow with Not{element} grants everything that it does not name"


def _of_resource(resource: Any) -> Iterator[str]:
    arn = _ARN.fullmatch(resource) if isinstance(resource, str) else None
    if resource == "*":
        return
    if arn is None:
        yield f"{resource!r} is no resource: write an ARN or '*'"
        return
    if arn["partition"] not in {*PARTITIONS, "*"}:
        yield f"{resource!r} names the partition {arn['partition']!r}, which AWS does not have"
    if not _ACCOUNT.fullmatch(arn["account"]):
        yield f"{resource!r} names the account {arn['account']!r}: accounts have 12 digits"
    if ":foundation-model/" in resource and arn["account"] not in {"", "*"}:
        yield f"{resource!r} matches nothing: a foundation model's ARN has no account"


def _of_grant(statement: dict[str, Any]) -> Iterator[str]:
    actions = [each for each in a_list(statement.get("Action")) if isinstance(each, str)]
    for action in actions:
        service, _, name = action.partition(":")
        if action == "*" or (name == "*" and service.startswith("bedrock")):
            yield f"it allows {action}, which is more than calling models"
    if not any(fnmatchcase(call, each.lower()) for each in actions for call in _CALLS):
        return
    for resource in a_list(statement.get("Resource")):
        model = _MODEL.search(resource) if isinstance(resource, str) else None
        if resource == "*" or (model and model["id"].endswith("*")):
            yield f"it allows calls of {resource!r}, which opens every model that begins so"


def _of_condition(statement: dict[str, Any]) -> Iterator[str]:
    conditions = statement.get("Condition", {})
    if not isinstance(conditions, dict) or ("Condition" in statement and not conditions):
        yield "Condition is empty or no object, so it limits nothing"
        return
    for operator, keys in conditions.items():
        if not isinstance(keys, dict) or not keys:
            yield f"Condition {operator} names no key"
            continue
        for key, values in keys.items():
            if not a_list(values):
                yield f"Condition {operator} {key} has no value"
            if key.lower() == "aws:userid" and "Like" in operator:
                for value in a_list(values):
                    if not _USER_ID.fullmatch(str(value)):
                        yield f"{key} {value!r} is a pattern that may match other people"
