"""Shares: what each model and each team used, of the report's days and of this month."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.window import local_date
from quota_enforcer.insight.report.model import ByDay, Person, Report


@dataclass(frozen=True, slots=True)
class Share:
    """What one model or team used in the report's days and this month, and how many used it."""

    name: str
    counts: Counts
    month: Counts
    people: int


def by_model(report: Report) -> list[Share]:
    """The models, the dearest first."""
    month = _month(report)
    whole: defaultdict[str, list[Counts]] = defaultdict(list)
    of_month: defaultdict[str, list[Counts]] = defaultdict(list)
    for person in report.counted:
        for model, counts in person.used(report.days[0]).items():
            whole[model].append(counts)
        for model, counts in person.used(month).items():
            of_month[model].append(counts)
    return _ranked(
        Share(model, Counts.total(whole[model]), Counts.total(of_month[model]), len(whole[model]))
        for model in whole.keys() | of_month.keys()
    )


def by_team(report: Report) -> list[Share]:
    """The teams, the dearest first; who is in several counts to each of them.

    Whoever is in none is one line of its own, with the name empty.
    """
    used = {person.principal: person for person in report.people if person.models}
    in_teams = frozenset[object]().union(*report.teams.values())
    alone = [person for who, person in used.items() if person.counted and who not in in_teams]
    shares = [
        _share(name, [used[each] for each in members if each in used], report)
        for name, members in report.teams.items()
    ]
    if alone:
        shares.append(_share("", alone, report))
    return _ranked(shares)


def by_model_and_day(report: Report) -> dict[str, ByDay]:
    """What everybody together used of each model on each day shown."""
    rows: dict[str, dict[date, list[Counts]]] = {}
    for person in report.counted:
        for model, days in person.models.items():
            for day, counts in days.items():
                if day >= report.days[0]:
                    rows.setdefault(model, {}).setdefault(day, []).append(counts)
    return {
        model: {day: Counts.total(several) for day, several in sorted(days.items())}
        for model, days in rows.items()
    }


def _share(name: str, people: Iterable[Person], report: Report) -> Share:
    several = list(people)
    totals = [person.total(report.days[0]) for person in several]
    month = Counts.total(person.total(_month(report)) for person in several)
    return Share(name, Counts.total(totals), month, sum(map(any, totals)))


def _month(report: Report) -> date:
    return local_date(report.now, report.zone).replace(day=1)


def _ranked(shares: Iterable[Share]) -> list[Share]:
    return sorted(shares, key=lambda s: (-s.counts.cost_usd, -s.counts.tokens, s.name))
