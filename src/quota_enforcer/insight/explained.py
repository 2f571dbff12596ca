"""What `explain` knows of one principal: every rule of every quota name, and what came of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from quota_enforcer.core.ledger import Record, Standing
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import Candidate, Selection, covers
from quota_enforcer.core.quotas.quota import Exemption
from quota_enforcer.core.usage.counts import Number
from quota_enforcer.decide.judgement import Judgement
from quota_enforcer.decide.verdict import Verdict
from quota_enforcer.insight.explain import Breakdown
from quota_enforcer.insight.quotas import ItemState
from quota_enforcer.insight.status import Row, urgency


@dataclass(frozen=True, slots=True)
class Summed:
    """A judgement, its row of the status table, and its sum in parts; of a pool by member."""

    judgement: Judgement
    row: Row
    parts: Breakdown
    members: Mapping[str, Number]

    @property
    def verdict(self) -> Verdict:
        """Its quota held against the usage."""
        return self.judgement.verdict


@dataclass(frozen=True, slots=True)
class Name:
    """All that there is of one quota name: what applies, and every rule that covers the principal.

    `items` are those that are disabled or not valid; of one that was valid once, that version is
    among the candidates.
    """

    name: str
    sums: tuple[Summed, ...]
    candidates: tuple[Candidate, ...]
    items: tuple[ItemState, ...]

    def fated(self, fate: Selection) -> list[Candidate]:
        """The rules that this became of."""
        return [each for each in self.candidates if each.fate is fate]

    @property
    def exempt(self) -> bool:
        """Whether an exemption won, so that there is no limit of this name."""
        return any(isinstance(each.rule, Exemption) for each in self.fated(Selection.APPLIES))

    def invalid(self, subject: str) -> ItemState | None:
        """The item of whom, where it is not valid."""
        return next(
            (each for each in self.items if each.subject == subject and each.problems), None
        )


@dataclass(frozen=True, slots=True)
class Explained:
    """One principal, why it is where it is; `unreadable` are invalid items that name nobody."""

    record: Record
    names: tuple[Name, ...]
    unreadable: int

    @property
    def standing(self) -> Standing:
        """Where the last sweep left it."""
        return self.record.standing


def by_name(
    sums: Iterable[Summed], candidates: Iterable[Candidate], items: Iterable[ItemState]
) -> tuple[Name, ...]:
    """Every name with all that there is of it."""
    summed, rules, states = list(sums), list(candidates), list(items)
    found = {each.rule.name for each in rules} | {state.name for state in states}
    several = [
        Name(
            name,
            tuple(each for each in summed if each.verdict.quota.name == name),
            tuple(each for each in rules if each.rule.name == name),
            tuple(state for state in states if state.name == name),
        )
        for name in sorted(found)
    ]
    return tuple(sorted(several, key=_place))


def _place(name: Name) -> tuple[bool, tuple[int, int, str], bool]:
    """What matters most first, then what does not apply."""
    worst = min((urgency(each.row) for each in name.sums), default=(0, 0, name.name))
    return not name.sums, worst, not name.exempt


def meant_for(principal: Principal, states: Iterable[ItemState]) -> Iterator[ItemState]:
    """The items that are no rules, as far as they cover this principal."""
    for state in states:
        aside = state.problems or (state.rule is None and not state.in_force)
        if aside and covers(state.subject, _members(state.item.get("members")), principal):
            yield state


def _members(value: Any) -> list[str]:
    """As far as they can be read: an item may hold anything."""
    if isinstance(value, str):
        return [value]
    return [str(each) for each in value] if isinstance(value, (list, set, frozenset)) else []
