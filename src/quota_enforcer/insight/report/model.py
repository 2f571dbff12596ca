"""What the report says, before it is a page: people, quotas, money, and shares of it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.notices.notice import Notice
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.coverage import Coverage
from quota_enforcer.core.usage.place import Place
from quota_enforcer.core.usage.window import local_date
from quota_enforcer.insight.report.blocked import BlockedPeriod
from quota_enforcer.insight.status import StatusRow

ByDay = Mapping[date, Counts]
"""Usage by local date; days without any are left out."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One quota of one principal now, and its forecast.

    `models` are what it counts and denies, `says` how much of it is used, in words. `runs_out` is
    when it is used up at this pace, `at_reset` how full it then is, in percent.
    """

    row: StatusRow
    models: str = ""
    says: str = ""
    runs_out: datetime | None = None
    at_reset: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """One principal: its usage by model and day, its quotas, and its blocks.

    `places` are the same days by where they were used, all models together.
    """

    principal: Principal
    models: Mapping[str, ByDay] = field(default_factory=dict)
    bars: tuple[Bar, ...] = ()
    blocks: tuple[BlockedPeriod, ...] = ()
    places: Mapping[Place, ByDay] = field(default_factory=dict)

    @property
    def counted(self) -> bool:
        """Whether it adds to the sums: a session's calls are in its role's usage already."""
        return self.principal.kind not in {Kind.SESSION, Kind.TEAM}

    def used(self, since: date, before: date = date.max) -> dict[str, Counts]:
        """Usage by model from one date on, before another; models without usage are left out."""
        totals = {
            model: Counts.total(counts for day, counts in days.items() if since <= day < before)
            for model, days in self.models.items()
        }
        return {model: counts for model, counts in totals.items() if any(counts)}

    def total(self, since: date, before: date = date.max) -> Counts:
        return Counts.total(self.used(since, before).values())

    def by_day(self, since: date) -> ByDay:
        """All models together, oldest day first."""
        days = sorted({day for each in self.models.values() for day in each if day >= since})
        return {
            day: Counts.total(each[day] for each in self.models.values() if day in each)
            for day in days
        }

    def since(self, bar: Bar) -> datetime | None:
        """Since when a used-up quota blocks, or would; None if no notice has said it yet."""
        if bar.row.since is not None:
            return bar.row.since
        lasting = (block for block in self.blocks if block.end is None)
        begun = (block.start for block in lasting if bar.row.quota in block.quotas)
        return min(begun, default=None)


@dataclass(frozen=True, slots=True)
class ReportSource:
    """What a report is of, and what made it; `budget` is the AWS budget's dollars a month."""

    stack: str
    account: str = ""
    region: str = ""
    version: str = ""
    budget: Decimal | None = None


@dataclass(frozen=True, slots=True)
class UsageReport:
    """All that the page shows; `days` are local dates, oldest first, the last one is today.

    Usage was read from `read_from` on: it may be earlier than `days`, for the month's cost.
    """

    source: ReportSource
    mode: Mode
    zone: ZoneInfo
    now: datetime
    state: SweepState
    days: tuple[date, ...]
    first: datetime
    read_from: date
    people: tuple[Person, ...]
    teams: Mapping[str, frozenset[Principal]]
    others: tuple[Notice, ...] = ()
    coverage: Coverage = field(default_factory=Coverage)
    """Of the last days, and not of all days shown; of a digest of its week."""

    @property
    def counted(self) -> Iterable[Person]:
        """The principals whose usage adds to the sums."""
        return (person for person in self.people if person.counted)

    @property
    def active(self) -> list[tuple[Person, Counts]]:
        """The principals with usage in these days, by what they cost, most first."""
        totals = [(person, person.total(self.days[0])) for person in self.people]
        used = [(person, counts) for person, counts in totals if any(counts)]
        return sorted(
            used, key=lambda each: (-each[1].cost_usd, -each[1].tokens, each[0].principal)
        )

    @property
    def blocks(self) -> tuple[BlockedPeriod, ...]:
        """Every block, the newest first."""
        found = (block for person in self.people for block in person.blocks)
        return tuple(sorted(found, key=lambda block: block.start, reverse=True))

    def by_day(self) -> dict[date, Decimal]:
        """What every day cost since usage was read, days without usage left out."""
        costs: dict[date, Decimal] = {}
        for person in self.counted:
            for days in person.models.values():
                for day, counts in days.items():
                    costs[day] = costs.get(day, Decimal(0)) + counts.cost_usd
        return costs


@dataclass(frozen=True, slots=True)
class UsageShare:
    """What one model or team used in the report's days and this month, and how many used it."""

    name: str
    counts: Counts
    month: Counts
    people: int


def by_model(report: UsageReport) -> list[UsageShare]:
    """The models, by what they cost, most first."""
    month = _month(report)
    whole: defaultdict[str, list[Counts]] = defaultdict(list)
    of_month: defaultdict[str, list[Counts]] = defaultdict(list)
    for person in report.counted:
        for model, counts in person.used(report.days[0]).items():
            whole[model].append(counts)
        for model, counts in person.used(month).items():
            of_month[model].append(counts)
    return _ranked(
        UsageShare(
            model, Counts.total(whole[model]), Counts.total(of_month[model]), len(whole[model])
        )
        for model in whole.keys() | of_month.keys()
    )


def by_spender(
    report: UsageReport, since: date | None = None, before: date = date.max
) -> list[tuple[Person, Counts]]:
    """Who used Bedrock this month, or in these days, by what they cost, most first."""
    first = since or _month(report)
    totals = [(person, person.total(first, before)) for person in report.counted]
    used = [(person, counts) for person, counts in totals if any(counts)]
    return sorted(used, key=lambda each: (-each[1].cost_usd, -each[1].tokens, each[0].principal))


def by_account(report: UsageReport) -> list[UsageShare]:
    """The accounts in which it was used, by what they cost, most first."""
    return _by_place(report, lambda place: place.account)


def by_region(report: UsageReport) -> list[UsageShare]:
    """The same by Region."""
    return _by_place(report, lambda place: place.region)


def _by_place(report: UsageReport, name: Callable[[Place], str]) -> list[UsageShare]:
    used: defaultdict[str, defaultdict[Principal, list[tuple[date, Counts]]]]
    used = defaultdict(lambda: defaultdict(list))
    for person in report.counted:
        for place, days in person.places.items():
            used[name(place)][person.principal] += days.items()
    month = _month(report)
    return _ranked(
        UsageShare(
            each,
            Counts.total(c for days in people.values() for day, c in days if day >= report.days[0]),
            Counts.total(c for days in people.values() for day, c in days if day >= month),
            sum(any(day >= report.days[0] for day, _ in days) for days in people.values()),
        )
        for each, people in used.items()
    )


def by_team(report: UsageReport) -> list[UsageShare]:
    """The teams by what they cost, most first; a member of several counts to each of them.

    All who are in no team are one line, with an empty name.
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


def by_model_and_day(report: UsageReport) -> dict[str, ByDay]:
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


def _share(name: str, people: Iterable[Person], report: UsageReport) -> UsageShare:
    several = list(people)
    totals = [person.total(report.days[0]) for person in several]
    month = Counts.total(person.total(_month(report)) for person in several)
    return UsageShare(name, Counts.total(totals), month, sum(map(any, totals)))


def _month(report: UsageReport) -> date:
    return local_date(report.now, report.zone).replace(day=1)


def _ranked(shares: Iterable[UsageShare]) -> list[UsageShare]:
    return sorted(shares, key=lambda s: (-s.counts.cost_usd, -s.counts.tokens, s.name))
