"""Usage: read ahead for many principals together, and summed up so that it can be charged.

In a sum every call counts once. A session's calls are in its role's usage too, so a session has a
row of its own only if it is a member of a team; its role's row is then that much smaller.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from threading import Lock
from typing import NamedTuple

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Quota, Rule
from quota_enforcer.core.usage.buckets import MinuteCounts, ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.place import NOWHERE_KNOWN, Place
from quota_enforcer.core.usage.reads import UsageReads
from quota_enforcer.core.usage.window import day_start, local_date
from quota_enforcer.decide.pace.usual import first_usual_day

BETWEEN_TEAMS = "+"
"""A member of several teams is charged to all of them together: `team/a+team/b`."""


class By(StrEnum):
    """What makes two rows of usage different."""

    PRINCIPAL = "principal"
    TEAM = "team"
    MODEL = "model"
    ACCOUNT = "account"
    REGION = "region"
    MONTH = "month"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class SpendQuery:
    """The days, first and last included, and the columns that make a row, in order."""

    first: date
    last: date
    by: Sequence[By]
    home: Place = NOWHERE_KNOWN
    """Where usage was made that has no place."""

    @property
    def by_place(self) -> bool:
        return By.ACCOUNT in self.by or By.REGION in self.by


Key = tuple[str, ...]


def spend(
    usages: Mapping[Principal, Usage], teams: Mapping[Principal, Iterable[str]], asked: SpendQuery
) -> dict[Key, Counts]:
    """The sums by key, sorted; `teams` are the teams of each principal."""
    rows: defaultdict[Key, list[Counts]] = defaultdict(list)
    for principal, sign in _charged(usages, teams, asked.by):
        for place, used in _places(usages[principal], asked):
            for model, day, counts in days_in(used, asked):
                for who, part in sign:
                    call = _Row(who, place, model, day)
                    key = tuple(_name(by, call, teams) for by in asked.by)
                    rows[key].append(counts if part > 0 else _negative(counts))
    summed = {key: Counts.total(several) for key, several in sorted(rows.items())}
    return {key: counts for key, counts in summed.items() if any(counts)}


def _charged(
    usages: Mapping[Principal, Usage], teams: Mapping[Principal, Iterable[str]], by: Sequence[By]
) -> Iterator[tuple[Principal, list[tuple[Principal, int]]]]:
    """The principals whose usage counts, and to which rows: -1 if it is in that row already."""
    for principal in usages:
        role = principal.of_role
        if principal.kind is not Kind.SESSION or role not in usages:
            yield principal, [(principal, 1)]
        elif By.TEAM in by and teams.get(principal):
            yield principal, [(principal, 1), (role, -1)]


def _places(usage: Usage, asked: SpendQuery) -> Iterator[tuple[Place, Usage]]:
    """All of it together, unless the rows are told apart by where it was."""
    if not asked.by_place:
        yield NOWHERE_KNOWN, usage
        return
    for stored, used in usage.by_place.items():
        yield Place.of(stored, asked.home), used


def days_in(usage: Usage, asked: SpendQuery) -> Iterator[tuple[str, date, Counts]]:
    """Model, date and counts of each day that is asked for."""
    for model, of_model in usage.models.items():
        for day, counts in of_model.days.items():
            if asked.first <= day <= asked.last:
                yield model, day, counts


class _Row(NamedTuple):
    """What tells usage apart."""

    principal: Principal
    place: Place
    model: str
    day: date


def _name(by: By, of: _Row, teams: Mapping[Principal, Iterable[str]]) -> str:
    if by is By.TEAM:
        return BETWEEN_TEAMS.join(sorted(teams.get(of.principal, ())))
    return _NAMES[by](of)


_NAMES: Mapping[By, Callable[[_Row], str]] = {
    By.PRINCIPAL: lambda of: str(of.principal),
    By.MODEL: lambda of: of.model,
    By.ACCOUNT: lambda of: of.place.account,
    By.REGION: lambda of: of.place.region,
    By.MONTH: lambda of: f"{of.day:%Y-%m}",
    By.DAY: lambda of: str(of.day),
}


def _negative(counts: Counts) -> Counts:
    return Counts._make(-number for number in counts)


class UsageRead:
    """Everybody's day buckets from a date on, and the hour buckets that quotas still count.

    Safe to share between threads: who asks second waits for the first.
    """

    def __init__(
        self, ledger: UsageReads, rules: Iterable[Rule], context: Context, first: date
    ) -> None:
        quotas = [rule for rule in rules if isinstance(rule, Quota)]
        spans = [window.span(context.now, context.zone) for window in {q.window for q in quotas}]
        days = [first, *(span.first_day for span in spans)]
        hours = [span.start for span in spans if span.hours]
        if any(quota.unusual is not None for quota in quotas):
            days.append(first_usual_day(local_date(context.now, context.zone)))
            hours.append(day_start(days[-1], context.zone))
        self._ledger = ledger
        self._first = min(days)
        self._hours_from = min(hours, default=context.now)
        self._read: dict[Principal, Future[Usage]] = {}
        self._lock = Lock()

    def usage(self, principal: Principal, first: date) -> Usage:
        """One principal's usage as in a ledger; days before `first` are in it too."""
        del first
        with self._lock:
            future = self._read.get(principal)
            to_read = future is None
            if future is None:
                future = self._read[principal] = Future()
        if to_read:
            try:
                whole = self._ledger.usage(principal, self._first)
            except BaseException as error:
                future.set_exception(error)
                raise
            future.set_result(_thinned(whole, self._hours_from))
        return future.result()

    def minutes(self, principal: Principal, since: datetime) -> MinuteCounts:
        """As the ledger has them."""
        return self._ledger.minutes(principal, since)


