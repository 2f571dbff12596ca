"""Temporary exemptions: quota items with an end that let a principal go on at once."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.files.by_hand import BLOCK
from quota_enforcer.cli.quotas.edit import checked_rule, stored_item
from quota_enforcer.cli.quotas.raising import NO_LIMIT, Raise, raised
from quota_enforcer.cli.terminal.principals import members_of
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.principal import Kind, Principal, why_not_deniable
from quota_enforcer.core.quotas.diff import AUTHOR
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.quotas.quota import Action
from quota_enforcer.decide.evaluate import decide_for_one
from quota_enforcer.decide.reasons import furthest
from quota_enforcer.decide.rules.rule_set import RuleSet
from quota_enforcer.decide.verdict import Verdict
from quota_enforcer.enforce.ports.ledger import Ledger

NOTE = "released with quota-enforcer"


def blocking(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The quotas that block, or would; of what closes in stages the whole, freed as its stage is.

    An exemption is from all of it.
    """
    several = list(verdicts)
    whole = {each.quota.id: each for each in several}
    closing = (v for v in several if v.surely_closes and v.quota.action is Action.DENY)
    return [
        whole[each.quota.item_id]._replace(frees_at=each.frees_at) for each in furthest(closing)
    ]


def lasts_until(verdict: Verdict) -> datetime:
    """When an exemption ends: with the present window.

    Of a rolling window, when the clock would free the principal anyway. A block by hand spans every
    window, so an exemption from it ends with the block, if the block has an end.
    """
    by_the_clock = verdict.quota.window.rolling or not verdict.limit
    if by_the_clock and verdict.frees_at is not None:
        return verdict.frees_at
    return verdict.span.end


def ends_own_block(principal: Principal, verdict: Verdict, until: datetime | None) -> bool:
    """Whether to remove the block by hand: it is the principal's own, and would not hold again."""
    quota = verdict.quota
    if quota.name != BLOCK or quota.subject != str(principal):
        return False
    return until is None or (quota.until is not None and quota.until <= until)


def exemption(
    principal: Principal, verdict: Verdict, stored: Item | None, until: datetime, zone: ZoneInfo
) -> dict[str, Any]:
    """The principal's own item of this quota name, without a limit until then.

    Whatever else the stored item says is kept, and holds again afterwards.
    """
    return raised(str(principal), verdict.quota, stored, Raise(NO_LIMIT, until, NOTE), zone)


def blocking_of_team(
    loaded: RuleSet, team: Principal, ledger: Ledger, context: Context
) -> list[Verdict]:
    """The quotas of the team itself that block a member, or would: each as it lasts longest."""
    everybody = [team, *members_of(loaded.rules, str(team))]
    found: dict[str, Verdict] = {}
    for record in ledger.records(everybody).values():
        for verdict in blocking(decide_for_one(record, loaded.book, ledger, context).verdicts):
            quota = verdict.quota
            if quota.subject == str(team):
                before = found.setdefault(quota.id, verdict)
                found[quota.id] = max(before, verdict, key=lasts_until)
    return list(found.values())


def why_nothing(record: Record, verdicts: list[Verdict], context: Context) -> str:
    """Why there is nothing to release; empty if there is."""
    if record.standing.denied and not record.trouble:
        return ""
    team = record.principal.kind is Kind.TEAM
    if not verdicts:
        return "none of its quotas blocks anybody" if team else "it is not blocked"
    if context.mode is Mode.OBSERVE:
        return "it is not blocked: in observe mode nobody is"
    if team:
        return ""
    undeniable = why_not_deniable(record.principal, gated=context.gated, reached=context.reached)
    return f"it is not blocked: {undeniable}" if undeniable else ""


def lift(
    deployment: Deployment, who: Principal, verdict: Verdict, until: datetime | None, author: str
) -> datetime | None:
    """Write or remove the item that lifts one block; returns its end, None if it is removed.

    Without an `author` nothing is written.
    """
    key, item = stored_item(deployment, str(who), verdict.quota.name)
    if ends_own_block(who, verdict, until):
        if author:
            deployment.remove(key, verdict.quota.name, item)
        return None
    ends = until or lasts_until(verdict)
    new = exemption(who, verdict, item, ends, deployment.settings.zone)
    checked_rule(deployment, new)
    if author:
        deployment.quotas.put({**new, AUTHOR: author}, item)
    return ends
