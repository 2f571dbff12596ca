"""The gate: one permissions boundary for a permission set or a shared role, with a deny list.

A boundary never grants, so the worst that a tampered gate can do is to block or to unblock.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
Where nobody is denied the gate is `Allow *` and nothing else: there is no list that could be empty
and no condition that could be missing, which would deny the whole role.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.deny import AGENT_CORE, BEDROCK, MODEL, UNMETERED, arns_of
from quota_enforcer.core.policies.document import (
    MANAGED_LIMIT,
    Document,
    Statement,
    allow,
    deny,
    document,
    size,
)
from quota_enforcer.core.policies.names import checked_scopes, checked_user_id

# A session's aws:PrincipalArn is its role's ARN. Only AWS makes roles under this path; anybody may
# call a role of their own AWSReservedSSO_....
# https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
_SSO = {"ArnLike": {"aws:PrincipalArn": "arn:*:iam::*:role/aws-reserved/*AWSReservedSSO_*"}}


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody to deny, with all user ids or not at all."""

    name: str
    """By which the caller knows it."""
    user_ids: tuple[str, ...]
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate's document, and who is not in it with the reason in words."""

    document: Document
    left_out: Mapping[str, str]
    is_full: bool = False
    """Whether somebody was left out for want of room."""

    @property
    def percent(self) -> int:
        return percent_full(self.document)


def gate(
    denied: Mapping[str, Collection[str]],
    *,
    partition: str = "aws",
    agent_core: bool = True,
    only_sso: bool = False,
) -> Document:
    """The whole boundary for `denied`: user ids and the model scopes closed to each.

    Its size is the caller's to check. Raises InvalidPolicyInput for what is no user id or scope.
    """
    statements = deny_statements(
        denied, partition=partition, agent_core=agent_core, only_sso=only_sso
    )
    return document(allow("BoundaryThatGrantsNothing", ["*"], "*"), *statements)


def fitting_gate(
    entries: Iterable[Entry], *, partition: str = "aws", agent_core: bool = True
) -> Gate:
    """The boundary for as many entries as fit, in their order.

    One that does not fit or cannot be written is left out, with the reason, and stops no other.
    """
    denied: dict[str, frozenset[str]] = {}
    left_out: dict[str, str] = {}
    is_full = False
    too_long: dict[tuple[bool, frozenset[str]], int] = {}
    why = ""

    def written(of: Mapping[str, frozenset[str]]) -> Document:
        return gate(of, partition=partition, agent_core=agent_core, only_sso=True)

    for entry in entries:
        more = {each: denied.get(each, frozenset()) | entry.scopes for each in entry.user_ids}
        # A gate only grows, so what is as long as another that did not fit is not written to see.
        alike = all(map(_is_person, more)), entry.scopes
        length = sum(len(each) + len('"",') for each in more)
        try:
            _checked(entry)
            hopeless = length >= too_long.get(alike, length + 1) and denied.keys().isdisjoint(more)
            fits = not hopeless and size(written(denied | more)) <= MANAGED_LIMIT
        except InvalidPolicyInput as error:
            left_out[entry.name] = str(error)
            continue
        if fits:
            denied |= more
            why = ""
            continue
        if not hopeless and denied.keys().isdisjoint(more):
            too_long[alike] = length
        is_full = True
        why = why or (
            f"the gate is full: {len(denied)} user ids fill {percent_full(written(denied))} % "
            f"of its {MANAGED_LIMIT} characters"
        )
        left_out[entry.name] = why
    return Gate(written(denied), left_out, is_full)


def _checked(entry: Entry) -> None:
    """Raises InvalidPolicyInput for what can never be written, however much room there is."""
    checked_scopes(entry.scopes)
    for user_id in entry.user_ids:
        checked_user_id(user_id, whole_role=not _is_person(user_id))


def _is_person(user_id: str) -> bool:
    """Of Identity Center, in whatever role."""
    return user_id.startswith("*:")


def percent_full(written: Document) -> int:
    """How much of what a managed policy can hold a document takes."""
    return size(written) * 100 // MANAGED_LIMIT


def deny_statements(
    denied: Mapping[str, Collection[str]],
    *,
    partition: str = "aws",
    agent_core: bool = True,
    only_sso: bool = False,
) -> list[Statement]:
    """The deny part of a gate; none if nobody is denied.

    One statement for each set of scopes, so that people with the same set share it, and one for
    what any of them closes as a whole. With `only_sso` a `*:NAME` means people of Identity Center:
    where a permission set and a shared role name one gate, a session that happens to be called
    like a person goes on.
    """
    if not only_sso:
        return _statements(denied, partition, "", agent_core=agent_core, condition={})
    people = {user_id: denied[user_id] for user_id in denied if _is_person(user_id)}
    others = {user_id: denied[user_id] for user_id in denied if user_id not in people}
    return [
        *_statements(people, partition, "People", agent_core=agent_core, condition=_SSO),
        *_statements(others, partition, "", agent_core=agent_core, condition={}, whole_role=True),
    ]


def _statements(
    denied: Mapping[str, Collection[str]],
    partition: str,
    suffix: str,
    *,
    agent_core: bool,
    condition: Mapping[str, Any],
    whole_role: bool = False,
) -> list[Statement]:
    groups: dict[tuple[str, ...], list[str]] = {}
    for user_id in sorted(denied):
        if scopes := checked_scopes(denied[user_id]):
            groups.setdefault(scopes, []).append(checked_user_id(user_id, whole_role=whole_role))

    def is_any(user_ids: list[str]) -> dict[str, Any]:
        """One of these; only the leading `*` of a user id is a pattern, see `checked_user_id`."""
        return {"StringLike": {"aws:userid": user_ids}, **condition}

    statements = []
    if everything := groups.pop(("*",), []):
        actions = (*BEDROCK, *AGENT_CORE) if agent_core else BEDROCK
        statements.append(deny(f"OverBedrockQuota{suffix}", actions, Condition=is_any(everything)))
    for number, scopes in enumerate(sorted(groups), start=1):
        sid, arns = f"OverBedrockQuotaModels{suffix}{number}", arns_of(scopes, partition)
        statements.append(deny(sid, MODEL, arns, Condition=is_any(groups[scopes])))
    if some := sorted(user_id for group in groups.values() for user_id in group):
        sid = f"OverBedrockQuotaUnmetered{suffix}"
        statements.append(deny(sid, UNMETERED, Condition=is_any(some)))
    return statements
