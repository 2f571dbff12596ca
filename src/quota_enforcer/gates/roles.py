"""Roles that people share: which gate one names, and how IAM knows the people behind it."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from quota_enforcer.core.ledger import GateIntent
from quota_enforcer.core.policies.names import RESERVED_PATH
from quota_enforcer.core.principal import SSO_ROLE, Kind, split_account

_PERMISSION_SET: Final = re.compile(rf"{SSO_ROLE}(?P<name>.+)_[0-9a-f]{{16}}")
_SETUP: Final = "run `quota-enforcer gates setup`"


@dataclass(frozen=True, slots=True)
class Role:
    """A role in IAM: its unique id (`AROA...`) and its permissions boundary's ARN, if any.

    `trust` is the text of its trust policy.
    A role that is deleted and created again under its name has another id.
    """

    id: str
    boundary: str = ""
    path: str = "/"
    trust: str = field(default="", compare=False)

    @property
    def is_of_identity_center(self) -> bool:
        """Whether AWS made it for a permission set; others may only be called like one."""
        return self.path.startswith(RESERVED_PATH)


class BoundaryState(StrEnum):
    """Which permissions boundary a role has."""

    GATE = "gate"
    NOTHING = "no boundary"
    ANOTHER = "another boundary"
    GONE = "gone"


Roles = Mapping[str, Role | None]
"""Roles by name, of member accounts with the number before it; None is one that does not exist."""


def boundary_state(role: Role | None, gates: Collection[str]) -> BoundaryState:
    """Which boundary a role has: one of these gates, another one, or none."""
    if role is None:
        return BoundaryState.GONE
    if role.boundary in gates:
        return BoundaryState.GATE
    return BoundaryState.ANOTHER if role.boundary else BoundaryState.NOTHING


def permission_set(role: str) -> str:
    """The permission set that Identity Center made a role of; empty for any other role."""
    found = _PERMISSION_SET.fullmatch(split_account(role)[1])
    return found["name"] if found else ""


def gates_of(intent: GateIntent, gates: Collection[str], roles: Roles) -> list[str]:
    """The gates that somebody's roles name.

    A permission set names its gate by path and name, and so in every account: who is behind one is
    denied in all of them.
    """
    named = {_named(intent, role.boundary) for role in _theirs(intent, roles)}
    return [gate for gate in gates if _named(intent, gate) in named]


def user_ids(intent: GateIntent, gate: str, roles: Roles) -> tuple[str, ...]:
    """The `aws:userid`s by which one gate knows somebody; none if no role of theirs names it.

    People of Identity Center go by their name in whatever role, so that another permission set with
    the same gate is closed too. One session goes by its role's id of today.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
    """
    name = _named(intent, gate)
    behind = [role for role in _theirs(intent, roles) if _named(intent, role.boundary) == name]
    if intent.principal.kind is Kind.SSO:
        ids = {f"*:{name}" for name in intent.names if behind}
    else:
        ids = {f"{role.id}:{name}" for name in intent.names for role in behind}
    return tuple(sorted(ids))


def why_without_gate(intent: GateIntent, gates: Collection[str], roles: Roles) -> Iterator[str]:
    """For each role that no gate of ours guards, what to do about it.

    A role that is gone guards nothing and opens nothing, so it is a reason only if none is left.
    """
    for name in sorted(intent.roles):
        role = roles[name]
        if role is not None and not _is_theirs(intent, role):
            yield (
                f"the role {name} is called like one of a permission set and is none, as its path "
                f"is {role.path}: whoever made it uses Bedrock in the name of others; delete it"
            )
            continue
        match boundary_state(role, gates):
            case BoundaryState.ANOTHER if role is not None:
                yield (
                    f"{_shown(name)} has the permissions boundary {role.boundary}, which is no "
                    f"gate of this stack, and a role has only one: {_SETUP}"
                )
            case BoundaryState.NOTHING:
                yield f"{_shown(name)} names no gate as its permissions boundary: {_SETUP}"
            case _:
                pass
    if not intent.roles:
        yield "no role of theirs is known, so no gate either"
    elif all(roles[name] is None for name in intent.roles):
        yield f"{' and '.join(map(_shown, sorted(intent.roles)))} no longer exists"


def _named(intent: GateIntent, gate: str) -> str:
    """What of a gate's ARN matters to somebody: people of Identity Center are of all accounts."""
    return gate.partition(":policy")[2] if intent.principal.kind is Kind.SSO else gate


def _theirs(intent: GateIntent, roles: Roles) -> Iterator[Role]:
    """The roles that somebody is behind, as far as they exist."""
    for name in intent.roles:
        role = roles.get(name)
        if role is not None and _is_theirs(intent, role):
            yield role


def _is_theirs(intent: GateIntent, role: Role) -> bool:
    return intent.principal.kind is not Kind.SSO or role.is_of_identity_center


def _shown(role: str) -> str:
    account, name = split_account(role)
    found = permission_set(name)
    shown = f"the permission set {found} (role {name})" if found else f"the role {name}"
    return f"{shown} of account {account}" if account else shown
