"""Many looked at together are decided about as each one by itself."""

from datetime import date, datetime, timedelta

import pytest

from builders import NOON
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.usage.buckets import MinuteCounts, Usage
from quota_enforcer.decide.evaluate import decide_for_one
from quota_enforcer.decide.rules.loader import QuotaLoader
from quota_enforcer.insight.status import overview
from quota_enforcer.insight.usage import ReadBefore, far_back
from world import ACCOUNT, World, principal

EVERYBODY = ("user/alice", "user/bob", "role/ci", "session/ci/42", "team/pool", "sso/ann")


@pytest.fixture
def world() -> World:
    world = World()
    world.quota(principal="default")
    world.quota(principal="user/alice", quota="monthly", window="month", limit=5000)
    world.quota(principal="role/*", quota="burst", window="rolling 3 hours", limit=50)
    world.quota(principal="session/ci/*", quota="daily", limit=10)
    members = ["user/alice", "user/bob"]
    world.quota(principal="team/pool", quota="weekly", share="pool", members=members, window="week")
    for hours in (0, 1, 5, 30, 24 * 9, 24 * 40):
        for who in ("alice", "bob", "role:ci/42", "sso:ann"):
            world.call(who, NOON - timedelta(hours=hours), 100)
    world.sweep(NOON)
    return world


def book_of(world: World) -> QuotaBook:
    loaded = QuotaLoader(world.settings.zone, world.settings.denies, ACCOUNT)
    return loaded.load(world.quotas.items(), world.ledger.quota_memories(), NOON).book


def test_each_is_decided_about_as_by_itself(world: World) -> None:
    context, book = world.settings.context(NOON), book_of(world)
    records = world.ledger.records(map(principal, EVERYBODY))
    firsts, hours_from = far_back(records, book, context)
    read = ReadBefore(Unread(), firsts, world.ledger.usages(firsts, hours_from))
    for seen in overview(records.values(), book, read, context):
        assert seen.decision == decide_for_one(seen.record, book, world.ledger, context)


class Unread:
    """A ledger that nobody may ask for one principal's usage."""

    def usage(self, principal: Principal, first: date) -> Usage:
        raise AssertionError(f"{principal} was to be read from {first} on with all others")

    def minutes(self, principal: Principal, since: datetime) -> MinuteCounts:
        raise AssertionError(f"nobody has a window of minutes, but {principal} {since} was read")


def test_it_reads_as_far_back_as_each_one_needs_and_hours_only_where_they_count(
    world: World,
) -> None:
    context, book = world.settings.context(NOON), book_of(world)
    firsts, hours_from = far_back(map(principal, EVERYBODY), book, context)
    today = NOON.date()
    assert {str(who): (today - first).days for who, first in firsts.items()} == {
        "user/alice": 23,
        "user/bob": 1,
        "team/pool": 1,
        "role/ci": 0,
        "session/ci/42": 0,
        "sso/ann": 0,
    }
    assert hours_from == today


def test_whom_no_quota_covers_is_read_from_today_or_since(world: World) -> None:
    context, book = world.settings.context(NOON), book_of(world)
    root = principal("other/arn:aws:iam::111122223333:root")
    assert far_back([root], book, context) == ({root: NOON.date()}, None)
    since = NOON.date() - timedelta(days=28)
    assert far_back([root], book, context, since) == ({root: since}, None)


def test_what_was_not_read_far_enough_is_read_now(world: World) -> None:
    alice, today = principal("user/alice"), NOON.date()
    read = ReadBefore(world.ledger, {alice: today}, {alice: Usage()})
    assert read.usage(alice, today) == Usage()
    assert read.usage(alice, today - timedelta(days=1)) != Usage()
    assert read.usage(principal("user/bob"), today) != Usage()
