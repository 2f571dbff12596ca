"""What an import changes: planned first, so that an admin sees it, then written side by side."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from threading import Event
from typing import Any

from quota_enforcer.cli.deployment.deployment import QuotaTable
from quota_enforcer.cli.terminal.output import progress
from quota_enforcer.core.errors import Conflict
from quota_enforcer.core.quotas.describe import granted
from quota_enforcer.core.quotas.diff import AUTHOR, Change, changes, shown
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.quotas.quota import Rule
from quota_enforcer.core.quotas.subject import is_team_item

WRITERS = 10
"""Items written side by side: as many as a client of boto3 keeps connections."""
_SHOWN = ("measure", "limit", "window", "exempt", "enabled", "input", "output", "request", "image")
"""Attributes that describe an item without a rule: a disabled one, a price."""


class ImportKind(StrEnum):
    """What an import does to one item."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class WantedItem:
    """An item of the file; `rule` is None for a price and for a disabled item."""

    item: Item
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class ImportStep:
    """One item of a plan: `stored` is in the table now, `item` will be; None if there is none."""

    kind: ImportKind
    stored: Item | None
    item: Item | None
    rule: Rule | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Subject and name."""
        return item_key(self.item or self.stored or {})

    @property
    def changes(self) -> list[Change]:
        return changes(self.stored, self.item)

    @property
    def words(self) -> str:
        """`changed user/alice daily: limit 1,000 -> 2,000`."""
        subject, name = self.key
        return f"{self.kind} {name} of {subject}: {self._what}"

    @property
    def _what(self) -> str:
        if self.kind is ImportKind.CHANGED:
            return "; ".join(
                f"{each.attribute} {shown(each.old)} -> {shown(each.new)}" for each in self.changes
            )
        if self.rule is not None:
            return granted(self.rule)
        item = self.item or self.stored or {}
        said = ((name, item[name]) for name in _SHOWN if name in item)
        return ", ".join(f"{name} {shown(value)}" for name, value in said) or "nothing"

    def to_json(self) -> dict[str, Any]:
        subject, name = self.key
        made = [change.to_json() for change in self.changes]
        return {"principal": subject, "quota": name, "kind": self.kind.value, "changes": made}


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """The steps from the table as it is to the file, and how many items they do not touch.

    `left` are items that the file does not have and that stay, `by_hand` those of them that were
    made by hand for a while.
    """

    steps: tuple[ImportStep, ...]
    unchanged: int
    left: int
    by_hand: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind, and how many stay as they are."""
        made = Counter(step.kind for step in self.steps)
        return {kind.value: made[kind] for kind in ImportKind} | {"unchanged": self.unchanged}

    @property
    def summary(self) -> str:
        """`1 added, 2 changed, 1 removed, 5 unchanged`."""
        return ", ".join(f"{count:,} {kind}" for kind, count in self.counts.items())


def plan_import(
    wanted: Iterable[WantedItem],
    stored: Iterable[Item],
    *,
    prune: bool,
    by_hand: Callable[[Item], bool] = lambda _: False,
) -> ImportPlan:
    """The steps after which the table has the wanted items; with `prune`, no others.

    What is `by_hand` stays all the same.
    """
    there = {item_key(item): item for item in stored}
    steps: list[ImportStep] = []
    unchanged = 0
    for each in sorted(wanted, key=lambda each: item_key(each.item)):
        old = there.pop(item_key(each.item), None)
        if old is not None and not changes(old, each.item):
            unchanged += 1
            continue
        kind = ImportKind.ADDED if old is None else ImportKind.CHANGED
        steps.append(ImportStep(kind, old, each.item, each.rule))
    kept = {key for key, item in there.items() if by_hand(item)}
    gone = sorted(there.keys() - kept) if prune else []
    steps += [ImportStep(ImportKind.REMOVED, there[key], None) for key in gone]
    return ImportPlan(tuple(steps), unchanged, len(there) - len(gone), len(kept))


def item_key(item: Item) -> tuple[str, str]:
    """Subject and name, as written."""
    return str(item.get("principal")), str(item.get("quota"))


@dataclass(slots=True)
class Written:
    """The steps so far; the items of `overtaken` were edited by somebody else since the plan."""

    done: list[ImportStep] = field(default_factory=list)
    overtaken: list[ImportStep] = field(default_factory=list)


def write(
    table: QuotaTable,
    steps: Iterable[ImportStep],
    author: str,
    written: Written,
    announce: Callable[[str, str, str], None] | None = None,
) -> None:
    """Removals go last, so that nobody is without a quota meanwhile, and teams come first.

    An error of AWS ends it: `written` has the steps that are done, and no other step begins.
    `announce` is told of each removal before, with who makes it.
    """
    several, stopped = list(steps), Event()

    def take(step: ImportStep) -> None:
        if stopped.is_set():
            return
        try:
            if announce and step.kind is ImportKind.REMOVED:
                announce(*step.key, author)
            _take(table, step, author, written)
        except BaseException:
            stopped.set()
            raise

    for turn in _Turn:
        due = [step for step in several if _turn(step) is turn]
        if not due:
            continue
        removing = turn in {_Turn.QUOTAS_REMOVED, _Turn.TEAMS_REMOVED}
        pool = ThreadPoolExecutor(WRITERS)
        try:
            label = "Removing quotas" if removing else "Writing quotas"
            for _ in progress(pool.map(take, due), label, total=len(due)):
                pass
        except BaseException:
            stopped.set()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


class _Turn(Enum):
    """In which order the steps are taken.

    A team's own item is there before and after the quotas that take their members from it.
    """

    TEAMS_WRITTEN = auto()
    QUOTAS_WRITTEN = auto()
    QUOTAS_REMOVED = auto()
    TEAMS_REMOVED = auto()


def _turn(step: ImportStep) -> _Turn:
    team = is_team_item(step.item or step.stored or {})
    if step.kind is ImportKind.REMOVED:
        return _Turn.TEAMS_REMOVED if team else _Turn.QUOTAS_REMOVED
    return _Turn.TEAMS_WRITTEN if team else _Turn.QUOTAS_WRITTEN


def _take(table: QuotaTable, step: ImportStep, author: str, written: Written) -> None:
    try:
        if step.item is not None:
            table.put({**step.item, AUTHOR: author}, step.stored)
        else:
            table.remove(*step.key, step.stored)
    except Conflict:
        # Our own write may have got through although its answer was lost, or theirs was the same.
        if not _stands(table, step):
            written.overtaken.append(step)
            return
    written.done.append(step)


def _stands(table: QuotaTable, step: ImportStep) -> bool:
    """Whether the table is as this step wants it."""
    now = table.get(*step.key)
    if now is None or step.item is None:
        return now is step.item
    return not changes(now, step.item)
