"""What a reading would change: team by team, whoever joins and leaves, and what is refused.

Missing data is not zero: of a team that was not read completely nobody leaves, and no team is left
with nobody in it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from quota_enforcer.core.notices.amounts import listed
from quota_enforcer.core.principal import canonical
from quota_enforcer.core.quotas.form import values, whom
from quota_enforcer.core.quotas.item import KEPT_IN, Item
from quota_enforcer.core.quotas.subject import TEAM_ITEM, Subject, is_team_item
from quota_enforcer.insight.quotas.teams.reading import (
    EVERY_TEAM,
    NO_TEAM,
    TeamEntry,
    TeamsReading,
    Unread,
    named,
)
from quota_enforcer.insight.quotas.teams.source import TeamSource

MOST_LEAVE: Final = 50
"""Percent of a team that may leave at once without a word of an admin."""
_NAMED: Final = 5


class TeamState(StrEnum):
    """What becomes of a team."""

    ADDED = "added"
    CHANGED = "changed"
    SAME = "unchanged"
    REFUSED = "refused"
    LEFT = "left alone"


@dataclass(frozen=True, slots=True)
class Permitted:
    """What an admin says besides of teams by name."""

    shrink: frozenset[str] = frozenset()
    """These may lose more than MOST_LEAVE percent."""
    take_over: frozenset[str] = frozenset()
    """These were kept by hand or elsewhere, and are kept in this source from now on."""


@dataclass(frozen=True, slots=True)
class TeamStep:
    """One team: who joins, who leaves, who stays, and the item to write if anything changes."""

    team: Subject
    state: TeamState
    joins: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    stay: int = 0
    waits: tuple[str, ...] = ()
    """Whoever is not in the reading and stays, since the reading is not complete."""
    why: str = ""
    """Why it is refused or left alone, or somebody waits, with the fix."""
    notes: tuple[str, ...] = ()
    """What of its quotas the item does not reach."""
    stored: Item | None = None
    item: Item | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "team": str(self.team),
            "state": self.state.value,
            "joins": list(self.joins),
            "leaves": list(self.leaves),
            "stay": self.stay,
            "waits": list(self.waits),
            "why": self.why,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class TeamsPlan:
    """Every team of the reading, and every other that is kept in this source."""

    source: TeamSource
    steps: tuple[TeamStep, ...] = ()
    unread: tuple[Unread, ...] = field(default=())
    """What could not be read, of whichever team."""

    @property
    def due(self) -> tuple[TeamStep, ...]:
        """Those with something to write."""
        return tuple(each for each in self.steps if each.item is not None)

    @property
    def refused(self) -> tuple[TeamStep, ...]:
        return tuple(each for each in self.steps if each.state is TeamState.REFUSED)

    @property
    def doubts(self) -> list[str]:
        """What an admin has to look at: refusals, and what could not be read."""
        told = [f"{each.team}: {each.why}" for each in self.steps if each.why and _doubtful(each)]
        return told + [each.words for each in self.unread if each.team != NO_TEAM]

    @property
    def summary(self) -> str:
        """`1 added, 2 changed, 5 unchanged, 1 refused`."""
        counts = ((sum(each.state is state for each in self.steps), state) for state in TeamState)
        return ", ".join(f"{many:,} {state}" for many, state in counts if many) or "no teams"

    def to_json(self) -> dict[str, Any]:
        return {
            "source": str(self.source),
            "teams": [each.to_json() for each in self.steps],
            "unread": [each._asdict() for each in self.unread],
        }


def _doubtful(step: TeamStep) -> bool:
    return step.state is TeamState.REFUSED or bool(step.waits)


NOTHING_MORE: Final = Permitted()


def plan_teams(
    reading: TeamsReading,
    items: Iterable[Item],
    source: TeamSource,
    home: str,
    permitted: Permitted = NOTHING_MORE,
) -> TeamsPlan:
    """The steps from the quota table as it is to what the reading says."""
    several = list(items)
    standing = {str(each["principal"]): each for each in several if is_team_item(each)}
    kept = {team for team, item in standing.items() if item.get(KEPT_IN) == str(source)}
    spelled = _spellings(reading, standing)
    members, unread = _members(reading.entries, spelled, home)
    unread = [*(each._replace(team=_team(each.team, spelled)) for each in reading.unread), *unread]
    read = set(members) | {each.team for each in unread} - {EVERY_TEAM, NO_TEAM}
    planning = _Planning(source, home, permitted, unread, _naming_others(several))
    steps = [
        planning.step(Subject(team), members.get(team, frozenset()), standing.get(team))
        for team in sorted(read | kept)
    ]
    return TeamsPlan(source, tuple(steps), tuple(unread))


def _team(team: str, spelled: Mapping[str, str | None]) -> str:
    if team in {EVERY_TEAM, NO_TEAM}:
        return team
    return spelled.get(named(team)) or named(team)


def _spellings(reading: TeamsReading, standing: Collection[str]) -> dict[str, str | None]:
    """For each team of the reading the one that is meant; None if nobody can say which.

    Teams that differ in upper and lower case alone are a slip: it would split one in two.
    """
    alike: defaultdict[str, set[str]] = defaultdict(set)
    entries, unread = ({each.team for each in of} for of in (reading.entries, reading.unread))
    for team in (entries | unread) - {EVERY_TEAM, NO_TEAM}:
        alike[named(team).lower()].add(named(team))
    stand = {each.lower(): each for each in sorted(standing)}
    return {
        team: stand.get(lower, team if len(teams) == 1 else None) if team not in standing else team
        for lower, teams in alike.items()
        for team in teams
    }


def _members(
    entries: Iterable[TeamEntry], spelled: Mapping[str, str | None], home: str
) -> tuple[dict[str, frozenset[str]], list[Unread]]:
    """Who is in each team, and the entries that say nothing: none of them is dropped unsaid."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    unread: list[Unread] = []
    for team, who, where in entries:
        written = named(team)
        meant = spelled[written]
        if meant != written:
            others = sorted(each for each in spelled if each.lower() == written.lower())
            one = meant or f"one of {', '.join(others)}"
            unread.append(Unread(meant or written, where, f"{written} is written like {one}: "
                                 "write one name everywhere"))  # fmt: skip
            continue
        try:
            whom.subject(written)
            found[written].update(whom.members([canonical(who, home)], home))
        except values.WRONG as error:
            unread.append(Unread(written, where, f"{who[:200]!r} is no member of a team: {error}"))
    return {team: frozenset(several) for team, several in found.items()}, unread


