"""What an import changes: computed first, so that an admin sees it before anything is written."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from quota_enforcer.core.quotas.describe import granted
from quota_enforcer.core.quotas.diff import Change, changes, shown
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.quotas.quota import Rule


class Kind(StrEnum):
    """What an import does to one item."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An item as it shall stand; `rule` is what it says, None of a price or a disabled one."""

    item: Item
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One item of a plan: as it stands and as it shall, None where it does not."""

    kind: Kind
    stored: Item | None
    item: Item | None
    rule: Rule | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Whom and name."""
        return _key(self.item or self.stored or {})

    @property
    def changes(self) -> list[Change]:
        """Attribute by attribute."""
        return changes(self.stored, self.item)

    @property
    def words(self) -> str:
        """`changed user/alice daily: limit 1,000 -> 2,000`."""
        subject, name = self.key
        return f"{self.kind} {name} of {subject}: {self._what}"

    @property
    def _what(self) -> str:
        if self.kind is Kind.CHANGED:
            return "; ".join(
                f"{each.attribute} {shown(each.old)} -> {shown(each.new)}" for each in self.changes
            )
        if self.rule is not None:
            return granted(self.rule)
        item = self.item or self.stored or {}
        said = ((name, item[name]) for name in _SAID if name in item)
        return ", ".join(f"{name} {shown(value)}" for name, value in said) or "nothing"

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        subject, name = self.key
        made = [{"attribute": c.attribute, "old": c.old, "new": c.new} for c in self.changes]
        return {"principal": subject, "quota": name, "kind": self.kind.value, "changes": made}


_SAID = ("measure", "limit", "window", "exempt", "enabled", "input", "output", "request", "image")
"""What is told of an item where there is no rule to tell."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps from the table as it is to the file, and how many items they do not touch.

    `left` are items that the file does not have and that stay.
    """

    steps: tuple[Step, ...]
    unchanged: int
    left: int

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind, and how many stay as they are."""
        made = Counter(step.kind for step in self.steps)
        return {kind.value: made[kind] for kind in Kind} | {"unchanged": self.unchanged}

    @property
    def summary(self) -> str:
        """`1 added, 2 changed, 1 removed, 5 unchanged`."""
        return ", ".join(f"{count:,} {kind}" for kind, count in self.counts.items())


def plan(wanted: Iterable[Wanted], stored: Iterable[Item], *, prune: bool) -> Plan:
    """What has to be done so that the table is as wanted; `prune`: and holds nothing else."""
    there = {_key(item): item for item in stored}
    steps: list[Step] = []
    unchanged = 0
    for each in sorted(wanted, key=lambda each: _key(each.item)):
        old = there.pop(_key(each.item), None)
        if old is not None and not changes(old, each.item):
            unchanged += 1
            continue
        kind = Kind.ADDED if old is None else Kind.CHANGED
        steps.append(Step(kind, old, each.item, each.rule))
    if prune:
        steps += [Step(Kind.REMOVED, there[key], None) for key in sorted(there)]
    return Plan(tuple(steps), unchanged, 0 if prune else len(there))


def _key(item: Item) -> tuple[str, str]:
    return str(item.get("principal")), str(item.get("quota"))
