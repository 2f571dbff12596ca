"""How additions are packed into transactions: whole, small enough, never in each other's way."""

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from builders import HAIKU, HOUR, NOON, UTC_ZONE
from quota_enforcer.aws.dynamodb.ledger.usage.packs import (
    MOST_CALLS,
    Pack,
    lanes,
    marker_of,
    minutes_of,
)
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import hour_start
from quota_enforcer.meter.ports import UsageEntry


def an_addition(
    number: int, who: str, at: datetime = NOON, model: str = HAIKU, session: str = ""
) -> UsageEntry:
    owners = [Principal.parse(who)]
    if session:
        owners.append(Principal(Kind.SESSION, f"{owners[0].name}/{session}"))
    buckets = tuple(Bucket(owner, model, at.date()) for owner in owners)
    return UsageEntry(f"k{number}", at, hour_start(at, UTC_ZONE), buckets, Counts(1, number))


CLOSING = {NOON - HOUR, NOON}


def items(pack: Pack) -> int:
    """What the transaction of a pack holds."""
    buckets = {bucket for call in pack for bucket in call.buckets}
    hours = {call.hour for call in pack} & CLOSING
    return len(buckets) + len(hours) + len(set(map(marker_of, pack)))


def packed(calls: list[UsageEntry], closing: Collection[datetime] = ()) -> list[Pack]:
    return [pack for lane in lanes(calls, closing) for pack in lane]


ADDITIONS = st.lists(
    st.tuples(
        st.sampled_from(["user/a", "user/b", "role/r"]),
        st.integers(-2000, 3000),
        st.sampled_from(["m1", "m2"]),
        st.sampled_from(["", "s1", "s2"]),
    ),
    max_size=400,
)


@given(ADDITIONS)
def test_every_call_is_in_one_pack_that_fits_a_transaction(
    drawn: list[tuple[str, int, str, str]],
) -> None:
    calls = [
        an_addition(number, who, NOON + timedelta(seconds=seconds), model, session)
        for number, (who, seconds, model, session) in enumerate(drawn)
    ]
    packs = packed(calls, CLOSING)
    assert Counter(call.key for pack in packs for call in pack) == {c.key: 1 for c in calls}
    for pack in packs:
        assert items(pack) <= 100
        assert max(Counter(map(marker_of, pack)).values()) <= MOST_CALLS
    touched = [
        {bucket for pack in lane for call in pack for bucket in call.buckets}
        for lane in lanes(calls, CLOSING)
    ]
    assert sum(map(len, touched)) == len(set().union(*touched)), "lanes never meet"


def test_a_hundred_calls_of_some_fifty_principals_are_two_transactions_at_most() -> None:
    spread = [an_addition(n, f"user/u{n % 50}", NOON + timedelta(seconds=n)) for n in range(100)]
    assert len(packed(spread)) == 2
    together = [an_addition(n, f"user/u{n % 49}") for n in range(100)]
    assert len(packed(together)) == 1
    assert len(packed(together, CLOSING)) == 1, "the check of the hour just fits"


def test_the_calls_of_one_principal_take_several_transactions_where_they_do_not_fit_one() -> None:
    slow = [an_addition(n, "user/a", NOON + timedelta(seconds=10 * n)) for n in range(120)]
    assert [len(pack) for pack in packed(slow)] == [99, 21], "a marker each, and the bucket"
    at_once = [an_addition(n, "user/a") for n in range(MOST_CALLS + 1)]
    assert [len(pack) for pack in packed(at_once)] == [MOST_CALLS, 1]


def test_the_calls_of_one_principal_in_ten_seconds_share_a_marker() -> None:
    at = [NOON, NOON + timedelta(seconds=9.9), NOON + timedelta(seconds=10)]
    markers = [marker_of(an_addition(1, "user/a", each)) for each in at]
    assert markers[0] == markers[1] != markers[2]


def test_a_call_has_the_same_marker_in_every_company() -> None:
    alone = an_addition(1, "role/r", NOON + HOUR, session="s")
    assert marker_of(alone) == marker_of(an_addition(1, "role/r", NOON + HOUR, "m2"))


@given(ADDITIONS)
def test_minutes_fit_the_transaction_too(drawn: list[tuple[str, int, str, str]]) -> None:
    calls = []
    for number, (who, seconds, model, session) in enumerate(drawn):
        call = an_addition(number, who, NOON + timedelta(seconds=seconds), model, session)
        calls.append(replace(call, by_the_minute=call.buckets))
    found = packed(calls)
    assert Counter(call.key for pack in found for call in pack) == Counter(c.key for c in calls)
    for pack in found:
        minutes = {each for call in pack for each in minutes_of(call)}
        assert items(pack) - len({call.hour for call in pack} & CLOSING) + len(minutes) <= 100
