"""How every quota item stands: in force, disabled, ended or not valid, and what is wrong."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from quota_enforcer.core.deployment import Settings
from quota_enforcer.core.errors import InvalidQuota
from quota_enforcer.core.ledger import QuotaMemory
from quota_enforcer.core.notices import wording
from quota_enforcer.core.notices.amounts import bare_limit
from quota_enforcer.core.pricing.item import is_price
from quota_enforcer.core.quotas.describe import granted
from quota_enforcer.core.quotas.diff import shown
from quota_enforcer.core.quotas.form.values import plain
from quota_enforcer.core.quotas.item import Item, bounded, read_quota
from quota_enforcer.core.quotas.quota import Action, Quota, Rule, UnknownPrices
from quota_enforcer.core.quotas.subject import members_by_team, with_members
from quota_enforcer.decide.rules.loader import NEXT_APPLIES, QuotaLoader, instead


@dataclass(frozen=True, slots=True)
class ItemState:
    """One item in words; `instead` says what holds while it is not valid."""

    item: Item
    words: str
    in_force: bool = False
    rule: Rule | None = None
    problems: tuple[str, ...] = ()
    instead: str = ""

    @property
    def subject(self) -> str:
        """The item's principal, as written."""
        return str(self.item.get("principal"))

    @property
    def name(self) -> str:
        """The quota's name, as written."""
        return str(self.item.get("quota"))

    @property
    def limit(self) -> str:
        """What it grants and for which models; of an invalid item the limit as written."""
        return shown(self.item.get("limit")) if self.rule is None else granted(self.rule)

    @property
    def warns_at(self) -> str:
        """`80 %`, and whether it only notifies."""
        if not isinstance(self.rule, Quota):
            return ""
        percent = ", ".join(f"{at} %" for at in self.rule.warn_at) or "never"
        if self.rule.action is Action.NOTIFY:
            return f"{percent}; never denies"
        if self.rule.unknown_prices is UnknownPrices.DENY:
            return f"{percent}; assumed prices deny too"
        return percent

    def to_json(self) -> dict[str, Any]:
        """For machines; the item as it stands in the table."""
        return {
            "principal": self.subject,
            "quota": self.name,
            "valid": not self.problems,
            "in_force": self.in_force,
            "state": self.words,
            "problems": self.problems,
            "item": plain(self.item),
        }


def states(
    items: Iterable[Item],
    memories: Iterable[QuotaMemory],
    settings: Settings,
    now: datetime,
    table: Iterable[Item] | None = None,
) -> list[ItemState]:
    """Every quota item's state, sorted by subject and name; prices are left out.

    Who is in a team is told by the items, or by those of `table` if the items are not all.
    """
    loader = QuotaLoader(settings.zone, settings.denies, settings.account)
    known = {(each.subject, each.name): each for each in memories}
    several = [item for item in items if not is_price(item)]
    teams = members_by_team(several if table is None else table)
    states = [_state(item, known, loader, settings, now, teams) for item in several]
    return sorted(states, key=lambda each: (each.subject, each.name))


def _state(
    item: Item,
    known: Mapping[tuple[str, str], QuotaMemory],
    loader: QuotaLoader,
    settings: Settings,
    now: datetime,
    teams: Mapping[str, Any],
) -> ItemState:
    key = str(item.get("principal")), str(item.get("quota"))
    memory = known.get(key, QuotaMemory(*key))
    try:
        whole, scopes = with_members(item, teams), sorted(settings.denies)
        read = read_quota(whole, settings.zone, scopes, settings.account)
        rule = bounded(read, item, now, memory.reported)
    except InvalidQuota as error:
        holds = instead(*key, loader.last_valid(memory, now), now)
        holds = f"{holds} instead" if holds == NEXT_APPLIES else holds
        return ItemState(item, "not valid", problems=error.problems, instead=holds)
    if rule is None:
        return ItemState(item, "disabled")
    if not rule.stands(now):
        return ItemState(item, f"ended {wording.moment(rule.until, settings.zone)}", rule=rule)
    ends = f" until {wording.moment(rule.until, settings.zone)}" if rule.until else ""
    words = f"in force{ends}"
    raised_to = rule.raise_to if isinstance(rule, Quota) else None
    if isinstance(rule, Quota) and rule.limit_at(now) == raised_to != rule.limit:
        until = wording.moment(rule.raise_until, settings.zone)
        raised = bare_limit(rule.limit_at(now), rule.measure.words)
        words += f", raised to {raised} until {until}"
    return ItemState(item, words, in_force=True, rule=rule)
