"""One principal's quotas and usage, read and decided; sweeps and the status table share it.

What a pool's members used together is read once for everybody who shares it.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from threading import Lock
from typing import NamedTuple

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.usage.buckets import Usage, pooled
from quota_enforcer.core.usage.looks.headroom import (
    Headroom,
    Measured,
    WindowSum,
    counting,
    fingerprint,
)
from quota_enforcer.core.usage.pace import CallPace, counted_from
from quota_enforcer.core.usage.reads import NO_PACES, PaceReads, UsageReads
from quota_enforcer.core.usage.window import day_start, local_date
from quota_enforcer.decide.decision import Decision, decide
from quota_enforcer.decide.pace.ahead import may_close_early
from quota_enforcer.decide.pace.usual import UsualHoursRead, UsualReads, with_usual
from quota_enforcer.decide.verdict import Verdict, goals_of

READERS = 8
"""Members read side by side: reading waits for the network, not for the processor."""


class Pools:
    """The pools of one moment; each is read when first asked for, by whichever thread that is."""

    def __init__(
        self,
        book: QuotaBook,
        ledger: UsageReads,
        context: Context,
        paces: PaceReads = NO_PACES,
        usuals: UsualReads | None = None,
    ) -> None:
        self._book = book
        self._ledger = ledger
        self._paces = paces
        self.usuals = usuals or UsualHoursRead(ledger)
        self._context = context
        self._lock = Lock()
        self._read: dict[str, Future[Mapping[str, Usage]]] = {}

    def usage(self, quotas: Iterable[Quota]) -> dict[str, Usage]:
        """By quota id, what all who share it used; raises what reading one of them raises."""
        return {quota.id: self._of(quota.subject)[quota.id] for quota in quotas if quota.pooled}

    def _of(self, team: str) -> Mapping[str, Usage]:
        with self._lock:
            known = self._read.get(team)
            reading = self._read[team] = known or Future()
        if known is None:
            # Whatever it raises is raised for everybody who waits: nobody tries it all again.
            try:
                reading.set_result(self._gather(Principal.parse(team)))
            except BaseException as error:  # noqa: BLE001 - raised below
                reading.set_exception(error)
        return reading.result()

    def _gather(self, team: Principal) -> Mapping[str, Usage]:
        """The usage behind each quota of a team, as far back as the longest of them needs."""
        quotas = self._book.applicable_to(team, self._context.now).quotas
        first = _first_day(quotas, self._context)
        if first is None:
            return {}
        members = {quota.id: self._book.contributors[quota.id] for quota in quotas}
        everybody = sorted(frozenset().union(*members.values()))
        minutes = _first_minute(quotas, self._context)
        with ThreadPoolExecutor(READERS) as threads:
            read = threads.map(
                lambda member: _read(self._ledger, member, first, minutes), everybody
            )
            used = dict(zip(everybody, read, strict=True))
        sums = {
            several: pooled(map(used.__getitem__, several)) for several in set(members.values())
        }
        of_each = {id_: sums[several] for id_, several in members.items()}
        return {
            quota.id: self.paced(of_each[quota.id], [quota], members[quota.id], self._context)
            for quota in quotas
        }

    def paced(
        self, usage: Usage, quotas: Iterable[Quota], users: Iterable[Principal], context: Context
    ) -> Usage:
        """The usage with the pace of those who made it, read only where a quota asks for it."""
        if not any(_asks_for_pace(quota, usage, context) for quota in quotas):
            return usage
        since = counted_from(context.now, context.lag)
        pace = CallPace.together(self._paces.pace(user, since) for user in users)
        return replace(usage, pace=pace)


class Evaluation(NamedTuple):
    """What is decided about somebody, and the usage that it rests on.

    `own` is what it used itself, as far as its quotas need it; `shared` by the id of a quota that a
    pool shares what all used who draw on it.
    """

    decision: Decision
    own: Usage
    shared: Mapping[str, Usage]

    def behind(self, quota: Quota) -> Usage:
        """The usage that a quota is held against."""
        return self.whole(quota).at(quota.places, self.decision.context.home)

    def whole(self, quota: Quota) -> Usage:
        """The usage behind a quota, with that in places that the quota does not count."""
        return self.shared.get(quota.id, self.own)

    @property
    def counted(self) -> list[Usage]:
        """One's own, or of a team its pools'."""
        team = self.decision.principal.kind is Kind.TEAM
        return [*self.shared.values()] if team else [self.own]

    def headroom(self, settings: str, premise: str = "") -> Headroom | None:
        """How much may be used before this decision changes; None if any call may change it.

        That is so while something is denied or held, of what others use too, and where the pace
        matters.
        """
        context, standing = self.decision.context, self.decision.standing
        verdicts = self.decision.verdicts
        acts = standing.denied or standing.used_up or standing.would_deny or standing.held
        if acts or self.shared or any(each.ahead is not None for each in verdicts):
            return None
        today = local_date(context.now, context.zone)
        places = self.own.by_place.items()
        ends = [day_start(today + timedelta(days=1), context.zone)]
        ends += [each.span.end for each in verdicts if not each.quota.window.rolling]
        return Headroom(
            fingerprint(each.quota for each in verdicts),
            settings,
            min(ends) if standing.due is None else min(*ends, standing.due),
            self.own.on(today),
            frozenset((model, place) for place, used in places for model in used.models),
            {each.quota.id: each.left for each in verdicts},
            today,
            _sums(verdicts) if standing.is_plain else {},
            {each.quota.id: Measured.by(each.quota) for each in verdicts},
            premise,
        )


def _sums(verdicts: Iterable[Verdict]) -> dict[str, WindowSum]:
    """None unless all are below their first threshold."""
    found = {}
    for each in verdicts:
        used = Decimal(each.used)
        if used >= min(goals_of(each.quota, each.limit)):
            return {}
        end = None if each.quota.window.rolling else each.span.end
        found[counting(each.quota)] = WindowSum(used, end)
    return found


def decide_for_one(
    record: Record,
    book: QuotaBook,
    ledger: UsageReads,
    context: Context,
    pools: Pools | None = None,
) -> Decision:
    """Decide for one principal on what the ledger holds now.

    With `pools` what teams share is read once for all who are looked at.
    """
    pools = pools or Pools(book, ledger, context)
    return evaluate(record, book, ledger, context, pools).decision


def evaluate(
    record: Record, book: QuotaBook, ledger: UsageReads, context: Context, pools: Pools
) -> Evaluation:
    """The decision with the usage that it rests on.

    A record that was decided at a later moment than `context.now` is decided as of that moment: a
    wake may have been quicker than the sweep of an earlier tick.
    """
    since = record.standing.since
    if since is not None and since > context.now:
        context = replace(context, now=since)
    applicable = book.applicable_to(record.principal, context.now)
    if applicable.asks_what_is_usual:
        applicable = with_usual(record.principal, applicable, pools.usuals, context)
    shared = pools.usage(applicable.quotas)
    alone = [quota for quota in applicable.quotas if not quota.pooled]
    first, minutes = _first_day(alone, context), _first_minute(alone, context)
    own = Usage() if first is None else _read(ledger, record.principal, first, minutes)
    own = pools.paced(own, alone, [record.principal], context)
    decision = decide(record.principal, applicable, own, record.standing, context, shared)
    return Evaluation(decision, own, shared)


def _read(ledger: UsageReads, principal: Principal, first: date, minutes: datetime | None) -> Usage:
    """Usage from a local date on, and by the minute only where that is asked for."""
    usage = ledger.usage(principal, first)
    return usage if minutes is None else usage.with_minutes(ledger.minutes(principal, minutes))


def _first_minute(quotas: Iterable[Quota], context: Context) -> datetime | None:
    """From which minute on these quotas need usage by the minute; None if none does."""
    spans = (q.window.span(context.now, context.zone) for q in quotas if q.by_the_minute)
    return min((span.start for span in spans), default=None)


def _first_day(quotas: Iterable[Quota], context: Context) -> date | None:
    """From which local date on these quotas need usage; None if there are none."""
    spans = (quota.window.span(context.now, context.zone) for quota in quotas)
    return min((span.first_day for span in spans), default=None)


def _asks_for_pace(quota: Quota, usage: Usage, context: Context) -> bool:
    if not quota.avoids_overshoot:
        return False
    span = quota.window.span(context.now, context.zone)
    counts = usage.at(quota.places, context.home).within(span, quota.models)
    return may_close_early(quota.number(counts), quota.limit_at(context.now))
