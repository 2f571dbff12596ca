"""The page: one HTML file that needs nothing else, and asks no network for anything."""

import base64
import hashlib
import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache, partial
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from quota_enforcer.core.notices.amounts import count, lasting
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.insight.report import model, texts
from quota_enforcer.insight.report.blocked import BlockOutcome
from quota_enforcer.insight.report.charts.days import Days
from quota_enforcer.insight.report.charts.timeline import timeline
from quota_enforcer.insight.report.lines import lines, remarks, stopped
from quota_enforcer.insight.report.model import Person, UsageReport
from quota_enforcer.insight.report.model_names import model_names
from quota_enforcer.insight.report.summary.money import Money
from quota_enforcer.insight.report.summary.short import in_short

MICRO_USD = 1_000_000
_OURS = "quota_enforcer.insight.report"


def packed(report: UsageReport, names: Mapping[str, str], people: Iterable[Person]) -> str:
    """These people's days.

    `people` are by name; each has rows of model, then the columns day, requests, tokens, and
    millionths of a dollar, the last of them at assumed prices. Models and days are places in the
    lists that go with it.
    """
    places = {day: place for place, day in enumerate(report.days)}
    models = sorted({model for person in report.people for model in person.models})
    known = {model: place for place, model in enumerate(models)}
    rows: dict[str, Any] = {}
    for person in people:
        rows[str(person.principal)] = [
            [known[model], *_columns(days.items(), places)] for model, days in person.models.items()
        ]
    document = {
        "days": [str(day) for day in report.days],
        "models": [names[each] for each in models],
        "people": rows,
    }
    written = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return base64.b64encode(zlib.compress(written.encode(), 9)).decode()


def _columns(days: Iterable[Any], places: Any) -> list[list[int]]:
    used = [(places[day], counts) for day, counts in days if day in places]
    return [
        [place for place, _ in used],
        [counts.requests for _, counts in used],
        [counts.tokens for _, counts in used],
        [_micro(counts.cost_usd) for _, counts in used],
        [_micro(counts.assumed_usd) for _, counts in used],
    ]


def _micro(usd: Decimal) -> int:
    return round(usd * MICRO_USD)


MOST_QUOTAS = 5_000

MOST_PEOPLE = 2_000

MOST_BLOCKS = 1_000

MOST_OTHERS = 500
"""Rows of one table: more would make the page too slow to use, and it says how many are left."""

SCRIPTS = ("tables.js", "page.js")

STYLES = ("shared/report.css", "shared/tables.css")

TO = {
    "money": "#money", "blocked": "#stopped", "next": "#quotas", "who": "#usage",
    "models": "#models",
}  # fmt: skip
"""Where each card of the first screen leads."""

_SPARK = 20
"""The height of a sparkline in its own units."""


@dataclass(frozen=True, slots=True)
class QuotaBlocks:
    """How often and how long one quota blocked, or would have blocked, how many principals."""

    quota: str
    outcome: BlockOutcome
    times: int
    people: int
    lasted: timedelta


@cache
def templates(package: str, zone: ZoneInfo) -> Environment:
    """What a package's templates are compiled in, once for each time zone; every name is escaped.

    The console's pages have the same filters, and the report's first screen.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader(_OURS)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": texts.number,
        "short": texts.short,
        "money": texts.money,
        "day": texts.day,
        "month": texts.month,
        "moment": partial(texts.moment, zone=zone),
        "lasting": lasting,
        "share": texts.share,
        "part": texts.part,
        "exact": texts.exact,
        "percent": texts.percent,
        "seconds": lambda length: int(length.total_seconds()),
    }
    environment.globals |= {"many": count}
    return environment


def render(report: UsageReport) -> str:
    """The whole page; every name in it is escaped."""
    script = "".join(map(_source, SCRIPTS))
    return (
        templates(_OURS, report.zone)
        .get_template("report.html.j2")
        .render(
            **_view(report),
            style=Markup("".join(map(_source, STYLES))),  # noqa: S704 - our own files
            script=Markup(script),  # noqa: S704 - likewise
            script_hash=_hash(script),
        )
    )


def _view(report: UsageReport) -> dict[str, Any]:
    money = Money.of(report)
    every = lines(report)
    halted = stopped(every)
    active = report.active
    names = model_names(model for person in report.people for model in person.models)
    by_day = {names[each]: days for each, days in model.by_model_and_day(report).items()}
    days = Days(report.days, by_day, money.recorded_from)
    return {
        "report": report,
        "money": money,
        "names": names,
        "file": f"{report.source.stack}-{report.days[-1]}",
        "to": TO,
        "short": in_short(report, every, names),
        "remarks": list(remarks(report, money)),
        "total": Counts.total(counts for person, counts in active if person.counted),
        "lines": every[:MOST_QUOTAS],
        "lines_in_all": len(every),
        "halted": halted,
        "active": active[:MOST_PEOPLE],
        "active_in_all": len(active),
        "spark": partial(_spark, report),
        "teams_of": _teams_of(report),
        "models": model.by_model(report),
        "teams": model.by_team(report),
        "accounts": model.by_account(report),
        "regions": model.by_region(report),
        "blocks": report.blocks[:MOST_BLOCKS],
        "blocks_in_all": len(report.blocks),
        "others": report.others[-MOST_OTHERS:],
        "quota_blocks": _quota_blocks(report),
        "tokens_chart": days.tokens(),
        "dollars_chart": days.dollars(),
        "timeline": timeline(report),
        "details": packed(report, names, [person for person, _ in active[:MOST_PEOPLE]]),
    }


def _teams_of(report: UsageReport) -> dict[str, str]:
    teams: defaultdict[str, list[str]] = defaultdict(list)
    for team, members in sorted(report.teams.items()):
        for member in members:
            teams[str(member)].append(team.removeprefix("team/"))
    return {member: ", ".join(names) for member, names in teams.items()}


def _quota_blocks(report: UsageReport) -> list[QuotaBlocks]:
    groups: defaultdict[tuple[str, BlockOutcome], list[tuple[str, timedelta]]] = defaultdict(list)
    for block in report.blocks:
        for quota in block.quotas:
            lasted = block.lasted(report.first, report.now)
            groups[quota, block.outcome].append((block.principal, lasted))
    found = [
        QuotaBlocks(
            quota,
            outcome,
            len(several),
            len({who for who, _ in several}),
            sum((lasted for _, lasted in several), timedelta(0)),
        )
        for (quota, outcome), several in groups.items()
    ]
    return sorted(found, key=lambda each: (-each.times, each.quota))


def _spark(report: UsageReport, person: Person) -> tuple[str, str]:
    """A path of one stroke for each day with usage, as high as its share of the busiest day.

    And the busiest day in words.
    """
    used = person.by_day(report.days[0])
    numbers = {day: counts.tokens or counts.requests for day, counts in used.items()}
    most = max(numbers.values(), default=0) or 1
    busiest = max(numbers, key=lambda day: (numbers[day], day))
    said = f"{texts.number(numbers[busiest])} on {texts.day(busiest)}, the busiest day"
    path = "".join(
        f"M{2 * place + 1} {_SPARK}v-{max(round(numbers[day] * _SPARK / most), 1)}"
        for place, day in enumerate(report.days)
        if numbers.get(day)
    )
    return path, said


def _source(name: str) -> str:
    folder = resources.files(_OURS) / "templates"
    return (folder / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """How the page's content security policy names the only script that may run in it."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
