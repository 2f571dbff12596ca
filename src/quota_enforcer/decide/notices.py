"""The notices that a decision gives rise to, and what observe mode kept from being blocked.

A decision notes which quotas would deny, and since when; once one no longer would, the history gets
what the block would have been. So a week of observing can be told in numbers.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Standing, UsedUp, Warned
from quota_enforcer.core.notices import wording
from quota_enforcer.core.notices.amounts import bare_limit, dollars
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.quotas.stage import AT_LIMIT
from quota_enforcer.core.quotas.subject import QuotaId
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.model import EVERYTHING, ModelScope, adds_denies, in_words, scopes_of
from quota_enforcer.decide import reasons
from quota_enforcer.decide.judgement import OBSERVING, Effect, Judgement
from quota_enforcer.decide.pace.window import runs_out, telling_pace
from quota_enforcer.decide.standing import draws_on_pool
from quota_enforcer.decide.verdict import Verdict

IN_VAIN = "; it blocks nothing, since "
"""Between what is used up and why nothing is blocked for it."""


def block_notice(
    principal: Principal, closing: Iterable[Verdict], denying: Iterable[Verdict], context: Context
) -> Notice:
    """One notice for all quotas that close something from now on, of the one that is freed last.

    `denying` are all that close anything.
    """
    closed = scopes_of(each.quota.denies for each in denying)
    longest, *others = sorted(reasons.furthest(closing), key=_freed_last, reverse=True)
    return _notice(
        NoticeKind.BLOCKED,
        principal,
        longest,
        context,
        reason="; ".join(map(reasons.used, (longest, *others))),
        others=", ".join(each.quota.name for each in others),
        closed=in_words(closed),
        cheaper=_instead(longest, closed),
    )


def _instead(verdict: Verdict, closed: frozenset[str]) -> str:
    """Which model to use for what is closed, with what its calls would have come to."""
    scopes = [ModelScope(each) for each in closed]
    for each in verdict.cheaper:
        if not any(scope.covers(each.model) for scope in scopes):
            return (
                f"{each.model}: what was called of {verdict.quota.closed_words} for "
                f"{dollars(each.instead_of)} comes to {dollars(each.cost)} there"
            )
    return ""


def warnings(
    principal: Principal,
    before: Standing,
    standing: Standing,
    judgements: Iterable[Judgement],
    context: Context,
    used_by: Callable[[Quota], Usage],
) -> Iterator[Notice]:
    """What is newly warned of; the limit itself with why nothing is blocked for it, to admins too.

    Of a pool the team is warned, once, and not each of its members. What blocks is not warned of in
    the same moment. `used_by` gives the usage that a quota counts.
    """
    for each, said in _newly_warned(before, standing, list(judgements)):
        reason, why = reasons.used(each.verdict), _why(each, context)
        at_limit = said.threshold == AT_LIMIT and bool(why)
        if at_limit:
            reason = f"{reason}{IN_VAIN}{why}"
        if not draws_on_pool(principal, each.verdict.quota):
            yield _notice(
                NoticeKind.WARNING, principal, each.verdict, context, reason,
                percent=said.threshold, closed=in_words(standing.denied),
                runs_out=_runs_out(each.verdict, used_by(each.verdict.quota), context),
            )  # fmt: skip
        if at_limit and each.effect is Effect.UNREACHABLE and context.mode is Mode.ENFORCE:
            yield _notice(NoticeKind.COULD_NOT_DENY, principal, each.verdict, context, each.why)


def _newly_warned(
    before: Standing, standing: Standing, judgements: Sequence[Judgement]
) -> Iterator[tuple[Judgement, Warned]]:
    """What is said in this moment; of what closes in stages once, by the furthest stage.

    A threshold below a stage that denies says nothing more, nor does any as one begins to deny.
    """
    news = [
        (each, said)
        for each in judgements
        for said in [standing.warned.get(each.id)]
        if said is not None and said != before.warned.get(each.id) and not each.denies
    ]
    last = reasons.furthest(each.verdict for each, _ in news if each.verdict.used_up)
    told = {each.quota.item_id: AT_LIMIT for each in last}
    for each in judgements:
        if each.denies:
            item, is_new = each.verdict.quota.item_id, each.id not in before.used_up
            told[item] = max(told.get(item, 0), AT_LIMIT if is_new else each.verdict.quota.percent)
    for each, said in news:
        if each.verdict.used_up:
            if each.verdict in last:
                yield each, said
        elif said.threshold > told.get(each.verdict.quota.item_id, 0):
            yield each, said


def changes(
    principal: Principal, before: Standing, judgements: Sequence[Judgement], context: Context
) -> list[Notice]:
    """Blocked, restored, or blocked still but by something else."""
    denying = {each.id: each.verdict for each in judgements if each.denies}
    new = [verdict for id_, verdict in denying.items() if id_ not in before.used_up]
    closing = [verdict for verdict in new if adds_denies(verdict.denied, before.denied)]
    now_denied = scopes_of(each.quota.denies for each in denying.values())
    closed = in_words(now_denied)
    if closing:
        notice = block_notice(principal, closing, denying.values(), context)
        reopened = before.denied - now_denied
        if reopened and not now_denied >= EVERYTHING:
            reason = f"{notice.reason}; {', '.join(sorted(reopened))} is open again"
            notice = replace(notice, reason=reason)
        return [notice]
    freed = before.used_up.keys() - denying.keys()
    if before.denied and not denying:
        return [restored(principal, before, judgements, context)]
    if before.denied and (new or freed or now_denied != before.denied):
        longest = max(reasons.furthest(denying.values()), key=_freed_last)
        reason = f"still blocked: {reasons.used(longest)}"
        return [
            _notice(
                NoticeKind.CHANGED, principal, longest, context, reason,
                closed=closed, since=before.blocked_since, cheaper=_instead(longest, now_denied),
            )
        ]  # fmt: skip
    return []


def restored(
    principal: Principal, before: Standing, judgements: Iterable[Judgement], context: Context
) -> Notice:
    """One notice for what was lifted last, with the reason: a reset, a raise, or a quota gone."""
    lifted = sorted(before.used_up, key=lambda id_: (before.used_up[id_].until is None, id_))
    id_ = lifted[-1] if lifted else ""
    quota, by_id = QuotaId.parse(id_), {each.id: each for each in judgements}
    judgement = by_id.get(id_) or by_id.get(quota.item)
    if judgement is None:
        return Notice(
            NoticeKind.RESTORED,
            context.now,
            str(principal),
            quota.name,
            "the quota no longer applies",
            since=before.blocked_since,
        )
    reason = _why(judgement, context) or _freed(before.used_up[id_], judgement.verdict)
    if judgement.id != id_:
        reason = f"it closes nothing at {quota.percent} % of its limit any more"
    return _notice(
        NoticeKind.RESTORED,
        principal,
        judgement.verdict,
        context,
        reason,
        since=before.blocked_since,
    )


def ended(
    principal: Principal, before: Standing, judgements: Iterable[Judgement], context: Context
) -> list[Notice]:
    """For the history: what would have been blocked until now, with why it no longer would."""
    several = list(judgements)
    still = {each.id for each in several if each.would_deny}
    notices = []
    for id_, was in before.would_deny.items():
        if id_ not in still:
            notice = _lifted(
                principal, replace(before, used_up={id_: was.used_up}), several, context
            )
            freed = was.used_up.until or context.now
            notices.append(replace(notice, since=was.since, until=min(context.now, freed)))
    return notices


def _lifted(
    principal: Principal, before: Standing, judgements: Iterable[Judgement], context: Context
) -> Notice:
    """As enforce mode would say that the block of the one quota of `before` is lifted."""
    several = [each.in_enforce_mode for each in judgements]
    notice = restored(principal, before, several, replace(context, mode=Mode.ENFORCE))
    [id_] = before.used_up
    if context.mode is Mode.ENFORCE and any(
        each.id == id_ and each.verdict.closes for each in several
    ):
        notice = replace(notice, reason="enforce mode began")
    subject = QuotaId.parse(id_).subject
    return replace(notice, kind=NoticeKind.WOULD_HAVE_BLOCKED, whom=subject)


def _why(judgement: Judgement, context: Context) -> str:
    """Why a quota denies nothing; that the mode is observe comes before that no deny reaches."""
    unreachable = judgement.effect is Effect.UNREACHABLE
    return OBSERVING if unreachable and context.mode is Mode.OBSERVE else judgement.why


def _runs_out(verdict: Verdict, usage: Usage, context: Context) -> datetime | None:
    """When the quota is used up at its pace so far; a fixed window that lasts gives its end."""
    pace = telling_pace(verdict, usage, context)
    if verdict.closes or not pace:
        return None
    lasts_until = None if verdict.quota.window.rolling else verdict.span.end
    return runs_out(verdict, usage, context, pace) or lasts_until


def _freed(was: UsedUp, verdict: Verdict) -> str:
    """Why a quota that denied is used up no more."""
    of_its_hour = verdict.quota.unusual is not None and verdict.span.start > was.window_start
    if verdict.limit > was.limit and not of_its_hour:
        limit = bare_limit(verdict.whole_limit, verdict.quota.measure.words)
        if not verdict.limit.is_finite():
            return f"there is no limit{wording.of_pool(verdict.quota)} now"
        return f"the limit{wording.of_pool(verdict.quota)} is now {limit}"
    if verdict.span.start > was.window_start:
        return "the window has rolled over"
    if was.early_since is not None:
        avoids = verdict.quota.avoids_overshoot
        why = "its pace has fallen" if avoids else "it no longer stops before its limit"
        return f"{why}, and what was left of the limit can be used"
    return "the usage is below the limit again"


def _notice(
    kind: NoticeKind,
    principal: Principal,
    verdict: Verdict,
    context: Context,
    reason: str,
    **more: Any,
) -> Notice:
    return Notice(
        kind,
        context.now,
        str(principal),
        verdict.quota.name,
        reason,
        **{
            "used": verdict.used,
            "limit": verdict.whole_limit,
            "measure": verdict.quota.measure.words,
            "window": str(verdict.quota.window),
            "percent": verdict.whole_percent,
            "stage": verdict.quota.percent if verdict.quota.is_early else 0,
            "whom": verdict.quota.subject,
            "pool": verdict.quota.subject if verdict.quota.pooled else "",
            "models": ", ".join(map(str, verdict.quota.models)),
            "since": context.now,
            "until": verdict.frees_at if verdict.closes else verdict.span.end,
            **more,
        },
    )


def _freed_last(verdict: Verdict) -> tuple[bool, float]:
    """Orders by when a quota frees; what never does comes last."""
    return verdict.frees_at is None, verdict.frees_at.timestamp() if verdict.frees_at else 0
