"""Quotas as they were loaded: what is in force, and what is other than was last acted on."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from quota_enforcer.core.ledger import Brief, QuotaMemory
from quota_enforcer.core.notices.notice import NOTED, Notice
from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.item import KINDS
from quota_enforcer.core.quotas.precedence import QuotaBook, covers
from quota_enforcer.core.quotas.quota import Rule


class Rules(NamedTuple):
    """The quotas to decide by.

    `seen` is what the ledger's state said of them before they were loaded, or since: what is
    decided holds only while it still says so.
    """

    book: QuotaBook
    seen: str


@dataclass(frozen=True, slots=True)
class Edit:
    """One item that is other than was last acted on.

    `before` is what is remembered of it and `after` what is to be (None: it is gone), `rules` are
    those of then and now where they differ, and `notices` what is to be told or noted of it.
    """

    before: QuotaMemory
    after: QuotaMemory | None
    rules: tuple[Rule, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def of_sessions(self) -> bool:
        """Whether it watches sessions: only where a quota does so are they metered."""
        whom = (each for rule in self.rules for each in (rule.whom, *rule.members))
        return any(each.startswith("session/") for each in whom)


@dataclass
class LoadedQuotas:
    """The rules and prices in force, and what is to be remembered once it has been acted on."""

    rules: list[Rule] = field(default_factory=list)
    prices: dict[str, Rate] = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)

    @cached_property
    def book(self) -> QuotaBook:
        """The rules, ready to be asked who has which quotas."""
        return QuotaBook(self.rules)

    @property
    def brief(self) -> Brief:
        """What the meters need to know of all this."""
        return Brief(self.book.sessions, self.prices)

    @property
    def news(self) -> bool:
        """Whether anything is other than was last acted on."""
        return bool(self.edits)

    @property
    def edited(self) -> list[Rule]:
        """The rules that edits have changed, as they were and as they are."""
        return [rule for edit in self.edits for rule in edit.rules]

    @property
    def invalid(self) -> list[Notice]:
        """What admins are to be told of items that are not valid."""
        notices = (notice for edit in self.edits for notice in edit.notices)
        return [notice for notice in notices if notice.kind not in NOTED]

    @property
    def watch_sessions(self) -> bool:
        """Whether sessions are edited."""
        return any(edit.of_sessions for edit in self.edits)

    @property
    def named(self) -> set[Principal]:
        """Principals that an edit names, known or not: one may be blocked before its first call."""
        whom = {each for rule in self.edited for each in rule.named}
        return {Principal.parse(each) for each in whom if not _many(each)}

    @property
    def concern_many(self) -> bool:
        """Whether an edit can concern others than it names."""
        return any(_many(rule.whom) for rule in self.edited)

    def concerned(self, everybody: Iterable[Principal]) -> set[Principal]:
        """Whom the edits since the last sweep can concern."""
        edited = self.edited
        return {
            principal
            for principal in everybody
            if any(covers(rule.whom, rule.members, principal) for rule in edited)
        }


def _many(whom: str) -> bool:
    """Whether it is a kind or the default, and no principal."""
    return whom in KINDS or "*" in whom
