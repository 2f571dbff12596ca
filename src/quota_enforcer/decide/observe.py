"""Observed: what observe mode kept from being blocked, from its beginning to its end.

A decision notes which quotas would deny, and since when; once one no longer would, the history gets
what the block would have been. So a week of observing can be told in numbers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Standing
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.decide.judgement import Judgement
from quota_enforcer.decide.notices import restored


@dataclass(frozen=True, slots=True)
class WouldBlock:
    """A block that observe mode kept from happening; `end` is None where it still would last."""

    principal: str
    quota: str
    subject: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Tally:
    """How often and how long one quota would have blocked a principal in some time.

    `since` is since when it would now, None where it would not.
    """

    principal: str
    quota: str
    subject: str
    times: int
    first: datetime
    lasted: timedelta
    since: datetime | None


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
        each.id == id_ and each.verdict.used_up for each in several
    ):
        notice = replace(notice, reason="enforce mode began")
    subject, _, _ = id_.partition("#")
    return replace(notice, kind=NoticeKind.WOULD_HAVE_BLOCKED, whom=subject)


def would_have_been(
    history: Iterable[Notice], standings: Mapping[str, Standing] | None = None
) -> list[WouldBlock]:
    """The blocks that observe mode kept from happening, oldest first.

    They are told by a history and, where they still would last, by the standings of principals.
    """
    past = [
        WouldBlock(each.principal, each.quota, each.whom, each.since or each.at, each.until)
        for each in history
        if each.kind is NoticeKind.WOULD_HAVE_BLOCKED
    ]
    lasting = [
        WouldBlock(principal, id_.partition("#")[2], id_.partition("#")[0], would.since, None)
        for principal, standing in (standings or {}).items()
        for id_, would in standing.would_deny.items()
    ]
    return sorted([*past, *lasting], key=lambda block: (block.start, block.principal, block.quota))


def tally(blocks: Iterable[WouldBlock], first: datetime, now: datetime) -> list[Tally]:
    """How often and how long since `first`, by principal and quota; what began before is cut."""
    grouped: dict[tuple[str, str, str], list[WouldBlock]] = {}
    for block in blocks:
        if block.end is None or block.end > first:
            grouped.setdefault((block.principal, block.quota, block.subject), []).append(block)
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
