"""Whom a rule covers, as the key `principal` of a quota item names it, and who is in a team."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Self

from quota_enforcer.core.principal import PEOPLE, Kind, Principal, split_account
from quota_enforcer.core.quotas.stage import AT_LIMIT


class Subject(str):
    """One principal (`user/alice`), a team (`team/x`), or a group.

    Groups are kinds (`user/*`, `sso/*`, `role/*`), all sessions of a role (`session/ROLE/*`), and
    `default`: people, that is `user/*` and `sso/*`, and never roles. Kinds cover all accounts;
    those of one member account are `444455556666/user/*` and `444455556666/role/*`, and both of
    them together `444455556666/*`.
    """

    __slots__ = ()

    @classmethod
    def sessions_of(cls, role: Principal) -> Self:
        return cls(f"{Principal(Kind.SESSION, role.name, role.account)}/*")

    @property
    def account(self) -> str:
        """The member account that it is of; empty for home's, and for whatever is of none."""
        return split_account(self)[0]

    @property
    def kind(self) -> str:
        """The word before the slash; empty for `default`, and for all of an account."""
        kind, slash, _ = split_account(self)[1].partition("/")
        return kind if slash else ""

    @property
    def role(self) -> Principal:
        """Of sessions: their role."""
        account, own = split_account(self)
        return Principal(Kind.ROLE, own.split("/")[1], account)

    @property
    def is_group(self) -> bool:
        """Whether it names nobody in particular."""
        return self in {DEFAULT, PAUSE} or "*" in self

    @property
    def is_of_an_account(self) -> bool:
        """Whether it is one of the groups that every member account has."""
        return bool(self.account) and split_account(self)[1] in GROUPS_OF_AN_ACCOUNT

    @property
    def is_team(self) -> bool:
        return self.kind == Kind.TEAM

    @property
    def of_sessions(self) -> bool:
        """Whether it covers one session of a role, or all of them; only such are metered apart."""
        return self.kind == Kind.SESSION

    @property
    def parts(self) -> "tuple[Self, ...]":
        """The groups that together cover everybody whom this one covers; empty for all others."""
        if self == DEFAULT:
            return tuple(type(self)(f"{kind}/*") for kind in Kind if kind in PEOPLE)
        account, own = split_account(self)
        if account and own == _ALL:
            return tuple(type(self)(f"{account}/{kind}/*") for kind in (Kind.USER, Kind.ROLE))
        return ()

    def principal(self) -> Principal:
        """The one that it names; raises UnknownIdentity for a group."""
        return Principal.parse(self)

    @property
    def somebody(self) -> Principal:
        """The one that it names, of a group one whom it covers, known or not."""
        first = self.parts[0] if self.parts else self
        return Principal.parse(first.replace("*", "any"))

    def covers(self, principal: Principal) -> bool:
        """Whether it names this principal or a group of theirs."""
        return self in covering(principal)


DEFAULT = Subject("default")
PAUSE = Subject("pause")
"""The first key of the item that pauses all new blocks; it covers nobody."""
PAUSED_BLOCKS = "new-blocks"
"""Its second key."""
GROUPS = (Subject("user/*"), Subject("sso/*"), Subject("role/*"), DEFAULT)
"""The groups of every deployment."""
_ALL = "*"
GROUPS_OF_AN_ACCOUNT = ("user/*", "role/*", _ALL)
"""The groups of a member account, after its number."""


def covering(principal: Principal) -> tuple[Subject, ...]:
    """The subjects that cover a principal, nearest first: itself, its kind or role, the default.

    The groups of its account come before those of all accounts.
    """
    if principal.kind is Kind.SESSION:
        return (Subject(principal), Subject.sessions_of(principal.of_role))
    return (Subject(principal), *_groups_of(principal.kind, principal.account))


@lru_cache(maxsize=1024)
def _groups_of(kind: Kind, account: str) -> tuple[Subject, ...]:
    """Remembered: everybody is in one of a few."""
    every = f"{kind}/*"
    own = (Subject(f"{account}/{every}"), Subject(f"{account}/{_ALL}")) if account else ()
    default = (DEFAULT,) if kind in PEOPLE else ()
    return (*own, Subject(every), *default)


class QuotaId(NamedTuple):
    """The two keys of the quota table; as text `subject#name`, of an early stage with `@80`."""

    subject: Subject
    name: str
    percent: int = AT_LIMIT
    """The part of the limit from which on it closes something."""

    def __str__(self) -> str:
        return id_of(*self)

    @classmethod
    def parse(cls, text: str) -> Self:
        subject, _, name = text.partition("#")
        name, stage, percent = name.partition("@")  # no name has one
        return cls(Subject(subject), name, int(percent) if stage else AT_LIMIT)

    @property
    def item(self) -> str:
        """The id of the whole quota, whichever stage this is."""
        return str(self._replace(percent=AT_LIMIT))

    @property
    def label(self) -> str:
        """`monthly`, or `monthly at 80 %`."""
        return self.name if self.percent == AT_LIMIT else f"{self.name} at {self.percent} %"


@lru_cache(maxsize=4096)
def id_of(subject: str, name: str, percent: int = AT_LIMIT) -> str:
    """A `QuotaId` as text.

    Remembered: it is asked for again and again of the few quotas that concern everybody.
    """
    stage = "" if percent == AT_LIMIT else f"@{percent}"
    return f"{subject}#{name}{stage}"


TEAM_ITEM = "members"
"""The second key of an item that is no quota, but says who is in a team."""
_OF_A_RULE = {"measure", "limit", "window", "exempt"}


def is_team_item(item: Mapping[str, Any]) -> bool:
    """Whether it says who is in a team, once for all its quotas.

    A quota may have been called so before there were such items.
    """
    team = Subject(str(item.get("principal"))).is_team
    return team and item.get("quota") == TEAM_ITEM and not _OF_A_RULE & item.keys()


def members_by_team(items: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What the teams' own items say of their members, as written."""
    return {
        str(item["principal"]): item["members"]
        for item in items
        if is_team_item(item) and "members" in item
    }


def with_members(item: Mapping[str, Any], teams: Mapping[str, Any]) -> Mapping[str, Any]:
    """The item of a quota that names no members with those of its team; any other as it is."""
    members = teams.get(str(item.get("principal")))
    if members is None or "members" in item or is_team_item(item):
        return item
    return {**item, "members": members}
