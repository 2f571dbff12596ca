"""Verdicts: one quota held against one principal's usage at one moment."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, Self

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import UsedUp
from quota_enforcer.core.quotas.quota import UNLIMITED, Quota
from quota_enforcer.core.quotas.stage import AT_LIMIT, part_of, whole_of
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import NO_MONEY, Counts, Number
from quota_enforcer.core.usage.model import EVERY_MODEL, scopes_of
from quota_enforcer.core.usage.window import Span
from quota_enforcer.decide.pace.ahead import Ahead, ahead_of, closed_since, may_close_early, near_of

if TYPE_CHECKING:
    from quota_enforcer.core.notices.cheaper import Cheaper

NOTHING = Counts()


class Verdict(NamedTuple):
    """One quota, what was used of it, and what is left to say.

    A tuple, as a judgement and a decision are: a sweep makes some of each for every principal.
    """

    quota: Quota
    used: Number
    sure: Number
    """What may deny of it: assumed prices only warn, unless a quota lets them deny.

    Those of models that people make themselves deny in any case.
    """
    limit: Decimal
    span: Span
    frees_at: datetime | None
    """When the clock alone frees a used-up quota; None if it never does.

    A quota that surely is used up is freed as soon as that is no longer sure.
    """
    assumed: Decimal = NO_MONEY
    """The dollars of `used` that are assumed."""
    unpriced: tuple[str, ...] = ()
    """The models whose prices are assumed, in part at least."""
    counts: Counts = NOTHING
    """All that was used, whatever the measure."""
    ahead: Ahead | None = None
    """What will be used before a deny holds, where the quota reckons with that."""
    early_since: datetime | None = None
    """Since when it is closed though its limit is not reached."""
    cheaper: "tuple[Cheaper, ...]" = ()
    """What to use instead, best first, where it closes some models and leaves others."""

    @property
    def whole_limit(self) -> Decimal:
        """The limit of which an early stage is a part."""
        return whole_of(self.limit, self.quota.percent)

    @property
    def whole_percent(self) -> int:
        """How much of the whole limit is used, rounded down; 100 of a limit of 0."""
        return int(self.used * AT_LIMIT // self.whole_limit) if self.limit else AT_LIMIT

    @property
    def counted_from(self) -> datetime | None:
        """Since when usage counts, if that is later than the window's begin: it is no zero before.

        So much is used at least; whoever is over is so for sure.
        """
        since = self.quota.counted_from
        return since if since is not None and since > self.span.start else None

    @property
    def sure_percent(self) -> int:
        """How much of the limit is surely used, rounded down; 0 of a limit of 0."""
        return int(self.sure * AT_LIMIT // self.limit) if self.limit else 0

    @property
    def denied(self) -> frozenset[str]:
        """The model scopes that it denies where it closes."""
        return scopes_of([self.quota.denies])

    @property
    def used_up(self) -> bool:
        """The call that reaches the limit is the last one let through."""
        return self.used >= self.limit

    @property
    def closes(self) -> bool:
        """Whether it is used up, or will be before a deny holds."""
        return self.used_up or self.early_since is not None

    @property
    def surely_closes(self) -> bool:
        """Whether it closes by that part of the usage which may deny."""
        return self.surely_used_up or self.early_since is not None

    @property
    def reached(self) -> Self:
        """This verdict as if the quota never closed before its limit."""
        if self.early_since is None:
            return self
        return self._replace(early_since=None, frees_at=None)

    @property
    def surely_used_up(self) -> bool:
        """Whether the part that may deny reaches the limit; without it nothing is denied."""
        return self.sure >= self.limit

    @property
    def percent(self) -> int:
        """How much of the limit is used, rounded down; 100 of a limit of 0."""
        return int(self.used * AT_LIMIT // self.limit) if self.limit else AT_LIMIT

    @property
    def threshold(self) -> int:
        """The highest warning threshold passed (percent), or 0; a limit of 0 has none."""
        passed = self.percent if self.limit else 0
        return max((at for at in self.quota.warn_at if at <= passed), default=0)

    @property
    def left(self) -> Decimal:
        """What may be added before a threshold or the limit is reached; no end beyond it.

        With assumed prices the limit is reached twice: last when nothing of it is assumed. From
        where on the pace matters is a threshold too.
        """
        goals = goals_of(self.quota, self.limit)
        steps = [goal - self.used for goal in goals if goal > self.used]
        steps += [] if self.surely_used_up else [self.limit - self.sure]
        return min(steps, default=UNLIMITED)


def goals_of(quota: Quota, limit: Decimal) -> list[Decimal]:
    """From which usage on something changes: each warning, the limit, and where pace matters."""
    goals = [part_of(limit, percent) for percent in (*quota.warn_at, AT_LIMIT)]
    return goals + near_of(quota, limit)


def judge(quota: Quota, usage: Usage, context: Context, was: UsedUp | None = None) -> Verdict:
    """Hold one quota against the usage at this moment, in the places that the quota counts.

    `was` is how the quota has denied until now.
    """
    everywhere = usage
    usage = usage.at(quota.places, context.home)
    span = quota.window.span(context.now, context.zone)
    counts = usage.within(span, quota.models)
    limit = quota.limit_at(context.now)
    used = sure = quota.number(counts)
    assumed = quota.assumed(counts)
    unpriced: tuple[str, ...] = ()
    if assumed:
        unpriced = usage.unpriced(span, quota.models)
        usage = usage.denying
        sure = quota.sure(usage.within(span, quota.models))
    frees_at, ahead, early_since = None, None, None
    if quota.avoids_overshoot and may_close_early(used, limit):
        ahead = ahead_of(quota, everywhere, counts, limit, context)
        early_since = closed_since(used, sure, limit, was, ahead.amount, context.now)
        if early_since is not None:
            frees_at = _frees_at(quota, usage, quota.number, Decimal(used), context)
    if used >= limit:
        number = quota.sure if sure >= limit else quota.number
        frees_at = _frees_at(quota, usage, number, limit, context)
    closes = used >= limit or early_since is not None
    cheaper = _cheaper(quota, everywhere, span, context) if closes else ()
    return Verdict(
        quota, used, sure, limit, span, frees_at, assumed, unpriced, counts, ahead, early_since,
        cheaper,
    )  # fmt: skip


def _cheaper(quota: Quota, usage: Usage, span: Span, context: Context) -> "tuple[Cheaper, ...]":
    """By the prices of home's Region; its deny closes everywhere, whatever places it counts."""
    if context.prices is None or EVERY_MODEL in quota.denies:
        return ()
    from quota_enforcer.core.notices.cheaper import cheaper_models  # noqa: PLC0415 - a Lambda starts without it

    used = {model: Counts.total(each.within(span)) for model, each in usage.models.items()}
    region = context.home.region if context.home is not None else None
    called = {model: counts for model, counts in used.items() if counts.requests}
    return cheaper_models(called, quota.denies, context.prices(), region)


def _frees_at(
    quota: Quota, usage: Usage, number: Callable[[Counts], Number], limit: Decimal, context: Context
) -> datetime | None:
    """When a used-up quota frees if nothing more is used: a reset, a bucket's leaving, its own end.

    One that closed early frees as if what is used were its limit.

    A limit of 0 is a block by hand: no reset frees it.
    """
    moments = [] if quota.until is None else [quota.until]
    if limit > 0:
        span = quota.window.span(context.now, context.zone)
        if quota.window.rolling:
            buckets = usage.by_bucket(span, quota.models).values()
            moments.append(_below(quota, list(map(number, buckets)), limit, context))
        else:
            moments.append(span.end)
    return min(moments, default=None)


def _below(quota: Quota, buckets: list[Number], limit: Decimal, context: Context) -> datetime:
    """When enough of the oldest buckets have left a rolling window."""
    remaining = sum(buckets)
    leaving = quota.window.leaving(context.now, context.zone)
    for bucket, moment in zip(buckets, leaving, strict=False):
        remaining -= bucket
        if remaining < limit:
            return moment
    raise AssertionError("an empty window is below any limit above 0")
