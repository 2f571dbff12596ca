"""The meter as timelines: calls happen, the meter runs, and the ledger holds what was used."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import ALICE, HAIKU, HOUR, NOON, a_quota
from fakes import FakeLedger, FakeMetrics
from quota_enforcer.core.pricing.dated import DatedPrices
from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.principal import Principal, identify
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Rule
from quota_enforcer.core.usage.counts import OBSERVED, Counts
from quota_enforcer.core.usage.model import canonical_model
from quota_enforcer.core.usage.stored import Bucket, Source
from quota_enforcer.core.usage.window import hour_start, local_date
from quota_enforcer.meter.cloudwatch.meter import MeterRun, Occasion, Pricing, meter
from quota_enforcer.meter.ports import NamedByThemselves, Series

ACCOUNT = "123456789012"
ALICE_ARN = f"arn:aws:iam::{ACCOUNT}:user/alice"
BOB = Principal.parse("user/bob")
BOB_ARN = f"arn:aws:iam::{ACCOUNT}:user/bob"
CI = Principal.parse("role/ci")
MINUTE = timedelta(minutes=1)
TICK = 5 * MINUTE
ONE = Counts(1, 10)
"""One request with ten input tokens."""
PRICING = Pricing(NamedByThemselves(), DatedPrices({}))
"""Without any price: what things cost is tested elsewhere."""


def session(name: str) -> str:
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/{name}"


@dataclass
class World:
    """A deployment's meter, run by hand; `run` keeps the watermark as the sweep does."""

    zone: str = "UTC"
    rules: Iterable[Rule] = ()
    metrics: FakeMetrics = field(default_factory=FakeMetrics)

    def __post_init__(self) -> None:
        self.ledger = FakeLedger(ZoneInfo(self.zone))

    def run(self, now: datetime) -> MeterRun:
        self.metrics.now = now
        state = self.ledger.state()
        occasion = Occasion(now, self.ledger.zone, ACCOUNT)
        book = QuotaBook(self.rules)
        metering = meter(self.metrics, self.ledger, book, state, occasion, PRICING)
        self.ledger.finish(replace(state, started=now, finished=now, metered_to=now))
        self.ledger.writes.pop()
        return metering

    def used(self, who: Principal = ALICE, model: str = HAIKU) -> dict[datetime, Counts]:
        """The hours in the ledger that hold anything."""
        usage = self.ledger.usage(who, date.min).models
        return {
            hour: counts for hour, counts in usage[model].hours.items() if counts != Counts()
        } if model in usage else {}  # fmt: skip

    def written(self) -> list[str]:
        """What was written since this was asked last."""
        methods = [method for method, _ in self.ledger.writes]
        self.ledger.writes.clear()
        return methods


@pytest.fixture
def world() -> World:
    return World()


