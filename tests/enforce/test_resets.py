"""Blocks end exactly at the reset of the local clock, whatever the calendar and the clocks do."""

from datetime import datetime, timedelta

import pytest

from world import World

SECOND = timedelta(seconds=1)
TIMELINES = {
    "a day": ("UTC", "day", "2026-11-24T12:00Z", "2026-11-25T00:00Z"),
    "the day of 23 hours": ("Europe/Berlin", "day", "2026-03-29T00:30Z", "2026-03-29T22:00Z"),
    "the day of 25 hours": ("Europe/Berlin", "day", "2026-10-25T00:30Z", "2026-10-25T23:00Z"),
    "the hour that is skipped": ("Europe/Berlin", "hour", "2026-03-29T00:59Z", "2026-03-29T01:00Z"),
    "an hour that comes twice": ("Europe/Berlin", "hour", "2026-10-25T00:59Z", "2026-10-25T01:00Z"),
    "a zone of half an hour": ("Asia/Kolkata", "hour", "2026-11-24T12:10Z", "2026-11-24T12:30Z"),
    "a day of a zone of three quarters": (
        "Asia/Kathmandu", "day", "2026-11-24T12:10Z", "2026-11-24T18:15Z",
    ),
    "clocks that turn by half an hour": (
        "Australia/Lord_Howe", "day", "2026-04-04T14:00Z", "2026-04-05T13:30Z",
    ),
    "a month of 28 days": ("UTC", "month", "2027-02-28T23:59Z", "2027-03-01T00:00Z"),
    "a leap day": ("UTC", "day", "2028-02-29T10:00Z", "2028-03-01T00:00Z"),
    "a month with a leap day": ("UTC", "month", "2028-02-28T10:00Z", "2028-03-01T00:00Z"),
    "the end of a year": ("America/New_York", "month", "2026-12-31T10:00Z", "2027-01-01T05:00Z"),
    "a week over the change": ("Europe/Berlin", "week", "2026-10-24T10:00Z", "2026-10-25T23:00Z"),
}  # fmt: skip


def blocked(timeline: str) -> tuple[World, datetime]:
    """A world where alice has just been blocked, and when her quota starts again."""
    zone, window, used, reset = TIMELINES[timeline]
    world = World(zone=zone)
    world.quota(window=window, limit=100)
    at = datetime.fromisoformat(used)
    world.sweep(at - timedelta(minutes=5))
    world.call("alice", at - SECOND, 100)
    world.sweep(at)
    assert world.denied == {"user/alice"}
    return world, datetime.fromisoformat(reset)


@pytest.mark.parametrize("timeline", TIMELINES)
def test_a_block_ends_with_the_sweep_at_the_reset_and_not_a_second_before(timeline: str) -> None:
    world, reset = blocked(timeline)
    world.sweep(reset - SECOND)
    assert world.denied == {"user/alice"}
    world.sweep(reset)
    assert world.denied == set()
    assert world.told("user/alice") == ["blocked", "restored"]


@pytest.mark.parametrize("timeline", TIMELINES)
def test_a_schedule_that_missed_the_reset_by_a_day_restores_once_it_is_back(timeline: str) -> None:
    world, reset = blocked(timeline)
    world.sweep(reset + timedelta(hours=25))
    assert world.denied == set()
    assert world.told("user/alice") == ["blocked", "restored"]


@pytest.mark.parametrize("timeline", TIMELINES)
def test_a_clock_that_is_set_back_after_the_reset_blocks_nobody_again(timeline: str) -> None:
    world, reset = blocked(timeline)
    world.sweep(reset)
    world.sweep(reset - timedelta(minutes=30))
    assert world.denied == set()


@pytest.mark.parametrize("timeline", TIMELINES)
def test_usage_of_the_last_second_that_comes_late_counts_before_the_reset(timeline: str) -> None:
    """It is of the old window: after the reset nobody is blocked for it."""
    world, reset = blocked(timeline)
    world.call("alice", reset - SECOND, 500)
    world.sweep(reset + timedelta(minutes=2))
    assert world.denied == set()
