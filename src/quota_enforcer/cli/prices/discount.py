"""`prices discount`: what is off the price of a model, of a vendor's models, or of all."""

from datetime import date
from typing import Annotated, Any

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.prices.own import OwnPrice, own_prices, stored_price
from quota_enforcer.cli.prices.show import FROM_WHEN, HELD_BEFORE, off_words
from quota_enforcer.cli.prices.trying import Try, tried
from quota_enforcer.cli.quotas.preview import DRY_RUN
from quota_enforcer.cli.terminal.options import AsJson, on_deployment
from quota_enforcer.cli.terminal.output import hint, say, say_json
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.cli.terminal.when import asked_day
from quota_enforcer.core.errors import NotThere, did_you_mean
from quota_enforcer.core.notices.amounts import exact, number
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.item import (
    DISCOUNT,
    PERCENT,
    PREFIX,
    UNTIL,
    item_name,
    price_key,
    read_price,
)
from quota_enforcer.core.pricing.key import plain_model, vendor_of
from quota_enforcer.core.pricing.table import EVERYTHING, Discount
from quota_enforcer.core.quotas.diff import AUTHOR, changes
from quota_enforcer.core.usage.window import local_date


@on_deployment
def discount(  # noqa: PLR0913 - one argument for each attribute of an item
    deployment: Deployment,
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[WHAT]",
            help="A model's id, a vendor such as anthropic, or all. Default: show all discounts.",
        ),
    ] = None,
    percent: Annotated[
        str | None, typer.Argument(metavar="[PERCENT]", help="How much is off, such as 12%.")
    ] = None,
    *,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="DAY", help="The first day it holds for; else all days."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DAY", help="The first day without it.")
    ] = None,
    note: Annotated[
        str | None, typer.Option("--note", metavar="TEXT", help="For whoever reads it later.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove it instead.")] = False,
    dry_run: Try = False,
    as_json: AsJson = False,
) -> None:
    """Set, show or remove a negotiated discount.

    The nearest applies, never several: that of the model, else of its vendor, else of
    all. It is off whatever price holds, your own prices and assumed ones included; a
    discount of 0% keeps a model at its price.

    Examples:
      quota-enforcer prices discount anthropic 12% --from 2026-12-01 --until 2027-12-01
      quota-enforcer prices discount
      quota-enforcer prices discount anthropic --from 2026-12-01 --remove
    """
    if what is None:
        today = local_date(clock.now(), deployment.settings.zone)
        _show(own_prices(deployment), today, as_json=as_json)
        return
    since = None if from_ is None else asked_day(from_, "--from")
    if remove:
        _remove(deployment, what, since, dry_run=dry_run, as_json=as_json)
        return
    if percent is None:
        raise typer.BadParameter("say how much is off, such as 12%", param_hint="PERCENT")
    last = None if until is None else asked_day(until, "--until")
    if last is not None and last <= (since or date.min):
        raise typer.BadParameter(f"--until {last} is not after --from {since}")
    key, old = stored_price(deployment, _known(what), since, discount=True)
    new: dict[str, Any] = {
        "principal": f"{PREFIX}{key}",
        "quota": item_name(discount=True, since=since),
        PERCENT: percent.strip().removesuffix("%").strip(),
    }
    new |= {UNTIL: str(last)} if last is not None else {}
    new |= {"note": note} if note is not None else {}
    _, rate = read_price(new)
    new[PERCENT] = rate.percent_off
    made = changes(old, new)
    if made and not dry_run:
        new[AUTHOR] = deployment.caller()
        deployment.quotas.put(new, old)
    if as_json:
        say_json({"of": key, "changes": [each.to_json() for each in made], "item": new})
        return
    off = Discount(new[PERCENT], key, rate.until)
    words = off_words(off, since)
    say(f"{words}." if made else f"No change: {words} already.")
    if dry_run:
        say(DRY_RUN)
        return
    hint(FROM_WHEN if since is None else HELD_BEFORE)


def _known(what: str) -> str:
    """A vendor, `all` or a model's key; raises NotThere for a vendor that nobody has heard of."""
    vendors = {vendor_of(plain_model(key)) for key in shipped_rates()}
    if what.lower() in {*vendors, EVERYTHING}:
        return what.lower()
    if "." in what or "/" in what or ":" in what:
        return price_key(what)
    meant = did_you_mean(what.lower(), [*vendors, EVERYTHING])
    named = meant or f"vendors: {', '.join(sorted(vendors))}"
    raise NotThere(f"{what!r} is no vendor whose prices are known, and no model's id; {named}")


def _remove(
    deployment: Deployment, what: str, since: date | None, *, dry_run: bool, as_json: bool
) -> None:
    key, old = stored_price(deployment, what, since, discount=True)
    name = item_name(discount=True, since=since)
    take = tried(deployment).quotas.remove if dry_run else deployment.remove
    removed = None if old is None else take(f"{PREFIX}{key}", name)
    if removed is None:
        theirs = [_words(each) for each in own_prices(deployment) if each.dated.is_discount]
        raise NotThere(
            f"there is no {name} of {key!r} to remove; there are: {'; '.join(theirs) or 'none'}"
        )
    if as_json:
        say_json({"removed": removed})
        return
    if dry_run:
        say(f"Would remove the {DISCOUNT} of {key}.\n{DRY_RUN}")
        return
    say(f"Removed the {DISCOUNT} of {key}.")
    hint(FROM_WHEN)


def _words(own: OwnPrice) -> str:
    rate = own.rate
    if rate is None or rate.percent_off is None:
        return f"{own.key}, not valid: {'; '.join(own.problems)}"
    return off_words(Discount(rate.percent_off, own.key, rate.until), own.since)


def _show(own: list[OwnPrice], today: date, *, as_json: bool) -> None:
    several = [each for each in own if each.dated.is_discount]
    if as_json:
        say_json({"discounts": [_document(each, today) for each in several]})
    elif not several:
        say("There is no discount: `quota-enforcer prices discount WHAT PERCENT` sets one.")
    else:
        say_table(
            ("Of", "Off", "From", "Until", "Now", "Source"),
            [_row(each, today) for each in several],
            numbers={"Off"},
        )


def _holds(own: OwnPrice, today: date) -> bool:
    until = None if own.rate is None else own.rate.until
    begun = own.since is None or own.since <= today
    return own.rate is not None and begun and (until is None or today < until)


def _row(own: OwnPrice, today: date) -> tuple[str, ...]:
    rate = own.rate
    if rate is None or rate.percent_off is None:
        return own.key, "", "", "", "not valid", "; ".join(own.problems)
    until = "" if rate.until is None else str(rate.until)
    since = "" if own.since is None else str(own.since)
    now = "holds" if _holds(own, today) else "does not hold"
    return own.key, f"{number(rate.percent_off)} %", since, until, now, rate.source


def _document(own: OwnPrice, today: date) -> dict[str, Any]:
    rate = own.rate
    percent = None if rate is None else rate.percent_off
    until = None if rate is None else rate.until
    return {
        "of": own.key,
        "percent": None if percent is None else exact(percent),
        "from": own.since and str(own.since),
        "until": until and str(until),
        "holds": _holds(own, today),
        "problems": own.problems,
    }