class TestReading:
    def test_the_first_run_reads_a_month_back_and_lists_everything(self, world: World) -> None:
        long_ago = NOON - timedelta(days=31)
        world.metrics.call(ALICE_ARN, long_ago, ONE)
        world.metrics.call(ALICE_ARN, NOON - MINUTE, Counts(1, 5, 3, 2, 1))
        metering = world.run(NOON)
        assert world.metrics.listings == [False]
        assert world.used() == {
            hour_start(long_ago, world.ledger.zone): ONE,
            NOON - HOUR: Counts(1, 5, 3, 2, 1),
        }
        assert metering == MeterRun(
            touched=frozenset({ALICE}), seen=frozenset({ALICE}), fresh=True, series=5
        )

    def test_reading_again_changes_and_writes_nothing(self, world: World) -> None:
        world.metrics.call(ALICE_ARN, NOON - MINUTE, ONE)
        world.run(NOON)
        world.written()
        metering = world.run(NOON + TICK)
        assert world.written() == []
        assert (metering.touched, metering.fresh) == (frozenset(), False)
        assert metering.seen == {ALICE}

    def test_a_counter_that_comes_later_than_its_siblings_is_read_from_then_on(
        self, world: World
    ) -> None:
        """One that does not exist is not asked for, since every series read costs money."""
        world.metrics.call(ALICE_ARN, NOON - MINUTE, ONE)
        assert world.run(NOON).series == 2
        assert world.run(NOON + TICK).series == 2
        cached = Counts(cache_read_tokens=7)
        world.metrics.call(ALICE_ARN, NOON - MINUTE, cached, arrives=NOON + TICK)
        assert world.run(NOON + 2 * TICK).series == 3
        assert world.used() == {NOON - HOUR: Counts.total([ONE, cached])}

    def test_late_data_corrects_its_own_hour(self, world: World) -> None:
        world.metrics.call(ALICE_ARN, NOON - MINUTE, ONE)
        late = NOON - 2 * HOUR
        world.metrics.call(ALICE_ARN, late, ONE, arrives=NOON + MINUTE)
        world.run(NOON)
        assert world.used() == {NOON - HOUR: ONE}
        assert world.run(NOON + TICK).touched == {ALICE}
        assert world.used() == {NOON - HOUR: ONE, late: ONE}

    def test_a_series_listed_a_quarter_of_an_hour_late_loses_nothing(self, world: World) -> None:
        world.metrics.listed_after = 15 * MINUTE
        world.run(NOON)
        world.metrics.call(ALICE_ARN, NOON - MINUTE, ONE)
        assert not world.run(NOON + 2 * TICK).fresh
        assert world.run(NOON + 3 * TICK).fresh
        assert world.used() == {NOON - HOUR: ONE}

    def test_an_outage_of_ten_hours_heals_on_the_next_run(self, world: World) -> None:
        world.run(NOON)
        calls = [NOON + n * HOUR for n in range(10)]
        for at in calls:
            world.metrics.call(ALICE_ARN, at, ONE)
        world.run(NOON + 10 * HOUR)
        assert world.metrics.listings == [False, False]
        assert world.used() == dict.fromkeys(calls, ONE)

    @pytest.mark.parametrize(
        ("gap", "recent"), [(TICK, True), (90 * MINUTE, True), (91 * MINUTE, False)]
    )
    def test_only_a_short_gap_trusts_the_list_of_recent_series(
        self,
        world: World,
        gap: timedelta,
        recent: bool,  # noqa: FBT001 - a table
    ) -> None:
        world.run(NOON)
        world.run(NOON + gap)
        assert world.metrics.listings == [False, recent]

    def test_no_series_is_missed_across_the_longest_gap_that_trusts_the_list(
        self, world: World
    ) -> None:
        """The list of recent series goes back 2 h 10 min, and its newest may come 15 min late."""
        world.metrics.listed_after = 15 * MINUTE
        world.run(NOON)
        world.metrics.call(ALICE_ARN, NOON - 14 * MINUTE, ONE)
        world.run(NOON + 90 * MINUTE)
        assert world.used() == {NOON - HOUR: ONE}

    def test_groups_with_the_same_start_are_read_together(self, world: World) -> None:
        for number in range(20):
            world.metrics.call(f"arn:aws:iam::{ACCOUNT}:user/u{number}", NOON, ONE)
        world.run(NOON + MINUTE)
        world.run(NOON + TICK)
        assert [len(read.series) for read in world.metrics.reads] == [40, 40]
        assert world.metrics.reads[1].start == NOON - 3 * HOUR

    def test_usage_that_goes_away_is_set_to_zero(self, world: World) -> None:
        """Complete and empty is zero; hours before those that were read stay."""
        bucket = Bucket(ALICE, HAIKU, NOON.date())
        early, now = NOON - 6 * HOUR, NOON - HOUR
        world.ledger.set_hours(bucket, {early: ONE, now: ONE})
        world.ledger.remember_source(Source(ALICE_ARN, HAIKU, active_to=now))
        world.ledger.finish(replace(world.ledger.state(), started=NOON, finished=NOON,
                                    metered_to=NOON))  # fmt: skip
        assert world.run(NOON + TICK).touched == {ALICE}
        assert world.used() == {early: ONE}

    def test_a_failed_listing_rises(self, world: World) -> None:
        """So the caller leaves the watermark where it is."""
        world.metrics.listing_fails = ConnectionError("CloudWatch is away")
        with pytest.raises(ConnectionError):
            world.run(NOON)
        assert world.written() == []

    def test_nothing_listed_is_no_usage(self, world: World) -> None:
        assert world.run(NOON) == MeterRun()
        assert world.metrics.reads == []


