"""Trust policies: who may take a role, who names its sessions, and how to bind a name to a person.

The invocation log knows a session by its name alone. Whoever may choose it can go by somebody
else's, and comes back under a new one after a block.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Final

from quota_enforcer.core.policies.document import Statement

_NAME: Final = "sts:rolesessionname"
_TAKE: Final = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")
_VARIABLE: Final = re.compile(r"\$\{(?P<key>[A-Za-z][^},]*)(?:,[^}]*)?\}")
_OF_CALLER: Final = ("aws:requesttag/", "aws:useragent", "aws:referer", "sts:")
"""Keys that the request itself says, so that a name equal to them is chosen all the same."""
_ONE_ARN: Final = re.compile(r"arn:[^:]+:(?:iam::\d{12}:(?:user|role)|sts::\d{12}:[\w-]+)/.+")


class NamedBy(StrEnum):
    """Who decides what a session is called.

    A SAML provider says it in its assertion; with a token of OpenID Connect the caller does.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
    """

    CALLER = "caller"
    CONDITION = "trust policy"
    PROVIDER = "identity provider"
    SERVICE = "AWS service"


@dataclass(frozen=True, slots=True)
class Entrance:
    """One principal that a trust policy lets in; `many` says that it may be several people."""

    principal: str
    named_by: NamedBy
    many: bool = False


def entrances(trust: str) -> list[Entrance]:
    """Whom the text of a trust policy lets in; none where there is no text."""
    found = statements(trust)
    denied = any(map(denies_other_names, found))
    return [
        _entrance(kind, principal, bound=denied or binds(statement))
        for statement in found
        if statement.get("Effect") == "Allow" and takes(statement)
        for kind, principal in principals(statement)
    ]


def callers_name_themselves(trust: str) -> list[str]:
    """The principals that choose the names of their sessions."""
    found = (each.principal for each in entrances(trust) if each.named_by is NamedBy.CALLER)
    return sorted(set(found))


def _entrance(kind: str, principal: str, *, bound: bool) -> Entrance:
    saml = kind == "Federated" and ":saml-provider/" in principal
    many = kind == "Federated" or (kind == "AWS" and not _ONE_ARN.fullmatch(principal))
    if kind == "Service":
        return Entrance(principal, NamedBy.SERVICE)
    if saml:
        return Entrance(principal, NamedBy.PROVIDER, many)
    # A role that is let in may have several people behind it.
    many = many or ":role/" in principal
    return Entrance(principal, NamedBy.CONDITION if bound else NamedBy.CALLER, many)


def statements(trust: str) -> list[Statement]:
    read = json.loads(trust) if trust else {}
    return [each for each in as_list(read.get("Statement", [])) if isinstance(each, dict)]


def takes(statement: Statement) -> bool:
    actions = as_list(statement.get("Action"))
    return any(_covers(pattern, action) for pattern in actions for action in _TAKE)


def _covers(pattern: str, action: str) -> bool:
    return fnmatchcase(action.lower(), pattern.lower())


def principals(statement: Statement) -> Iterator[tuple[str, str]]:
    """Each with its kind: AWS, Service or Federated."""
    if "NotPrincipal" in statement:
        yield "AWS", "*"
        return
    found = statement.get("Principal", {})
    if isinstance(found, str):
        yield "AWS", found
        return
    for kind, several in found.items():
        for principal in as_list(several):
            yield kind, principal


def binds(statement: Statement) -> bool:
    """Whether a session can only be called what IAM knows of its caller, or only one name."""
    return any(
        _are_fixed(as_list(value))
        for operator, keys in statement.get("Condition", {}).items()
        if _plain(operator).startswith(("stringequals", "stringlike"))
        for key, value in keys.items()
        if key.lower() == _NAME
    )


def denies_other_names(statement: Statement) -> bool:
    """Whether a statement refuses everybody every name but their own."""
    return (
        statement.get("Effect") == "Deny"
        and takes(statement)
        and ("AWS", "*") in set(principals(statement))
        and len(statement.get("Condition", {})) == 1
        and any(
            _are_fixed(as_list(value))
            for operator, keys in statement["Condition"].items()
            if _plain(operator).startswith(("stringnotequals", "stringnotlike")) and len(keys) == 1
            for key, value in keys.items()
            if key.lower() == _NAME
        )
    )


def _plain(operator: str) -> str:
    """Without `ForAllValues:`; a session always has a name, so `IfExists` says nothing."""
    return operator.lower().rpartition(":")[2]


def _are_fixed(values: Sequence[str]) -> bool:
    if all(map(_is_claim, values)):
        return bool(values)
    return len(values) == 1 and not set("*?$") & set(values[0])


def _is_claim(value: str) -> bool:
    found = _VARIABLE.fullmatch(value)
    return found is not None and not found["key"].lower().startswith(_OF_CALLER)


def as_list(value: Any) -> list[Any]:
    """IAM takes one or a list nearly everywhere."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
