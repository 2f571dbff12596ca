"""The rules in force as one value, and the edits of the quota table that nobody has acted on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from quota_enforcer.core.ledger import QuotaMemory
from quota_enforcer.core.notices.notice import HISTORY_ONLY, Notice
from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import QuotaBook, covers
from quota_enforcer.core.quotas.quota import Rule, named_by
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.stored import MeterRules


@dataclass(frozen=True, slots=True)
class QuotaEdit:
    """One item of the quota table that differs from what was last acted on."""

    before: QuotaMemory
    """What is remembered of the item."""
    after: QuotaMemory | None
    """What is to be remembered; None if the item is gone."""
    rules: tuple[Rule, ...] = ()
    """Those of then and of now, if they differ."""
    notices: tuple[Notice, ...] = ()
    """What people are told of the edit, or what the history notes of it."""

    @property
    def of_sessions(self) -> bool:
        """Whether it watches sessions: they are metered only if a quota does so."""
        subjects = (each for rule in self.rules for each in (rule.subject, *rule.members))
        return any(Subject(each).of_sessions for each in subjects)


@dataclass(frozen=True)
class RuleSet:
    """The rules and prices in force."""

    rules: list[Rule] = field(default_factory=list)
    prices: dict[str, Rate] = field(default_factory=dict)
    edits: list[QuotaEdit] = field(default_factory=list)
    """What is to be remembered once it has been acted on."""
    version: str = ""
    """What the sweep's state said of the edits seen, before these were loaded or since.

    A decision by these rules holds only while the state still says so.
    """
    changed_at: Mapping[str, datetime] = field(default_factory=dict)
    """When an edit changed what a quota says, by its id; without those of before this was noted."""
    prices_changed_at: datetime | None = None

    def knowing(self, principals: Iterable[Principal]) -> "RuleSet":
        """These rules, with everybody among the members whom a group among them covers.

        `principals` are all that are known; nobody goes through them if no team has a group.
        """
        if not any(rule.groups for rule in self.rules):
            return self
        known = list(principals)
        return replace(self, rules=[rule.among(known) for rule in self.rules])

    @cached_property
    def book(self) -> QuotaBook:
        """The rules, ready to be asked who has which quotas."""
        return QuotaBook(self.rules)

    @property
    def meter_rules(self) -> MeterRules:
        """What the meters need to know of all this."""
        return MeterRules(self.book.sessions, self.prices, self.book.minutes)

    @property
    def news(self) -> bool:
        """Whether there are edits that nobody has acted on."""
        return bool(self.edits)

    @property
    def edited(self) -> list[Rule]:
        """The rules that edits have changed, as they were and as they are."""
        return [rule for edit in self.edits for rule in edit.rules]

    @property
    def invalid(self) -> list[Notice]:
        """What admins are to be told of items that are not valid."""
        notices = (notice for edit in self.edits for notice in edit.notices)
        return [notice for notice in notices if notice.kind not in HISTORY_ONLY]

    @property
    def watch_sessions(self) -> bool:
        """Whether an edit begins or ends that a quota watches sessions."""
        return any(edit.of_sessions for edit in self.edits)

    @property
    def named(self) -> set[Principal]:
        """Principals that an edit names, known or not: one may be blocked before its first call."""
        return named_by(self.edited)

    @property
    def concern_many(self) -> bool:
        """Whether an edit can concern others than it names."""
        return any(rule.subject.is_group or rule.groups for rule in self.edited)

    def without(self, done: Iterable[QuotaEdit]) -> "RuleSet":
        """These rules without the edits that are remembered by now."""
        gone = {id(edit) for edit in done}
        return replace(self, edits=[edit for edit in self.edits if id(edit) not in gone])

    def concerned(self, everybody: Iterable[Principal]) -> set[Principal]:
        """Whom the edits since the last sweep can concern."""
        edited = self.edited
        return {
            principal
            for principal in everybody
            if any(covers(rule.subject, rule.members, principal) for rule in edited)
        }