def _naming_others(items: Iterable[Item]) -> Mapping[str, list[str]]:
    """By team its quotas that name members themselves."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for item in items:
        if not is_team_item(item) and "members" in item:
            found[str(item.get("principal"))].append(str(item.get("quota")))
    return found


@dataclass(frozen=True, slots=True)
class _Planning:
    source: TeamSource
    home: str
    permitted: Permitted
    unread: list[Unread]
    naming_others: Mapping[str, list[str]]

    def step(self, team: Subject, members: frozenset[str], stored: Item | None) -> TeamStep:
        keeper = None if stored is None else stored.get(KEPT_IN, "the quota table, by hand")
        if keeper not in {None, str(self.source)} and team not in self.permitted.take_over:
            why = (
                f"it is kept in {keeper}; --take-over {team} keeps it in {self.source} from now on"
            )
            return TeamStep(team, TeamState.LEFT, why=why, stored=stored)
        try:
            before = frozenset(
                () if stored is None else whom.members(stored.get("members"), self.home)
            )
        except values.WRONG:
            why = f"its item is not valid: `quota-enforcer quota show {team} {TEAM_ITEM}` says why"
            return TeamStep(team, TeamState.REFUSED, why=why, stored=stored)
        return self._compared(team, members, before, stored)

    def _compared(
        self, team: Subject, members: frozenset[str], before: frozenset[str], stored: Item | None
    ) -> TeamStep:
        gone = before - members
        doubts = [
            each for whose in (str(team), EVERY_TEAM) for each in self.unread if each.team == whose
        ]
        leaves, waits = (frozenset[str](), gone) if doubts else (gone, frozenset[str]())
        after = members | waits
        if stored is None and not after and doubts:
            why = f"nothing of it could be read: {doubts[0].words}"
            return TeamStep(team, TeamState.REFUSED, why=why)
        why = self._refusal(team, before, leaves, after) or _waiting(waits, doubts)
        refused = bool(why) and not waits
        item = {
            **(stored or {"principal": str(team), "quota": TEAM_ITEM}),
            "members": sorted(after),
            KEPT_IN: str(self.source),
        }
        same = stored is not None and after == before and stored.get(KEPT_IN) == item[KEPT_IN]
        state = TeamState.ADDED if stored is None else TeamState.CHANGED
        state = TeamState.REFUSED if refused else TeamState.SAME if same else state
        return TeamStep(
            team,
            state,
            tuple(sorted(after - before)),
            tuple(sorted(leaves)),
            len(before & after),
            tuple(sorted(waits)),
            why,
            self._notes(team),
            stored,
            None if refused or same else item,
        )

    def _refusal(
        self,
        team: Subject,
        before: frozenset[str],
        leaves: frozenset[str],
        after: frozenset[str],
    ) -> str:
        if not after:
            return (
                f"nobody would be in it, and its quotas would limit nobody; if it is to go, remove "
                f"them and then `quota-enforcer quota remove {team} {TEAM_ITEM}`"
            )
        share = 100 * len(leaves)
        if share > MOST_LEAVE * len(before) and team not in self.permitted.shrink:
            return (
                f"{len(leaves):,} of {len(before):,} would leave "
                f"({listed(sorted(leaves), _NAMED)}), more than {MOST_LEAVE} %; if that is meant: "
                f"`quota-enforcer teams pull '{self.source}' --allow-shrink {team}`"
            )
        return ""

    def _notes(self, team: Subject) -> tuple[str, ...]:
        others = sorted(self.naming_others.get(str(team), ()))
        if not others:
            return ()
        several = "quotas name" if len(others) > 1 else "quota names"
        ends = f"`quota-enforcer quota set {team} {others[0]} --unset members` ends that"
        return (f"its {several} members of their own, which stay: {', '.join(others)} ({ends})",)


def _waiting(waits: frozenset[str], doubts: list[Unread]) -> str:
    if not waits:
        return ""
    return (
        f"{listed(sorted(waits), _NAMED)} would leave, and stay until all of it can be read: "
        f"{listed([each.words for each in doubts], 1)}"
    )
