"""`quota raise`: another limit for a while."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment import Deployment
from quota_enforcer.cli.quotas.by_hand import NO_LIMIT, Raise, raised
from quota_enforcer.cli.quotas.edit import number
from quota_enforcer.cli.quotas.edit_said import say_edit
from quota_enforcer.cli.quotas.quota_store import not_there, stored, written
from quota_enforcer.cli.terminal.options import AsJson, Name, Whom, on_deployment
from quota_enforcer.cli.terminal.output import hint
from quota_enforcer.cli.terminal.until import FORMS, end
from quota_enforcer.core.deployment import Settings
from quota_enforcer.core.errors import NotThere, UnknownIdentity
from quota_enforcer.core.notices import wording
from quota_enforcer.core.notices.amounts import limit_of
from quota_enforcer.core.principal import Kind, Principal, canonical
from quota_enforcer.core.quotas.describe import named
from quota_enforcer.core.quotas.item import Item, read_quota
from quota_enforcer.core.quotas.quota import Exemption, Quota, Share
from quota_enforcer.core.quotas.write import quota_attributes

NOTE = "raised with quota-enforcer"


@on_deployment
def raise_(  # noqa: PLR0913 - one argument for each part of it
    deployment: Deployment,
    subject: Whom,
    name: Name,
    to: Annotated[
        str, typer.Argument(metavar="TO", help="The limit until then: 5_000_000, or unlimited.")
    ],
    *,
    until: Annotated[str, typer.Option(metavar="WHEN", help=f"{FORMS}.")],
    note: Annotated[
        str | None, typer.Option(metavar="TEXT", help="For whoever reads it later.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give somebody another limit for a while; afterwards all is as it was before.

    A quota of their own is raised. Where a team's, a kind's or the default quota
    limits them, they get one of their own that says the same with this limit,
    and that ends by itself.

    Examples:
      quota-enforcer quota raise user/alice daily 5_000_000 --until 1d
      quota-enforcer quota raise team/research daily unlimited --until 2026-12-24
    """
    now, settings = clock.now(), deployment.settings
    ends = end(until, settings.context(now), "--until")
    key, old = stored(deployment, subject, name)
    own = _own(old, settings, now)
    quota = own or _applicable(deployment, key, name, now)
    by = Raise(_above(to, quota, now, own=own is not None), ends, note or NOTE)
    who = canonical(key, settings.account)
    new = raised(who, quota, old if own else None, by, settings.zone)
    edit = written(deployment, key, old, new | ({"note": note} if note else {}))
    say_edit(edit, as_json=as_json)
    if as_json:
        return
    then = wording.moment(ends, settings.zone)
    if own is None or own.until is None or own.until > ends:
        hint(f"After {then} applies again: {named(quota)}.")
    if own is None and quota.share is Share.POOL and quota.members:
        hint(f"Until then they do not draw on what {quota.subject} shares.")


def _own(item: Item | None, settings: Settings, now: datetime) -> Quota | None:
    """Their own quota of this name, if one is in force; raises where it stands in the way."""
    if item is None:
        return None
    subject, name = item["principal"], item["quota"]
    match read_quota(item, settings.zone, sorted(settings.denies)):
        case None:
            raise NotThere(
                f"quota {name} of {subject} is disabled, so there is nothing to raise: "
                f"enable it with `quota-enforcer quota set {subject} {name} --enable`, "
                "or remove it",
            )
        case rule if not rule.stands(now):
            return None
        case Quota() as quota:
            return quota
        case Exemption(until=until):
            ends = f" until {wording.moment(until, settings.zone)}" if until else ""
            raise NotThere(f"{subject} has no limit {name}{ends}, so there is nothing to raise")
        case rule:
            raise AssertionError(f"a rule is a quota or an exemption, not {rule!r}")


def _applicable(deployment: Deployment, key: str, name: str, now: datetime) -> Quota:
    """The quota of this name that limits a principal although it is not their own."""
    try:
        principal = Principal.parse(canonical(key, deployment.settings.account))
    except UnknownIdentity:
        principal = None
    if principal is None or principal.kind is Kind.TEAM:
        raise not_there(deployment, key, name, to="raise")
    applicable = deployment.load(now).book.of(principal, now).quotas
    several = [quota for quota in applicable if quota.name == name]
    if not several:
        names = ", ".join(dict.fromkeys(quota.name for quota in applicable))
        raise NotThere(f"no quota {name!r} limits {principal}; these do: {names or 'none'}")
    strictest = min(several, key=lambda quota: quota.limit_at(now))
    if any(_but_for_limit(quota) != _but_for_limit(strictest) for quota in several):
        raise typer.BadParameter(
            f"several quotas {name} limit {principal} and count differently: "
            f"{'; '.join(map(named, several))}. Give them one of their own with `quota set`",
            param_hint="NAME",
        )
    return strictest


def _but_for_limit(quota: Quota) -> dict[str, object]:
    return quota_attributes(quota) | {"limit": None}


def _above(to: str, quota: Quota, now: datetime, *, own: bool) -> Decimal | str:
    """The limit to raise to; raises typer.BadParameter where it is none, or not above."""
    limit = number(to)
    if limit == NO_LIMIT:
        return NO_LIMIT
    if isinstance(limit, str):
        raise typer.BadParameter(
            f"{to!r} is no limit; write a number such as 5_000_000, or unlimited", param_hint="TO"
        )
    present = quota.limit if own else quota.limit_at(now)
    if limit <= present:
        raise typer.BadParameter(
            f"{to} is not above {limit_of(present, quota.measure.words)} ({named(quota)}); "
            "`quota-enforcer quota set` lowers a limit",
            param_hint="TO",
        )
    return limit
