"""Shell completion of subjects, principals and quota names, from the deployment.

It never prints an error: that would go into the line being typed.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.target import DEFAULT_STACK, Target
from quota_enforcer.core.quotas.subject import GROUPS, GROUPS_OF_AN_ACCOUNT, Subject
from quota_enforcer.core.usage.place import REGIONS

if TYPE_CHECKING:
    from quota_enforcer.cli.deployment.deployment import Deployment

Key = tuple[str, str]
T = TypeVar("T")
_FORMS = ("user/", "role/", "sso/", "session/", "team/")


def subject(ctx: typer.Context, incomplete: str) -> list[str]:
    """Subjects of quotas; and the groups, also without AWS."""
    return _matching([*_asked(ctx, _subjects), *GROUPS], incomplete)


def name(ctx: typer.Context, incomplete: str) -> list[str]:
    """The quotas of the subject that the line names; if it has none, those of others."""
    keys = _keys(ctx)
    theirs = [name for whose, name in keys if whose == ctx.params.get("subject")]
    return _matching(theirs or (name for _, name in keys), incomplete)


def principal(ctx: typer.Context, incomplete: str) -> list[str]:
    """Principals of the ledger, and teams; the forms of their names, if there are none."""
    known = sorted({*_asked(ctx, _principals)}) or _FORMS
    return [each for each in known if each.startswith(incomplete)]


def team(ctx: typer.Context, incomplete: str) -> list[str]:
    """The teams that the quota table names."""
    return [each for each in subject(ctx, incomplete) if each.startswith("team/")]


def stack(ctx: typer.Context, incomplete: str) -> list[str]:
    """The deployments of the account and Region that the line names."""
    from quota_enforcer.cli.deployment import by_stack  # noqa: PLC0415 - only who completes pays

    profile, region = map(ctx.params.get, ("profile", "region"))
    try:
        return _matching(by_stack.names(profile, region), incomplete)
    except Exception:  # noqa: BLE001 - as below
        return []


def region(incomplete: str) -> list[str]:
    """AWS's Regions."""
    return _matching(REGIONS, incomplete)


def units(ctx: typer.Context, incomplete: str) -> list[str]:
    """The organisation's root and its units, after each comma, for whoever may list them."""
    from quota_enforcer.aws.account import organization  # noqa: PLC0415 - only who completes pays
    from quota_enforcer.cli.deployment import by_stack  # noqa: PLC0415 - likewise

    try:
        client = by_stack.organizations(ctx.params.get("profile"))
        return after_commas(partial(_matching, organization.units(client)), incomplete)
    except Exception:  # noqa: BLE001 - an error would be printed into the line being typed
        return []


def after_commas(offer: Callable[[str], Iterable[str]], incomplete: str) -> list[str]:
    """What is offered for the last of several with commas between, none twice."""
    before, comma, last = incomplete.rpartition(",")
    chosen = set(before.split(","))
    return [f"{before}{comma}{each}" for each in offer(last) if each not in chosen]


def _matching(offered: Iterable[str], incomplete: str) -> list[str]:
    return sorted({each for each in offered if each.startswith(incomplete)})


def _keys(ctx: typer.Context) -> list[Key]:
    return _asked(ctx, _quotas)


def _quotas(found: "Deployment") -> list[Key]:
    """Subject and name of every quota."""
    from quota_enforcer.core.pricing.item import is_price  # noqa: PLC0415 - only who completes pays

    return [
        (item["principal"], item["quota"]) for item in found.quotas.items() if not is_price(item)
    ]


def _subjects(found: "Deployment") -> list[str]:
    """Whoever has a quota, and the groups of each member account."""
    accounts = found.context(clock.now()).reached
    groups = [f"{account}/{each}" for account in accounts for each in GROUPS_OF_AN_ACCOUNT]
    return [*(whose for whose, _ in _quotas(found)), *groups]


def _principals(found: "Deployment") -> list[str]:
    teams = [subject for subject, _ in _quotas(found) if Subject(subject).is_team]
    return [*(str(each.principal) for each in found.ledger.everybody()), *teams]


def _asked(ctx: typer.Context, ask: "Callable[[Deployment], list[T]]") -> list[T]:
    """The answer of the deployment that the line names; nothing if anything goes wrong."""
    stack, profile, region = map(ctx.params.get, ("stack", "profile", "region"))
    try:
        return ask(Target(stack or DEFAULT_STACK, profile, region).find())
    except Exception:  # noqa: BLE001 - an error would be printed into the line being typed
        return []
