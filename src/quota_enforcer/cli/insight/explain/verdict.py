"""One verdict in facts: the limit, the window, the sum, the thresholds, and the result."""

from collections.abc import Iterator

from quota_enforcer.cli.insight.status.rows import denied_words
from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import Standing
from quota_enforcer.core.notices import wording
from quota_enforcer.core.notices.amounts import bare_limit, dollars, used_units
from quota_enforcer.core.quotas.describe import CLOSES, granted_amount
from quota_enforcer.core.quotas.quota import ENOUGH_DAYS, Action, Quota
from quota_enforcer.core.quotas.stage import AT_LIMIT
from quota_enforcer.core.usage.counts import Number
from quota_enforcer.core.usage.model import EVERY_MODEL
from quota_enforcer.core.usage.place import EVERYWHERE
from quota_enforcer.decide import reasons
from quota_enforcer.decide.verdict import Verdict
from quota_enforcer.insight.explain import Summed
from quota_enforcer.insight.status import CLOSED_EARLY

Fact = tuple[str, str]


def facts(summed: Summed, standing: Standing, context: Context) -> Iterator[Fact]:
    """What the quota says, how much of it is used, and the result."""
    verdict = summed.verdict
    quota = verdict.quota
    yield "Limit", _limit(quota, context)
    if quota.unusual is not None:
        yield "Usual", _usual(verdict)
    if quota.models != (EVERY_MODEL,):
        yield "Models", ", ".join(map(str, quota.models))
    if summed.early or quota.closes:
        yield "Closes", "; ".join(_closing(summed))
    if quota.places != EVERYWHERE:
        closes = f"; it closes {CLOSES}" if quota.action is Action.DENY else ""
        yield "Counts", f"what is used {quota.places}{closes}"
    yield "Window", _window(verdict, context)
    yield "Used", _used(verdict)
    if verdict.counted_from is not None:
        yield "Counted", counted_since(verdict, context)
    if quota.warn_at and verdict.limit and verdict.limit.is_finite():
        yield "Warns at", "; ".join(_warnings(verdict, standing))
    early = summed.acts.verdict.quota.is_early
    yield "Result", _result_of_stage(summed) if early else _result(summed)
    if summed.acts.verdict.closes:
        yield "Opens again", _opens_again(summed.acts.verdict, context)
    elif not quota.window.rolling:
        yield "Resets", wording.moment_ahead(verdict.span.end, context.now, context.zone)


def amount(number: Number, quota: Quota) -> str:
    """How much, without the measure's name."""
    return used_units(number, None, quota.measure.words).removesuffix(f" {quota.measure.words}")


def _limit(quota: Quota, context: Context) -> str:
    """With its raise, while it lasts and afterwards, and its end."""
    words = granted_amount(quota)
    if quota.raise_to is not None and quota.raise_until is not None:
        raised = bare_limit(quota.raise_to, quota.measure.words)
        until = wording.moment(quota.raise_until, context.zone)
        lasts = context.now < quota.raise_until
        words += f"; raised to {raised} {'until' if lasts else 'until it ended'} {until}"
        if quota.raised_by_lead and quota.leads_raise_to is not None:
            most = bare_limit(quota.leads_raise_to, quota.measure.words)
            words += f" by a lead of {quota.subject}, who may raise it to {most}"
    if quota.until is not None:
        words += f"; the quota ends {wording.moment(quota.until, context.zone)}"
    return words


def counted_since(verdict: Verdict, context: Context) -> str:
    """Of a window that reaches back to before anybody counted for it."""
    since = wording.moment(verdict.counted_from, context.zone)
    return f"by the minute since {since} at the latest; what was used before is not in it"


def _usual(verdict: Verdict) -> str:
    """What this hour is held against."""
    usual = verdict.quota.usual
    if not usual.known:
        days = f"{usual.days} days" if usual.days != 1 else "1 day"
        return (
            f"nothing yet: {days} with usage in the last 3 weeks, and it takes {ENOUGH_DAYS}; "
            "until then no hour is unusual"
        )
    limit = bare_limit(verdict.limit, verdict.quota.measure.words)
    return f"this hour is {reasons.beside_the_usual(verdict)}; so its limit is {limit}"


