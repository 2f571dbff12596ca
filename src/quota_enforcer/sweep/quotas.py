"""Loading the quotas: valid items as they are, invalid ones as they last were."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from quota_enforcer.core.errors import InvalidQuota
from quota_enforcer.core.notice import Notice, NoticeKind
from quota_enforcer.core.precedence import QuotaBook, covers
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quota import Rule
from quota_enforcer.core.quota_item import KINDS, Item, read_quota
from quota_enforcer.ports import QuotaMemory

MOST_WORDS = 2_000
"""How much of an item's problems is told: enough to mend it, and it fits every table and mail."""


@dataclass(slots=True)
class LoadedQuotas:
    """The rules in force, and what the sweep must remember once it has acted on them."""

    rules: list[Rule] = field(default_factory=list)
    edited: list[Rule] = field(default_factory=list)
    invalid: list[Notice] = field(default_factory=list)
    remember: list[QuotaMemory] = field(default_factory=list)
    forget: list[QuotaMemory] = field(default_factory=list)

    @property
    def book(self) -> QuotaBook:
        """The rules, ready to be asked who has which quotas."""
        return QuotaBook(self.rules)

    @property
    def watch_sessions(self) -> bool:
        """Whether sessions are edited: only where a quota watches them are they metered."""
        whom = (each for rule in self.edited for each in (rule.whom, *rule.members))
        return any(each.startswith("session/") for each in whom)

    @property
    def named(self) -> set[Principal]:
        """Principals that an edit names, known or not: one may be blocked before its first call."""
        whom = {each for rule in self.edited for each in (rule.whom, *rule.members)}
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
            try:
                rule = read_quota(item, self._zone, self._scopes)
            except InvalidQuota as error:
                rule = last
                self._report(loaded, memory, error, now, stays=last is not None)
            else:
                if memory != (now_valid := QuotaMemory(whom, name, dict(item))):
                    loaded.remember.append(now_valid)
                    loaded.edited += [each for each in (last, rule) if each and last != rule]
            if rule is not None:
                loaded.rules.append(rule)
        for memory in known.values():
            loaded.forget.append(memory)
            gone = self._last_valid(memory)
            loaded.edited += [gone] if gone else []
        return loaded

    def _last_valid(self, memory: QuotaMemory) -> Rule | None:
        if memory.item is None:
            return None
        try:
            return read_quota(memory.item, self._zone, self._scopes)
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
        instead = "the next quota in precedence applies"
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


def _printable(key: object) -> str:
    """A key of an item as a notice may carry it; one that differs from it is invalid anyway."""
    return "".join(each if each.isprintable() else "?" for each in str(key))
