"""Windows: hours and days of the local clock, through daylight saving and odd zones."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import UTC_ZONE
from quota_enforcer.core.usage.window import (
    DAY,
    HOUR,
    Span,
    Unit,
    Window,
    day_start,
    hour_start,
    local_date,
    next_hour,
)

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
HALF = timedelta(minutes=30)
ZONES = [
    "UTC",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "America/Havana",
    "Africa/Cairo",
    "Pacific/Apia",
]
zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
windows = st.one_of(
    st.just(Window(Unit.HOUR)),
    st.just(Window(Unit.DAY)),
    st.builds(Window, st.just(Unit.WEEK), resets_on=st.integers(1, 7)),
    st.builds(Window, st.just(Unit.MONTH), resets_on=st.integers(1, 31)),
    st.builds(Window, st.sampled_from([Unit.MINUTE, Unit.HOUR, Unit.DAY]), st.integers(1, 60)),
)
fixed = windows.filter(lambda window: not window.rolling)
rolling = windows.filter(lambda window: window.rolling)


def buckets_of(span: Span) -> Sequence[date]:
    """Those that there are, newest first."""
    return span.minutes or span.hours or span.days


def turned(starts: list[datetime], span: timedelta, zone: ZoneInfo) -> list[datetime]:
    """The starts of the spans in which the zone's clocks are turned."""
    return [
        start
        for start in starts
        if start.astimezone(zone).utcoffset() != (start + span).astimezone(zone).utcoffset()
    ]


def near_a_change(zone: ZoneInfo) -> st.SearchStrategy[datetime]:
    """Instants of the days in which the zone's clocks are turned, where all goes wrong."""
    weeks = [datetime(2020, 1, 1, tzinfo=UTC) + 7 * DAY * n for n in range(858)]
    days = [week + DAY * n for week in turned(weeks, 7 * DAY, zone) for n in range(7)]
    turning = turned(days, DAY, zone) or weeks
    minutes = st.integers(-24 * 60, 48 * 60).map(lambda n: timedelta(minutes=n))
    return st.builds(lambda day, by: day + by, st.sampled_from(turning), minutes)


CHANGES = {name: near_a_change(ZoneInfo(name)) for name in ZONES}
here_and_now = st.sampled_from(ZONES).flatmap(
    lambda name: st.tuples(st.just(ZoneInfo(name)), st.one_of(moments, CHANGES[name]))
)