class TestUnknown:
    """A partial answer is unknown: nothing is written for that group until it heals."""

    def test_a_partial_answer_leaves_the_bucket_and_names_the_series(self, world: World) -> None:
        world.metrics.call(ALICE_ARN, NOON - MINUTE, ONE)
        world.metrics.call(BOB_ARN, NOON - MINUTE, ONE)
        world.run(NOON)
        world.metrics.call(ALICE_ARN, NOON + MINUTE, ONE)
        world.metrics.call(BOB_ARN, NOON + MINUTE, ONE)
        world.metrics.unknown = {Series("input_tokens", ALICE_ARN, HAIKU)}
        metering = world.run(NOON + TICK)
        (failure,) = metering.failures
        assert failure == (
            f"usage of {HAIKU} by user/alice is unknown since 2026-11-24 12:00 UTC: CloudWatch "
            f"gave no complete answer for input_tokens of {ALICE_ARN} ({HAIKU}); what the ledger "
            "has stays, and the next sweep reads it again"
        )
        assert world.used(ALICE) == {NOON - HOUR: ONE}
        assert world.used(BOB) == {NOON - HOUR: ONE, NOON: ONE}

    def test_many_unknown_series_make_one_short_sentence(self, world: World) -> None:
        for number in range(9):
            world.metrics.call(session(f"run-{number}"), NOON - MINUTE, ONE)
        world.metrics.all_unknown()
        (failure,) = world.run(NOON).failures
        assert "role/ci" in failure
        assert "and 15 more series" in failure

    def test_it_heals_from_where_it_was_missing(self, world: World) -> None:
        """However long it took, and although others went on."""
        world.run(NOON)
        world.metrics.call(ALICE_ARN, NOON + MINUTE, ONE)
        world.metrics.all_unknown()
        moment = NOON
        while moment < NOON + 8 * HOUR:
            moment += 30 * MINUTE
            assert world.run(moment).failures
        assert world.ledger.sources() == [
            Source(ALICE_ARN, HAIKU, moment, NOON, ("requests", "input_tokens"))
        ]
        world.metrics.unknown.clear()
        world.written()
        healed = world.run(moment + TICK)
        assert healed.touched == {ALICE}
        assert not healed.failures
        assert world.used() == {NOON: ONE}
        assert world.written() == ["set_hours", "remember_source"]
        assert world.ledger.sources() == [
            Source(ALICE_ARN, HAIKU, moment, None, ("requests", "input_tokens"))
        ]

    def test_a_source_that_is_behind_is_read_however_long_it_was_idle(self, world: World) -> None:
        world.run(NOON)
        world.ledger.remember_source(
            Source(ALICE_ARN, HAIKU, active_to=NOON - 60 * HOUR, behind=NOON - 50 * HOUR)
        )
        assert world.run(NOON + TICK).series == len(OBSERVED)
        assert world.ledger.sources() == [Source(ALICE_ARN, HAIKU, active_to=NOON - 60 * HOUR)]

    def test_what_is_missing_is_noted_at_most_once_an_hour(self, world: World) -> None:
        world.run(NOON)
        world.metrics.call(ALICE_ARN, NOON + MINUTE, ONE)
        world.metrics.all_unknown()
        world.written()
        for n in range(1, 12):
            world.run(NOON + n * TICK)
        assert world.written() == ["remember_source"]

    def test_one_series_after_the_other_failing_loses_nothing(self, world: World) -> None:
        """The first heals while its group stays unwritten: the second remembers from when."""
        world.run(NOON)
        first, second = session("first"), session("second")
        world.metrics.call(first, NOON + MINUTE, ONE)
        world.metrics.call(second, NOON + MINUTE, ONE)
        world.metrics.unknown = {Series("requests", first, HAIKU)}
        for n in range(1, 13):
            world.run(NOON + n * 30 * MINUTE)
        world.metrics.unknown = {Series("requests", second, HAIKU)}
        for n in range(13, 25):
            world.run(NOON + n * 30 * MINUTE)
        world.metrics.unknown.clear()
        world.run(NOON + 13 * HOUR)
        assert world.used(CI) == {NOON: Counts(2, 20)}

    def test_the_first_run_is_made_up_for_in_full(self, world: World) -> None:
        long_ago = NOON - timedelta(days=31)
        world.metrics.call(ALICE_ARN, long_ago, ONE)
        world.metrics.all_unknown()
        world.run(NOON)
        world.metrics.unknown.clear()
        world.run(NOON + TICK)
        assert set(world.used()) == {hour_start(long_ago, world.ledger.zone)}

    @pytest.mark.parametrize("crash", range(3))
    def test_a_crash_between_any_two_writes_loses_nothing(self, crash: int) -> None:
        world = World()
        world.run(NOON)
        world.metrics.call(ALICE_ARN, NOON + MINUTE, ONE)
        world.metrics.all_unknown()
        world.run(NOON + TICK)
        world.metrics.call(ALICE_ARN, NOON + 9 * HOUR, ONE)
        world.metrics.unknown.clear()
        world.run(NOON + 9 * HOUR)  # reads behind the call, so that nothing but memory is left
        world.metrics.call(BOB_ARN, NOON + 9 * HOUR, ONE)
        world.written()
        world.ledger.fails_at = crash
        with pytest.raises(ConnectionError):
            world.run(NOON + 9 * HOUR + TICK)
        world.ledger.fails_at = None
        world.run(NOON + 9 * HOUR + 2 * TICK)
        assert world.used(ALICE) == {NOON: ONE, NOON + 9 * HOUR: ONE}
        assert world.used(BOB) == {NOON + 9 * HOUR: ONE}


