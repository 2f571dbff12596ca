"""Pardons: the quota item that lets a principal go on in spite of a quota that is used up."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from quota_enforcer.cli.quotas.by_hand import BLOCK, NO_LIMIT, Raise, raised
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.diff import AUTHOR
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.quotas.quota import Action
from quota_enforcer.decide.verdict import Verdict

NOTE = "released with quota-enforcer"


def to_pardon(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The quotas that block, or would."""
    return [v for v in verdicts if v.surely_used_up and v.quota.action is Action.DENY]


def lasts_until(verdict: Verdict) -> datetime:
    """The end of the present window; of a rolling one, when the clock would free it anyway.

    A block by hand lasts on over every window, and so does its pardon where the block has an end.
    """
    by_the_clock = verdict.quota.window.rolling or not verdict.limit
    if by_the_clock and verdict.frees_at is not None:
        return verdict.frees_at
    return verdict.span.end


def ends_block(principal: Principal, verdict: Verdict, until: datetime | None) -> bool:
    """Whether to pardon somebody is to end their own block by hand: it would not hold again."""
    quota = verdict.quota
    if quota.name != BLOCK or quota.subject != str(principal):
        return False
    return until is None or (quota.until is not None and quota.until <= until)


def pardon(
    principal: Principal, verdict: Verdict, stored: Item | None, until: datetime, zone: ZoneInfo
) -> dict[str, Any]:
    """The principal's own item of this quota name, as it must stand to be let through.

    Its own quota is raised without limit; against any other rule it is exempt. Whatever else the
    stored item says is kept, and holds again afterwards.
    """
    return raised(str(principal), verdict.quota, stored, Raise(NO_LIMIT, until, NOTE), zone)


def signed(item: Item, author: str) -> dict[str, Any]:
    """The item with who wrote it."""
    return {**item, AUTHOR: author}
