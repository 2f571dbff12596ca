"""The picture of a simulation: use against the limit, blocked spans, with and without the limit."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from builders import HAIKU, a_quota
from page_reading import PageReading
from quota_enforcer.core.pricing.rate import Cost
from quota_enforcer.core.principal import Identity, Principal, identify
from quota_enforcer.core.quotas.quota import UNLIMITED, Rule, Share
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.model import ModelScope
from quota_enforcer.core.usage.window import Unit, Window
from quota_enforcer.insight.simulate import trace
from quota_enforcer.insight.simulate.curves import Curve, curves
from quota_enforcer.insight.simulate.picture import as_drawing, as_page
from quota_enforcer.insight.simulate.replay import simulate
from quota_enforcer.insight.simulate.trace import Course, Trace
from quota_enforcer.meter.log.record import Counted
from report_scene import HOSTILE
from world import ACCOUNT, arn

MORNING = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
UTC_ZONE = ZoneInfo("UTC")
ALICE, BOB = Principal.parse("user/alice"), Principal.parse("user/bob")


def a_call(who: str, at: datetime, tokens: int = 600, model: str = HAIKU) -> Counted:
    whose = arn(who)
    return Counted(
        at, whose, identify(whose, ACCOUNT), model, None, Counts(1, tokens), None, f"{who}{at}"
    )


def cents(call: Counted) -> Cost:
    return Cost(Decimal(call.counts.tokens) / 100, Decimal(0), "test")


def free(_: Counted) -> Cost:
    return Cost(Decimal(0), Decimal(0), "test")


class Replayed:
    """A replay with its trace."""

    def __init__(self, calls: list[Counted], *rules: Rule, zone: ZoneInfo = UTC_ZONE) -> None:
        self.trace = Trace(zone)
        self.outcomes = simulate(calls, rules, cents, zone, observer=self.trace)

    def course(self, who: Principal = ALICE) -> Course:
        return self.trace.courses(who)[0]

    def curves(self) -> list[Curve]:
        return curves(self.outcomes, self.trace)


def three_days(who: str = "alice") -> list[Counted]:
    """Four calls each morning, an hour apart: the second reaches a limit of 1,000."""
    return [a_call(who, MORNING + DAY * n + HOUR * m) for n in range(3) for m in range(4)]


def at(course: Course, moment: datetime) -> tuple[int, int]:
    """What was used at the last point until a moment, with the limit and without."""
    [*_, last] = (each for each in course.points if each.at <= moment)
    return int(last.through), int(last.tried)


def test_with_the_limit_use_stays_where_it_closed_and_without_it_goes_on() -> None:
    course = Replayed(three_days(), a_quota()).course()
    assert at(course, MORNING + HOUR) == (1200, 1200)
    assert at(course, MORNING + 3 * HOUR + HOUR / 2) == (1200, 2400)
    assert {each.limit for each in course.points} == {1000}


def test_each_window_begins_at_zero_and_ends_at_its_height() -> None:
    course = Replayed(three_days(), a_quota()).course()
    midnight = datetime(2026, 11, 25, tzinfo=UTC)
    before = midnight - timedelta(microseconds=1)
    assert before in {each.at for each in course.points}
    assert at(course, before) == (1200, 2400)
    assert at(course, midnight) == (0, 0)


def test_midnight_is_that_of_the_time_zone() -> None:
    course = Replayed(three_days(), a_quota(), zone=ZoneInfo("Europe/Berlin")).course()
    assert at(course, datetime(2026, 11, 24, 23, tzinfo=UTC)) == (0, 0)


def test_a_rolling_window_lets_go_hour_by_hour() -> None:
    rolling = a_quota(window=Window(Unit.HOUR, 2), limit=Decimal(10_000))
    course = Replayed([*three_days()[:3], a_call("bob", MORNING + DAY)], rolling).course()
    assert at(course, MORNING + 2 * HOUR + HOUR / 10) == (1200, 1200)
    assert at(course, MORNING + 5 * HOUR) == (0, 0)


def test_blocked_stretches_end_with_the_window_or_the_last_call() -> None:
    course = Replayed(three_days(), a_quota()).course()
    assert [(each.begin.day, each.begin.hour, each.end.day) for each in course.closed] == [
        (24, 10, 25),
        (25, 10, 26),
        (26, 10, 26),
    ]
    assert course.closed[-1].end == MORNING + 2 * DAY + 3 * HOUR


def test_a_day_has_what_was_used_and_refused_and_how_long_it_was_closed() -> None:
    [first, *_] = Replayed(three_days(), a_quota()).course().days
    assert (first.through, first.tried, first.refused) == (1200, 2400, 2)
    assert first.closed == timedelta(hours=14)


def test_only_the_models_of_a_quota_count_in_its_curve() -> None:
    calls = [a_call("alice", MORNING), a_call("alice", MORNING + HOUR, 70, "amazon.nova-pro-v1:0")]
    nova = a_quota(models=(ModelScope("amazon.*"),))
    course = Replayed(calls, nova).course()
    assert at(course, MORNING + HOUR) == (70, 70)
    assert [each.tried for each in course.days] == [70]


def test_a_raise_moves_the_limit_of_the_curve_until_its_end() -> None:
    raised = a_quota(raise_to=UNLIMITED, raise_until=MORNING + HOUR)
    course = Replayed(three_days(), raised).course()
    limits = {each.at: each.limit for each in course.points}
    assert limits[MORNING] == UNLIMITED
    assert limits[max(limits)] == 1000


def test_a_pool_is_drawn_once_as_its_teams() -> None:
    pool = a_quota(subject="team/ml", members=("user/alice", "user/bob"), share=Share.POOL)
    found = Replayed([*three_days(), *three_days("bob")], pool)
    assert [each.title.partition(",")[0] for each in found.curves()[1:]] == ["team/ml"]
    assert at(found.course(Principal.parse("team/ml")), MORNING) == (1200, 1200)
    assert found.course(Principal.parse("team/ml")).closed


def test_all_together_says_what_is_saved_and_how_many_calls_are_refused() -> None:
    [together, *_] = Replayed([*three_days(), *three_days("bob")], a_quota()).curves()
    assert together.says == (
        "Without the limits $144.00, with them $108.00: $36.00 saved and 6 calls of 1 principal "
        "refused, had nobody tried again."
    )
    assert together.points[-1]["tried"] == 144
    assert together.points[-1]["through"] == 108
    assert together.rows[0] == ("Tue 24 Nov 2026", "$36.00", "$48.00", "2")


def test_what_has_no_price_is_told_in_tokens() -> None:
    trace = Trace(UTC_ZONE)
    outcomes = simulate(three_days(), [a_quota()], free, UTC_ZONE, observer=trace)
    [together, *_] = curves(outcomes, trace)
    assert together.says.startswith("Without the limits 7,200 total tokens, with them 3,600 ")


def test_those_refused_most_come_first_and_then_who_comes_nearest() -> None:
    everybody = a_quota(subject="default")
    calls = [*three_days(), *three_days("bob")[:3], a_call("carol", MORNING, 10)]
    found = Replayed(calls, everybody).curves()
    assert [each.title for each in found[1:]] == [
        f"user/{who}, daily: 1,000 total tokens a day" for who in ("alice", "bob", "carol")
    ]
    assert found[3].says == "Never blocked; at most 10 total tokens at a time."


def test_whoever_runs_into_two_limits_has_both_curves_the_fuller_first() -> None:
    hourly = a_quota(name="hourly", window=Window(Unit.HOUR), limit=Decimal(600))
    found = Replayed(three_days(), a_quota(), hourly).curves()
    assert [each.title.partition(":")[0] for each in found[1:]] == [
        "user/alice, daily",
        "user/alice, hourly",
    ]


def test_whoever_has_no_limit_has_no_curve() -> None:
    assert len(Replayed(three_days("bob"), a_quota()).curves()) == 1


def test_a_limit_of_nothing_is_drawn() -> None:
    assert len(Replayed(three_days(), a_quota(limit=Decimal(0))).curves()) == 2


def test_one_call_makes_a_picture() -> None:
    found = Replayed([a_call("alice", MORNING)], a_quota())
    assert "<svg" in as_page(found.outcomes, found.trace)


def test_hours_of_a_month_are_no_more_points_than_a_screen_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert trace.MOST_POINTS < 2 * 24 * 30
    monkeypatch.setattr(trace, "MOST_POINTS", 90)  # and so it is with three days
    calls = [a_call("alice", MORNING + HOUR * n) for n in range(24 * 3)]
    course = Replayed(calls, a_quota(window=Window(Unit.HOUR), limit=Decimal(500))).course()
    assert len(course.points) <= 90
    assert max(each.tried for each in course.points) == 600


@pytest.fixture(scope="module")
def replayed() -> Replayed:
    return Replayed([*three_days(), *three_days("bob")], a_quota())


def test_every_number_of_the_page_stands_in_a_table_beside_it(replayed: Replayed) -> None:
    page = as_page(replayed.outcomes, replayed.trace)
    assert page.count("<table") == len(replayed.curves())
    for curve in replayed.curves():
        for row in curve.rows:
            assert f">{row[1]}</td><td>{row[2]}</td><td>{row[3]}</td>" in page


def test_each_picture_of_the_page_has_its_words(replayed: Replayed) -> None:
    reading = PageReading(as_page(replayed.outcomes, replayed.trace))
    said = [each["aria-label"] for each in reading.of("div") if each.get("role") == "img"]
    assert [*dict.fromkeys(said)] == [each.says for each in replayed.curves()]


def test_the_page_asks_no_network_and_runs_no_script(replayed: Replayed) -> None:
    page = as_page(replayed.outcomes, replayed.trace)
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!#)', page) == []


def test_blocked_spans_are_shaded_and_named_in_the_legend(replayed: Replayed) -> None:
    page = as_page(replayed.outcomes, replayed.trace)
    assert page.count('<li><i class="k-closed"></i>blocked</li>') == 1
    assert page.count('fill="var(--o0)"') == 2 * len(replayed.course().closed)


def test_a_drawing_has_a_title_and_a_description_and_both_colour_schemes(
    replayed: Replayed,
) -> None:
    drawing = as_drawing(replayed.outcomes, replayed.trace)
    root = ET.fromstring(drawing)  # noqa: S314 - we have just drawn it
    space = "{http://www.w3.org/2000/svg}"
    title = "What the limits would have done, Tue 24 Nov 2026 to Thu 26 Nov 2026"
    assert root.findtext(f"{space}title") == title
    assert "6 calls of 1 principal refused" in str(root.findtext(f"{space}desc"))
    assert "prefers-color-scheme: dark" in str(root.findtext(f"{space}style"))
    assert root.get("role") == "img"


def test_the_drawing_names_every_colour_that_it_uses(replayed: Replayed) -> None:
    drawing = as_drawing(replayed.outcomes, replayed.trace)
    used = set(re.findall(r"var\((--\w+)\)", drawing))
    assert used <= set(re.findall(r"(--\w+):", drawing))


def test_a_hostile_name_stays_text() -> None:
    who = Principal.parse(f"sso/{HOSTILE}")
    theirs = [call._replace(identity=Identity(who)) for call in three_days()]
    found = Replayed(theirs, a_quota(subject="default"))
    assert HOSTILE not in as_page(found.outcomes, found.trace)
    ET.fromstring(as_drawing(found.outcomes, found.trace))  # noqa: S314 - we have just drawn it
