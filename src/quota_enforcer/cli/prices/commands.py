"""The group `prices`: its commands `list` and `remove`; the others are in files of their own."""

from datetime import date
from typing import Annotated, Any

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.deployment.target import Target
from quota_enforcer.cli.prices.check import check
from quota_enforcer.cli.prices.discount import discount
from quota_enforcer.cli.prices.own import OwnPrice, applying, own_prices, stored_price, table_of
from quota_enforcer.cli.prices.set import set_
from quota_enforcer.cli.prices.show import FROM_WHEN, UNIT, Listed, say_prices
from quota_enforcer.cli.prices.trying import Try, tried
from quota_enforcer.cli.prices.update import update, update_aws
from quota_enforcer.cli.quotas.preview import DRY_RUN
from quota_enforcer.cli.terminal.options import (
    AsJson,
    Model,
    on_deployment,
    on_target,
)
from quota_enforcer.cli.terminal.output import hint, say, say_json
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.cli.terminal.when import asked_day
from quota_enforcer.core.errors import NotThere
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.item import PREFIX, item_name, price_key
from quota_enforcer.core.pricing.key import split_key
from quota_enforcer.core.quotas.diff import changes, shown
from quota_enforcer.core.usage.window import local_date

app = typer.Typer(no_args_is_help=True, help="What models cost.")
app.command("set", no_args_is_help=True)(set_)
app.command("discount")(discount)
app.command("check")(check)
app.command("update", no_args_is_help=True)(update)
app.command("update-aws", no_args_is_help=True)(update_aws)


@app.command("list")
@on_target
def list_(
    target: Target,
    pattern: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL-PATTERN]",
            help="Part of a model's id, or all of it with * for any part. Default: every model.",
        ),
    ] = None,
    *,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Only the prices that come with the product.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what models cost, where each price comes from, and your own prices first.

    Discounts are taken off already. With --shipped it needs no AWS account. A price
    with a Region before the model is for that Region; a prefix such as eu. is part of
    the model, and @flex after it is that service tier.

    Examples:
      quota-enforcer prices list sonnet-4-5
      quota-enforcer prices list 'eu.anthropic.*' --shipped
      quota-enforcer prices list --json
    """
    own, today = [], clock.now().date()
    if not shipped:
        deployment = target.find()
        own, today = own_prices(deployment), local_date(clock.now(), deployment.settings.zone)
    named = [each for each in _listed(own, today) if pattern is None or each.matches(pattern)]
    broken = [each for each in own if each.rate is None]
    if not named and not broken:
        raise NotThere(
            f"no price is about {pattern!r}: `quota-enforcer prices list` shows all, and "
            "`quota-enforcer prices set MODEL --input ... --output ...` adds one",
        )
    if as_json:
        say_json({
            "prices": [each.to_json() for each in named],
            "not_valid": [_broken(each) for each in broken],
        })  # fmt: skip
        return
    say_prices(named)
    for each in broken:
        say(f"The item {each.item['principal']} is not valid:")
        for problem in each.problems:
            say(f"  - {problem}")
    hint(UNIT)


@app.command(no_args_is_help=True)
@on_deployment
def remove(
    deployment: Deployment,
    model: Model,
    *,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="DAY", help="The price that holds from this day on."),
    ] = None,
    dry_run: Try = False,
    as_json: AsJson = False,
) -> None:
    """Remove your own price of a model; says which one applies instead.

    What was metered before keeps its cost.

    Examples:
      quota-enforcer prices remove anthropic.claude-opus-4-5-20251101-v1:0
    """
    since = None if from_ is None else asked_day(from_, "--from")
    deployment = tried(deployment) if dry_run else deployment
    key, old = stored_price(deployment, model, since)
    name = item_name(since=since)
    take = deployment.quotas.remove if dry_run else deployment.remove
    removed = None if old is None else take(f"{PREFIX}{key}", name)
    if removed is None:
        others = ", ".join(
            str(each.dated) for each in own_prices(deployment) if not each.dated.is_discount
        )
        raise NotThere(
            f"there is no {name} {key!r} of your own to remove; yours: {others or 'none'}"
        )
    today = local_date(clock.now(), deployment.settings.zone)
    instead = applying(own_prices(deployment), today, price_key(key))
    if as_json:
        applies = instead[0].to_json() if instead else None
        say_json({"removed": removed, "applies_instead": applies})
        return
    say(f"{'Would remove' if dry_run else 'Removed'} price {key}:")
    say_table(("Attribute", "Was"), [(c.attribute, shown(c.old)) for c in changes(removed, None)])
    if instead:
        say("This applies instead:")
        say_prices(instead)
    else:
        say("No price is known for it then: the dearest that could apply is assumed.")
    if dry_run:
        say(DRY_RUN)
    else:
        hint(FROM_WHEN)


def _listed(own: list[OwnPrice], today: date) -> list[Listed]:
    """Own prices, completed as the meters do, then the prices of the product."""
    table = table_of(own, today)
    prices = [each for each in own if each.rate is not None and not each.dated.is_discount]
    now = [each for each in prices if table.holds(each.key, each.rate)]
    held = {each.key for each in now}
    ours = applying(own, today, *(each.key for each in now))
    ours += [
        Listed(each.key, each.rate, in_force=False, since=each.since)
        for each in prices
        if each.rate is not None and each not in now
    ]
    return ours + [
        Listed(key, rate, key not in held, table.discount(*split_key(key)[:2]))
        for key, rate in sorted(shipped_rates().items())
    ]


def _broken(own: OwnPrice) -> dict[str, Any]:
    return {"model": str(own.dated), "problems": own.problems, "item": dict(own.item)}