class TestMerging:
    def test_sessions_of_one_role_are_one_principal(self, world: World) -> None:
        world.metrics.call(session("run-1"), NOON - MINUTE, ONE)
        world.metrics.call(session("run-2"), NOON - MINUTE, ONE)
        world.run(NOON)
        assert world.used(CI) == {NOON - HOUR: Counts(2, 20)}

    def test_permission_sets_of_one_person_are_one_principal(self, world: World) -> None:
        for role in ("Admin_0123456789abcdef", "Reader_fedcba9876543210"):
            arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_{role}/Ana"
            world.metrics.call(arn, NOON - MINUTE, ONE)
        world.run(NOON)
        assert world.used(Principal.parse("sso/ana")) == {NOON - HOUR: Counts(2, 20)}

    def test_forms_of_one_model_are_one_model(self, world: World) -> None:
        arn = f"arn:aws:bedrock:eu-west-1:{ACCOUNT}:inference-profile/eu.{HAIKU}"
        for model_id in (HAIKU, f"us.{HAIKU}", arn):
            world.metrics.call(ALICE_ARN, NOON - MINUTE, ONE, model_id=model_id)
        world.run(NOON)
        assert world.used() == {NOON - HOUR: Counts(3, 30)}

    def test_a_session_that_leaves_the_list_does_not_lower_the_bucket(self, world: World) -> None:
        """The recent list may forget within 2 h 10 min what is set again for 3 hours."""
        world.metrics.call(session("short"), NOON + MINUTE, ONE)
        moment = NOON
        while moment < NOON + 5 * HOUR:
            moment += TICK
            world.metrics.call(session("long"), moment - MINUTE, ONE)
            world.run(moment)
            assert world.used(CI)[NOON].requests >= 2
        assert Series("requests", session("short"), HAIKU) not in world.metrics.reads[-1].series

    def test_a_session_with_a_quota_of_its_own_counts_to_both(self) -> None:
        world = World(rules=[a_quota(subject="session/ci/run-1")])
        world.metrics.call(session("run-1"), NOON - MINUTE, ONE)
        world.metrics.call(session("run-2"), NOON - MINUTE, ONE)
        metering = world.run(NOON)
        watched = Principal.parse("session/ci/run-1")
        assert metering.touched == {CI, watched}
        assert metering.series == 4
        assert world.used(CI) == {NOON - HOUR: Counts(2, 20)}
        assert world.used(watched) == {NOON - HOUR: ONE}

    def test_an_unknown_sibling_stops_the_role_but_not_the_session(self) -> None:
        world = World(rules=[a_quota(subject="session/ci/*")])
        world.metrics.call(session("run-1"), NOON - MINUTE, ONE)
        world.metrics.call(session("run-2"), NOON - MINUTE, ONE)
        world.metrics.unknown = {Series("requests", session("run-2"), HAIKU)}
        assert world.run(NOON).touched == {Principal.parse("session/ci/run-1")}
        world.metrics.unknown.clear()
        assert world.run(NOON + TICK).touched == {CI, Principal.parse("session/ci/run-2")}

    def test_sources_are_remembered_about_once_an_hour(self, world: World) -> None:
        world.run(NOON)
        world.written()
        for n in range(24):
            world.metrics.call(ALICE_ARN, NOON + n * TICK, ONE)
            world.run(NOON + n * TICK + MINUTE)
        assert world.written().count("remember_source") == 2


