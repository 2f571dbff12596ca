"""Blocks that observe mode kept from happening, out of what sweeps noted.

A decision notes the first moment of each, and at its end the history gets it whole: no other notice
is asked.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from quota_enforcer.core.ledger import Standing, WouldDeny
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.quotas.stage import AT_LIMIT
from quota_enforcer.core.quotas.subject import QuotaId, Subject


@dataclass(frozen=True, slots=True)
class WouldBlock:
    """A block that observe mode kept from happening.

    `end` is None while it would still last, `until` is when the clock frees the quota then, and
    `ended` says why it no longer would.
    """

    principal: str
    quota: str
    subject: str
    start: datetime
    end: datetime | None
    until: datetime | None = None
    ended: str = ""
    stage: int = 0
    """Of an early stage: from which part of the limit on it closes, in percent."""

    @property
    def label(self) -> str:
        """`monthly`, or `monthly at 80 %`."""
        return QuotaId(Subject(self.subject), self.quota, self.stage or AT_LIMIT).label


@dataclass(frozen=True, slots=True)
class Tally:
    """How often and how long one quota, or a stage of one, would have blocked a principal.

    `since` is the start of a block that would still last, None if there is no such block.
    """

    principal: str
    quota: str
    subject: str
    times: int
    first: datetime
    lasted: timedelta
    since: datetime | None


def would_have_been(
    history: Iterable[Notice], standings: Mapping[str, Standing] | None = None
) -> list[WouldBlock]:
    """The blocks that observe mode kept from happening, oldest first.

    The history has those that ended, and the standings of principals those that would still last.
    """
    past = [
        WouldBlock(
            each.principal,
            each.quota,
            each.whom,
            each.since or each.at,
            each.until,
            each.until,
            each.reason,
            each.stage,
        )
        for each in history
        if each.kind is NoticeKind.WOULD_HAVE_BLOCKED
    ]
    lasting = [
        each
        for principal, standing in (standings or {}).items()
        for each in _would_last(principal, standing.would_deny)
    ]
    return sorted([*past, *lasting], key=lambda block: (block.start, block.principal, block.quota))


def _would_last(principal: str, would_deny: Mapping[str, WouldDeny]) -> Iterator[WouldBlock]:
    for id_, would in would_deny.items():
        quota = QuotaId.parse(id_)
        yield WouldBlock(
            principal,
            quota.name,
            quota.subject,
            would.since,
            None,
            would.used_up.until,
            stage=quota.percent % AT_LIMIT,
        )


def tally(blocks: Iterable[WouldBlock], first: datetime, now: datetime) -> list[Tally]:
    """How often and how long since `first`, by principal and quota; what began before is cut."""
    grouped: dict[tuple[str, str, str], list[WouldBlock]] = {}
    for block in blocks:
        if block.end is None or block.end > first:
            grouped.setdefault((block.principal, block.label, block.subject), []).append(block)
    return [
        Tally(
            *key,
            times=len(several),
            first=min(each.start for each in several),
            lasted=sum(
                ((each.end or now) - max(each.start, first) for each in several), timedelta(0)
            ),
            since=next((each.start for each in several if each.end is None), None),
        )
        for key, several in sorted(grouped.items())
    ]
