"""Loading quotas and prices: valid items as they are, invalid ones as they last were."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from quota_enforcer.core.errors import InvalidQuota
from quota_enforcer.core.ledger import MeterRules, QuotaMemory
from quota_enforcer.core.notices.notice import HISTORY_ONLY, Notice, NoticeKind
from quota_enforcer.core.pricing.item import is_price, read_price
from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.diff import author, changes, in_words
from quota_enforcer.core.quotas.item import Item, read_quota
from quota_enforcer.core.quotas.precedence import QuotaBook, covers
from quota_enforcer.core.quotas.quota import Quota, Rule, named_by
from quota_enforcer.core.quotas.subject import (
    Subject,
    is_team_item,
    members_by_team,
    with_members,
)
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.decide.breaker import by_hand


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

    @cached_property
    def book(self) -> QuotaBook:
        """The rules, ready to be asked who has which quotas."""
        return QuotaBook(self.rules)

    @property
    def meter_rules(self) -> MeterRules:
        """What the meters need to know of all this."""
        return MeterRules(self.book.sessions, self.prices)

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
        return [notice for notice in notices if notice.kind not in HISTORY_ONLY]

    @property
    def watch_sessions(self) -> bool:
        """Whether sessions are edited."""
        return any(edit.of_sessions for edit in self.edits)

    @property
    def named(self) -> set[Principal]:
        """Principals that an edit names, known or not: one may be blocked before its first call."""
        return named_by(self.edited)

    @property
    def concern_many(self) -> bool:
        """Whether an edit can concern others than it names."""
        return any(rule.subject.is_group for rule in self.edited)

    def edited_since(self, moment: datetime, quota: Quota, principal: Principal) -> bool:
        """Whether an edit after this moment may be why a quota blocks somebody.

        A limit of 0 that names them is meant. An edit that is not remembered yet also counts if it
        took something nearer away, such as an exemption.
        """
        if by_hand(quota):
            return False
        return self.id_edited_since(moment, quota.id, money=quota.measure is Measure.COST_USD) or (
            any(
                rule.id != quota.id
                and rule.name == quota.name
                and covers(rule.subject, rule.members, principal)
                for rule in self.edited
            )
        )

    def id_edited_since(self, moment: datetime, quota: str, *, money: bool = False) -> bool:
        """Whether what a quota says was changed after this moment, of `money` its prices too."""
        changes_ = (self.changed_at.get(quota), self.prices_changed_at if money else None)
        return any(each is not None and each > moment for each in changes_)

    def without(self, done: Iterable[QuotaEdit]) -> "RuleSet":
        """The same, with these edits remembered."""
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


LAST_VALID_STAYS = "its last valid version stays in force"
NEXT_APPLIES = "the next quota in precedence applies"
"""What holds while an item of the quota table is not valid."""

MOST_WORDS = 2_000
"""How much of an item's problems is told: enough to fix it, and it fits every table and mail."""

Priced = tuple[str, Rate]
"""A price of the admins' own, by what it is the price of."""

Entry = Rule | Priced
"""What a valid item of the quota table says."""


class QuotaLoader:
    """Reads quota items into rules, in one time zone and for the installed model scopes."""

    def __init__(self, zone: ZoneInfo, scopes: Collection[str]) -> None:
        self._zone = zone
        self._scopes = sorted(scopes)

    def load(
        self,
        items: Iterable[Item],
        memories: Iterable[QuotaMemory],
        now: datetime,
        version: str = "",
    ) -> RuleSet:
        """The rules in force.

        An item that does not validate never takes a limit away: its last valid version stays, or
        if there was none the next quota in precedence applies. Admins are told once, and again only
        when the problem changes.
        """
        loaded = RuleSet(version=version)
        known = {(memory.subject, memory.name): memory for memory in memories}
        changed_at: dict[str, datetime] = {}
        price_changes: list[datetime] = []
        several = list(items)
        before = members_by_team(each.item for each in known.values() if each.item is not None)
        teams = self._teams(several, before)
        for written in several:
            item = with_members(written, teams)
            subject, name = _printable(item.get("principal")), _printable(item.get("quota"))
            memory = known.pop((subject, name), QuotaMemory(subject, name))
            last, memory_now = self.last_valid(memory), memory
            entry: Entry | None
            try:
                entry = self._read(item)
            except InvalidQuota as error:
                entry = last
                edit = _invalid(memory, error, now, stays=last is not None)
            else:
                old = memory.item
                if item is not written and old is not None and _as_in(before, old):
                    old = {
                        name: value for name, value in old.items() if name != "members"
                    }  # the team's own item tells of them
                rules = _rules(last, entry) if last != entry else ()
                if not _only_raised(last, entry):
                    memory_now = replace(memory, changed_at=now)
                edit = _valid(memory, memory_now, item, rules, _noted(memory, old, written, now))
            if edit is not None:
                loaded.edits.append(edit)
            since = memory_now.changed_at
            match entry:
                case Rule():
                    loaded.rules.append(entry)
                    changed_at |= {entry.id: since} if since else {}
                case (key, rate):
                    loaded.prices[key] = rate
                    price_changes += [since] if since else []
        for memory in known.values():
            notices = _noted(memory, memory.item, None, now)
            rules = _rules(self.last_valid(memory))
            loaded.edits.append(QuotaEdit(memory, None, rules, notices))
        return replace(
            loaded, changed_at=changed_at, prices_changed_at=max(price_changes, default=None)
        )

    def _teams(self, items: Iterable[Item], before: Mapping[str, Any]) -> dict[str, Any]:
        """Who is in each team by its own item; while that is not valid, who was before."""
        valid: list[Item] = []
        teams: dict[str, Any] = {}
        for item in filter(is_team_item, items):
            try:
                valid += [item] if self._read(item) is not None else []
            except InvalidQuota:
                team = str(item["principal"])
                teams |= {team: before[team]} if team in before else {}
        return teams | members_by_team(valid)

    def _read(self, item: Item) -> Entry | None:
        """What an item says, None if it counts as absent; raises InvalidQuota."""
        return read_price(item) if is_price(item) else read_quota(item, self._zone, self._scopes)

    def last_valid(self, memory: QuotaMemory) -> Entry | None:
        """What a remembered version says; None if it is disabled or no longer reads."""
        if memory.item is None:
            return None
        try:
            return self._read(memory.item)
        except InvalidQuota:  # it was valid once: a model scope has been uninstalled since
            return None


