"""Blocked: one principal's history and standing as stretches of time in which it was blocked."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from quota_enforcer.core.ledger import Standing, WouldDeny
from quota_enforcer.core.notices.notice import HISTORY_ONLY, Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.stage import AT_LIMIT
from quota_enforcer.decide.judgement import OBSERVING
from quota_enforcer.decide.notices import IN_VAIN
from quota_enforcer.insight.quotas.blocks import WouldBlock, would_have_been

TOLD_TO_ADMINS = (
    frozenset(NoticeKind)
    - HISTORY_ONLY
    - {
        NoticeKind.WARNING,
        NoticeKind.BLOCKED,
        NoticeKind.CHANGED,
        NoticeKind.RESTORED,
        NoticeKind.COULD_NOT_DENY,
    }
)
"""Notices that are neither block nor warning, which a reader of the report should know."""


class BlockOutcome(StrEnum):
    """What happened when a quota was used up."""

    BLOCKED = "blocked"
    WOULD_HAVE_BEEN = "would have been blocked"
    COULD_NOT_BE = "could not be blocked"


@dataclass(frozen=True, slots=True)
class BlockedPeriod:
    """From when to when somebody was blocked, or would have been; `end` None: it still lasts.

    `quotas` are the names of those used up, `until` is when the clock frees the last of them, `why`
    is what began it, and `ended` what a notice said of its end.
    """

    principal: str
    outcome: BlockOutcome
    quotas: tuple[str, ...]
    start: datetime
    end: datetime | None
    until: datetime | None
    why: str
    ended: str = ""

    def lasted(self, first: datetime, now: datetime) -> timedelta:
        """How long it lasted within the report's days."""
        return max((self.end or now) - max(self.start, first), timedelta(0))


@dataclass(frozen=True, slots=True)
class Now:
    """The report's time from `first` to `now`, and how one principal stands at its end.

    `denied` says whether it is denied something, `over` names the quotas that are used up,
    `deniable` says whether a deny can reach it at all, and `would_deny` are the quotas, by id, that
    only observe mode keeps from denying.
    """

    first: datetime
    now: datetime
    denied: bool
    over: frozenset[str]
    deniable: bool
    would_deny: Mapping[str, WouldDeny] = field(default_factory=dict)


def blocks_of(
    principal: Principal, history: Iterable[Notice], at_last: Now
) -> tuple[BlockedPeriod, ...]:
    """The stretches that reach into the report's time, oldest first."""
    told = sorted((e for e in history if e.at <= at_last.now), key=lambda notice: notice.at)
    found = [
        *_enforced(told, at_last),
        *_observed(principal, told, at_last),
        *_in_vain(told, at_last),
    ]
    found.sort(key=lambda block: (block.start, block.quotas))
    return tuple(block for block in found if block.end is None or block.end > at_last.first)


def _enforced(told: Iterable[Notice], at_last: Now) -> Iterator[BlockedPeriod]:
    """From blocked to restored, whatever else was used up in between.

    A block that ended without a notice ended at the latest when the clock freed it.
    """
    lasting: BlockedPeriod | None = None
    for notice in told:
        if notice.kind is NoticeKind.BLOCKED:
            begun = _begun(notice, BlockOutcome.BLOCKED)
            lasting = begun if lasting is None else _joined(lasting, begun)
        elif lasting is not None and notice.kind is NoticeKind.CHANGED:
            lasting = _joined(lasting, _begun(notice, BlockOutcome.BLOCKED))
        elif lasting is not None and notice.kind is NoticeKind.RESTORED:
            yield replace(lasting, end=notice.at, ended=notice.reason)
            lasting = None
    if lasting is not None:
        yield lasting if at_last.denied else _cut(lasting, at_last.now)


def _observed(principal: Principal, told: list[Notice], at_last: Now) -> Iterator[BlockedPeriod]:
    """What observe mode kept open; what overlaps is one stretch, as one deny would be."""
    whole: BlockedPeriod | None = None
    lasting = Standing(would_deny=at_last.would_deny)
    for each in would_have_been(told, {str(principal): lasting}):
        begun = BlockedPeriod(
            each.principal,
            BlockOutcome.WOULD_HAVE_BEEN,
            (each.quota,),
            each.start,
            each.end,
            each.until,
            _why(each, told),
            each.ended,
        )
        if whole is not None and (whole.end is None or each.start < whole.end):
            ends = (whole.end, each.end)
            last = whole if whole.end is None or (each.end and each.end <= whole.end) else begun
            whole = replace(
                _joined(whole, begun),
                end=None if None in ends else max(end for end in ends if end),
                ended=last.ended,
            )
            continue
        if whole is not None:
            yield whole
        whole = begun
    if whole is not None:
        yield whole


def _why(block: WouldBlock, told: Iterable[Notice]) -> str:
    """The words of the warning at its start; a rolling window is warned of once in its length."""
    for notice in told:
        of_quota = (notice.label, notice.whom) == (block.label, block.subject)
        if of_quota and notice.at == block.start and _is_at_limit(notice):
            return _bare(notice)
    return f"quota {block.quota} of {block.subject} was used up"


def _in_vain(told: Iterable[Notice], at_last: Now) -> Iterator[BlockedPeriod]:
    """What should have been denied and could not be: until the clock would have freed it."""
    lasting: BlockedPeriod | None = None
    for notice in told:
        if notice.kind is NoticeKind.BLOCKED and lasting is not None:
            yield _cut(lasting, notice.at)
            lasting = None
        if not _could_not(notice, at_last):
            continue
        begun = _begun(notice, BlockOutcome.COULD_NOT_BE)
        if lasting is not None and (lasting.until is None or lasting.until > notice.at):
            begun = _joined(lasting, begun)
        elif lasting is not None:
            yield _cut(lasting, notice.at)
        lasting = begun
    if lasting is not None:
        lasts = lasting.until is None or lasting.until > at_last.now
        still = lasts and not at_last.over.isdisjoint(lasting.quotas)
        yield lasting if still else _cut(lasting, at_last.now)


def _could_not(notice: Notice, at_last: Now) -> bool:
    """If no deny reaches a principal, observe mode says so in the warning alone."""
    if notice.kind is NoticeKind.COULD_NOT_DENY:
        return True
    observed = _is_at_limit(notice) and notice.reason.endswith(OBSERVING)
    return observed and not at_last.deniable


def _is_at_limit(notice: Notice) -> bool:
    return notice.kind is NoticeKind.WARNING and notice.percent >= AT_LIMIT


def _bare(notice: Notice) -> str:
    """The reason without the part that says why nothing was blocked."""
    return notice.reason.removesuffix(f"{IN_VAIN}{OBSERVING}")


def _begun(notice: Notice, outcome: BlockOutcome) -> BlockedPeriod:
    quotas = (notice.quota, *filter(None, notice.others.split(", ")))
    why = _bare(notice)
    return BlockedPeriod(notice.principal, outcome, quotas, notice.at, None, notice.until, why)


def _joined(lasting: BlockedPeriod, later: BlockedPeriod) -> BlockedPeriod:
    """One stretch, for all of their quotas, until the last of them is freed."""
    untils = (lasting.until, later.until)
    return replace(
        lasting,
        quotas=tuple(dict.fromkeys((*lasting.quotas, *later.quotas))),
        until=None if None in untils else max(each for each in untils if each),
    )


def _cut(block: BlockedPeriod, latest: datetime) -> BlockedPeriod:
    """The block with its end: when the window freed it, but no later than `latest`."""
    return replace(block, end=latest if block.until is None else min(block.until, latest))
