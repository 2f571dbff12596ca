"""`quota raise`: another limit for a while, as a quota item that ends by itself."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

import typer

from quota_enforcer import clock
from quota_enforcer.aws.errors import is_refusal
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.files.by_hand import RAISE
from quota_enforcer.cli.operate.people.leading import LeadWish, bounds, lead_edit
from quota_enforcer.cli.quotas.edit import (
    StoredEdit,
    carry_out,
    checked_edit,
    no_such_item,
    stored_item,
    whole,
)
from quota_enforcer.cli.quotas.preview import Consent
from quota_enforcer.cli.terminal.options import (
    AsJson,
    DryRun,
    Name,
    SubjectArg,
    Yes,
    on_deployment,
)
from quota_enforcer.cli.terminal.output import hint
from quota_enforcer.cli.terminal.when import end_moment
from quota_enforcer.core.deployment import Settings
from quota_enforcer.core.errors import NotThere, UnknownIdentity
from quota_enforcer.core.notices import wording
from quota_enforcer.core.notices.amounts import limit_of
from quota_enforcer.core.principal import Kind, Principal, canonical
from quota_enforcer.core.quotas.describe import named
from quota_enforcer.core.quotas.form.attributes import quota_attributes
from quota_enforcer.core.quotas.form.ends import END_FORMS, moment_text
from quota_enforcer.core.quotas.form.nearest import nearest
from quota_enforcer.core.quotas.form.shorthand import UNLIMITED, item_form
from quota_enforcer.core.quotas.item import Item, read_quota
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Exemption, Quota, Share, Team

NO_LIMIT = UNLIMITED
NOTE = "raised with quota-enforcer"


@dataclass(frozen=True, slots=True)
class Raise:
    """Another limit until a moment; `note` is for an item that is made for it."""

    to: Decimal | str
    until: datetime
    note: str


def raised(
    subject: str, quota: Quota, own: Item | None, by: Raise, zone: ZoneInfo
) -> dict[str, Any]:
    """The item of `subject` that raises `quota`, which limits this subject now.

    `own` is the subject's item of the same name, if there is one. If it is the quota itself and
    ends later than the raise, it gets `raise_to`, and its own limit applies again afterwards.
    Otherwise the item ends with the raise, and the next quota in precedence applies again.
    """
    ends, kept = moment_text(by.until, zone), dict(own or {})
    itself = own is not None and quota.subject == subject
    if itself and (quota.until is None or by.until <= quota.until):
        return {**kept, "raise_to": by.to, "raise_until": ends}
    key = {"principal": kept.get("principal", subject), "quota": quota.name}
    if by.to == NO_LIMIT:
        kept.pop("enabled", None)
        return {**kept, **key, "exempt": True, "until": ends, "note": by.note}
    if itself:
        rest = {name: value for name, value in kept.items() if name not in RAISE}
        return {**rest, "limit": by.to, "until": ends}
    rule = quota_attributes(quota) | {"limit": by.to}
    return {**key, **rule, "until": ends, "note": by.note}


@on_deployment
def raise_(  # noqa: PLR0913 - one argument for each part of it
    deployment: Deployment,
    subject: SubjectArg,
    name: Name,
    to: Annotated[
        str | None,
        typer.Argument(
            metavar="TO",
            help="The limit until then: 5_000_000, or unlimited. Default: that of the raise in "
            "force, which gets another end.",
        ),
    ] = None,
    *,
    until: Annotated[str, typer.Option(metavar="WHEN", help=f"When it ends: {END_FORMS}.")],
    note: Annotated[
        str | None, typer.Option(metavar="TEXT", help="For whoever reads it later.")
    ] = None,
    lead: Annotated[
        str | None,
        typer.Option(
            metavar="TEAM",
            help="Raise it as a lead of this team, within the bound of its quota. Default: "
            "whichever you may.",
        ),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Give somebody another limit for a while; afterwards all is as it was before.

    A quota of their own is raised. If the quota of a team, of a kind or the default
    limits them, they get one of their own that is the same with this limit, and
    that ends by itself. A raise in force may be raised, lowered, made longer
    and made shorter.

    A lead of a team raises the team's quota for one member, up to what it says
    in `leads_raise_to`; other limits of the member stay as they are.

    Examples:
      quota-enforcer quota raise user/alice daily 5_000_000 --until 1d
      quota-enforcer quota raise user/alice daily --until 3d
      quota-enforcer quota raise team/research daily unlimited --until 2026-12-24
    """
    now, settings = clock.now(), deployment.settings
    ends = end_moment(until, settings.context(now), "--until")
    consent = Consent(yes, dry_run, as_json)
    wish = LeadWish(subject, name, to, ends, note)
    if lead is not None:
        carry_out(deployment, lead_edit(deployment, lead, wish, now), consent, now)
        return
    edit, quota, own = plan_raise(deployment, subject, name, RaiseWish(to, ends, note), now)
    try:
        carry_out(deployment, edit, consent, now)
    except Exception as error:
        if not is_refusal(error) or not _as_lead(deployment, wish, consent, now):
            raise
        return
    if as_json or dry_run:
        return
    then = wording.moment(ends, settings.zone)
    if quota is None:
        hint(f"The raise ends {then}.")
    elif own is None or own.until is None or own.until > ends:
        hint(f"After {then} applies again: {named(quota)}.")
    if quota is not None and own is None and quota.share is Share.POOL and quota.members:
        hint(f"Until then they do not draw on what {quota.subject} shares.")