class TestNonsense:
    @pytest.mark.parametrize(
        "arn",
        ["", "alice", "null", "arn:aws:iam::12345678901234:user/alice", "arn:aws:s3:::bucket"],
    )
    def test_a_nonsense_principal_is_named_and_stops_nobody(self, world: World, arn: str) -> None:
        world.metrics.call(arn, NOON - MINUTE, ONE)
        world.metrics.call(ALICE_ARN, NOON - MINUTE, ONE)
        metering = world.run(NOON)
        assert metering.touched == metering.seen == {ALICE}
        (sentence,) = metering.unattributed
        assert sentence.startswith("usage in the metrics is counted to nobody")
        assert repr(arn) in sentence
        assert [source.arn for source in world.ledger.sources()] == [ALICE_ARN]

    def test_root_is_metered_as_other(self, world: World) -> None:
        arn = f"arn:aws:iam::{ACCOUNT}:root"
        world.metrics.call(arn, NOON - MINUTE, ONE)
        world.run(NOON)
        assert world.used(Principal.parse(f"other/{arn}")) == {NOON - HOUR: ONE}


class TestLocalTime:
    def test_the_night_the_clocks_go_back_has_two_hours_of_two(self) -> None:
        world = World("Europe/Berlin")
        first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 CEST, then 02:30 CET
        for n in range(3):
            world.metrics.call(ALICE_ARN, first + n * HOUR, ONE)
        world.run(first + 3 * HOUR)
        assert list(world.used()) == [first + n * HOUR - 30 * MINUTE for n in range(3)]
        day = world.ledger.usage(ALICE, date(2026, 10, 25)).models[HAIKU].days
        assert day == {date(2026, 10, 25): Counts(3, 30)}

    def test_usage_around_local_midnight_falls_on_two_days(self) -> None:
        world = World("Europe/Berlin")
        midnight = datetime(2026, 11, 23, 23, tzinfo=UTC)
        world.metrics.call(ALICE_ARN, midnight - MINUTE, ONE)
        world.metrics.call(ALICE_ARN, midnight, ONE)
        world.run(midnight + MINUTE)
        days = world.ledger.usage(ALICE, date.min).models[HAIKU].days
        assert days == {date(2026, 11, 23): ONE, date(2026, 11, 24): ONE}

    @pytest.mark.parametrize(
        ("zone", "period"),
        [
            ("UTC", 3600),
            ("Europe/Berlin", 3600),
            ("Asia/Kolkata", 1800),
            ("Asia/Kathmandu", 900),
            ("America/St_Johns", 1800),
        ],
    )
    def test_points_are_no_longer_than_the_zone_allows(self, zone: str, period: int) -> None:
        world = World(zone)
        local = datetime(2026, 11, 24, 0, 0, tzinfo=ZoneInfo(zone))
        world.metrics.call(ALICE_ARN, local - MINUTE, ONE)
        world.metrics.call(ALICE_ARN, local, ONE)
        world.run(local.astimezone(UTC) + MINUTE)
        assert world.metrics.reads[0].period == period
        assert world.used() == {(local - HOUR).astimezone(UTC): ONE, local.astimezone(UTC): ONE}

    @pytest.mark.parametrize(
        ("first", "hours"),
        [
            pytest.param(
                datetime(2026, 4, 4, 14, tzinfo=UTC),
                {0 * MINUTE: 3, 90 * MINUTE: 2},
                id="back: 01:00 has 90 minutes",
            ),
            pytest.param(
                datetime(2026, 10, 3, 14, 30, tzinfo=UTC),
                {0 * MINUTE: 2, 60 * MINUTE: 1, 90 * MINUTE: 2},
                id="forth: 02:00 has 30 minutes",
            ),
        ],
    )
    def test_a_change_of_half_an_hour_is_read_in_halves(
        self, first: datetime, hours: dict[timedelta, int]
    ) -> None:
        """Lord Howe Island: +11 in summer, +10:30 in winter."""
        world = World("Australia/Lord_Howe")
        for n in range(5):
            world.metrics.call(ALICE_ARN, first + n * 30 * MINUTE, ONE)
        world.run(first - HOUR)
        world.run(first + 3 * HOUR)
        assert world.metrics.reads[-1].period == 1800
        assert {hour - first: used.requests for hour, used in world.used().items()} == hours


