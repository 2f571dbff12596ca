"""Charts: one colour for one model, what is too much together, and the longest blocks."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from builders import NOON, UTC_ZONE
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.insight.report.blocked import BlockedPeriod, BlockOutcome
from quota_enforcer.insight.report.charts.days import COLOURS, Days
from quota_enforcer.insight.report.charts.drawing import Chart
from quota_enforcer.insight.report.charts.timeline import LONGEST, timeline
from quota_enforcer.insight.report.model import Person, ReportSource, UsageReport
from world import principal

TODAY = NOON.date()
DAYS = [TODAY - timedelta(days=n) for n in (2, 1, 0)]
HOUR = timedelta(hours=1)


def counts(tokens: int, cost: str = "0") -> Counts:
    return Counts(1, tokens, cost_usd=Decimal(cost))


def days(models: Mapping[str, Counts], recorded_from: date = DAYS[0]) -> Days:
    return Days(DAYS, {model: {TODAY: each} for model, each in models.items()}, recorded_from)


def bars(chart: Chart | None) -> list[str]:
    """What the bars of the wide drawing say."""
    assert chart is not None
    return re.findall(r'aria-label="(Tue[^"]+)"', chart.drawings["wide"])


def fills(chart: Chart | None, model: str) -> set[str]:
    assert chart is not None
    found = re.findall(r'<path aria-label="([^"]+)"[^>]* fill="([^"]+)"', chart.drawings["wide"])
    return {fill for label, fill in found if model in label}


def test_a_model_has_the_same_colour_in_both_charts() -> None:
    drawn = days({"dear": counts(1, "9999"), "busy": counts(900, "1")})
    for model, colour in (("dear", "var(--s0)"), ("busy", "var(--s1)")):
        assert fills(drawn.tokens(), model) == fills(drawn.dollars(), model) == {colour}


def test_a_model_that_is_much_in_either_chart_has_a_colour_of_its_own() -> None:
    cheap = {f"m{n:02}": counts(10, "5") for n in range(COLOURS + 2)}
    chart = days({**cheap, "busy and cheap": counts(90_000, "0.01")}).dollars()
    assert chart is not None
    assert chart.legend[0] == ("busy and cheap", "s0")


def test_the_smallest_of_many_models_are_drawn_together() -> None:
    many = {f"m{n:02}": counts(10) for n in range(COLOURS + 2)}
    chart = days(many).tokens()
    assert chart is not None
    names = [name for name, _ in chart.legend]
    assert names == [*list(many)[:COLOURS], "2 other models"]
    assert chart.rows == [("Tue 24 Nov 2026", "90", *["10"] * COLOURS, "20")]


def test_as_many_models_as_there_are_colours_keep_their_names() -> None:
    many = {f"m{n}": counts(10) for n in range(COLOURS + 1)}
    chart = days(many).tokens()
    assert chart is not None
    assert [name for name, _ in chart.legend] == list(many)


def test_a_bar_says_its_day_model_and_number() -> None:
    assert bars(days({"haiku": counts(1200)}).tokens()) == ["Tue 24 Nov 2026, haiku: 1,200 Tokens"]


def test_nothing_used_draws_nothing() -> None:
    assert days({}).tokens() is None
    assert days({"free": counts(5)}).dollars() is None


def test_the_days_before_the_first_record_are_shaded_and_named() -> None:
    late = days({"haiku": counts(5)}, recorded_from=TODAY).tokens()
    assert late is not None
    assert late.legend[-1] == ("nothing recorded", "none")
    assert 'fill="var(--track)"' in late.drawings["wide"]
    early = days({"haiku": counts(5)}).tokens()
    assert early is not None
    assert 'fill="var(--track)"' not in early.drawings["wide"]


def blocked(
    who: str, hours: int, outcome: BlockOutcome = BlockOutcome.BLOCKED, *, over: bool = True
) -> Person:
    start = NOON - HOUR * (hours + 1)
    end = start + HOUR * hours if over else None
    return Person(
        principal(who), blocks=(BlockedPeriod(who, outcome, ("daily",), start, end, None, "why"),)
    )


def a_report(*people: Person) -> UsageReport:
    return UsageReport(
        ReportSource("stack"), Mode.ENFORCE, UTC_ZONE, NOON, SweepState(), tuple(DAYS),
        NOON - timedelta(days=2, hours=12), DAYS[0], people, {},
    )  # fmt: skip


def test_the_timeline_shows_those_blocked_longest_and_says_so() -> None:
    people = [blocked(f"user/u{n:02}", n) for n in range(1, LONGEST + 3)]
    chart = timeline(a_report(*people))
    assert chart is not None
    assert "26 blocks of 26 principals. It shows the 24 blocked longest." in chart.says
    assert "user/u02" not in chart.drawings["wide"]
    shown = re.findall(r">(user/u\d+)<", chart.drawings["wide"])
    assert shown == [f"user/u{n:02}" for n in range(26, 2, -1)]


def test_the_legend_names_only_what_is_drawn() -> None:
    lasting = timeline(a_report(blocked("user/a", 1, over=False)))
    assert lasting is not None
    assert lasting.legend == [("blocked", "o0")]
    observed = timeline(a_report(blocked("user/a", 1, BlockOutcome.WOULD_HAVE_BEEN)))
    assert observed is not None
    assert observed.legend == [("would have been blocked", "o1")]
    ended = timeline(a_report(blocked("user/a", 1)))
    assert ended is not None
    assert ended.legend == [("blocked", "o0"), ("restored", "restored")]


def test_a_block_says_from_when_to_when() -> None:
    chart = timeline(a_report(blocked("user/a", 2)))
    assert chart is not None
    said = "user/a, blocked, quota daily: 2026-11-24 09:00 to 2026-11-24 11:00"
    assert said in chart.drawings["wide"]
    assert said not in chart.drawings["narrow"]


def test_without_blocks_there_is_no_timeline() -> None:
    nobody = a_report(blocked("user/a", 1))
    assert timeline(replace(nobody, people=())) is None
