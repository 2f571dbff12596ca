"""Notices leave the outbox; admins are told of models without a known price."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from quota_enforcer.core.ledger import PriceMemory
from quota_enforcer.core.notices.notice import HISTORY_ONLY, Notice, NoticeKind
from quota_enforcer.core.notices.wording import message
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import NO_MONEY
from quota_enforcer.enforce.ports import Outbox, PriceMemories, Topic
from quota_enforcer.enforce.report import Outcome, failure

STRANDED = timedelta(minutes=11)
"""A notice this long in the outbox was left there by a sweep that died: none runs for so long."""
STILL = timedelta(days=1)
"""How often it is noted that a model is still used without a price."""
WEEK = timedelta(days=7)


class NoticeSender:
    """Sends notices that are in the outbox: at least once, and once if nothing crashes."""

    def __init__(self, outbox: Outbox, topic: Topic, zone: ZoneInfo, contact: str) -> None:
        self._outbox = outbox
        self._topic = topic
        self._zone = zone
        self._contact = contact

    def send(self, notices: Iterable[Notice], now: datetime) -> Outcome:
        """Send these, and those that a sweep which died left behind."""
        failures = []
        for notice in [*self._outbox.outbox(now - STRANDED), *notices]:
            if notice.kind in HISTORY_ONLY:
                continue
            try:
                self._topic.publish(notice, message(notice, self._zone, self._contact))
            except Exception as error:  # noqa: BLE001 - it stays here for the next sweep
                failures.append(failure(f"notice {notice.id}", error))
            else:
                self._outbox.sent(notice)
        return Outcome(failures=tuple(failures))


class Evidence(NamedTuple):
    """Whether a model's usage had a price in its newest hour."""

    hour: datetime
    priced: bool


def evidence(usage: Usage, dearer_for_an_hour: Callable[[str], Decimal]) -> dict[str, Evidence]:
    """What somebody's usage says of the prices of its models.

    `dearer_for_an_hour` is how much more a cache write of a model may cost if it stays for an hour:
    what is assumed only since no record tells how long it stays has a price.
    """
    found = {}
    for model, used in usage.models.items():
        hour = max((hour for hour, counts in used.hours.items() if counts.cost_usd), default=None)
        if hour is not None:
            counts = used.hours[hour]
            assumed, writes = counts.assumed_usd, counts.cache_write_tokens
            if assumed and writes:
                assumed = max(assumed - writes * dearer_for_an_hour(model), NO_MONEY)
            found[model] = Evidence(hour, not assumed)
    return found


def newest(several: Iterable[Mapping[str, Evidence]]) -> dict[str, Evidence]:
    """What all of it says together: in the same hour one call without a price is enough."""
    merged: dict[str, Evidence] = {}
    for each in several:
        for model, seen in each.items():
            known = merged.get(model, seen)
            merged[model] = max(known, seen, key=lambda one: (one.hour, not one.priced))
    return merged


class UnpricedModels:
    """Admins are told of a model without a price once, and again only after it had one.

    The same model can be used with and without a price side by side: by its prefixes and Regions,
    or with cached tokens. So it had one only if nothing else was seen for a week. What admins were
    told is kept as far as this process knows it; the ledger decides who tells.
    """

    def __init__(self, ledger: PriceMemories) -> None:
        self._ledger = ledger
        self._memories: dict[str, PriceMemory] | None = None

    def notify(self, seen: Mapping[str, Evidence], now: datetime) -> list[Notice]:
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
    why = (
        f"no price is known for {model}, so its usage counts at the dearest price that could "
        "apply; that warns, and denies only where a quota says `unknown_prices: deny`. "
        f"Set its price with `quota-enforcer prices set {model}`"
    )
    return Notice(NoticeKind.PRICE_UNKNOWN, now, "", model, why)
