"""`prices check`: whether every model that was used of late has a price."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import typer
from rich.text import Text

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.prices.show import FROM_WHEN
from quota_enforcer.cli.terminal.errors import FAILED
from quota_enforcer.cli.terminal.options import AsJson, on_deployment
from quota_enforcer.cli.terminal.output import hint, how_far, say, say_json
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.core.notices.amounts import dollars, exact
from quota_enforcer.core.pricing.catalog.shipped import shipped_prices
from quota_enforcer.core.pricing.dated import DatedPrices
from quota_enforcer.core.pricing.key import is_standard, plain_model
from quota_enforcer.core.principal import Kind
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.window import local_date

DAYS = 35
"""How far back: the longest month, and some days."""

_PREFIXED = "some calls came with a prefix, from a Region or in a service tier without a price"
_NOT_TOLD = (
    "No price changes what is assumed of the others: the log does not tell how long cache writes "
    "stay, so the price for an hour counts, nor how many images or seconds a request had."
)


@dataclass(frozen=True, slots=True)
class Checked:
    """How a used model would be priced now; `fix` is a command, if the price is assumed."""

    model: str
    used: Counts
    priced_as: str
    source: str
    fix: str = ""

    def to_json(self) -> dict[str, Any]:
        """Money as decimal texts; the cost is as metered, whatever the price is now."""
        return {
            "model": self.model,
            "cost_usd": exact(self.used.cost_usd),
            "assumed_usd": exact(self.used.assumed_usd),
            "priced_as": self.priced_as,
            "source": self.source or None,
            "assumed": bool(self.fix),
            "fix": self.fix or None,
        }


@on_deployment
def check(deployment: Deployment, *, as_json: AsJson = False) -> None:
    """Show how each model used in the last 35 days is priced, and how to set missing prices.

    Exit code 1 says that a price is missing. What is assumed is taken at the dearest
    price that could apply: it warns, and blocks only where a quota says so.

    Examples:
      quota-enforcer prices check
      quota-enforcer prices check --json
    """
    now = clock.now()
    today = local_date(now, deployment.settings.zone)
    own = shipped_prices(deployment.load(now).prices)
    prices = _Prices(own, today, deployment.settings.region or None)
    since = today - timedelta(days=DAYS)
    used = _used(deployment, since)
    checked = [prices.check(model, used[model]) for model in sorted(used)]
    assumed = [each for each in checked if each.fix]
    if as_json:
        say_json({"since": str(since), "models": [each.to_json() for each in checked]})
    elif not checked:
        say(f"No model was used since {since}.")
    else:
        say_table(
            ("Model", "Cost", "Assumed", "Priced as", "Source"),
            [_row(each) for each in checked],
            numbers={"Cost", "Assumed"},
        )
        _say_fixes(assumed)
        if any(each.used.assumed_usd and not each.fix for each in checked):
            hint(_NOT_TOLD)
    if assumed:
        raise typer.Exit(FAILED)


def _used(deployment: Deployment, since: date) -> dict[str, Mapping[date, Counts]]:
    """Usage by model and day, but for sessions and teams: roles and members have theirs too."""
    principals = [
        record.principal
        for record in deployment.ledger.everybody()
        if record.principal.kind not in {Kind.SESSION, Kind.TEAM}
    ]
    with how_far(f"Reading the usage of {len(principals):,} principals") as told:
        usages = deployment.usages(dict.fromkeys(principals, since), None, told)
    rows: defaultdict[str, defaultdict[date, list[Counts]]]
    rows = defaultdict(lambda: defaultdict(list))
    for usage in usages.values():
        for model, buckets in usage.models.items():
            for day, counts in buckets.days.items():
                if any(counts):
                    rows[model][day].append(counts)
    return {
        model: {day: Counts.total(several) for day, several in days.items()}
        for model, days in rows.items()
    }


class _Prices:
    """The prices now, for usage of which the ledger knows the model but not the prefix."""

    def __init__(self, dated: DatedPrices, today: date, region: str | None) -> None:
        self._region = region
        self._dated = dated
        self._table = table = dated.on(today)
        self._own = table.own
        self._rates = {**table.listed, **table.own}

    def check(self, model: str, days: Mapping[date, Counts]) -> Checked:
        used = Counts.total(days.values())
        terms = self._table.terms(model, self._region)
        if not terms.known and not used.assumed_usd and (prefixed := self._prefixed(model)):
            return Checked(model, used, ", ".join(prefixed), self._rates[prefixed[0]].source)
        priced_as = terms.cost(used).priced_as
        missing = terms.missing(used)
        by_lifetime = sum(
            each.cache_write_tokens * self._dated.on(day).dearer_for_an_hour(model)
            for day, each in days.items()
        )
        told = used.assumed_usd <= by_lifetime or (terms.known and terms.empty)
        if not missing and not told and model not in self._own:
            missing, priced_as = ["input", "output"], f"{priced_as}; {_PREFIXED}"
        options = " ".join(f"--{name.replace('_', '-')} USD" for name in missing)
        fix = f"quota-enforcer prices set {model} {options}" if missing else ""
        return Checked(model, used, priced_as, terms.source, fix)

    def _prefixed(self, model: str) -> list[str]:
        """The keys of a model that has prices for prefixes and Regions only."""
        return sorted(key for key in self._rates if plain_model(key) == model and is_standard(key))


def _row(checked: Checked) -> tuple[str | Text, ...]:
    style = "bold yellow" if checked.fix else ""
    assumed = dollars(checked.used.assumed_usd) if checked.used.assumed_usd else ""
    words = Text(checked.priced_as, style)
    return checked.model, dollars(checked.used.cost_usd), assumed, words, checked.source


def _say_fixes(assumed: list[Checked]) -> None:
    for line in _fixes(assumed):
        hint(line)


def _fixes(assumed: list[Checked]) -> Iterator[str]:
    if assumed:
        yield f"{len(assumed)} with an assumed price; say what they cost:"
        yield from (f"  {each.fix}" for each in assumed)
        yield FROM_WHEN
