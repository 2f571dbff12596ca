"""`prices update` and `prices update-aws`: newer prices, of the community or of AWS itself."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.prices.renewal import Renewal, renew
from quota_enforcer.cli.prices.trying import Try
from quota_enforcer.cli.terminal.options import AsJson, Yes, on_deployment
from quota_enforcer.cli.terminal.output import hint
from quota_enforcer.cli.terminal.when import asked_day
from quota_enforcer.core.notices.amounts import listed
from quota_enforcer.core.pricing.catalog.litellm import UnreadableTable, read_table
from quota_enforcer.core.pricing.catalog.offers import NoOffer, Offered, read_offer
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.usage.window import local_date

_ALL_DAYS = "all"
_From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="DAY",
        help="Since when changed prices hold: a day, or `all` for a correction. Default: today.",
    ),
]
_NAMED_MOST = 20


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
    from_: _From = None,
    dry_run: Try = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Take over newer prices: shows what would change, asks, then writes price items.

    Prices that you set yourself stay. What changes holds from today on, so a recount
    of earlier hours keeps what held then. It can be repeated, also after it was
    interrupted: what is as in FILE already is not written again.

    Examples:
      quota-enforcer prices update model_prices_and_context_window.json
      quota-enforcer prices update model_prices_and_context_window.json --yes
    """
    today = local_date(clock.now(), deployment.settings.zone)
    renewal = Renewal(_newer(file), file.name, _since(from_, today), today)
    renew(deployment, renewal, dry_run=dry_run, yes=yes, as_json=as_json)


@on_deployment
def update_aws(
    deployment: Deployment,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            exists=True,
            dir_okay=False,
            help="The index.json of AWS's Bedrock offers for your Region.",
        ),
    ],
    *,
    from_: _From = None,
    dry_run: Try = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Take over AWS's own published prices: shows what would change, asks, then writes.

    The files are public, one for each of three offers: AmazonBedrock, AmazonBedrockService and
    AmazonBedrockFoundationModels. They name models in words; those that are not certain to be a
    known model are named and left out. For the rest it is as `prices update`.

    Get them from:
      https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/OFFER/current/REGION/index.json

    Examples:
      quota-enforcer prices update-aws fm.json bedrock.json service.json
      quota-enforcer prices update-aws fm.json --yes --json
    """
    today = local_date(clock.now(), deployment.settings.zone)
    offers = [_offer(file) for file in files]
    newer = {key: rate for offer in offers for key, rate in offer.rates.items()}
    unmatched = sorted({name for offer in offers for name in offer.unmatched})
    if unmatched:
        shown = listed(unmatched, _NAMED_MOST)
        hint(f"Not certain to be a known model, so left out: {shown}")
    if not newer:
        raise typer.BadParameter("no file has a price of tokens for a known model")
    renewal = Renewal(newer, "", _since(from_, today), today)
    renew(deployment, renewal, dry_run=dry_run, yes=yes, as_json=as_json)


def _since(text: str | None, today: date) -> date | None:
    if text is None:
        return today
    return None if text == _ALL_DAYS else asked_day(text, "--from")


def _newer(file: Path) -> dict[str, Rate]:
    """The prices of a downloaded table; raises BadParameter if the file has none."""
    named = repr(str(file))
    try:
        entries = _parsed(file)
        if not isinstance(entries, dict):
            raise UnreadableTable("it is not an object with one entry for each model")
        rates = read_table(entries, "admin")
    except (ValueError, RecursionError) as error:
        raise typer.BadParameter(f"{named} is not a price table: {error}") from error
    if not rates:
        raise typer.BadParameter(
            f"{named} has no prices of Bedrock: give litellm's model_prices_and_context_window.json"
        )
    return rates


def _offer(file: Path) -> Offered:
    try:
        return read_offer(_parsed(file), shipped_rates())
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        why = error if isinstance(error, (NoOffer, json.JSONDecodeError)) else "it is damaged"
        raise typer.BadParameter(f"{str(file)!r} is no offer of AWS's price list: {why}") from error


def _parsed(file: Path) -> Any:
    """A downloaded document, its numbers exact."""

    def refuse(word: str) -> Decimal:
        raise ValueError(f"{word} is not a number")

    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise typer.BadParameter(f"cannot read {str(file)!r}: {error.strerror}") from error
    return json.loads(text, parse_float=Decimal, parse_constant=refuse)
