"""An explanation as data: moments in UTC, money and weighted tokens as exact text."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from quota_enforcer.cli.insight.status.rows import row_document
from quota_enforcer.core.deployment import Context
from quota_enforcer.core.notices.amounts import exact
from quota_enforcer.core.quotas.precedence import Candidate
from quota_enforcer.core.quotas.quota import Exemption, Quota
from quota_enforcer.core.quotas.stage import AT_LIMIT
from quota_enforcer.core.usage.counts import Number
from quota_enforcer.decide import reasons
from quota_enforcer.insight.explain import Explained, Name, Summed


def document(found: Explained, context: Context) -> dict[str, Any]:
    record = found.record
    return {
        "principal": str(record.principal),
        "known": record.version > 0,
        "now": context.now,
        "time_zone": str(context.zone),
        "mode": context.mode,
        "denied": record.standing.denied if not record.trouble else [],
        "since": record.standing.noted_since,
        "until": record.standing.until,
        "could_not": record.trouble or None,
        "names": [_name(name, found) for name in found.names],
        "invalid_items_of_nobody": found.unreadable,
    }


def _name(name: Name, found: Explained) -> dict[str, Any]:
    return {
        "quota": name.name,
        "exempt": name.exempt,
        "rules": [_rule(candidate) for candidate in name.candidates],
        "items_not_in_force": [
            {
                "whom": state.subject,
                "state": state.words,
                "problems": state.problems,
                "instead": state.instead or None,
            }
            for state in name.items
        ],
        "applies": [_summed(summed, found) for summed in name.sums],
    }


def _rule(candidate: Candidate) -> dict[str, Any]:
    return {
        "whom": candidate.rule.subject,
        "nearness": candidate.nearness,
        "fate": candidate.fate,
        "exempt": isinstance(candidate.rule, Exemption),
        "until": candidate.rule.until,
    }


def _summed(summed: Summed, found: Explained) -> dict[str, Any]:
    verdict, acts = summed.verdict, summed.acts.verdict
    quota = verdict.quota
    told = found.standing.warned.get(quota.id)
    return {
        **row_document(summed.row),
        "denies": summed.acts.denies,
        "models": [str(scope) for scope in quota.models],
        "closes": [str(scope) for scope in quota.denies],
        "stages": [
            {
                "percent": each.verdict.quota.percent,
                "amount": _number(each.verdict.limit, quota),
                "closes": [str(scope) for scope in each.verdict.quota.denies],
                "reached": each.verdict.closes,
                "denies": each.denies,
            }
            for each in summed.early
        ],
        "limit_without_raise": _number(quota.limit, quota),
        "raise_to": None if quota.raise_to is None else _number(quota.raise_to, quota),
        "raise_until": quota.raise_until,
        "usual": _usual(quota),
        "counted_from": verdict.counted_from,
        "window_start": verdict.span.start,
        "window_end": verdict.span.end,
        "frees_at": acts.frees_at,
        "closed_early": reasons.before_the_limit(acts) if acts.early_since else None,
        "warns_at": [
            {
                "percent": at,
                "amount": _number(verdict.limit * at / AT_LIMIT, quota),
                "passed": bool(verdict.limit) and at <= verdict.percent,
                "told": told is not None and told.threshold >= at,
            }
            for at in quota.warn_at
        ],
        "bucket": summed.parts.bucket.value,
        "buckets": [
            {"start": part.start, "used": _number(part.number, quota)}
            for part in summed.parts.buckets
        ],
        "by_model": _numbers(summed.parts.models, quota),
        "not_counted": _numbers(summed.parts.elsewhere, quota),
        "by_place": _numbers(summed.parts.places, quota),
        "not_counted_places": _numbers(summed.parts.other_places, quota),
        "by_member": _numbers(summed.members, quota),
    }


def _usual(quota: Quota) -> dict[str, Any] | None:
    """What an hour is held against; None of a quota that does not ask for it."""
    if quota.unusual is None:
        return None
    return {
        "times": exact(quota.unusual),
        "days": quota.usual.days,
        "busiest_hour": _number(quota.usual.busiest, quota),
        "most": _number(quota.usual.most, quota),
    }


def _numbers(several: Mapping[str, Number], quota: Quota) -> dict[str, Any]:
    return {name: _number(number, quota) for name, number in several.items()}


def _number(number: Number, quota: Quota) -> int | str | None:
    """Tokens as a number, money and weighted tokens as exact text; None without a limit."""
    exactly = Decimal(number)
    if not exactly.is_finite():
        return None
    return exact(exactly) if quota.measure.fractional else int(exactly)
