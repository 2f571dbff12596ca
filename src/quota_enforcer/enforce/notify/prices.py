"""Admins are told of models without a known price."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from quota_enforcer.core.ledger import PriceMemory
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.pricing.dated import PriceEvidence
from quota_enforcer.core.usage.model import made_by_people
from quota_enforcer.enforce.ports.ledger import PriceMemories

STILL = timedelta(days=1)
"""How often it is noted that a model is still used without a price."""

WEEK = timedelta(days=7)
"""A model has a price again once nothing else was seen for this long."""


class UnpricedModels:
    """Admins are told of a model without a price once, and again only after it had one.

    The same model can be used with and without a price side by side: by its prefixes and Regions,
    or with cached tokens. So it had one only if nothing else was seen for a week. What admins were
    told is kept as far as this process knows it; the ledger decides who tells.
    """

    def __init__(self, ledger: PriceMemories) -> None:
        self._ledger = ledger
        self._memories: dict[str, PriceMemory] | None = None

    def notify(self, seen: Mapping[str, PriceEvidence], now: datetime) -> list[Notice]:
        """Remember what is new; returns the notices now in the outbox."""
        if not seen:
            return []
        if self._memories is None:
            self._memories = {each.model: each for each in self._ledger.price_memories()}
        told: list[Notice] = []
        for model, (hour, priced) in sorted(seen.items()):
            before = self._memories.get(model)
            if not _news(before, hour, priced=priced):
                continue
            after = PriceMemory(model, hour, priced)
            known = before is not None and not before.priced
            notices = [] if priced or known else [_notice(model, now)]
            if not self._ledger.remember_price(after, before, notices):
                self._memories = None  # another sweep or wake has told: read them again
                return told
            self._memories[model] = after
            told += notices
        return told


def _news(before: PriceMemory | None, hour: datetime, *, priced: bool) -> bool:
    """Old usage keeps its price, so only a newer hour than the last says anything new."""
    if before is None:
        return not priced
    if before.priced:
        return not priced and hour > before.hour
    return hour - before.hour >= (WEEK if priced else STILL)


def _notice(model: str, now: datetime) -> Notice:
    denies = "only where a quota says `unknown_prices: deny`"
    if made_by_people(model):
        denies = "too, since whoever makes such a model could keep its price unknown"
    why = (
        f"not every price of {model} is known, or not that of its Region or service tier, so it "
        f"counts at the dearest that could apply; that warns, and denies {denies}. "
        "`quota-enforcer prices check` says which is missing and how to set it"
    )
    return Notice(NoticeKind.PRICE_UNKNOWN, now, "", model, why)
