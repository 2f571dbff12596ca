"""What options take: words of a fixed set, what is on this machine, and what people often mean.

One table by the names of options, so that the same option offers the same everywhere. Nothing of it
asks AWS but the stacks, and nothing prints an error: that would go into the line being typed.
"""

import inspect
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final
from zoneinfo import available_timezones

import typer
from typer.models import ParameterInfo

from quota_enforcer import clock
from quota_enforcer.cli.terminal.completion import of_deployment
from quota_enforcer.core.policies.names import PARTITIONS
from quota_enforcer.core.pricing.tier import LISTED
from quota_enforcer.core.quotas.item import ATTRIBUTES
from quota_enforcer.core.quotas.quota import Action, Overshoot, Share, UnknownPrices
from quota_enforcer.core.usage.counts import OBSERVED, Measure
from quota_enforcer.insight.usage import By
from quota_enforcer.satellites.names import NO_SATELLITES, OWN_REGIONS

Offer = Callable[[str], list[str]]

_WINDOWS: Final = ("hour", "day", "week", "month", "rolling 24 hours", "rolling 7 days",
                   "rolling 30 days")  # fmt: skip
_WHILES: Final = ("1h", "2h", "4h", "8h", "1d", "3d", "1w")
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "1",
                "15")  # fmt: skip
_MONTHS: Final = 13


def among(values: Iterable[str]) -> Offer:
    """Those that begin like the word."""
    return found(lambda: values)


def found(values: Callable[[], Iterable[str]]) -> Offer:
    """The same of what is looked up only then."""

    def offered(incomplete: str) -> list[str]:
        try:
            return [each for each in values() if each.lower().startswith(incomplete.lower())]
        except Exception:  # noqa: BLE001 - see above
            return []

    return offered


def listed(offer: Offer) -> Offer:
    """The same after each comma."""

    def offered(incomplete: str) -> list[str]:
        return of_deployment.after_commas(offer, incomplete)

    return offered


def profiles() -> list[str]:
    """Of the AWS CLI's files."""
    from botocore.session import Session  # noqa: PLC0415 - it takes long to load

    return list(Session().available_profiles)


def models() -> list[str]:
    """The plain ids that have a list price."""
    from quota_enforcer.core.pricing.catalog.shipped import shipped_rates  # noqa: PLC0415 - a large file
    from quota_enforcer.core.pricing.key import split_key  # noqa: PLC0415 - likewise

    return sorted({split_key(key).model for key in shipped_rates()})


def months() -> Iterator[str]:
    """This one and those before it that the ledger keeps."""
    day = clock.now().date().replace(day=1)
    for _ in range(_MONTHS):
        yield f"{day:%Y-%m}"
        day = (day - timedelta(days=1)).replace(day=1)


def days() -> Iterator[str]:
    """Today, and the firsts of months."""
    yield f"{clock.now():%Y-%m-%d}"
    yield from (f"{month}-01" for month in months())


VALUES: Final[Mapping[str, Callable[..., list[str]]]] = {
    "--account-region": of_deployment.region,
    "--action": among(Action),
    "--billed-region": of_deployment.region,
    "--by": listed(among(By)),
    "--closes": found(models),
    "--for": of_deployment.subject,
    "--from": found(days),
    "--measure": among(Measure),
    "--member": of_deployment.principal,
    "--model": found(models),
    "--month": found(months),
    "--only-tier": among(("default", *LISTED)),
    "--overshoot": among(Overshoot),
    "--partition": among(PARTITIONS),
    "--profile": found(profiles),
    "--raise-to": among(("unlimited",)),
    "--raise-until": among(_WHILES),
    "--region": of_deployment.region,
    "--regions": listed(of_deployment.region),
    "--resets-on": among(_DAYS),
    "--satellites": among((NO_SATELLITES, OWN_REGIONS)),
    "--share": among(Share),
    "--allow-shrink": of_deployment.team,
    "--lead": of_deployment.team,
    "--take-over": of_deployment.team,
    "--source-profile": found(profiles),
    "--source-region": of_deployment.region,
    "--since": among(("1h", "12h", "1d", "7d", "30d")),
    "--stack": of_deployment.stack,
    "--time-zone": found(lambda: sorted(available_timezones())),
    "--to": found(days),
    "--unknown-prices": among(UnknownPrices),
    "--unset": among([each.replace("_", "-") for each in ATTRIBUTES]),
    "--until": among(_WHILES),
    "--unusual": among(("3x", "5x", "10x")),
    "--warn-at": listed(among(("50", "80", "90", "95", "100"))),
    "--weight": among([f"{counter.removesuffix('_tokens')}=" for counter in OBSERVED]),
    "--window": among(_WINDOWS),
    "model": found(models),
}


def offer_values(app: typer.Typer) -> None:
    """Give every parameter of these commands what the table has under its name."""
    for command in app.registered_commands:
        _offer(command.callback)
    for group in app.registered_groups:
        inner = group.typer_instance
        if inner is not None:
            offer_values(inner)
    if app.registered_callback:
        _offer(app.registered_callback.callback)


def _offer(callback: Callable[..., Any] | None) -> None:
    if callback is None:
        return
    for name, parameter in inspect.signature(callback, eval_str=True).parameters.items():
        for info in typing.get_args(parameter.annotation)[1:]:
            if isinstance(info, ParameterInfo) and info.autocompletion is None:
                info.autocompletion = next(
                    (VALUES[each] for each in _names(name, info) if each in VALUES), None
                )


def _names(name: str, info: ParameterInfo) -> Iterator[str]:
    declared = getattr(info, "param_decls", None) or ()
    yield from declared
    if not declared:
        yield f"--{name.rstrip('_').replace('_', '-')}"
    if type(info).__name__ == "ArgumentInfo":
        yield name
