"""`quota raise` by a lead of a team: an item of its own, held to the bound of the team's quota."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import typer

from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.quotas.edit import StoredEdit, checked_edit
from quota_enforcer.cli.terminal.names import whom
from quota_enforcer.core.errors import NotThere
from quota_enforcer.core.notices.amounts import limit_of
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.form.ends import moment_text
from quota_enforcer.core.quotas.form.leads import LONGEST_RAISE, LeadKey
from quota_enforcer.core.quotas.form.shorthand import item_form
from quota_enforcer.core.quotas.precedence import covers
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.quotas.subject import Subject


class LeadWish(NamedTuple):
    """What a lead asks for: whose limit of which name, to what, until when, and why."""

    subject: str
    name: str
    to: str | None
    until: datetime
    note: str | None = None


def bounds(
    deployment: Deployment, subject: str, name: str, now: datetime
) -> dict[str, tuple[Quota, Decimal]]:
    """By team the quota of this name that its leads may raise for somebody, and up to where."""
    principal = Principal.parse(whom(deployment, subject))
    return {
        str(rule.subject): (rule, rule.leads_raise_to)
        for rule in deployment.load(now).rules
        if isinstance(rule, Quota)
        and rule.name == name
        and rule.leads_raise_to is not None
        and rule.stands(now)
        and covers("", rule.members, principal)
    }


def lead_edit(deployment: Deployment, team: str, wish: LeadWish, now: datetime) -> StoredEdit:
    """The edit of the lead's item; raises NotThere or BadParameter with what they may raise."""
    found = bounds(deployment, wish.subject, wish.name, now).get(team)
    who = whom(deployment, wish.subject)
    if found is None:
        raise NotThere(
            f"leads of {team} may raise no quota {wish.name} of {who}: they are no member, or the "
            f"team's quota does not say up to where (an admin: `quota-enforcer quota set {team} "
            f"{wish.name} --leads-raise-to NUMBER`)"
        )
    quota, bound = found
    most = limit_of(bound, quota.measure.words)
    said = {"raise_to": wish.to or "", "measure": quota.measure.value}
    to = item_form(said)["raise_to"]
    if not isinstance(to, Decimal) or not quota.limit < to <= bound:
        raise typer.BadParameter(
            f"{wish.to!r} is no limit that a lead of {team} may set: write one above "
            f"{limit_of(quota.limit, quota.measure.words)} and up to {most}",
            param_hint="TO",
        )
    if wish.until - now > LONGEST_RAISE:
        raise typer.BadParameter(
            f"a lead's raise ends within {LONGEST_RAISE.days} days", param_hint="--until"
        )
    key = LeadKey(Subject(team), wish.name, who)
    old = deployment.quotas.get(key.subject, key.name)
    item = {
        "principal": str(key.subject),
        "quota": key.name,
        "raise_to": to,
        "until": moment_text(wish.until, deployment.settings.zone),
        **({"note": wish.note} if wish.note else {}),
    }
    return checked_edit(deployment, key.subject, old, item)