def _window(verdict: Verdict, context: Context) -> str:
    window, span = verdict.quota.window, verdict.span
    start = wording.moment(span.start, context.zone)
    if window.rolling:
        return f"{window}: since {start}"
    return f"{window}: {start} to {wording.moment(span.end, context.zone)}"


def _used(verdict: Verdict) -> str:
    quota = verdict.quota
    words = used_units(verdict.used, verdict.limit, quota.measure.words)
    if verdict.limit.is_finite():
        words += f", {verdict.percent} %"
    if verdict.assumed:
        words += (
            f"; {dollars(verdict.assumed)} of it at assumed prices: {reasons.unpriced(verdict)}"
        )
    return words


def _warnings(verdict: Verdict, standing: Standing) -> Iterator[str]:
    """`80 % (800): passed, told`."""
    told = standing.warned.get(verdict.quota.id)
    for at in verdict.quota.warn_at:
        mark = amount(verdict.limit * at / AT_LIMIT, verdict.quota)
        passed = "passed" if at <= verdict.percent else "not reached"
        if told is not None and told.threshold >= at and told.limit == verdict.limit:
            passed += ", told"
        yield f"{at} % ({mark}): {passed}"


def _closing(summed: Summed) -> Iterator[str]:
    """`anthropic.claude-3-opus* at 80 % ($80.00): reached`, and what is closed at the limit."""
    for each in (*summed.early, summed.judgement):
        verdict = each.verdict
        quota = verdict.quota
        at = "the limit"
        if quota.is_early:
            at = f"{quota.percent} % ({amount(verdict.limit, quota)})"
        reached = "reached" if verdict.used_up else "not reached"
        yield f"{quota.closed_words} at {at}: {'closed early' if verdict.early_since else reached}"


def _result(summed: Summed) -> str:
    """Why it does or does not deny."""
    verdict = summed.verdict
    also = f"; {summed.row.why}" if summed.row.why else ""
    early = f"closed before its limit: {reasons.before_the_limit(verdict)}"
    if summed.judgement.denies and verdict.early_since is not None:
        also = "" if summed.row.why == CLOSED_EARLY else also
        return f"{early}; so it denies {denied_words(verdict.denied)}{also}"
    if summed.judgement.denies:
        return f"used up, so it denies {denied_words(verdict.denied)}{also}"
    if verdict.early_since is not None and summed.judgement.would_deny:
        return f"{early}, but it denies nothing, since {summed.judgement.why}"
    if verdict.used_up:
        return f"used up, but it denies nothing, since {summed.judgement.why}"
    if not verdict.limit.is_finite():
        return f"it denies nothing: there is no limit now{also}"
    left = verdict.limit - verdict.used
    whole = left if verdict.quota.measure.fractional else int(left)
    return f"it denies nothing: {used_units(whole, None, verdict.quota.measure.words)} left{also}"


def _result_of_stage(summed: Summed) -> str:
    """The same while an early stage acts, with what is left until the limit."""
    acts, verdict = summed.acts, summed.verdict
    percent, models = acts.verdict.quota.percent, denied_words(acts.verdict.denied)
    reached = f"{percent} % of the limit is reached"
    if acts.verdict.early_since is not None:
        reached = f"closed before: {reasons.before_the_limit(acts.verdict)}"
    elif not acts.verdict.closes:
        return f"it denies nothing any more: {summed.row.why}"
    words = f"{reached}, so it denies {models}"
    if not acts.denies:
        words = f"{reached}, which would deny {models}, but it denies nothing, since {acts.why}"
    left = verdict.limit - verdict.used
    whole = left if verdict.quota.measure.fractional else int(left)
    return f"{words}; {used_units(whole, None, verdict.quota.measure.words)} left until the limit"


def _opens_again(verdict: Verdict, context: Context) -> str:
    quota = verdict.quota
    if verdict.frees_at is None:
        return "when an admin changes the quota: with a limit of 0 no reset frees it"
    moment = wording.moment_ahead(verdict.frees_at, context.now, context.zone)
    if verdict.frees_at == quota.until:
        return f"{moment}, when the quota ends"
    if quota.window.rolling:
        unit = quota.window.unit
        return (
            f"{moment}, when enough of the oldest {unit}s have left the window, if nothing more "
            "is used"
        )
    return f"{moment}, when the window starts again from zero"
