"""Shell completion of whom and of quota names, from the deployment; without AWS it is silent."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import typer

from quota_enforcer.cli import deployment as deployments
from quota_enforcer.cli.deployment import DEFAULT_STACK, Deployment
from quota_enforcer.core.pricing.item import is_price
from quota_enforcer.core.quotas.item import GROUPS

Key = tuple[str, str]
T = TypeVar("T")


def subject(ctx: typer.Context, incomplete: str) -> list[str]:
    """Whoever has a quota; and the kinds, also without AWS."""
    return _matching([*(whose for whose, _ in _keys(ctx)), *GROUPS], incomplete)


def name(ctx: typer.Context, incomplete: str) -> list[str]:
    """The quotas of whom the line names already; where they have none, those of others."""
    keys = _keys(ctx)
    theirs = [name for whose, name in keys if whose == ctx.params.get("subject")]
    return _matching(theirs or (name for _, name in keys), incomplete)


def principal(ctx: typer.Context, incomplete: str) -> list[str]:
    """Whoever the ledger knows, and teams."""
    known = _asked(ctx, lambda found: [str(each.principal) for each in found.ledger.everybody()])
    teams = [whose for whose, _ in _keys(ctx) if whose.startswith("team/")]
    return _matching([*known, *teams], incomplete)


def _matching(offered: Iterable[str], incomplete: str) -> list[str]:
    return sorted({each for each in offered if each.startswith(incomplete)})


def _keys(ctx: typer.Context) -> list[Key]:
    """Whom and name of every quota."""
    items = _asked(ctx, lambda found: found.quotas.items())
    return [(item["principal"], item["quota"]) for item in items if not is_price(item)]


def _asked(ctx: typer.Context, ask: Callable[[Deployment], list[T]]) -> list[T]:
    """What the deployment of the line so far answers; nothing where anything stands in the way."""
    stack, profile, region = map(ctx.params.get, ("stack", "profile", "region"))
    try:
        return ask(deployments.find(stack or DEFAULT_STACK, profile, region))
    except Exception:  # noqa: BLE001 - an error would be printed into the line being typed
        return []