def _as_lead(deployment: Deployment, wish: LeadWish, consent: Consent, now: datetime) -> bool:
    """Whether somebody whom IAM lets write no quota may raise this one as a lead."""
    for team in bounds(deployment, wish.subject, wish.name, now):
        edit = lead_edit(deployment, team, wish, now)
        hint(f"You may not edit quotas; as a lead of {team}:")
        try:
            carry_out(deployment, edit, consent, now)
        except Exception as error:
            if not is_refusal(error):
                raise
        else:
            return True
    return False


class RaiseWish(NamedTuple):
    """What is asked for: a limit (None: that of the raise in force), its end, and why."""

    to: str | None
    until: datetime
    note: str | None = None


def plan_raise(
    deployment: Deployment, subject: str, name: str, wish: RaiseWish, now: datetime
) -> tuple[StoredEdit, Quota | None, Quota | Exemption | None]:
    """The edit; the quota that is raised (None: its raise gets another end); the subject's own."""
    settings = deployment.settings
    key, old = stored_item(deployment, subject, name)
    own = _own(None if old is None else whole(deployment, old), settings, now)
    limit = wish.to if wish.to is not None else _present(own, key, name, now)
    own, again = _continued(own, limit)
    if again and old is not None:  # the same raise with another end
        new, quota = {**old, "until": moment_text(wish.until, settings.zone)}, None
    else:
        own = None if isinstance(own, Exemption) else own
        quota = own or _applicable(deployment, key, name, now)
        by = Raise(_above(limit, quota, now, own=own is not None), wish.until, wish.note or NOTE)
        new = raised(
            canonical(key, settings.account), quota, old if own else None, by, settings.zone
        )
    new |= ({"principal": key} if old else {}) | ({"note": wish.note} if wish.note else {})
    return checked_edit(deployment, key, old, new), quota, own


def _present(own: Quota | Exemption | None, key: str, name: str, now: datetime) -> str:
    """The limit of the raise in force; raises BadParameter if there is none."""
    match own:
        case Quota(raise_until=datetime() as ends) if now < ends:
            present = own.limit_at(now)
        case Quota(until=datetime()):
            present = own.limit
        case Exemption():
            return NO_LIMIT
        case _:
            raise typer.BadParameter(
                f"quota {name} of {key} is not raised now: write the limit until then, such as "
                "5_000_000, or unlimited",
                param_hint="TO",
            )
    return str(present) if present.is_finite() else NO_LIMIT


def _continued(own: Quota | Exemption | None, to: str) -> tuple[Quota | Exemption | None, bool]:
    """What of their own is raised, and whether it is a raise that stays as it is but for its end.

    An item that ends by itself is a raise already: a lower limit is held against what it raises.
    """
    if own is None or own.until is None:
        return own, False
    if isinstance(own, Exemption):
        return own, to == NO_LIMIT
    limit = item_form({"raise_to": to, "measure": own.measure.value})["raise_to"]
    if not isinstance(limit, Decimal):
        return own, False
    lower = limit < own.limit
    return None if lower else own, limit == own.limit and own.raise_to is None


def _own(item: Item | None, settings: Settings, now: datetime) -> Quota | Exemption | None:
    """The subject's own quota, or exemption with an end, if it is in force.

    Raises NotThere if it has no limit to raise.
    """
    if item is None:
        return None
    subject, name = item["principal"], item["quota"]
    match read_quota(item, settings.zone, sorted(settings.denies), settings.account):
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
        case Team():
            raise NotThere(f"{subject} {name} says who is in the team and has no limit to raise")
        case Exemption(until=None):
            raise NotThere(f"{subject} has no limit {name}, so there is nothing to raise")
        case Exemption() as exemption:
            return exemption
        case rule:
            raise AssertionError(f"a rule is a quota or an exemption, not {rule!r}")


def _applicable(deployment: Deployment, key: str, name: str, now: datetime) -> Quota:
    """The quota of a team, a kind or the default that limits this principal but for its own."""
    try:
        principal = Principal.parse(canonical(key, deployment.settings.account))
    except UnknownIdentity:
        principal = None
    if principal is None or principal.kind is Kind.TEAM:
        raise no_such_item(deployment, key, name, to="raise")
    rules = deployment.load(now).rules
    others = (each for each in rules if (each.subject, each.name) != (str(principal), name))
    applicable = QuotaBook(others).applicable_to(principal, now).whole
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
    """The limit to raise to; raises BadParameter if it is no limit, or not above the present."""
    said = {"raise_to": to, "measure": quota.measure.value}
    limit: Decimal | str = item_form(said)["raise_to"]
    if limit == NO_LIMIT:
        return NO_LIMIT
    if isinstance(limit, str):
        raise typer.BadParameter(
            f"{to!r} is not a limit; write a number such as 5_000_000, or unlimited"
            f"{nearest('raise_to', said)}",
            param_hint="TO",
        )
    present = quota.limit if own or quota.unusual is not None else quota.limit_at(now)
    if limit <= present:
        raise typer.BadParameter(
            f"{to} is not above {limit_of(present, quota.measure.words)} ({named(quota)}); "
            "`quota-enforcer quota set` lowers a limit",
            param_hint="TO",
        )
    return limit
