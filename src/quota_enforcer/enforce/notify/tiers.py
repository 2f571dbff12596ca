"""Admins are told of service tiers in use that the log may not name."""

from datetime import datetime, timedelta
from typing import Final

from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.notices.amounts import listed
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.pricing.tier import SAID, Tier
from quota_enforcer.enforce.ports.adapters import ServiceTiers
from quota_enforcer.enforce.ports.sweep_memory import SweepMemory
from quota_enforcer.enforce.report import Outcome, failure

LOOKS_EVERY: Final = timedelta(hours=1)
"""How often AWS is asked at most which tiers are in use."""

_NAMED_MODELS: Final = 5
"""So many models are named of each tier."""


class TierNotifier:
    """Looks once an hour for service tiers other than the standard one, and tells of each once.

    The invocation log names the tier of a call only in the body of its answer, so where bodies are
    not logged such calls are priced as standard.
    """

    def __init__(self, tiers: ServiceTiers, memory: SweepMemory) -> None:
        self._tiers = tiers
        self._memory = memory

    def notify(self, state: SweepState, now: datetime) -> Outcome:
        """What admins are told; it is noted with the notice, whatever becomes of the sweep."""
        if state.tiers_seen_at is not None and now - state.tiers_seen_at < LOOKS_EVERY:
            return Outcome()
        try:
            in_use = self._tiers.in_use()
        except Exception as error:  # noqa: BLE001 - the rest of the sweep goes on
            return Outcome(failures=(failure("could not look for service tiers", error),))
        known = set(filter(None, state.tiers_notified.split(",")))
        news = sorted(
            tier for tier in in_use if tier not in known and SAID.get(tier) is not Tier.STANDARD
        )
        notices = [_tier_notice({tier: in_use[tier] for tier in news}, now)] if news else []
        told = ",".join(sorted(known.union(news)))
        first = self._memory.note_tiers(now, told, state, notices)
        return Outcome(notices=tuple(notices)) if first else Outcome()


def _tier_notice(news: dict[str, frozenset[str]], now: datetime) -> Notice:
    used = "; ".join(f"{tier} by {_models(models)}" for tier, models in news.items())
    why = (
        f"calls are served in another service tier than the standard one: {used}. The invocation "
        "log names the tier only in the body of the answer; a call without it is priced as "
        "standard, and may have cost half as much, or up to six times as much"
    )
    return Notice(NoticeKind.SERVICE_TIER, now, "", ", ".join(news), why)


def _models(models: frozenset[str]) -> str:
    return listed(sorted(each or "an unknown model" for each in models), _NAMED_MODELS)
