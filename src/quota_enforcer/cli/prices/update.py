"""`prices update`: a newer version of the community-kept price table becomes price items."""

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from quota_enforcer.cli.deployment import Deployment
from quota_enforcer.cli.prices.price_plan import Kind, Step, plan
from quota_enforcer.cli.prices.price_store import own_prices
from quota_enforcer.cli.prices.show import FROM_WHEN, UNIT
from quota_enforcer.cli.terminal.errors import FAILED
from quota_enforcer.cli.terminal.options import AsJson, on_deployment
from quota_enforcer.cli.terminal.output import fail, hint, progress, say, say_json, say_table
from quota_enforcer.core.errors import Conflict, InvalidQuota
from quota_enforcer.core.pricing.catalog.litellm import UnreadableTable, read_table
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.item import NAME, price_attributes, read_price
from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.quotas.diff import AUTHOR, changes, shown


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
    steps = plan(_newer(file), shipped_rates(), own_prices(deployment), file.name)
    _refuse_invalid(steps)
    due = [step for step in steps if step.kind is not Kind.KEPT]
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
    """The prices of a downloaded table; raises BadParameter where it is none."""

    def refuse(word: str) -> Decimal:
        raise ValueError(f"{word} is no number")

    named = repr(str(file))
    try:
        text = file.read_text(encoding="utf-8-sig")
        entries = json.loads(text, parse_float=Decimal, parse_constant=refuse)
        if not isinstance(entries, dict):
            raise UnreadableTable("it is no object with one entry for each model")
        rates = read_table(entries, "admin")
    except OSError as error:
        raise typer.BadParameter(f"cannot read {named}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise typer.BadParameter(f"{named} is no price table: {error}") from error
    if not rates:
        raise typer.BadParameter(
            f"{named} has no prices of Bedrock: give litellm's model_prices_and_context_window.json"
        )
    return rates


def _refuse_invalid(steps: Iterable[Step]) -> None:
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


def _write(deployment: Deployment, due: list[Step]) -> list[str]:
    """Write every step that can be; what could not be written, in words."""
    failures: list[str] = []
    author = deployment.caller() if due else ""
    for step in progress(due, "Writing prices", total=len(due)):
        try:
            if step.item is not None:
                deployment.quotas.put({**step.item, AUTHOR: author}, step.stored)
            elif step.stored is not None:
                deployment.quotas.remove(step.stored["principal"], step.stored["quota"])
        except Conflict as error:
            failures.append(str(error))
    return failures


def _say_plan(steps: list[Step]) -> None:
    if not steps:
        say("No change: every price is as in the file already.")
        return
    rows = [
        (step.key, step.kind, each.attribute, shown(each.old), shown(each.new))
        for step in steps
        for each in changes(_attributes(step.before), _attributes(step.after))
    ]
    say_table(("Model", "", "Price", "Now", "In the file"), rows, numbers={"Now", "In the file"})
    if any(step.kind is Kind.KEPT for step in steps):
        say("Kept: you set these prices yourself; `prices remove MODEL` takes yours out.")
    hint(UNIT)


def _attributes(rate: Rate | None) -> dict[str, Any]:
    return {} if rate is None else dict(price_attributes(rate))
