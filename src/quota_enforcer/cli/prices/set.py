"""`prices set`: add or change an admin's own price of a model."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.prices.own import (
    applying,
    held_before,
    own_prices,
    stored_price,
)
from quota_enforcer.cli.prices.show import FROM_WHEN, HELD_BEFORE, UNIT, say_prices
from quota_enforcer.cli.prices.trying import Try, tried
from quota_enforcer.cli.quotas.edit import edited
from quota_enforcer.cli.quotas.preview import DRY_RUN
from quota_enforcer.cli.terminal.options import AsJson, Model, on_deployment
from quota_enforcer.cli.terminal.output import hint, say, say_json
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.cli.terminal.when import asked_day
from quota_enforcer.core.errors import did_you_mean
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.item import PREFIX, item_name, price_key, read_price
from quota_enforcer.core.pricing.key import is_standard, plain_model
from quota_enforcer.core.quotas.diff import AUTHOR, changes, shown
from quota_enforcer.core.quotas.form.shorthand import number
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.core.usage.window import local_date

_TOKENS = "Dollars for a million tokens"
_ONE = "Dollars for one"
_LONG = "Long prompts"
_ITEM = "The item"


def _option(panel: str, text: str, metavar: str = "USD") -> Any:
    return typer.Option(metavar=metavar, help=text, rich_help_panel=panel)


@on_deployment
def set_(  # noqa: PLR0913 - one argument for each attribute of an item
    deployment: Deployment,
    model: Model,
    *,
    input_: Annotated[
        str | None,
        typer.Option("--input", metavar="USD", help="Input.", rich_help_panel=_TOKENS),
    ] = None,
    output: Annotated[str | None, _option(_TOKENS, "Output.")] = None,
    cache_read: Annotated[str | None, _option(_TOKENS, "Input read from a prompt cache.")] = None,
    cache_write: Annotated[
        str | None, _option(_TOKENS, "Input written to a cache for 5 minutes.")
    ] = None,
    cache_write_1h: Annotated[str | None, _option(_TOKENS, "The same for an hour.")] = None,
    request: Annotated[str | None, _option(_ONE, "A request, whatever it holds.")] = None,
    image: Annotated[
        str | None, _option(_ONE, "An image; each request is assumed to make one.")
    ] = None,
    long_over: Annotated[
        str | None, _option(_LONG, "From how many prompt tokens on.", "TOKENS")
    ] = None,
    long_input: Annotated[str | None, _option(_LONG, "Input, then.")] = None,
    long_output: Annotated[str | None, _option(_LONG, "Output, then.")] = None,
    long_cache_read: Annotated[str | None, _option(_LONG, "Cache reads, then.")] = None,
    long_cache_write: Annotated[str | None, _option(_LONG, "Cache writes, then.")] = None,
    long_cache_write_1h: Annotated[str | None, _option(_LONG, "For an hour, then.")] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="DAY",
            help="The first day it holds for, such as 2026-12-01; else all days.",
            rich_help_panel=_ITEM,
        ),
    ] = None,
    note: Annotated[str | None, _option(_ITEM, "For whoever reads it later.", "TEXT")] = None,
    unset: Annotated[
        list[str] | None, _option(_ITEM, "What to remove; repeatable.", "ATTRIBUTE")
    ] = None,
    dry_run: Try = False,
    as_json: AsJson = False,
) -> None:
    r"""Set what a model costs, or change only the given prices of your own price.

    Prices that you leave out stay as the product has them, if it knows the model.
    The plain name of a model is also for prefixes such as eu., unless those have a
    price of their own. MODEL@flex is the price of that service tier. It counts within
    a minute; a recount prices past hours again, with --from only those since that day.

    Examples:
      quota-enforcer prices set anthropic.claude-opus-4-5-20251101-v1:0 \
          --input 4.50 --output 22.50 --note "our discount"
      quota-enforcer prices set us.anthropic.claude-sonnet-5 --input 2 --from 2026-12-01
      quota-enforcer prices set eu-central-1/amazon.nova-lite-v1:0 --cache-write 0.08
      quota-enforcer prices set application-inference-profile/a1b2c3 \
          --input 3 --output 15
    """
    prices = {
        "input": input_,
        "output": output,
        "cache_read": cache_read,
        "cache_write": cache_write,
        "cache_write_1h": cache_write_1h,
        "request": request,
        "image": image,
        "long_over": long_over,
        "long_input": long_input,
        "long_output": long_output,
        "long_cache_read": long_cache_read,
        "long_cache_write": long_cache_write,
        "long_cache_write_1h": long_cache_write_1h,
    }
    given: dict[str, Any] = {
        name: number(price, Measure.TOTAL_TOKENS if name == "long_over" else Measure.COST_USD)
        for name, price in prices.items()
        if price is not None
    }
    if note is not None:
        given["note"] = note
    deployment = tried(deployment) if dry_run else deployment
    since = None if from_ is None else asked_day(from_, "--from")
    key, old = stored_price(deployment, model, since)
    names = [name.replace("-", "_") for name in unset or []]
    base = old if old is not None or since is None else held_before(deployment, key, since)
    keys = {"principal": f"{PREFIX}{key}", "quota": item_name(since=since)}
    new = edited(base, {**given, **keys}, names)
    read_price(new)
    made = changes(old, new)
    if made:
        new[AUTHOR] = deployment.caller()
        deployment.quotas.put(new, old)
    now = local_date(clock.now(), deployment.settings.zone)
    day = now if since is None else max(since, now)
    whole = applying(own_prices(deployment), day, price_key(key))
    if as_json:
        price = whole[0].to_json() if whole else None
        say_json(
            {
                "model": key,
                "from": since and str(since),
                "changes": [change.to_json() for change in made],
                "item": new,
                "price": price,
            }
        )
        return
    if not made:
        say(f"No change: price {key} is like that already.")
        return
    if dry_run:
        say(f"Would {'add' if old is None else 'change'} price {key}:")
    else:
        say(f"{'Added' if old is None else 'Changed'} price {key}:")
    say_table(
        ("Attribute", "Old", "New"), [(c.attribute, shown(c.old), shown(c.new)) for c in made]
    )
    say("So calls cost:")
    say_prices(whole)
    hint(UNIT)
    for line in _consequences(key, new=old is None):
        hint(line)
    if dry_run:
        say(DRY_RUN)
    else:
        hint(FROM_WHEN if since is None else HELD_BEFORE)


def _consequences(key: str, *, new: bool) -> Iterator[str]:
    shipped = shipped_rates()
    if key == plain_model(key) and is_standard(key):
        others = [
            each
            for each in shipped
            if each != key and plain_model(each) == key and is_standard(each)
        ]
        if others:
            yield f"These keep prices of their own: {', '.join(sorted(others))}"
    known = {plain_model(each) for each in shipped}
    if new and plain_model(key) not in known:
        meant = did_you_mean(plain_model(key), known, cutoff=0.9)
        yield f"The product knows no model {plain_model(key)!r}{meant and f'; {meant}'}"