def at(text: str, zone: ZoneInfo = UTC_ZONE) -> datetime:
    """An instant by the zone's clock."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


class TestBuckets:
    @given(here_and_now)
    def test_every_instant_falls_in_exactly_one_hour(
        self, place: tuple[ZoneInfo, datetime]
    ) -> None:
        zone, now = place
        start = hour_start(now, zone)
        assert start <= now < next_hour(start, zone)
        assert hour_start(start, zone) == start
        assert hour_start(next_hour(start, zone) - timedelta(microseconds=1), zone) == start

    @given(here_and_now)
    def test_every_instant_falls_in_exactly_one_day(self, place: tuple[ZoneInfo, datetime]) -> None:
        zone, now = place
        day = local_date(now, zone)
        assert day_start(day, zone) <= now < day_start(day + DAY, zone)
        assert local_date(day_start(day, zone), zone) == day

    @given(here_and_now)
    def test_an_hour_lies_in_one_day(self, place: tuple[ZoneInfo, datetime]) -> None:
        zone, now = place
        assert local_date(hour_start(now, zone), zone) == local_date(now, zone)

    @pytest.mark.parametrize(
        ("zone", "now", "start"),
        [
            ("UTC", "2026-11-24T12:59:59", "2026-11-24T12:00"),
            ("Asia/Kolkata", "2026-11-24T12:59:59", "2026-11-24T12:30"),
            ("Asia/Kathmandu", "2026-11-24T12:10", "2026-11-24T11:15"),
            ("America/St_Johns", "2026-11-24T12:10", "2026-11-24T11:30"),
        ],
    )
    def test_an_hour_begins_when_the_local_clock_says_so(
        self, zone: str, now: str, start: str
    ) -> None:
        assert hour_start(at(now), ZoneInfo(zone)) == at(start)

    @pytest.mark.parametrize(
        ("zone", "day", "hours"),
        [
            pytest.param("Europe/Berlin", date(2026, 3, 29), 23, id="clocks go forward"),
            pytest.param("Europe/Berlin", date(2026, 10, 25), 25, id="clocks go back"),
            pytest.param("America/Havana", date(2026, 3, 8), 23, id="midnight is skipped"),
            pytest.param("America/Havana", date(2026, 11, 1), 25, id="midnight comes twice"),
            pytest.param("Africa/Cairo", date(2026, 4, 24), 23, id="Cairo skips midnight"),
            pytest.param("Africa/Cairo", date(2026, 10, 29), 25, id="Cairo repeats 23:00"),
            pytest.param("Australia/Lord_Howe", date(2026, 4, 5), 24.5, id="half an hour back"),
            pytest.param("Australia/Lord_Howe", date(2026, 10, 4), 23.5, id="half an hour forth"),
            pytest.param("Pacific/Apia", date(2011, 12, 30), 0, id="a day that never was"),
        ],
    )
    def test_how_long_a_day_is(self, zone: str, day: date, hours: float) -> None:
        place = ZoneInfo(zone)
        assert day_start(day + DAY, place) - day_start(day, place) == hours * HOUR

    def test_both_hours_of_two_are_buckets(self) -> None:
        """In the night the clocks go back in Berlin, 02:00 to 03:00 comes twice."""
        summer = at("2026-10-25T00:00")
        assert hour_start(summer + HALF, BERLIN) == summer
        assert next_hour(summer, BERLIN) == summer + HOUR
        assert hour_start(summer + HOUR + HALF, BERLIN) == summer + HOUR

    def test_hours_of_half_and_one_and_a_half(self) -> None:
        back, forth = at("2026-04-04T14:00"), at("2026-10-03T15:30")
        assert next_hour(back, LORD_HOWE) - back == 3 * HALF
        assert next_hour(forth, LORD_HOWE) - forth == HALF


class TestSpans:
    @given(windows, here_and_now)
    def test_a_span_contains_now(self, window: Window, place: tuple[ZoneInfo, datetime]) -> None:
        zone, now = place
        span = window.span(now, zone)
        assert span.start <= now < span.end
        assert sum(map(bool, (span.minutes, span.hours, span.days))) == 1

    @given(windows, here_and_now)
    def test_its_buckets_are_all_from_start_to_now_and_newest_first(
        self, window: Window, place: tuple[ZoneInfo, datetime]
    ) -> None:
        zone, now = place
        span = window.span(now, zone)
        if span.minutes:
            assert span.minutes[0] == now.replace(second=0, microsecond=0)
            assert span.minutes[-1] == span.start
            assert all(new - old == timedelta(minutes=1) for new, old in pairwise(span.minutes))
        elif span.hours:
            assert span.hours[0] == hour_start(now, zone)
            assert span.hours[-1] == span.start
            assert all(next_hour(old, zone) == new for new, old in pairwise(span.hours))
        else:
            assert span.days[0] == local_date(now, zone)
            assert day_start(span.days[-1], zone) == span.start
            assert all(old + DAY == new for new, old in pairwise(span.days))

    @given(fixed, here_and_now)
    def test_fixed_windows_tile_time(
        self, window: Window, place: tuple[ZoneInfo, datetime]
    ) -> None:
        """One begins where the last ends, and all of one's instants agree on it."""
        zone, now = place
        span = window.span(now, zone)
        following = window.span(span.end, zone)
        assert following.start == span.end
        assert not set(span.hours + span.days) & set(following.hours + following.days)
        for moment in (span.start, span.end - timedelta(microseconds=1)):
            again = window.span(moment, zone)
            assert (again.start, again.end) == (span.start, span.end)

    @given(rolling, here_and_now)
    def test_a_rolling_window_has_that_many_buckets(
        self, window: Window, place: tuple[ZoneInfo, datetime]
    ) -> None:
        zone, now = place
        span = window.span(now, zone)
        assert len(buckets_of(span)) == window.rolling

    @given(rolling, here_and_now)
    def test_a_rolling_window_lets_its_buckets_go_one_by_one(
        self, window: Window, place: tuple[ZoneInfo, datetime]
    ) -> None:
        zone, now = place
        span = window.span(now, zone)
        buckets = [*buckets_of(span)]
        leaving = list(islice(window.leaving(now, zone), len(buckets)))
        assert leaving[0] == span.end
        for moment in leaving:
            gone = buckets.pop()
            then = window.span(moment, zone)
            assert gone not in buckets_of(then)
            assert set(buckets) <= set(buckets_of(then))

    @pytest.mark.parametrize(
        ("window", "now", "start", "end"),
        [
            pytest.param(
                Window(Unit.HOUR), "2026-11-24T12:59", "2026-11-24T12:00", "2026-11-24T13:00",
                id="hour",
            ),
            pytest.param(
                Window(Unit.DAY), "2026-11-24T00:00", "2026-11-24T00:00", "2026-11-25T00:00",
                id="day, at its first instant",
            ),
            pytest.param(
                Window(Unit.WEEK), "2026-11-24T12:00", "2026-11-23T00:00", "2026-11-30T00:00",
                id="week from Monday",
            ),
            pytest.param(
                Window(Unit.WEEK, resets_on=7), "2026-11-24T12:00", "2026-11-22T00:00",
                "2026-11-29T00:00", id="week from Sunday",
            ),
            pytest.param(
                Window(Unit.WEEK, resets_on=2), "2026-11-24T12:00", "2026-11-24T00:00",
                "2026-12-01T00:00", id="week from today",
            ),
            pytest.param(
                Window(Unit.MONTH), "2026-11-24T12:00", "2026-11-01T00:00", "2026-12-01T00:00",
                id="month",
            ),
            pytest.param(
                Window(Unit.MONTH, resets_on=25), "2026-11-24T12:00", "2026-10-25T00:00",
                "2026-11-25T00:00", id="the day before it resets",
            ),
            pytest.param(
                Window(Unit.MONTH, resets_on=24), "2026-11-24T12:00", "2026-11-24T00:00",
                "2026-12-24T00:00", id="the day it resets",
            ),
            pytest.param(
                Window(Unit.MONTH, resets_on=31), "2026-02-27T12:00", "2026-01-31T00:00",
                "2026-02-28T00:00", id="the 31st in February is its last day",
            ),
            pytest.param(
                Window(Unit.MONTH, resets_on=31), "2026-02-28T00:00", "2026-02-28T00:00",
                "2026-03-31T00:00", id="and the next is the 31st again",
            ),
            pytest.param(
                Window(Unit.MONTH, resets_on=31), "2028-02-29T12:00", "2028-02-29T00:00",
                "2028-03-31T00:00", id="in a leap year",
            ),
            pytest.param(
                Window(Unit.MONTH, resets_on=31), "2026-12-31T12:00", "2026-12-31T00:00",
                "2027-01-31T00:00", id="over the year's end",
            ),
            pytest.param(
                Window(Unit.MONTH, resets_on=15), "2027-01-14T12:00", "2026-12-15T00:00",
                "2027-01-15T00:00", id="back over the year's end",
            ),
            pytest.param(
                Window(Unit.HOUR, 24), "2026-11-24T12:30", "2026-11-23T13:00", "2026-11-24T13:00",
                id="rolling 24 hours: this one and the 23 before",
            ),
            pytest.param(
                Window(Unit.DAY, 7), "2026-11-24T12:30", "2026-11-18T00:00", "2026-11-25T00:00",
                id="rolling 7 days: today and the 6 before",
            ),
        ],
    )  # fmt: skip
    def test_where_windows_begin_and_end(
        self, window: Window, now: str, start: str, end: str
    ) -> None:
        for zone in (UTC_ZONE, BERLIN, ZoneInfo("Asia/Kolkata")):
            span = window.span(at(now, zone), zone)
            assert (span.start, span.end) == (at(start, zone), at(end, zone))

    def test_rolling_hours_count_both_hours_of_two(self) -> None:
        span = Window(Unit.HOUR, 3).span(at("2026-10-25T03:30", BERLIN), BERLIN)
        assert span.hours == (
            at("2026-10-25T02:00"), at("2026-10-25T01:00"), at("2026-10-25T00:00"),
        )  # fmt: skip

    def test_rolling_hours_count_the_short_hour(self) -> None:
        span = Window(Unit.HOUR, 3).span(at("2026-10-04T03:30", LORD_HOWE), LORD_HOWE)
        assert span.hours == (
            at("2026-10-03T16:00"), at("2026-10-03T15:30"), at("2026-10-03T14:30"),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (Window(Unit.HOUR), "hour"),
        (Window(Unit.DAY), "day"),
        (Window(Unit.WEEK), "week"),
        (Window(Unit.WEEK, resets_on=7), "week from Sunday"),
        (Window(Unit.MONTH), "month"),
        (Window(Unit.MONTH, resets_on=31), "month from day 31"),
        (Window(Unit.HOUR, 24), "rolling 24 hours"),
        (Window(Unit.DAY, 7), "rolling 7 days"),
    ],
)
def test_how_a_window_is_called(window: Window, words: str) -> None:
    assert str(window) == words
