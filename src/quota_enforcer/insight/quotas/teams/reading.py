"""What a source says: who is in which team, and what could not be read of it."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final, NamedTuple

from quota_enforcer.core.quotas.form.values import shown
from quota_enforcer.core.quotas.subject import TEAM_ITEM
from quota_enforcer.insight.quotas.teams.source import UnreadableTeams

EVERY_TEAM: Final = "*"
"""Stands for the team of what could not be read, if it may be any."""
NO_TEAM: Final = ""
"""Stands for it if it is none."""
_TEAM: Final = "team/"
_COLUMNS: Final = ("team", "member")
_FORM: Final = "expected a list of entries with team and members"


class TeamEntry(NamedTuple):
    """One line of a source: this principal is in this team."""

    team: str
    """Its name, with or without `team/`."""
    who: str
    """A principal, a group such as `role/*`, or an ARN."""
    where: str
    """Where it stands, for whoever has to correct it."""


class Unread(NamedTuple):
    """What could not be read, of which team, and why; nobody leaves such a team."""

    team: str
    where: str
    why: str

    @property
    def words(self) -> str:
        return f"{self.where}: {self.why}"


@dataclass(frozen=True, slots=True)
class TeamsReading:
    """All that a source says at one moment."""

    entries: tuple[TeamEntry, ...] = ()
    unread: tuple[Unread, ...] = ()


def named(team: str) -> str:
    """`team/research`, however it is written."""
    return f"{_TEAM}{team.strip().removeprefix(_TEAM)}"


Placed = tuple[Any, int, list[str]]
"""An entry of a file as its reader gives it, with its line (0: not known) and its problems."""


def of_entries(several: Iterable[Placed]) -> TeamsReading:
    """A file's list: each entry says `team` and `members`, or is a team's item as exported."""
    entries: list[TeamEntry] = []
    unread: list[Unread] = []
    for place, (entry, line, problems) in enumerate(several, start=1):
        where = f"line {line}" if line else f"entry {place}"
        for found in _entry(entry, where, problems):
            if isinstance(found, TeamEntry):
                entries.append(found)
            else:
                unread.append(found)
    return TeamsReading(tuple(entries), tuple(unread))


def _entry(entry: Any, where: str, problems: list[str]) -> Iterator[TeamEntry | Unread]:
    if not isinstance(entry, Mapping):
        yield Unread(EVERY_TEAM, where, f"it is {shown(entry)[:60]}; {_FORM}")
        return
    if entry.get("quota", TEAM_ITEM) != TEAM_ITEM:
        return  # an export has quotas beside the teams
    team = entry.get("team", entry.get("principal"))
    if not isinstance(team, str) or not team.strip():
        yield Unread(EVERY_TEAM, where, f"it has no team; {_FORM}")
        return
    for problem in problems:
        yield Unread(team, where, problem)
    members = entry.get("members")
    several = [members] if isinstance(members, str) else members
    if not isinstance(several, list):
        yield Unread(
            team, where, f"members is {shown(members)[:60]}; expected a list of principals"
        )
        return
    for member in several:
        if isinstance(member, str) and member.strip():
            yield TeamEntry(team, member.strip(), where)
        else:
            yield Unread(team, where, f"a member is {shown(member)[:60]}; expected a principal")


def of_csv(text: str) -> TeamsReading:
    """A table with the columns `team` and `member`, one row for each member.

    Raises UnreadableTeams if it has not these columns.
    """
    rows = csv.reader(StringIO(text), strict=True)
    entries: list[TeamEntry] = []
    unread: list[Unread] = []
    try:
        header = [each.strip().lower() for each in next(rows, [])]
        if not set(_COLUMNS).issubset(header):
            raise UnreadableTeams(
                f"its first line is {','.join(header)[:100]!r}; expected a header with "
                f"{' and '.join(_COLUMNS)}"
            )
        at = [header.index(each) for each in _COLUMNS]
        for row in rows:
            where = f"line {rows.line_num}"
            if not any(each.strip() for each in row):
                continue
            team, member = (row[each].strip() if each < len(row) else "" for each in at)
            if team and member:
                entries.append(TeamEntry(team, member, where))
            else:
                unread.append(Unread(team or EVERY_TEAM, where, "its team or its member is empty"))
    except csv.Error as error:
        unread.append(Unread(EVERY_TEAM, f"line {rows.line_num}", str(error)))
    return TeamsReading(tuple(entries), tuple(unread))
