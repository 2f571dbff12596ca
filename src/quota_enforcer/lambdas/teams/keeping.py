"""One run: what a reading changes is written team by team, and what is refused is told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from quota_enforcer.core.errors import Conflict, EnforcerError
from quota_enforcer.core.notices.amounts import and_more
from quota_enforcer.core.quotas.diff import AUTHOR
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.insight.quotas.teams.plan import TeamsPlan, TeamStep, plan_teams
from quota_enforcer.insight.quotas.teams.reading import TeamsReading
from quota_enforcer.insight.quotas.teams.source import TeamSource

TOLD: Final = 10
"""So many are named in the error; the log has each."""


class TeamsNotInStep(EnforcerError):
    """Something was refused, could not be read, or could not be written; the rest was done."""


class TeamTable(Protocol):
    """The quota table, as far as this function needs it."""

    def items(self) -> list[Item]:
        """Every item, consistently read."""

    def put(self, item: Item, expected: Item | None) -> None:
        """Write the item of a team; raises Conflict if the stored item is not `expected`."""


@dataclass(slots=True)
class TeamsKept:
    """What came of a run."""

    plan: TeamsPlan
    written: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def doubts(self) -> list[str]:
        """What an admin has to look at."""
        return [*self.plan.doubts, *self.failed]

    def to_json(self) -> dict[str, Any]:
        return {
            "source": str(self.plan.source),
            "written": self.written,
            "summary": self.plan.summary,
            "doubts": self.doubts,
        }


def author(source: TeamSource) -> str:
    """Who made an edit, for the history."""
    return f"the schedule of the stack, from {source}"


def keep(
    read: Callable[[TeamSource], TeamsReading], table: TeamTable, source: TeamSource, home: str
) -> TeamsKept:
    """Read, plan and write; a team that cannot be written stops no other.

    An item that an admin edits meanwhile keeps their edit, and the next run looks at it again.
    """
    reading = read(source)  # first: what is stored is no older than what it is held against
    kept = TeamsKept(plan_teams(reading, table.items(), source, home))
    for step in kept.plan.due:
        try:
            _write(table, step, source)
        except Conflict:
            continue
        except Exception as error:  # noqa: BLE001 - told below, after the others
            kept.failed.append(f"{step.team}: {type(error).__name__}: {error}")
        else:
            kept.written.append(str(step.team))
    return kept


def _write(table: TeamTable, step: TeamStep, source: TeamSource) -> None:
    table.put({**(step.item or {}), AUTHOR: author(source)}, step.stored)


def check(kept: TeamsKept) -> None:
    """Raises TeamsNotInStep, so that the alarm rings until somebody has looked at it."""
    if kept.doubts:
        more = and_more(len(kept.doubts), TOLD)
        raise TeamsNotInStep(
            f"not all of the teams from {kept.plan.source} are in step: "
            f"{'; '.join(kept.doubts[:TOLD])}{more and f'; {more}'}. "
            "`quota-enforcer teams preview` shows all of it"
        )