def _thinned(usage: Usage, hours_from: datetime) -> Usage:
    """Without the hours that no quota counts any more: they are most of what a ledger holds."""
    return Usage(
        {
            model: ModelUsage(
                {hour: counts for hour, counts in each.hours.items() if hour >= hours_from},
                each.days,
            )
            for model, each in usage.models.items()
        },
        {place: _thinned(each, hours_from) for place, each in usage.places.items()},
    )


@dataclass(frozen=True, slots=True)
class ReadBefore:
    """Usage that was read already; what was not is read when asked for."""

    ledger: UsageReads
    firsts: Mapping[Principal, date]
    usages: Mapping[Principal, Usage]

    def usage(self, principal: Principal, first: date) -> Usage:
        """One principal's usage from a local date on."""
        known = self.firsts.get(principal)
        if known is None or first < known:
            return self.ledger.usage(principal, first)
        return self.usages[principal]

    def minutes(self, principal: Principal, since: datetime) -> MinuteCounts:
        """Nobody reads them ahead: there are few, and of few principals."""
        return self.ledger.minutes(principal, since)


def hours_needed(quota: Quota, context: Context) -> date | None:
    """From which local date on a quota needs usage by the hour; None if it does not."""
    if quota.unusual is not None:
        return first_usual_day(local_date(context.now, context.zone))
    span = quota.window.span(context.now, context.zone)
    return span.first_day if span.hours else None


def far_back(
    principals: Iterable[Principal], book: QuotaBook, context: Context, since: date | None = None
) -> tuple[dict[Principal, date], date | None]:
    """The first day of usage that the quotas of each principal and its pools' members need.

    That is `since` at the latest, or today. The second is from when on they need the hours.
    """
    firsts: dict[Principal, date] = {}
    by_the_hour: set[date] = set()
    today = local_date(context.now, context.zone)
    for principal in principals:
        quotas = book.applicable_to(principal, context.now).quotas
        spans = [quota.window.span(context.now, context.zone) for quota in quotas]
        hours = {day for quota in quotas if (day := hours_needed(quota, context)) is not None}
        by_the_hour |= hours
        first = min([since or today, *(span.first_day for span in spans), *hours])
        for each in {principal, *book.pools.get(principal, ())}:
            firsts[each] = min(first, firsts.get(each, first))
    return firsts, min(by_the_hour, default=None)
