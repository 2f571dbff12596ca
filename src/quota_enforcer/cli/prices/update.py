"""`prices update`: a newer version of the community-kept price table becomes price items.

Prices that an admin wrote by hand stay; those of an earlier update are the update's to change.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from quota_enforcer.cli.deployment import Deployment
from quota_enforcer.cli.prices.own import OwnPrice, own_prices
from quota_enforcer.cli.prices.show import FROM_WHEN, UNIT, as_texts
from quota_enforcer.cli.terminal.errors import FAILED
from quota_enforcer.cli.terminal.options import AsJson, on_deployment
from quota_enforcer.cli.terminal.output import fail, hint, progress, say, say_json, say_table
from quota_enforcer.core.errors import Conflict, InvalidQuota
from quota_enforcer.core.pricing.catalog.litellm import UnreadableTable, read_table
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.cost import overlaid
from quota_enforcer.core.pricing.item import NAME, PREFIX, price_attributes, read_price
from quota_enforcer.core.pricing.rate import PRICES, Rate
from quota_enforcer.core.quotas.diff import AUTHOR, changes, shown
from quota_enforcer.core.quotas.item import Item

MARK = "prices update: "
"""How the note of every item begins that an update wrote."""


class UpdateKind(StrEnum):
    """What an update does to one price."""

    ADDED = "added"
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class UpdateStep:
    """One price of a plan: before and after, the stored item, and the item to write.

    `withdrawn`: the product's own price is the new price, so an earlier update's item is removed.
    `kept`: an admin's own price differs and stays.
    """

    kind: UpdateKind
    key: str
    before: Rate | None
    after: Rate
    stored: Item | None
    item: Item | None

    def to_json(self) -> dict[str, Any]:
        """Prices by the attributes of price items, as decimal texts."""
        return {
            "model": self.key,
            "kind": self.kind,
            "before": self.before and as_texts(price_attributes(self.before)),
            "after": as_texts(price_attributes(self.after)),
        }


def plan_update(
    newer: Mapping[str, Rate], shipped: Mapping[str, Rate], own: list[OwnPrice], note: str
) -> list[UpdateStep]:
    """The steps from the prices in force to those of a newer table."""
    items = {each.key: each for each in own if not each.dated.is_discount}
    steps = (
        _step(key, rate, shipped.get(key), items.get(key), note)
        for key, rate in sorted(newer.items())
    )
    return [step for step in steps if step is not None]


def _step(
    key: str, rate: Rate, shipped: Rate | None, own: OwnPrice | None, note: str
) -> UpdateStep | None:
    stored = None if own is None else own.item
    in_force = _over(own.rate, shipped) if own is not None and own.rate is not None else shipped
    after = _over(rate, shipped)
    by_hand = stored is not None and not str(stored.get("note", "")).startswith(MARK)
    if in_force is not None and _same(after, in_force):
        if by_hand or stored is None or shipped is None or not _same(after, shipped):
            return None
        return UpdateStep(UpdateKind.WITHDRAWN, key, in_force, after, stored, None)
    if by_hand:
        return UpdateStep(UpdateKind.KEPT, key, in_force, after, stored, None)
    if stored is not None and shipped is not None and _same(after, shipped):
        return UpdateStep(UpdateKind.WITHDRAWN, key, in_force, after, stored, None)
    item = {
        "principal": f"{PREFIX}{key}", "quota": NAME, **price_attributes(rate),
        "note": f"{MARK}{note}",
    }  # fmt: skip
    kind = UpdateKind.ADDED if in_force is None else UpdateKind.CHANGED
    return UpdateStep(kind, key, in_force, after, stored, item)


def _over(rate: Rate, shipped: Rate | None) -> Rate:
    return rate if shipped is None else overlaid(rate, shipped)


def _same(one: Rate, other: Rate) -> bool:
    """Whether two rates have the same prices, whatever their sources."""
    if any(getattr(one, name) != getattr(other, name) for name in PRICES):
        return False
    if one.long is None or other.long is None:
        return one.long is other.long
    return one.long_over == other.long_over and _same(one.long, other.long)


@on_deployment
def update(
    deployment: Deployment,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="litellm's model_prices_and_context_window.json, as you downloaded it.",
        ),
    ],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take over newer prices: shows what would change, asks, then writes price items.

    Prices that you set yourself stay. It can be repeated, also after it was
    interrupted: what is as in FILE already is not written again.

    Examples:
      quota-enforcer prices update model_prices_and_context_window.json
      quota-enforcer prices update model_prices_and_context_window.json --yes
    """
    steps = plan_update(_newer(file), shipped_rates(), own_prices(deployment), file.name)
    _refuse_invalid(steps)
    due = [step for step in steps if step.kind is not UpdateKind.KEPT]
    if not as_json:
        _say_plan(steps)
    if due and not yes:
        typer.confirm(f"Write {len(due)} prices?", abort=True, err=True)
    failures = _write(deployment, due)
    if as_json:
        say_json({"steps": [step.to_json() for step in steps], "failures": failures})
    elif due:
        say(f"{len(due) - len(failures)} of {len(due)} prices written.")
        hint(FROM_WHEN)
    for words in failures:
        fail(words)
    if failures:
        hint("Repeat the command: what is written already is left alone.")
        raise typer.Exit(FAILED)


def _newer(file: Path) -> dict[str, Rate]:
    """The prices of a downloaded table; raises BadParameter if the file has none."""

    def refuse(word: str) -> Decimal:
        raise ValueError(f"{word} is not a number")

    named = repr(str(file))
    try:
        text = file.read_text(encoding="utf-8-sig")
        entries = json.loads(text, parse_float=Decimal, parse_constant=refuse)
        if not isinstance(entries, dict):
            raise UnreadableTable("it is not an object with one entry for each model")
        rates = read_table(entries, "admin")
    except OSError as error:
        raise typer.BadParameter(f"cannot read {named}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise typer.BadParameter(f"{named} is not a price table: {error}") from error
    if not rates:
        raise typer.BadParameter(
            f"{named} has no prices of Bedrock: give litellm's model_prices_and_context_window.json"
        )
    return rates


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
            elif step.stored is not None:
                deployment.remove(step.stored["principal"], step.stored["quota"])
        except Conflict as error:
            failures.append(str(error))
    return failures


def _say_plan(steps: list[UpdateStep]) -> None:
    if not steps:
        say("No change: every price is as in the file already.")
        return
    rows = [
        (step.key, step.kind, each.attribute, shown(each.old), shown(each.new))
        for step in steps
        for each in changes(_attributes(step.before), _attributes(step.after))
    ]
    say_table(("Model", "", "Price", "Now", "In the file"), rows, numbers={"Now", "In the file"})
    if any(step.kind is UpdateKind.KEPT for step in steps):
        say("Kept: you set these prices yourself; `prices remove MODEL` removes yours.")
    hint(UNIT)


def _attributes(rate: Rate | None) -> dict[str, Any]:
    return {} if rate is None else dict(price_attributes(rate))
