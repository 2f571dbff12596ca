"""Prices and discounts over time: a recount of an old hour takes what held on its day."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.pricing.table import NO_RATES, Discount, PriceTable
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import NO_MONEY

FROM = " from "
DISCOUNT = " discount"


class DatedKey(NamedTuple):
    """What `KEY`, `KEY from DAY` or `WHAT discount from DAY` says of an admin's own price."""

    key: str
    is_discount: bool = False
    since: date | None = None
    """The first local day that it holds for; None if it holds for all days before others do."""

    def __str__(self) -> str:
        kind = DISCOUNT if self.is_discount else ""
        return f"{self.key}{kind}{FROM}{self.since}" if self.since else f"{self.key}{kind}"


def dated_key(text: str) -> DatedKey:
    """Raises ValueError if what follows `from` is no day."""
    key, _, since = text.partition(FROM)
    what = key.removesuffix(DISCOUNT)
    return DatedKey(what, what != key, date.fromisoformat(since) if since else None)


class DatedPrices:
    """What models cost on each day: the shipped rates, and what admins wrote over them.

    Of several of a key, that of the latest day holds alone; a discount that has ended is none, and
    an earlier one does not come back. A renewed list price takes the place of the shipped one.
    """

    def __init__(
        self,
        shipped: Mapping[str, Rate],
        own: Mapping[str, Rate] = NO_RATES,
        before: Iterable[tuple[str, Rate]] = (),
    ) -> None:
        """`before` are shipped rates that newer ones replaced, each `until` then."""
        self._shipped = shipped
        self._before = sorted(before, key=lambda each: each[1].until or date.max, reverse=True)
        self._own = [(dated_key(key), rate) for key, rate in own.items()]
        ends = (rate.until for _, rate in (*self._own, *self._before))
        days = {key.since for key, _ in self._own}.union(ends)
        self._days = sorted(day for day in days if day is not None)
        """From each of them on, something is other than before."""
        self._tables: dict[int, PriceTable] = {}

    def on(self, day: date) -> PriceTable:
        """The prices of a local day; the same table each time, since it remembers its look-ups."""
        place = bisect_right(self._days, day)
        table = self._tables.get(place)
        if table is None:
            table = self._tables[place] = self._of(day)
        return table

    def _of(self, day: date) -> PriceTable:
        prices = [each for each in self._own if not each[0].is_discount]
        renewed = _latest((each for each in prices if each[1].is_renewed), day)
        own = _latest((each for each in prices if not each[1].is_renewed), day)
        discounts = {
            what: Discount(rate.percent_off, what, rate.until)
            for what, rate in _latest(
                (each for each in self._own if each[0].is_discount), day
            ).items()
            if rate.percent_off is not None and (rate.until is None or day < rate.until)
        }
        # Of several that were replaced one after the other, that of the nearest end holds.
        before = {key: rate for key, rate in self._before if rate.until and day < rate.until}
        listed = {**self._shipped, **before, **renewed} if before or renewed else self._shipped
        return PriceTable(listed, own, discounts)


def _latest(several: Iterable[tuple[DatedKey, Rate]], day: date) -> dict[str, Rate]:
    """The rate that holds on a day, by key."""
    begun = [each for each in several if each[0].since is None or each[0].since <= day]
    begun.sort(key=lambda each: each[0].since or date.min)
    return {key.key: rate for key, rate in begun}


class PriceEvidence(NamedTuple):
    """Whether a model's usage had a price in its newest hour."""

    hour: datetime
    priced: bool


def price_evidence(
    usage: Usage, dearer_for_an_hour: Callable[[str, datetime], Decimal]
) -> dict[str, PriceEvidence]:
    """What somebody's usage says of the prices of its models.

    `dearer_for_an_hour` is how much more a cache write of a model may cost if it stays for an hour,
    by the prices of some moment: what is assumed only since no record tells how long it stays has a
    price.
    """
    found = {}
    for model, used in usage.models.items():
        hour = max((hour for hour, counts in used.hours.items() if counts.cost_usd), default=None)
        if hour is not None:
            counts = used.hours[hour]
            assumed, writes = counts.assumed_usd, counts.cache_write_tokens
            if assumed and writes:
                assumed = max(assumed - writes * dearer_for_an_hour(model, hour), NO_MONEY)
            found[model] = PriceEvidence(hour, not assumed)
    return found


def newest_evidence(several: Iterable[Mapping[str, PriceEvidence]]) -> dict[str, PriceEvidence]:
    """What all of it says together: in the same hour one call without a price is enough."""
    merged: dict[str, PriceEvidence] = {}
    for each in several:
        for model, seen in each.items():
            known = merged.get(model, seen)
            merged[model] = max(known, seen, key=lambda one: (one.hour, not one.priced))
    return merged