ARNS = [ALICE_ARN, session("run-1"), session("run-2"), session("run-3"), "nonsense"]
MODELS = [HAIKU, f"eu.{HAIKU}", "amazon.nova-lite-v1:0"]
CALLS = st.tuples(
    st.sampled_from(ARNS),
    st.sampled_from(MODELS),
    st.integers(-600, 1500).map(lambda minutes: minutes * MINUTE),
    st.integers(0, 150).map(lambda minutes: minutes * MINUTE),
    st.tuples(st.just(1), *[st.integers(0, 9)] * 2, *[st.just(0)] * 3).map(Counts.observed),
)
RUNS = st.tuples(
    st.sampled_from([TICK, 30 * MINUTE, 85 * MINUTE, 2 * HOUR, 11 * HOUR]),
    st.sets(
        st.builds(
            Series,
            st.sampled_from(["requests", "input_tokens"]),
            st.sampled_from(ARNS),
            st.sampled_from(MODELS),
        ),
        max_size=4,
    ),
    st.sampled_from([None, None, 0, 1, 2]),
)


@given(
    st.sampled_from(["UTC", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    st.lists(CALLS, max_size=25),
    st.lists(RUNS, max_size=12),
    st.sampled_from([TICK, 80 * MINUTE, timedelta(days=3)]),
)
def test_whatever_happened_complete_runs_end_in_the_true_sums(
    zone: str,
    calls: list[tuple[str, str, timedelta, timedelta, Counts]],
    runs: list[tuple[timedelta, set[Series], int | None]],
    pace: timedelta,
) -> None:
    """Delays, partial answers, outages, crashes in any order; then complete runs at any pace."""
    world = World(zone, [a_quota(subject="session/ci/run-1")])
    start = datetime(2026, 4, 4, 10, tzinfo=UTC)  # Lord Howe turns its clocks at 15:00
    for arn, model_id, at, delay, counts in calls:
        arrives = start + at + delay
        world.metrics.call(arn, start + at, counts, model_id=model_id, arrives=arrives)
    moment = start
    for step, unknown, crash in runs:
        moment += step
        world.metrics.unknown = unknown
        world.written()
        world.ledger.fails_at = crash
        try:
            world.run(moment)
        except ConnectionError:
            continue
    world.metrics.unknown = set()
    world.ledger.fails_at = None
    arrived = start + timedelta(minutes=1500 + 150)
    world.run(moment := moment + pace)
    while moment < arrived:
        world.run(moment := moment + pace)

    true: defaultdict[tuple[Principal, str, datetime], list[Counts]] = defaultdict(list)
    book = QuotaBook(world.rules)
    for arn, model_id, at, _, counts in calls:
        if arn != "nonsense":
            hour = hour_start(start + at, world.ledger.zone)
            for who in book.charged(identify(arn, ACCOUNT)):
                true[who, canonical_model(model_id), hour].append(counts)
    known = {
        (who, model, hour): counts
        for who in (ALICE, CI, Principal.parse("session/ci/run-1"))
        for model in map(canonical_model, MODELS)
        for hour, counts in world.used(who, model).items()
    }
    assert known == {key: Counts.total(rows) for key, rows in true.items()}
    for who, model, hour in known:
        stored = world.ledger.hours([Bucket(who, model, local_date(hour, world.ledger.zone))])
        assert any(hour in hours for hours in stored.values())


def test_hours_cost_what_held_on_their_day() -> None:
    dearer = Rate(input=Decimal("0.000002"), output=Decimal(0))
    rates = {"a.b": Rate(input=Decimal("0.000001"), output=Decimal(0))}
    pricing = Pricing(
        NamedByThemselves(), DatedPrices(rates, {f"a.b from {NOON:%Y-%m-%d}": dearer})
    )
    used = {"a.b": (1, 1_000_000, *(0 for _ in OBSERVED[2:]))}
    today = NOON.date()
    costs = [pricing.priced(used, day).cost_usd for day in (today - timedelta(days=1), today)]
    assert costs == [1, 2]
