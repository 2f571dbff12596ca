"""A line of the invocation log as a call to be added: whose it is, of which model, at what cost."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from hashlib import sha256
from typing import Protocol
from zoneinfo import ZoneInfo

from quota_enforcer.core.pricing.rate import CacheWrites, Cost
from quota_enforcer.core.pricing.tier import Tier
from quota_enforcer.core.principal import GATED
from quota_enforcer.core.quotas.precedence import by_the_minute, charged
from quota_enforcer.core.usage.counts import COUNTED, Counts
from quota_enforcer.core.usage.place import HOME
from quota_enforcer.core.usage.stored import Bucket, MeterRules, Source
from quota_enforcer.core.usage.window import hour_start, local_date
from quota_enforcer.meter.log.record import Counted, Quarantined, Skipped, read
from quota_enforcer.meter.ports import EARLY, OLDEST, LogEvent, Models, UsageEntry

_KEY = 24
"""Hexadecimal digits of a key: 96 bits, so no two calls of one principal share one."""


class CallPrices(Protocol):
    """What calls cost."""

    def dearer_for_an_hour(self, plain: str) -> Decimal:
        """How much more a cache write of a model may cost if it stays for an hour."""

    def cost(
        self,
        model_id: str,
        region: str | None,
        counts: Counts,
        written: CacheWrites | None = None,
        tier: Tier = Tier.STANDARD,
    ) -> Cost: ...


class DayPrices(Protocol):
    """What calls cost on each day."""

    def on(self, day: date) -> CallPrices: ...


PricesOf = Callable[[MeterRules], DayPrices]


@dataclass(frozen=True, slots=True)
class CallCharger:
    """Reads the log of one account."""

    meter_rules: MeterRules
    prices: DayPrices
    models: Models
    account: str
    zone: ZoneInfo
    """Buckets are its hours."""
    place: str = HOME
    """As buckets have it: where the log is."""
    home: str = ""
    """The home account, if this is a member's log."""
    region: str | None = None
    """Where a call is priced whose record names no Region."""

    def read(self, event: LogEvent, now: datetime) -> UsageEntry | Skipped | Quarantined:
        """What an event says. One dated too long after `now` or before it is quarantined."""
        reading = read(event.message, self.account, self.home)
        if not isinstance(reading, Counted):
            return reading
        if reading.at - now > EARLY:
            return Quarantined(
                f"timestamp is {reading.at:%Y-%m-%dT%H:%M:%SZ}, which is more than {EARLY} after "
                f"its delivery at {now:%Y-%m-%dT%H:%M:%SZ}: one of the clocks is wrong",
            )
        if now - reading.at > OLDEST:
            return Quarantined(
                f"timestamp is {reading.at:%Y-%m-%dT%H:%M:%SZ}, which is more than {OLDEST.days} "
                f"days before its delivery at {now:%Y-%m-%dT%H:%M:%SZ}: it may have counted then; "
                "if it has not, recount its hour",
            )
        return self._addition(reading, event)

    def _addition(self, call: Counted, event: LogEvent) -> UsageEntry:
        model = self.models.named(call.model_id)
        day = local_date(call.at, self.zone)
        prices = self.prices.on(day)
        cost = prices.cost(
            model.priced_as, call.region or self.region, call.counts, call.cache_writes, call.tier
        )
        # What is assumed only since no record tells how long a cache write stays has a price.
        known = call.counts.cache_write_tokens and prices.dearer_for_an_hour(model.name)
        bucket = partial(Bucket, model=model.name, day=day, place=self.place)
        hour = hour_start(call.at, self.zone)
        principals = charged(call.identity, self.meter_rules.sessions)
        gated = any(principal.kind in GATED for principal in principals)
        buckets = tuple(map(bucket, principals))
        minutes = self.meter_rules.minutes
        return UsageEntry(
            key_of(call, event),
            call.at,
            hour,
            buckets,
            cost.charged_to(call.counts),
            Source(call.arn, call.model_id, hour) if gated else None,
            tuple(each for each in buckets if by_the_minute(each.principal, minutes)),
            cost.assumed > call.counts.cache_write_tokens * known,
        )


def key_of(call: Counted, event: LogEvent) -> str:
    """The same for a call however often it is logged or delivered.

    Request ids can repeat with other contents, hence what the call was; a record without one is
    told by its log event.
    """
    counts = call.counts[:COUNTED]
    which = call.request_id or event.id
    exactly = repr((which, call.at.isoformat(), call.arn, call.model_id, *counts))
    return sha256(exactly.encode()).hexdigest()[:_KEY]
