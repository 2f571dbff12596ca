"""Denying: which used-up quotas close something, and what."""

from collections.abc import Iterable
from dataclasses import replace

from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.principal import Kind, Principal, cannot_be_denied
from quota_enforcer.core.quotas.quota import Action, Quota
from quota_enforcer.core.usage.model import EVERY_MODEL
from quota_enforcer.decide.reasons import unpriced
from quota_enforcer.decide.verdict import Verdict

EVERYTHING = frozenset({str(EVERY_MODEL)})
"""The scope that includes all others."""


def reason_not_denied(verdict: Verdict, principal: Principal, context: Context) -> str | None:
    """Why a used-up quota denies nothing; None where it does. The one branch of observe mode."""
    if verdict.quota.action is Action.NOTIFY:
        return "this quota only notifies"
    if verdict.used_up and not verdict.surely_used_up:
        return f"only assumed prices reach the limit: {unpriced(verdict)}"
    if context.mode is Mode.OBSERVE:
        return "observe mode blocks nobody"
    return out_of_reach(verdict.quota, principal, context)


def out_of_reach(quota: Quota, principal: Principal, context: Context) -> str | None:
    """Why no deny can reach this principal, of a team any of its members; None where one can."""
    if principal.kind is not Kind.TEAM:
        return cannot_be_denied(principal, gated=context.gated)
    reasons: dict[str, None] = {}
    for member in map(Principal.parse, quota.members):
        why = cannot_be_denied(member, gated=context.gated)
        if why is None:
            return None
        reasons[why] = None
    return f"nobody of the team can be blocked: {'; '.join(reasons)}"


def only_observed(verdict: Verdict, principal: Principal, context: Context) -> bool:
    """Whether nothing but observe mode keeps a used-up quota from denying."""
    if not verdict.used_up or reason_not_denied(verdict, principal, context) is None:
        return False
    return reason_not_denied(verdict, principal, replace(context, mode=Mode.ENFORCE)) is None


def scopes_of(verdicts: Iterable[Verdict]) -> frozenset[str]:
    """The model scopes to deny; every model includes all others and costs one policy slot."""
    scopes = frozenset(str(scope) for verdict in verdicts for scope in verdict.quota.models)
    return EVERYTHING if str(EVERY_MODEL) in scopes else scopes


def adds_denies(scopes: frozenset[str], denied: frozenset[str]) -> bool:
    """Whether denying these closes something that `denied` leaves open."""
    return bool(scopes - denied) and not denied >= EVERYTHING


def in_words(scopes: Iterable[str]) -> str:
    """Model scopes as a notice has them: `*`, or each by name."""
    return ", ".join(sorted(scopes))
