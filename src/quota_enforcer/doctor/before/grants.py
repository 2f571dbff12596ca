"""Who may call Bedrock as far as policies say, read from their documents alone.

IAM's simulator has the last word, with boundaries and the organisation's policies; but it answers
few questions a second, so this says whom to ask about, and what.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from quota_enforcer.core.policies.document import Document, Statement
from quota_enforcer.core.policies.guard.keys import Key
from quota_enforcer.doctor.before.facts import Authorizations, IdentityFound, Whereabouts

WAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "models": ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"),
    "mantle": ("bedrock-mantle:CreateInference",),
    "batch": ("bedrock:CreateModelInvocationJob",),
}
"""How Bedrock is used, and the actions that it takes; Converse takes those of InvokeModel."""
_ANY_MODEL: Final = "foundation-model/any"


@dataclass(frozen=True, slots=True)
class Grant:
    """What one statement allows: a way to use Bedrock, on some resource."""

    way: str
    action: str
    resource: str
    conditional: bool = False
    """Whether the statement has conditions, which the simulator cannot see fulfilled."""

    def key(self, where: Whereabouts) -> Key:
        """The question to the simulator: a pattern stands for one resource that it matches."""
        return Key(self.way, self.action, _one_of(self.resource, where))


@dataclass(frozen=True, slots=True)
class CallerByPolicy:
    """A user or role that may call Bedrock by its policies, and the groups that it may by."""

    identity: IdentityFound
    grants: tuple[Grant, ...]
    through: tuple[str, ...] = ()

    @property
    def ways(self) -> tuple[str, ...]:
        return tuple(way for way in WAYS if any(each.way == way for each in self.grants))

    @property
    def is_conditional(self) -> bool:
        """Whether it may only under conditions."""
        return all(each.conditional for each in self.grants)


def callers_by_policy(found: Authorizations) -> list[CallerByPolicy]:
    """Whom their own policies or those of their groups let use Bedrock in some way."""

    def documents(inline: Iterable[Document], managed: Iterable[str]) -> list[Document]:
        return [*inline, *(found.policies[arn] for arn in managed if arn in found.policies)]

    by_group = {
        name: documents(group.inline, group.managed) for name, group in found.groups.items()
    }
    callers: list[CallerByPolicy] = []
    for identity in found.identities:
        own = documents(identity.inline, identity.managed)
        groups = {name: by_group.get(name, []) for name in identity.groups}
        every = [*own, *(each for several in groups.values() for each in several)]
        if granted := grants(every):
            through = tuple(name for name, several in groups.items() if grants(several))
            callers.append(CallerByPolicy(identity, granted, through))
    return callers


def grants(documents: Sequence[Document]) -> tuple[Grant, ...]:
    """For each way the widest grant: without conditions if there is one."""
    statements = [each for document in documents for each in _statements(document)]
    refused = [each for each in statements if _refuses_all(each)]
    best: dict[str, Grant] = {}
    for statement in statements:
        for grant in _granted(statement):
            denied = any(_covers(each, grant.action) for each in refused)
            known = best.get(grant.way)
            if not denied and (known is None or (known.conditional and not grant.conditional)):
                best[grant.way] = grant
    return tuple(best[way] for way in WAYS if way in best)


def _granted(statement: Statement) -> Iterator[Grant]:
    if statement.get("Effect") != "Allow":
        return
    resources = as_texts(statement.get("Resource"))
    # Of NotResource nothing tells what is left, which is nearly all.
    resource = resources[0] if resources else "*"
    for way, actions in WAYS.items():
        if fits := [action for action in actions if _covers(statement, action)]:
            yield Grant(way, fits[0], resource, bool(statement.get("Condition")))


def _refuses_all(statement: Statement) -> bool:
    return (
        statement.get("Effect") == "Deny"
        and "*" in as_texts(statement.get("Resource"))
        and not statement.get("Condition")
    )


def _covers(statement: Statement, action: str) -> bool:
    """Whether a statement is about an action."""

    def matches(patterns: Iterable[str]) -> bool:
        return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)

    if "NotAction" in statement:
        return not matches(as_texts(statement["NotAction"]))
    return matches(as_texts(statement.get("Action")))


def _one_of(pattern: str, where: Whereabouts) -> str:
    """A resource that a pattern matches, in this account and Region."""
    if pattern == "*":
        return f"arn:{where.partition}:bedrock:{where.region}::{_ANY_MODEL}"
    parts = pattern.split(":", 5)
    if len(parts) == len(_FILLINGS):
        parts = [
            filling.format(where=where) if part == "*" else part
            for part, filling in zip(parts, _FILLINGS, strict=True)
        ]
    return ":".join(parts).replace("*", "any").replace("?", "a")


_FILLINGS: Final = (
    "arn", "{where.partition}", "bedrock", "{where.region}", "{where.account}", _ANY_MODEL,
)  # fmt: skip


def _statements(document: Document) -> list[Statement]:
    found = document.get("Statement", [])
    return [found] if isinstance(found, dict) else [each for each in found if each]


def as_texts(value: Any) -> list[str]:
    """IAM takes one text or a list nearly everywhere."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)
