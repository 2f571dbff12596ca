"""What no quota counts of a ledger's last days and of a log's calls: each call once."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import HAIKU, NOON, UTC_ZONE, a_quota
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.pricing.rate import Cost
from quota_enforcer.core.principal import Principal, identify
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.place import Place, PlaceScope
from quota_enforcer.insight.quotas.coverage import (
    coverage_of_calls,
    coverage_of_usage,
    covered_since,
    of_last_days,
)
from quota_enforcer.meter.log.record import Counted
from world import ACCOUNT

NOW = Context(NOON, UTC_ZONE, Mode.ENFORCE)
ALICE, CI, RUN, TEAM = map(
    Principal.parse, ("user/alice", "role/ci", "session/ci/run", "team/research")
)


def used(days: dict[date, int]) -> Usage:
    counts = {day: Counts(n, cost_usd=Decimal(n)) for day, n in days.items()}
    return Usage({HAIKU: ModelUsage({}, counts)})


def test_only_the_last_seven_days_count_today_among_them() -> None:
    today = NOON.date()
    usage = used({today - timedelta(days=back): 10**back for back in range(9)})
    found = coverage_of_usage({ALICE: usage}, QuotaBook([]), NOW)
    assert found.missed.requests == 1_111_111
    assert covered_since(NOW) == date(2026, 11, 18)
    assert of_last_days(found).startswith("Last 7 days: under no quota: 1,111,111 calls")


def test_the_days_are_local() -> None:
    there = Context(NOON, ZoneInfo("Pacific/Kiritimati"), Mode.ENFORCE)  # 14 hours ahead
    assert covered_since(there) == date(2026, 11, 19)


@given(st.integers(0, 50), st.integers(0, 50), st.booleans())
def test_a_sessions_calls_are_in_its_roles_too_and_count_once(
    sessions: int,
    others: int,
    watched: bool,  # noqa: FBT001
) -> None:
    today = NOON.date()
    usages = {CI: used({today: sessions + others}), RUN: used({today: sessions}), TEAM: Usage()}
    rules = [a_quota(subject="session/ci/run")] if watched else []
    found = coverage_of_usage(usages, QuotaBook(rules), NOW)
    assert found.total.requests == sessions + others
    assert found.missed.requests == (others if watched else sessions + others)


def test_calls_of_a_log_are_priced_and_their_sessions_known() -> None:
    calls = [
        Counted(
            datetime(2026, 11, 24, 9, n, tzinfo=UTC), arn, identify(arn, ACCOUNT),
            f"us.{HAIKU}", None, Counts(1, 100), None, f"r{n}",
        )
        for n, arn in enumerate(
            f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/{name}" for name in ("a", "b", "a")
        )
    ]  # fmt: skip
    price = Cost(Decimal(2), Decimal(1), "test")
    found = coverage_of_calls(calls, QuotaBook([a_quota()]), lambda _: price)
    assert found.missed == Counts(3, 300, cost_usd=Decimal(6), assumed_usd=Decimal(3))
    assert found.sessions == {CI: 2}
    watched = QuotaBook([a_quota(subject="session/ci/a")])
    assert coverage_of_calls(calls, watched, lambda _: price).missed.requests == 1


def test_no_call_is_nothing_uncovered() -> None:
    found = coverage_of_calls([], QuotaBook([]), lambda _: Cost(Decimal(0), Decimal(0), ""))
    assert not found.total.requests


@pytest.mark.parametrize(
    ("places", "missed"),
    [
        (PlaceScope(), 0),
        (PlaceScope(regions=("eu-west-1",)), 1),
        (PlaceScope(accounts=("111122223333",)), 100),
        (PlaceScope(("111122223333",), ("us-east-1",)), 110),
        (PlaceScope(regions=("eu-west-3",)), 111),
    ],
    ids=str,
)
def test_usage_where_no_quota_counts_is_under_none(places: PlaceScope, missed: int) -> None:
    """And what is said of it is that only another place keeps the quota from counting it."""
    home = Place("111122223333", "us-east-1")
    today = NOON.date()
    spread = {"": 1, "111122223333/eu-west-1": 10, "444455556666/eu-west-1": 100}
    usage = Usage.of_places({place: used({today: n}).models for place, n in spread.items()})
    here = Context(NOON, UTC_ZONE, Mode.ENFORCE, home=home)
    found = coverage_of_usage({ALICE: usage}, QuotaBook([a_quota(places=places)]), here)
    assert (found.total.requests, found.missed.requests) == (111, missed)
    advice = "A quota for all models, Regions and accounts for user/alice would cover it."
    assert (advice in found.words) is bool(missed)


def test_a_role_and_its_sessions_are_parted_place_by_place() -> None:
    today, dublin = NOON.date(), "111122223333/eu-west-1"
    usages = {
        CI: Usage.of_places({"": used({today: 5}).models, dublin: used({today: 7}).models}),
        RUN: Usage.of_places({"": used({today: 2}).models, dublin: used({today: 7}).models}),
    }
    watched = a_quota(subject="session/ci/run", places=PlaceScope(regions=("eu-west-1",)))
    here = Context(NOON, UTC_ZONE, Mode.ENFORCE, home=Place("111122223333", "us-east-1"))
    found = coverage_of_usage(usages, QuotaBook([watched]), here)
    assert (found.total.requests, found.missed.requests) == (12, 5)
