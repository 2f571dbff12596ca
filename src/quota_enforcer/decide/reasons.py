"""A verdict in a sentence: why somebody is blocked, warned, or not priced."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal

from quota_enforcer.core.notices.amounts import dollars, listed, used_units
from quota_enforcer.core.notices.wording import of_pool, period
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.usage.counts import Measure, Number
from quota_enforcer.decide.verdict import Verdict

_SHOWN_MODELS = 3


def unpriced(verdict: Verdict) -> str:
    """`those of MODEL, MODEL and 2 more`."""
    return f"those of {listed(verdict.unpriced, _SHOWN_MODELS)}"


def used(verdict: Verdict) -> str:
    """`1,200 of 1,000 total tokens used today (quota daily of user/*)`, or `$12 of $10.00 ...`.

    Of a pool `the pool of team/research is used up: ... used today by all members (quota daily)`.
    """
    quota = verdict.quota
    name = f"quota {quota.name}" if quota.pooled else f"quota {quota.name} of {quota.subject}"
    if not verdict.limit:
        return f"an admin set the limit{of_pool(quota)} to 0 ({name})"
    much = used_units(verdict.used, verdict.whole_limit, quota.measure.words)
    early = f"; {before_the_limit(verdict)}" if verdict.early_since is not None else ""
    early = f"{_stage(quota)}{early}"
    assumed = f", {dollars(verdict.assumed)} of it at assumed prices" if verdict.assumed else ""
    when = f"{period(quota.window)} {quota.places}".rstrip()
    if not quota.pooled:
        beside = beside_the_usual(verdict)
        return f"{much} used {when}{assumed} ({name}){early}{beside and f'; that is {beside}'}"
    used_up = verdict.used_up and not quota.is_early
    spent = f"the pool of {quota.subject}{' is used up' if used_up else ''}"
    return f"{spent}: {much} used {when} by all members{assumed} ({name}){early}"


def beside_the_usual(verdict: Verdict) -> str:
    """How the hour compares, where a quota asks for it and enough is known; else empty.

    `5.1 times what is usual: in the last 3 weeks the busiest hour of a day came to 410,000 total
    tokens in the median of 14 days, and to 640,000 total tokens at most`.
    """
    usual = verdict.quota.usual
    if verdict.quota.unusual is None or not usual.known:
        return ""
    times = Decimal(verdict.used) / usual.busiest
    median, most = (_rounded(each, verdict) for each in (usual.busiest, usual.most))
    return (
        f"{times.quantize(Decimal('0.1'), ROUND_DOWN)} times what is usual: in the last 3 weeks "
        f"the busiest hour of a day came to {median} in the median of {usual.days} days, and to "
        f"{most} at most"
    )


def _stage(quota: Quota) -> str:
    """What a stage before the limit closes; empty of a whole quota."""
    if not quota.is_early:
        return ""
    return f"; from {quota.percent} % on it closes {quota.closed_words}"


def before_the_limit(verdict: Verdict) -> str:
    """Why a quota closes, or closed, though its limit is not reached.

    `at 2,100 total tokens a second the limit is 11 s away, and a deny takes 17 s to hold`.
    """
    ahead, percent = verdict.ahead, verdict.quota.percent
    goal = f"{percent} % of the limit" if verdict.quota.is_early else "the limit"
    if ahead is None or verdict.sure + ahead.amount < verdict.limit:
        before = goal if verdict.quota.is_early else "its limit"
        return f"it was closed before {before} and stays so until the window ends"
    left = verdict.limit - verdict.used
    kept = f"{_rounded(ahead.amount, verdict)} are kept back"
    if not ahead.pace:
        until = f"until {goal}" if verdict.quota.is_early else "of its limit"
        return f"{until} {_rounded(left, verdict)} are left, and {kept}"
    pace = _rounded(ahead.pace, verdict)
    away, lag = left / ahead.pace, int(ahead.lag.to_integral_value(ROUND_CEILING))
    if away <= lag:
        return f"at {pace} a second {goal} is {int(away)} s away, and a deny takes {lag} s to hold"
    return (
        f"at {pace} a second {goal} is {int(away):,} s away, a deny takes {lag} s to hold, and "
        f"{kept} for calls that come faster or larger than usual"
    )


def _rounded(number: Decimal, verdict: Verdict) -> str:
    return used_units(_whole(number, verdict), None, verdict.quota.measure.words)


def _whole(number: Decimal, verdict: Verdict) -> Number:
    """Tokens are whole; of less than one a second there is no more to say than that."""
    if verdict.quota.measure is Measure.COST_USD:
        return number
    return int(number) if number >= 10 else number.quantize(Decimal("0.1"))  # noqa: PLR2004


def reason(verdicts: Iterable[Verdict]) -> str:
    """Why a standing is as it is: the quotas that are used up, else those that warn."""
    several = list(verdicts)
    closing = furthest(v for v in several if v.closes)
    telling = closing or [v for v in several if v.threshold]
    return "; ".join(used(verdict) for verdict in telling)


def furthest(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Of each quota the last stage among these: what the others say of it is less."""
    last: dict[str, Verdict] = {}
    for each in verdicts:
        known = last.setdefault(each.quota.item_id, each)
        last[each.quota.item_id] = max(known, each, key=lambda one: one.quota.percent)
    return list(last.values())
