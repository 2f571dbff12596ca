"""Usage: buckets of hours and days; windows are their sums, and so are pools."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import HAIKU, HOUR, NOON, UTC_ZONE, tokens
from quota_enforcer.core.usage.buckets import ModelUsage, Usage, pooled
from quota_enforcer.core.usage.counts import OBSERVED, Counts, Measure, Number
from quota_enforcer.core.usage.model import EVERY_MODEL, ModelScope
from quota_enforcer.core.usage.window import DAY, Unit, Window, hour_start, local_date

OPUS = "anthropic.claude-3-opus-20240229-v1:0"
ALL = (EVERY_MODEL,)
DAILY = Window(Unit.DAY).span(NOON, UTC_ZONE)
PLACES = ("", "444455556666/eu-west-1", "444455556666/us-east-1")

dollars = st.decimals(0, 100, places=13)
counts = st.builds(Counts, *[st.integers(0, 10**6)] * len(OBSERVED), dollars, dollars, dollars)
zones = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"])
instants = st.integers(0, 40 * 24 * 60).map(
    lambda minutes: datetime(2026, 3, 20, tzinfo=UTC) + timedelta(minutes=minutes)
)


class TestCounts:
    def test_the_total_of_nothing_is_zero(self) -> None:
        assert Counts.total([]) == Counts()

    @given(st.lists(counts))
    def test_a_total_is_the_sum_counter_by_counter(self, rows: list[Counts]) -> None:
        total = Counts.total(rows)
        for field in Counts._fields:
            assert getattr(total, field) == sum(getattr(row, field) for row in rows)

    @pytest.mark.parametrize(
        ("measure", "number"),
        [
            (Measure.REQUESTS, 1),
            (Measure.INPUT_TOKENS, 2),
            (Measure.OUTPUT_TOKENS, 30),
            (Measure.CACHE_READ_TOKENS, 400),
            (Measure.CACHE_WRITE_TOKENS, 5000),
            (Measure.INCOMPLETE_REQUESTS, 1),
            (Measure.TOTAL_TOKENS, 5432),
            (Measure.WEIGHTED_TOKENS, Decimal("545.62")),
            (Measure.COST_USD, Decimal("0.60")),
        ],
    )
    def test_what_each_measure_counts(self, measure: Measure, number: Number) -> None:
        """Total tokens are all four kinds, cached ones too, and no requests."""
        weights = tuple(map(Decimal, ("0.02", "0.05", "0.5", "0.075", "0.1", "0.5")))
        row = Counts(1, 2, 30, 400, 5000, 1, cost_usd=Decimal("0.60"), assumed_usd=Decimal("0.07"))
        found = measure.of(row, weights)
        assert (found, type(found)) == (number, type(number))

    @pytest.mark.parametrize("measure", Measure)
    def test_only_weighted_tokens_and_money_have_fractions(self, measure: Measure) -> None:
        assert measure.fractional is (measure in {Measure.WEIGHTED_TOKENS, Measure.COST_USD})

    @given(counts)
    def test_total_tokens_are_the_sum_of_the_token_measures(self, row: Counts) -> None:
        kinds = [Measure(counter) for counter in OBSERVED if counter.endswith("_tokens")]
        assert Measure.TOTAL_TOKENS.of(row) == sum(each.of(row) for each in kinds)

    def test_measures_in_words(self) -> None:
        assert Measure.CACHE_READ_TOKENS.words == "cache read tokens"
        assert Measure.COST_USD.words == "US dollars"


class TestBuckets:
    @given(zones, st.dictionaries(instants, counts))
    def test_days_are_the_sums_of_their_hours(
        self, zone_name: str, calls: dict[datetime, Counts]
    ) -> None:
        zone = ZoneInfo(zone_name)
        hours: dict[datetime, Counts] = {}
        for moment, row in calls.items():
            start = hour_start(moment, zone)
            hours[start] = Counts.total([row, hours.get(start, Counts())])
        usage = ModelUsage.of_hours(hours, zone)
        assert Counts.total(usage.days.values()) == Counts.total(calls.values())
        for day, row in usage.days.items():
            that_day = [one for moment, one in calls.items() if local_date(moment, zone) == day]
            assert row == Counts.total(that_day)

    @given(zones, st.lists(instants, min_size=1), instants)
    def test_a_day_window_is_the_sum_of_that_days_hour_windows(
        self, zone_name: str, calls: list[datetime], now: datetime
    ) -> None:
        zone = ZoneInfo(zone_name)
        usage = tokens(dict.fromkeys(calls, 7), zone=zone)
        day = Window(Unit.DAY).span(now, zone)
        total = Counts()
        moment = day.start
        while moment < day.end:
            hour = Window(Unit.HOUR).span(moment, zone)
            total = Counts.total([total, usage.within(hour, ALL)])
            moment = hour.end
        assert usage.within(day, ALL) == total


class TestWindows:
    def test_what_lies_outside_the_window_does_not_count(self) -> None:
        usage = tokens({NOON - DAY: 1, NOON: 20, NOON + HOUR: 300, NOON + DAY: 4000})
        assert usage.within(DAILY, ALL).input_tokens == 320
        hourly = Window(Unit.HOUR).span(NOON, UTC_ZONE)
        assert usage.within(hourly, ALL).input_tokens == 20

    def test_only_models_of_the_scopes_count_and_each_once(self) -> None:
        usage = Usage({**tokens({NOON: 5}).models, **tokens({NOON: 70}, OPUS).models})
        assert usage.within(DAILY, ALL).input_tokens == 75
        assert usage.within(DAILY, [ModelScope("anthropic.claude-3-opus*")]).input_tokens == 70
        overlapping = [ModelScope(OPUS), ModelScope("anthropic.claude-3-opus*")]
        assert usage.within(DAILY, overlapping).input_tokens == 70
        assert usage.within(DAILY, [ModelScope("amazon.*")]) == Counts()

    def test_no_usage_is_zero(self) -> None:
        assert Usage().within(DAILY, ALL) == Counts()

    @pytest.mark.parametrize("window", [Window(Unit.HOUR, 5), Window(Unit.DAY, 3)], ids=str)
    def test_bucket_by_bucket_oldest_first(self, window: Window) -> None:
        span = window.span(NOON, UTC_ZONE)
        usage = tokens({span.start: 1, NOON: 20})
        buckets = usage.by_bucket(span, ALL)
        assert list(buckets) == sorted(buckets)
        assert len(buckets) == window.rolling
        assert [row.input_tokens for row in buckets.values()] == [
            1, *[0] * (window.rolling - 2), 20,
        ]  # fmt: skip

    @given(
        st.lists(instants, max_size=20),
        st.builds(Window, st.sampled_from([Unit.HOUR, Unit.DAY]), st.integers(1, 40)),
        instants,
    )
    def test_the_buckets_sum_up_to_the_window(
        self, calls: list[datetime], window: Window, now: datetime
    ) -> None:
        usage = Usage({**tokens(dict.fromkeys(calls, 3)).models,
                       **tokens(dict.fromkeys(calls, 5), OPUS).models})  # fmt: skip
        span = window.span(now, UTC_ZONE)
        for scopes in (ALL, (ModelScope(OPUS),)):
            buckets = usage.by_bucket(span, scopes)
            assert Counts.total(buckets.values()) == usage.within(span, scopes)


class TestPools:
    def test_a_pool_is_its_members_together(self) -> None:
        one = tokens({NOON: 5, NOON - DAY: 1})
        other = Usage({**tokens({NOON: 70, NOON + HOUR: 9}).models,
                       **tokens({NOON: 100}, OPUS).models})  # fmt: skip
        pool = pooled([one, other])
        assert set(pool.models) == {HAIKU, OPUS}
        assert pool.within(DAILY, ALL) == Counts(requests=4, input_tokens=184)
        assert pool.within(DAILY, [ModelScope(OPUS)]).input_tokens == 100

    @given(
        st.lists(
            st.lists(
                st.tuples(
                    st.sampled_from(PLACES),
                    st.sampled_from([HAIKU, OPUS]),
                    st.integers(0, 3),
                    st.integers(1, 50),
                )
            ),
            max_size=4,
        )
    )
    def test_the_places_sum_up_to_the_total(
        self, members: list[list[tuple[str, str, int, int]]]
    ) -> None:
        """Of each, and of a pool of them, whose places are its members'."""
        several = []
        for calls in members:
            places: dict[str, dict[str, dict[datetime, Counts]]] = {}
            for place, model, hour, count in calls:
                hours = places.setdefault(place, {}).setdefault(model, {})
                at = NOON + hour * HOUR
                hours[at] = Counts.total([hours.get(at, Counts()), Counts(count)])
            usage = Usage.of_places(
                {
                    place: {name: ModelUsage.of_hours(of, UTC_ZONE) for name, of in models.items()}
                    for place, models in places.items()
                }
            )
            several.append(usage)
            assert usage.within(DAILY, ALL).requests == sum(count for *_, count in calls)
        pool = pooled(several)
        for usage in [*several, pool]:
            parts = [each.within(DAILY, ALL) for each in usage.by_place.values()]
            assert Counts.total(parts) == usage.within(DAILY, ALL)
        for place in PLACES:
            parts = [each.by_place.get(place, Usage()).within(DAILY, ALL) for each in several]
            pools = pool.by_place.get(place, Usage()).within(DAILY, ALL)
            assert pools == Counts.total(parts)

    def test_what_denies_is_told_apart_in_every_place(self) -> None:
        assumed = Counts(1, cost_usd=Decimal(5), assumed_usd=Decimal(5))
        own = "application-inference-profile/x"
        used = {own: ModelUsage.of_hours({NOON: assumed}, UTC_ZONE)}
        usage = Usage.of_places(dict.fromkeys(PLACES[:2], used)).denying
        for each in (usage, *usage.places.values()):
            assert each.within(DAILY, ALL).assumed_usd == 0

    @pytest.mark.parametrize("members", [[], [Usage()]])
    def test_a_pool_that_used_nothing(self, members: list[Usage]) -> None:
        assert pooled(members).within(DAILY, ALL) == Counts()

    @given(st.lists(st.dictionaries(instants, counts, max_size=5), max_size=4), instants)
    def test_a_pool_counts_all_seven_counters(
        self, calls: list[dict[datetime, Counts]], now: datetime
    ) -> None:
        """Cost and what of it is assumed, too, exactly."""
        hours = [
            {hour_start(moment, UTC_ZONE): row for moment, row in each.items()} for each in calls
        ]
        members = [Usage({HAIKU: ModelUsage.of_hours(each, UTC_ZONE)}) for each in hours]
        span = Window(Unit.DAY, rolling=40).span(now, UTC_ZONE)
        days = {local_date(now, UTC_ZONE) - n * DAY for n in range(40)}
        within = [row for each in hours for hour, row in each.items() if hour.date() in days]
        assert pooled(members).within(span, ALL) == Counts.total(within)

    @given(st.lists(st.lists(instants, max_size=5), max_size=4), instants)
    def test_a_pools_window_is_the_sum_of_its_members(
        self, calls: list[list[datetime]], now: datetime
    ) -> None:
        members = [tokens(dict.fromkeys(each, 3)) for each in calls]
        for window in (Window(Unit.HOUR), Window(Unit.DAY), Window(Unit.MONTH)):
            span = window.span(now, UTC_ZONE)
            each = [member.within(span, ALL) for member in members]
            assert pooled(members).within(span, ALL) == Counts.total(each)
