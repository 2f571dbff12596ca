"""The decision: quotas x usage x standing x now -> the desired standing and the notices due.

Who is warned, blocked and released is decided here and nowhere else. The sweep, the dry run and
the status table all call it, so what an admin is told is what happens.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from quota_enforcer.core import wording
from quota_enforcer.core.model import EVERY_MODEL
from quota_enforcer.core.notice import Notice, NoticeKind
from quota_enforcer.core.precedence import Applicable
from quota_enforcer.core.principal import Principal, cannot_be_denied
from quota_enforcer.core.quota import Action, Quota
from quota_enforcer.core.standing import Level, Standing, UsedUp, Warned
from quota_enforcer.core.usage import Usage
from quota_enforcer.core.verdict import FULL, Mode, Terms, Verdict, judge

EVERYTHING = frozenset({str(EVERY_MODEL)})


@dataclass(frozen=True, slots=True)
class Decision:
    """The desired standing of a principal, the notices due, and the verdicts it rests on."""

    principal: Principal
    before: Standing
    standing: Standing
    notices: tuple[Notice, ...]
    verdicts: tuple[Verdict, ...]
    denying: tuple[Verdict, ...]
    terms: Terms

    @property
    def blocks(self) -> bool:
        """Whether it closes something that was open."""
        return _closes(self.standing.denied, self.before.denied)

    def without_new_blocks(self) -> "Decision":
        """The same but for what it would newly deny; due at once, so that it is decided again."""
        denying = tuple(each for each in self.denying if each.quota.id in self.before.used_up)
        now, due = self.terms.now, self.before.due
        standing = replace(
            self.standing,
            denied=self.standing.denied & self.before.denied,
            used_up={each.quota.id: self.standing.used_up[each.quota.id] for each in denying},
            until=_last(each.frees_at for each in denying),
            due=due if due is not None and due <= now else now,
        )
        notices = tuple(each for each in self.notices if each.kind is not NoticeKind.BLOCKED)
        return replace(self, standing=standing, notices=notices, denying=denying)

    @property
    def would_block(self) -> bool:
        """Whether a quota that denies is used up; in observe mode nobody is blocked for it."""
        return any(v.used_up and v.quota.action is Action.DENY for v in self.verdicts)


def decide(
    principal: Principal, applicable: Applicable, usage: Usage, before: Standing, terms: Terms
) -> Decision:
    """What should hold for a principal now.

    A warning never swallows the later block, a jump past both gives both, and a reset lifts only
    what its own window denied.
    """
    verdicts = tuple(judge(quota, usage, terms) for quota in applicable.quotas)
    denying = {
        verdict.quota.id: verdict
        for verdict in verdicts
        if verdict.used_up and why_open(verdict.quota, principal, terms) is None
    }
    warned = _still_warned(before.warned, verdicts, terms.now)
    notices: list[Notice] = []
    for verdict in verdicts:
        reached = _reached(verdict, denying)
        told = warned.get(verdict.quota.id)
        if reached and (told is None or told.threshold < reached):
            warned[verdict.quota.id] = Warned(reached, verdict.limit, _window_ends(verdict, terms))
            notices += _warnings(principal, verdict, reached, terms)
    notices += _changes(principal, before, verdicts, denying, terms)
    standing = Standing(
        level=_level(verdicts),
        denied=_scopes(denying.values()),
        used_up={
            id_: UsedUp(verdict.limit, verdict.span.start, verdict.frees_at)
            for id_, verdict in denying.items()
        },
        warned=warned,
        until=_last(verdict.frees_at for verdict in denying.values()),
        reason=wording.reason(verdicts),
        since=terms.now,
        due=min(_turns(applicable, verdicts), default=None),
    )
    return Decision(
        principal,
        before,
        _settled(before, standing),
        tuple(notices),
        verdicts,
        tuple(denying.values()),
        terms,
    )


def block_notices(principal: Principal, verdicts: Iterable[Verdict], terms: Terms) -> list[Notice]:
    """One notice for each quota that closes something."""
    return [
        _notice(NoticeKind.BLOCKED, principal, verdict, terms, reason=wording.used(verdict))
        for verdict in verdicts
    ]


def why_open(quota: Quota, principal: Principal, terms: Terms) -> str | None:
    """Why a used-up quota denies nothing; None where it does. The one branch of observe mode."""
    if quota.action is Action.NOTIFY:
        return "this quota only notifies"
    if terms.mode is Mode.OBSERVE:
        return "observe mode blocks nobody"
    return cannot_be_denied(principal, gated=terms.gated)


def _reached(verdict: Verdict, denying: Mapping[str, Verdict]) -> int:
    """The threshold to warn of; the limit itself is one where no block says it."""
    if verdict.used_up and verdict.quota.id not in denying:
        return FULL
    return verdict.threshold


def _warnings(
    principal: Principal, verdict: Verdict, reached: int, terms: Terms
) -> Iterable[Notice]:
    why = why_open(verdict.quota, principal, terms)
    reason = wording.used(verdict)
    if reached == FULL and why:
        reason = f"{reason}; nothing is blocked, since {why}"
    yield _notice(NoticeKind.WARNING, principal, verdict, terms, reason=reason, percent=reached)
    undeniable = cannot_be_denied(principal, gated=terms.gated)
    if reached == FULL and undeniable is not None and why == undeniable:
        yield _notice(NoticeKind.COULD_NOT_DENY, principal, verdict, terms, reason=undeniable)


def _changes(
    principal: Principal,
    before: Standing,
    verdicts: Iterable[Verdict],
    denying: Mapping[str, Verdict],
    terms: Terms,
) -> list[Notice]:
    """Blocked, restored, or blocked still but by something else."""
    new = [verdict for id_, verdict in denying.items() if id_ not in before.used_up]
    closing = [verdict for verdict in new if _closes(_scopes([verdict]), before.denied)]
    if closing:
        notices = block_notices(principal, closing, terms)
        now_denied = _scopes(denying.values())
        reopened = before.denied - now_denied
        if reopened and not now_denied >= EVERYTHING:
            reason = f"{', '.join(sorted(reopened))} is open again"
            notices.append(_notice(NoticeKind.CHANGED, principal, closing[0], terms, reason=reason))
        return notices
    freed = before.used_up.keys() - denying.keys()
    if before.denied and not denying:
        return [_restored(principal, before, verdicts, terms)]
    if before.denied and (new or freed):
        longest = max(denying.values(), key=_freed_last)
        reason = f"still blocked: {wording.used(longest)}"
        return [_notice(NoticeKind.CHANGED, principal, longest, terms, reason=reason)]
    return []


def _restored(
    principal: Principal, before: Standing, verdicts: Iterable[Verdict], terms: Terms
) -> Notice:
    """One notice for what was lifted last, with the reason: a reset, a raise, or a quota gone."""
    id_, was = max(before.used_up.items(), key=lambda item: (item[1].until is None, item[0]))
    verdict = next((each for each in verdicts if each.quota.id == id_), None)
    if verdict is None:
        name = id_.partition("#")[2]
        reason = "the quota no longer applies"
        return Notice(
            NoticeKind.RESTORED, terms.now, str(principal), name, reason, since=before.since
        )
    why = why_open(verdict.quota, principal, terms)
    if why is not None:
        reason = why
    elif verdict.limit > was.limit:
        reason = f"the limit is now {wording.number(verdict.limit)}"
    elif verdict.span.start > was.window_start:
        reason = "the window has rolled over"
    else:
        reason = "the usage is below the limit again"
    return _notice(NoticeKind.RESTORED, principal, verdict, terms, reason, since=before.since)


def _notice(
    kind: NoticeKind,
    principal: Principal,
    verdict: Verdict,
    terms: Terms,
    reason: str,
    **more: Any,
) -> Notice:
    return Notice(
        kind,
        terms.now,
        str(principal),
        verdict.quota.name,
        reason,
        **{
            "used": verdict.used,
            "limit": verdict.limit,
            "measure": verdict.quota.measure.words,
            "window": str(verdict.quota.window),
            "percent": verdict.percent,
            "whom": verdict.quota.whom,
            "models": ", ".join(map(str, verdict.quota.models)),
            "since": terms.now,
            "until": verdict.frees_at if verdict.used_up else verdict.span.end,
            **more,
        },
    )


def _still_warned(
    before: Mapping[str, Warned], verdicts: Iterable[Verdict], now: datetime
) -> dict[str, Warned]:
    """What need not be said again: the same limit, and the window not over.

    A rolling window never ends, so there the usage must also have been below the threshold.
    """
    current = {verdict.quota.id: verdict for verdict in verdicts}
    return {
        id_: told
        for id_, told in before.items()
        if (verdict := current.get(id_))
        and verdict.limit == told.limit
        and (now < told.until or (verdict.quota.window.rolling and verdict.passed(told.threshold)))
    }


def _window_ends(verdict: Verdict, terms: Terms) -> datetime:
    """Until when a warning is not repeated: a rolling window counts its own length from now."""
    window = verdict.quota.window
    if not window.rolling:
        return verdict.span.end
    return terms.now + window.rolling * timedelta(**{f"{window.unit}s": 1})


def _level(verdicts: Iterable[Verdict]) -> Level:
    levels = {
        Level.OVER if verdict.used_up else Level.WARNED if verdict.threshold else Level.OK
        for verdict in verdicts
    }
    return next((level for level in (Level.OVER, Level.WARNED) if level in levels), Level.OK)


def _scopes(verdicts: Iterable[Verdict]) -> frozenset[str]:
    """The model scopes to deny; every model includes all others and costs one policy slot."""
    scopes = frozenset(str(scope) for verdict in verdicts for scope in verdict.quota.models)
    return EVERYTHING if str(EVERY_MODEL) in scopes else scopes


def _closes(scopes: frozenset[str], denied: frozenset[str]) -> bool:
    """Whether denying these closes something that `denied` leaves open."""
    return bool(scopes - denied) and not denied >= EVERYTHING


def _freed_last(verdict: Verdict) -> tuple[bool, float]:
    """Orders by when a quota frees; what never does comes last."""
    return verdict.frees_at is None, verdict.frees_at.timestamp() if verdict.frees_at else 0


def _last(moments: Iterable[datetime | None]) -> datetime | None:
    """The latest moment, None where one never comes or there is none."""
    known = list(moments)
    return None if None in known else max((m for m in known if m), default=None)


def _turns(applicable: Applicable, verdicts: Iterable[Verdict]) -> Iterable[datetime]:
    """When the decision can change by the clock alone."""
    if applicable.turns_at is not None:
        yield applicable.turns_at
    for verdict in verdicts:
        if verdict.used_up and verdict.frees_at is not None:
            yield verdict.frees_at
        elif verdict.used_up or verdict.threshold:
            yield verdict.span.end


def _settled(before: Standing, after: Standing) -> Standing:
    """The same standing keeps its date and its words, so that nothing is written for nothing."""
    if before.since and (before.level, before.denied, before.used_up.keys()) == (
        after.level,
        after.denied,
        after.used_up.keys(),
    ):
        return replace(after, since=before.since, reason=before.reason)
    return after