def _only_raised(last: Entry | None, entry: Entry | None) -> bool:
    """Whether an item blocks nobody whom it did not block before: as it was, or more is allowed."""
    if not (isinstance(last, Quota) and isinstance(entry, Quota)):
        return last == entry
    as_allowing = replace(
        last,
        limit=entry.limit,
        raise_to=entry.raise_to,
        raise_until=entry.raise_until,
        warn_at=entry.warn_at,
    )
    raised = entry.limit >= last.limit and last.raise_to is None
    return last == entry or (raised and as_allowing == entry)


def _invalid(
    memory: QuotaMemory, error: InvalidQuota, now: datetime, *, stays: bool
) -> QuotaEdit | None:
    """What to tell admins of an item that does not validate; None if they know it already."""
    problems = "; ".join(error.problems)[:MOST_WORDS]
    if problems == memory.reported:
        return None
    price = is_price({"principal": memory.subject, "quota": memory.name})
    instead = "the next price applies" if price else NEXT_APPLIES
    if stays:
        instead = LAST_VALID_STAYS
    reason = f"{problems}. Until it is fixed, {instead}"
    notice = Notice(NoticeKind.INVALID_QUOTA, now, memory.subject, memory.name, reason)
    after = replace(memory, reported=problems, removed_by="")
    return QuotaEdit(memory, after, notices=(notice,))


def _as_in(teams: Mapping[str, Any], item: Item) -> bool:
    """Whether an item names the same members as the item of its team."""
    team = teams.get(str(item.get("principal")))
    return team is not None and not changes({"members": team}, {"members": item.get("members")})


def _valid(
    memory: QuotaMemory,
    changed: QuotaMemory,
    item: Item,
    rules: tuple[Rule, ...],
    notices: tuple[Notice, ...],
) -> QuotaEdit | None:
    """What to remember of a valid item; None if it is remembered already.

    `changed` is the memory with the moment at which it began to say something else.
    """
    after = replace(changed, item=dict(item), reported="", removed_by="")
    if after == memory:
        return None
    return QuotaEdit(memory, after, rules, notices)


def _noted(
    memory: QuotaMemory, old: Item | None, item: Item | None, now: datetime
) -> tuple[Notice, ...]:
    """The history's entry of an edit; none if only its author has changed."""
    if old is None and item is None:
        words = "removed: it was never valid"
    else:
        words = in_words(old, item) or ("valid again" if memory.reported else "")
    if not words:
        return ()
    announced = memory.removed_by if item is None else ""
    by = (announced or author(memory.item, item))[:MOST_WORDS]
    what = words[:MOST_WORDS]
    return (Notice(NoticeKind.EDITED, now, memory.subject, memory.name, what, by=by),)


def _rules(*entries: Entry | None) -> tuple[Rule, ...]:
    """Those that concern principals: a price does not touch what was used before."""
    return tuple(entry for entry in entries if isinstance(entry, Rule))


def _printable(key: object) -> str:
    """A key of an item as a notice may carry it; one that differs from it is invalid anyway."""
    return "".join(each if each.isprintable() else "?" for each in str(key))
