"""Simulation: what quotas would have done to the calls of a log, decided by the core as always."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from zoneinfo import ZoneInfo

from quota_enforcer.core.pricing.rate import Cost
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Rule
from quota_enforcer.core.quotas.values import GROUPS
from quota_enforcer.insight.simulate import Delays, Replay, Simulated
from quota_enforcer.meter.log.record import Counted

__all__ = ["INSTANT", "Delays", "Simulated", "simulate", "without_repeats"]

INSTANT = Delays()


def simulate(
    calls: Iterable[Counted],
    rules: Iterable[Rule],
    price: Callable[[Counted], Cost],
    zone: ZoneInfo,
    delays: Delays = INSTANT,
) -> Mapping[Principal, Simulated]:
    """Replay the calls in the order of their time against rules in force from the first call on.

    A call that arrives while one of those it counts to is denied for its model is refused and not
    counted. Everybody in the log is known from its beginning, gates are in place, and nothing holds
    a block back. Resets and the ends of raises happen at their own instants, up to the last call.
    """
    ordered = sorted(calls, key=lambda call: call.at)
    several = list(rules)
    replay = Replay(QuotaBook(several), price, zone, delays)
    if ordered:
        replay.begin(ordered, _named(several))
    for call in ordered:
        replay.catch_up(call.at)
        replay.arrive(call)
    if ordered:
        replay.catch_up(ordered[-1].at)
    return dict(sorted(replay.outcomes.items()))


def without_repeats(calls: Iterable[Counted]) -> Iterator[Counted]:
    """Each call once: a record that was delivered or logged again says the same in all it counts.

    A request id can repeat with other contents, which is another call; without one none is dropped.
    """
    seen: set[tuple[object, ...]] = set()
    for call in calls:
        key = (call.request_id, call.at, call.arn, call.model_id, call.counts)
        if call.request_id is None or key not in seen:
            seen.add(key)
            yield call


def _named(rules: Iterable[Rule]) -> set[Principal]:
    """The principals that rules name, whether they called or not."""
    subject = {each for rule in rules for each in rule.named}
    return {Principal.parse(each) for each in subject if each not in GROUPS and "*" not in each}
