"""A verdict in a sentence: why somebody is blocked, warned, or not priced."""

from collections.abc import Iterable

from quota_enforcer.core.notices.amounts import dollars, listed, used_units
from quota_enforcer.core.notices.wording import of_pool, period
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
    much = used_units(verdict.used, verdict.limit, quota.measure.words)
    assumed = f", {dollars(verdict.assumed)} of it at assumed prices" if verdict.assumed else ""
    when = f"{period(quota.window)} {quota.places}".rstrip()
    if not quota.pooled:
        return f"{much} used {when}{assumed} ({name})"
    spent = f"the pool of {quota.subject}{' is used up' if verdict.used_up else ''}"
    return f"{spent}: {much} used {when} by all members{assumed} ({name})"


def reason(verdicts: Iterable[Verdict]) -> str:
    """Why a standing is as it is: the quotas that are used up, else those that warn."""
    several = list(verdicts)
    telling = [v for v in several if v.used_up] or [v for v in several if v.threshold]
    return "; ".join(used(verdict) for verdict in telling)
