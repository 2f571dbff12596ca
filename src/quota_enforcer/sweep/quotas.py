"""Loading quotas and prices: valid items as they are, invalid ones as they last were."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from quota_enforcer.core.errors import InvalidQuota
from quota_enforcer.core.notice import Notice, NoticeKind
from quota_enforcer.core.precedence import QuotaBook, covers
from quota_enforcer.core.price import Rate
from quota_enforcer.core.price_item import is_price, read_price
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quota import Rule
from quota_enforcer.core.quota_item import KINDS, Item, read_quota
from quota_enforcer.ports import Brief, QuotaMemory

MOST_WORDS = 2_000
"""How much of an item's problems is told: enough to mend it, and it fits every table and mail."""

Priced = tuple[str, Rate]
"""A price of the admins' own, by what it is the price of."""
Entry = Rule | Priced
"""What a valid item of the quota table says."""


class Rules(NamedTuple):
    """The quotas to decide by.

    `seen` is what the ledger's state said of them before they were loaded: what is decided holds
    only while it still says so. None in a sweep, which says it itself.
    """

    book: QuotaBook
    seen: str | None = None


@dataclass
class LoadedQuotas:
    """The rules and prices in force, and what the sweep must remember once it has acted on them."""

    rules: list[Rule] = field(default_factory=list)
    prices: dict[str, Rate] = field(default_factory=dict)
    edited: list[Rule] = field(default_factory=list)
    invalid: list[Notice] = field(default_factory=list)
    remember: list[QuotaMemory] = field(default_factory=list)
    forget: list[QuotaMemory] = field(default_factory=list)

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
        """Whether anything is other than the last sweep remembered it."""
        return bool(self.remember or self.forget)

    @property
    def watch_sessions(self) -> bool:
        """Whether sessions are edited: only where a quota watches them are they metered."""
        whom = (each for rule in self.edited for each in (rule.whom, *rule.members))
        return any(each.startswith("session/") for each in whom)

    @property
    def named(self) -> set[Principal]:
        """Principals that an edit names, known or not: one may be blocked before its first call."""
        whom = {each for rule in self.edited for each in rule.named}
        return {Principal.parse(each) for each in whom if each not in KINDS and "*" not in each}

    def concerned(self, everybody: Iterable[Principal]) -> set[Principal]:
        """Whom the edits since the last sweep can concern."""
        return {
            principal
            for principal in everybody
            if any(covers(rule.whom, rule.members, principal) for rule in self.edited)
        }


class QuotaLoader:
    """Reads quota items into rules, in one time zone and for the installed model scopes."""

    def __init__(self, zone: ZoneInfo, scopes: Collection[str]) -> None:
        self._zone = zone
        self._scopes = sorted(scopes)

    def load(
        self, items: Iterable[Item], memories: Iterable[QuotaMemory], now: datetime
    ) -> LoadedQuotas:
        """The rules in force.

        An item that does not validate never takes a limit away: its last valid version stays, or
        where there was none the next in precedence applies. Admins are told once, and again only
        when the problem changes.
        """
        loaded = LoadedQuotas()
        known = {(memory.whom, memory.name): memory for memory in memories}
        for item in items:
            whom, name = _printable(item.get("principal")), _printable(item.get("quota"))
            memory = known.pop((whom, name), QuotaMemory(whom, name))
            last = self._last_valid(memory)
            entry: Entry | None
            try:
                entry = self._read(item)
            except InvalidQuota as error:
                entry = last
                self._report(loaded, memory, error, now, stays=last is not None)
            else:
                if memory != (now_valid := QuotaMemory(whom, name, dict(item))):
                    loaded.remember.append(now_valid)
                    loaded.edited += _rules(last, entry) if last != entry else []
            match entry:
                case Rule():
                    loaded.rules.append(entry)
                case (key, rate):
                    loaded.prices[key] = rate
        for memory in known.values():
            loaded.forget.append(memory)
            loaded.edited += _rules(self._last_valid(memory))
        return loaded

    def _read(self, item: Item) -> Entry | None:
        """What an item says, None where it counts as absent; raises InvalidQuota."""
        return read_price(item) if is_price(item) else read_quota(item, self._zone, self._scopes)

    def _last_valid(self, memory: QuotaMemory) -> Entry | None:
        if memory.item is None:
            return None
        try:
            return self._read(memory.item)
        except InvalidQuota:  # it was valid once: a model scope has been uninstalled since
            return None

    def _report(
        self,
        loaded: LoadedQuotas,
        memory: QuotaMemory,
        error: InvalidQuota,
        now: datetime,
        *,
        stays: bool,
    ) -> None:
        problems = "; ".join(error.problems)[:MOST_WORDS]
        if problems == memory.reported:
            return
        price = is_price({"principal": memory.whom, "quota": memory.name})
        instead = "the next price applies" if price else "the next quota in precedence applies"
        if stays:
            instead = "its last valid version stays in force"
        loaded.remember.append(
            QuotaMemory(memory.whom, memory.name, memory.item, problems),
        )
        loaded.invalid.append(
            Notice(
                NoticeKind.INVALID_QUOTA,
                now,
                memory.whom,
                memory.name,
                f"{problems}. Until it is mended, {instead}",
            ),
        )


def _rules(*entries: Entry | None) -> list[Rule]:
    """Those that concern principals: a price does not touch what was used before."""
    return [entry for entry in entries if isinstance(entry, Rule)]


def _printable(key: object) -> str:
    """A key of an item as a notice may carry it; one that differs from it is invalid anyway."""
    return "".join(each if each.isprintable() else "?" for each in str(key))
