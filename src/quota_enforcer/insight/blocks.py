"""Blocks: the notices of one principal's history as stretches of time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from quota_enforcer.core.notices.notice import HISTORY_ONLY, Notice, NoticeKind
from quota_enforcer.decide.verdict import FULL
from quota_enforcer.insight.report.model import Block, Outcome

OBSERVED = "observe mode blocks nobody"
"""How a warning at the limit says that only observe mode kept the principal open."""
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
"""What is no block and no warning, but which whoever reads the report should know."""


@dataclass(frozen=True, slots=True)
class Now:
    """The report's time from `first` to `now`, and how one principal stands at its end.

    `denied` says whether it is denied something, `over` names the quotas that are used up, and
    `deniable` says whether a deny can reach it at all. What has ended without a notice has ended at
    the latest when the clock freed it.
    """

    first: datetime
    now: datetime
    denied: bool
    over: frozenset[str]
    deniable: bool


def blocks_of(history: Iterable[Notice], at_last: Now) -> tuple[Block, ...]:
    """The stretches that reach into the report's time, oldest first."""
    told = sorted((e for e in history if e.at <= at_last.now), key=lambda notice: notice.at)
    found = [*_enforced(told, at_last), *_open(told, at_last)]
    found.sort(key=lambda block: (block.start, block.quotas))
    return tuple(block for block in found if block.end is None or block.end > at_last.first)


def _enforced(told: Iterable[Notice], at_last: Now) -> Iterator[Block]:
    """From blocked to restored, whatever else was used up in between."""
    lasting: Block | None = None
    for notice in told:
        if notice.kind is NoticeKind.BLOCKED:
            begun = _begun(notice, Outcome.BLOCKED)
            lasting = begun if lasting is None else _joined(lasting, begun)
        elif lasting is not None and notice.kind is NoticeKind.CHANGED:
            lasting = _joined(lasting, _begun(notice, Outcome.BLOCKED))
        elif lasting is not None and notice.kind is NoticeKind.RESTORED:
            yield replace(lasting, end=notice.at, ended=notice.reason)
            lasting = None
    if lasting is not None:
        yield lasting if at_last.denied else _cut(lasting, at_last.now)


def _open(told: Iterable[Notice], at_last: Now) -> Iterator[Block]:
    """What only observe mode or IAM's limits kept open: until the clock would have freed it.

    What overlaps is one stretch, as one deny closes what several quotas ask for.
    """
    lasting: dict[Outcome, Block] = {}
    for notice in told:
        if notice.kind is NoticeKind.BLOCKED:
            yield from (_cut(block, notice.at) for block in lasting.values())
            lasting.clear()
        outcome = _outcome(notice, at_last)
        if outcome is None:
            continue
        begun = _begun(notice, outcome)
        before = lasting.pop(outcome, None)
        if before is not None and (before.until is None or before.until > notice.at):
            begun = _joined(before, begun)
        elif before is not None:
            yield _cut(before, notice.at)
        lasting[outcome] = begun
    for block in lasting.values():
        lasts = block.until is None or block.until > at_last.now
        still = lasts and not at_last.over.isdisjoint(block.quotas)
        yield block if still else _cut(block, at_last.now)


def _outcome(notice: Notice, at_last: Now) -> Outcome | None:
    """What is told twice, as a warning and as a deny that could not be, counts as the latter."""
    if notice.kind is NoticeKind.COULD_NOT_DENY:
        return Outcome.COULD_NOT_BE
    at_limit = notice.kind is NoticeKind.WARNING and notice.percent >= FULL
    if at_limit and notice.reason.endswith(OBSERVED):
        return Outcome.WOULD_HAVE_BEEN if at_last.deniable else Outcome.COULD_NOT_BE
    return None


def _begun(notice: Notice, outcome: Outcome) -> Block:
    quotas = (notice.quota,)
    why = notice.reason.removesuffix(f"; it blocks nothing, since {OBSERVED}")
    return Block(notice.principal, outcome, quotas, notice.at, None, notice.until, why)


def _joined(lasting: Block, later: Block) -> Block:
    """One stretch, for all of their quotas, until the last of them is freed."""
    untils = (lasting.until, later.until)
    return replace(
        lasting,
        quotas=tuple(dict.fromkeys((*lasting.quotas, *later.quotas))),
        until=None if None in untils else max(each for each in untils if each),
    )


def _cut(block: Block, latest: datetime) -> Block:
    """With its end: when the clock freed it, but no later than this."""
    return replace(block, end=latest if block.until is None else min(block.until, latest))
