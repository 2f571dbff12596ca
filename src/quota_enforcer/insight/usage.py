"""Spend: what was used, by principal, team, model and time, so that it can be charged to somebody.

Every call counts once. A session's calls are in its role's usage too, so a session has a row of its
own only where a team has it as a member; its role's row is then that much smaller.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import Counts

BETWEEN_TEAMS = "+"
"""Who is in several teams is charged to all of them together: `team/a+team/b`."""


class By(StrEnum):
    """What rows are told apart by."""

    PRINCIPAL = "principal"
    TEAM = "team"
    MODEL = "model"
    MONTH = "month"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which days are meant, both included, and what rows are told apart by, in that order."""

    first: date
    last: date
    by: Sequence[By]


Key = tuple[str, ...]


def spend(
    usages: Mapping[Principal, Usage], teams: Mapping[Principal, Iterable[str]], asked: Asked
) -> dict[Key, Counts]:
    """The sums by key, in order; `teams` are those that somebody is a member of."""
    rows: defaultdict[Key, list[Counts]] = defaultdict(list)
    for principal, sign in _charged(usages, teams, asked.by):
        for model, day, counts in _days(usages[principal], asked):
            for who, part in sign:
                key = tuple(_name(by, who, model, day, teams) for by in asked.by)
                rows[key].append(counts if part > 0 else _negative(counts))
    summed = {key: Counts.total(several) for key, several in sorted(rows.items())}
    return {key: counts for key, counts in summed.items() if any(counts)}


def _charged(
    usages: Mapping[Principal, Usage], teams: Mapping[Principal, Iterable[str]], by: Sequence[By]
) -> Iterator[tuple[Principal, list[tuple[Principal, int]]]]:
    """Whose usage counts, and for whom: plus one, or minus one where it is counted there too."""
    for principal in usages:
        role = Principal(Kind.ROLE, principal.name.partition("/")[0])
        if principal.kind is not Kind.SESSION or role not in usages:
            yield principal, [(principal, 1)]
        elif By.TEAM in by and teams.get(principal):
            yield principal, [(principal, 1), (role, -1)]


def _days(usage: Usage, asked: Asked) -> Iterator[tuple[str, date, Counts]]:
    for model, of_model in usage.models.items():
        for day, counts in of_model.days.items():
            if asked.first <= day <= asked.last:
                yield model, day, counts


def _name(
    by: By, principal: Principal, model: str, day: date, teams: Mapping[Principal, Iterable[str]]
) -> str:
    match by:
        case By.PRINCIPAL:
            return str(principal)
        case By.TEAM:
            return BETWEEN_TEAMS.join(sorted(teams.get(principal, ())))
        case By.MODEL:
            return model
        case By.MONTH:
            return f"{day:%Y-%m}"
        case By.DAY:
            return str(day)


def _negative(counts: Counts) -> Counts:
    return Counts._make(-number for number in counts)
