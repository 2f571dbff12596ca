"""A renewal of the prices: what a newer list would change, shown before it is written as items.

Prices that an admin wrote by hand stay; those of an earlier renewal are the renewal's to change.
A price that changes holds from a day on, so that a recount of hours before keeps what held then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import typer

from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.prices.own import OwnPrice, own_prices, table_of
from quota_enforcer.cli.prices.show import FROM_WHEN, HELD_BEFORE, UNIT, as_texts
from quota_enforcer.cli.quotas.preview import DRY_RUN
from quota_enforcer.cli.terminal.asking import ask
from quota_enforcer.cli.terminal.errors import FAILED
from quota_enforcer.cli.terminal.output import fail, hint, progress, say, say_json
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.core.errors import Conflict, InvalidQuota
from quota_enforcer.core.pricing.item import (
    NAME,
    PREFIX,
    item_name,
    price_attributes,
    read_price,
)
from quota_enforcer.core.pricing.key import split_key
from quota_enforcer.core.pricing.rate import PRICES, RENEWAL, Rate, overlaid
from quota_enforcer.core.pricing.table import PriceTable
from quota_enforcer.core.quotas.diff import AUTHOR, changes, shown
from quota_enforcer.core.quotas.item import Item


class UpdateKind(StrEnum):
    """What an update does to one price."""

    ADDED = "added"
    CHANGED = "changed"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class UpdateStep:
    """One price of a plan: before and after, the stored item, and the item to write.

    `kept`: an admin's own price differs and stays.
    """

    kind: UpdateKind
    key: str
    before: Rate | None
    after: Rate
    stored: Item | None = None
    item: Item | None = None

    def to_json(self) -> dict[str, Any]:
        """Prices by the attributes of price items, as decimal texts."""
        return {
            "model": self.key,
            "kind": self.kind,
            "before": self.before and as_texts(price_attributes(self.before)),
            "after": as_texts(price_attributes(self.after)),
        }


@dataclass(frozen=True, slots=True)
class Renewal:
    """Newer prices: from which list, and from which day; None if from all days, as corrections.

    Without a `note` each price's own source is noted.
    """

    newer: Mapping[str, Rate]
    note: str
    since: date | None
    today: date


def plan_update(renewal: Renewal, own: list[OwnPrice]) -> list[UpdateStep]:
    """The steps from the prices in force to the newer ones."""
    table = table_of(own, renewal.since or renewal.today)
    prices = [each for each in own if not each.dated.is_discount]
    steps = (
        _step(key, rate, renewal, table, [each for each in prices if each.key == key])
        for key, rate in sorted(renewal.newer.items())
    )
    return [step for step in steps if step is not None]


def _step(
    key: str, rate: Rate, renewal: Renewal, table: PriceTable, own: list[OwnPrice]
) -> UpdateStep | None:
    found = table.rate(*split_key(key))
    in_force = None if found is None else found[1]
    after = rate if in_force is None else overlaid(rate, in_force)
    if in_force is not None and _same(after, in_force):
        return None
    if any(not str(each.item.get("note", "")).startswith(RENEWAL) for each in own):
        return UpdateStep(UpdateKind.KEPT, key, in_force, after)
    since = renewal.since if in_force is not None else None
    stored = next(
        (each.item for each in own if each.item.get("quota") == item_name(since=since)), None
    )
    item = {
        "principal": f"{PREFIX}{key}", "quota": item_name(since=since),
        **price_attributes(after), "note": f"{RENEWAL}{renewal.note or rate.source}",
    }  # fmt: skip
    kind = UpdateKind.ADDED if in_force is None else UpdateKind.CHANGED
    return UpdateStep(kind, key, in_force, after, stored, item)


def _same(one: Rate, other: Rate) -> bool:
    """Whether two rates have the same prices, whatever their sources."""
    if any(getattr(one, name) != getattr(other, name) for name in PRICES):
        return False
    if one.long is None or other.long is None:
        return one.long is other.long
    return one.long_over == other.long_over and _same(one.long, other.long)


def renew(
    deployment: Deployment, renewal: Renewal, *, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Show what would change, ask, then write it; exit code 1 if not all could be written."""
    steps = plan_update(renewal, own_prices(deployment))
    _refuse_invalid(steps)
    due = [step for step in steps if step.kind is not UpdateKind.KEPT and not dry_run]
    if not as_json:
        _say_plan(steps)
    if due:
        ask(f"Write {len(due)} prices?", yes=yes)
    failures = _write(deployment, due)
    if as_json:
        say_json({"steps": [step.to_json() for step in steps], "failures": failures})
    elif dry_run:
        say(DRY_RUN)
    elif due:
        say(f"{len(due) - len(failures)} of {len(due)} prices written.")
        hint(FROM_WHEN if renewal.since is None else HELD_BEFORE)
    for words in failures:
        fail(words)
    if failures:
        hint("Repeat the command: what is written already is left alone.")
        raise typer.Exit(FAILED)


def _refuse_invalid(steps: Iterable[UpdateStep]) -> None:
    """All items are checked before the first is written."""
    problems = []
    for step in steps:
        try:
            if step.item is not None:
                read_price(step.item)
        except InvalidQuota as error:
            problems += [f"{step.key}: {problem}" for problem in error.problems]
    if problems:
        raise InvalidQuota("FILE", NAME, problems)


def _write(deployment: Deployment, due: list[UpdateStep]) -> list[str]:
    """Write the steps; returns the conflicts, in words."""
    failures: list[str] = []
    author = deployment.caller() if due else ""
    for step in progress(due, "Writing prices", total=len(due)):
        try:
            if step.item is not None:
                deployment.quotas.put({**step.item, AUTHOR: author}, step.stored)
        except Conflict as error:
            failures.append(str(error))
    return failures


def _say_plan(steps: list[UpdateStep]) -> None:
    if not steps:
        say("No change: every price is as in the list already.")
        return
    rows = [
        (step.key, step.kind, each.attribute, shown(each.old), shown(each.new))
        for step in steps
        for each in changes(_attributes(step.before), _attributes(step.after))
    ]
    say_table(("Model", "", "Price", "Now", "In the list"), rows, numbers={"Now", "In the list"})
    if any(step.kind is UpdateKind.KEPT for step in steps):
        say("Kept: you set these prices yourself; `prices remove MODEL` removes yours.")
    hint(UNIT)


def _attributes(rate: Rate | None) -> dict[str, Any]:
    return {} if rate is None else dict(price_attributes(rate))
