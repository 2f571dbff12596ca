"""Loading quotas and prices: valid items as they are, invalid ones as they last were."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from quota_enforcer.core.errors import InvalidQuota
from quota_enforcer.core.ledger import QuotaMemory
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.pricing.item import is_price, read_price
from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.quotas.diff import ELSEWHERE, author, changes, in_words
from quota_enforcer.core.quotas.form.leads import LEAD, lead_key
from quota_enforcer.core.quotas.item import Item, bounded, read_quota
from quota_enforcer.core.quotas.quota import Quota, Rule
from quota_enforcer.core.quotas.subject import (
    PAUSE,
    is_team_item,
    members_by_team,
    with_members,
)
from quota_enforcer.core.usage.stored import TOLD_WITHIN
from quota_enforcer.decide.rules.rule_set import QuotaEdit, RuleSet

LAST_VALID_STAYS = "its last valid version stays in force"

NEXT_APPLIES = "the next quota in precedence applies"

MOST_WORDS = 2_000
"""How much of an item's problems is told: enough to fix it, and it fits every table and mail."""

Priced = tuple[str, Rate]
"""A price of the admins' own, by what it is the price of."""

Entry = Rule | Priced
"""What a valid item of the quota table says."""


class QuotaLoader:
    """Reads quota items into rules, in one time zone, for the installed model scopes.

    `home` is the account whose ARNs are of principals without a number.
    """

    def __init__(self, zone: ZoneInfo, scopes: Collection[str], home: str) -> None:
        self._zone = zone
        self._home = home
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
        teams = self._teams(several, before, now)
        for written in several:
            item = with_members(written, teams)
            subject, name = _printable(item.get("principal")), _printable(item.get("quota"))
            memory = known.pop((subject, name), QuotaMemory(subject, name))
            old, memory_now = memory.item, memory
            entry: Entry | None
            try:
                entry = self._read(item, now, memory.reported)
            except InvalidQuota as error:
                entry = self.last_valid(memory, now)
                edit = _invalid(memory, error, now, entry)
            else:
                # Most items are as remembered, and to read one takes longest of all this.
                last = entry if item == old else self.last_valid(memory, now)
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
                    loaded.rules.append(_counted(entry, since))
                    changed_at |= {entry.id: since} if since else {}
                case (key, rate):
                    loaded.prices[key] = rate
                    price_changes += [since] if since else []
        for memory in known.values():
            notices = _noted(memory, memory.item, None, now)
            rules = _rules(self.last_valid(memory, now))
            loaded.edits.append(QuotaEdit(memory, None, rules, notices))
        return replace(
            loaded, changed_at=changed_at, prices_changed_at=max(price_changes, default=None)
        )

    def _teams(
        self, items: Iterable[Item], before: Mapping[str, Any], now: datetime
    ) -> dict[str, Any]:
        """Who is in each team by its own item; while that is not valid, who was before."""
        valid: list[Item] = []
        teams: dict[str, Any] = {}
        for item in filter(is_team_item, items):
            try:
                valid += [item] if self._read(item, now) is not None else []
            except InvalidQuota:
                team = str(item["principal"])
                teams |= {team: before[team]} if team in before else {}
        return teams | members_by_team(valid)

    def _read(self, item: Item, now: datetime, reported: str = "") -> Entry | None:
        """What an item says, None if it counts as absent; raises InvalidQuota."""
        if is_price(item):
            return read_price(item)
        return bounded(read_quota(item, self._zone, self._scopes, self._home), item, now, reported)

    def last_valid(self, memory: QuotaMemory, now: datetime) -> Entry | None:
        """What a remembered version says; None if it is disabled or no longer reads."""
        if memory.item is None:
            return None
        try:
            return self._read(memory.item, now)
        except InvalidQuota:  # it was valid once: a model scope has been uninstalled since
            return None


def _counted(rule: Rule, since: datetime | None) -> Rule:
    """The rule, with since when usage is counted by the minute, if its window asks for that."""
    if isinstance(rule, Quota) and rule.by_the_minute and since is not None:
        return replace(rule, counted_from=since + TOLD_WITHIN)
    return rule


def _only_raised(last: Entry | None, entry: Entry | None) -> bool:
    """Whether an item blocks nobody whom it did not block before: as it was, or more is allowed."""
    if last == entry:
        return True
    if not (isinstance(last, Quota) and isinstance(entry, Quota)):
        return False
    as_allowing = replace(
        last,
        leads_raise_to=entry.leads_raise_to,
        limit=entry.limit,
        raise_to=entry.raise_to,
        raise_until=entry.raise_until,
        warn_at=entry.warn_at,
    )
    bounded = (entry.leads_raise_to or 0) < (last.leads_raise_to or 0)
    raised = entry.limit >= last.limit and last.raise_to is None and not bounded
    return raised and as_allowing == entry


def instead(subject: str, name: str, last: Entry | None, now: datetime) -> str:
    """What holds while an item is not valid whose last valid version is `last`."""
    if last is not None and not (isinstance(last, Rule) and not last.stands(now)):
        return LAST_VALID_STAYS
    if subject == PAUSE:
        return "nothing is paused"
    price = is_price({"principal": subject, "quota": name})
    return "the next price applies" if price else NEXT_APPLIES


def _invalid(
    memory: QuotaMemory, error: InvalidQuota, now: datetime, last: Entry | None
) -> QuotaEdit | None:
    """What to tell admins of an item that does not validate; None if they know it already."""
    problems = "; ".join(error.problems)[:MOST_WORDS]
    if problems == memory.reported:
        return None
    holds = instead(memory.subject, memory.name, last, now)
    reason = f"{problems}. Until it is fixed, {holds}"
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
    subject, name, by = memory.subject, memory.name, author(memory.item, item)
    if subject.startswith(LEAD) and (old or item):
        key = lead_key(subject, name)
        says = "" if by == ELSEWHERE else f", who says to be {by}"
        subject, name, by = key.member or subject, key.quota, f"a lead of {key.team}{says}"
    by, what = (announced or by)[:MOST_WORDS], words[:MOST_WORDS]
    return (Notice(NoticeKind.EDITED, now, subject, name, what, by=by),)


def _rules(*entries: Entry | None) -> tuple[Rule, ...]:
    """Those that concern principals: a price does not touch what was used before."""
    return tuple(entry for entry in entries if isinstance(entry, Rule))


def _printable(key: object) -> str:
    """A key of an item as a notice may carry it; one that differs from it is invalid anyway."""
    return "".join(each if each.isprintable() else "?" for each in str(key))
