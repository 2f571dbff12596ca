"""Between two sweeps: a wake looks at those whose usage has changed, or whom an edit concerns.

What others attached or detached and what is due is left to the schedule, which also heals whatever
a wake has not come to.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.reads import Woken
from quota_enforcer.enforce.apply.enforcement import Enforcement, Plan
from quota_enforcer.enforce.apply.orphans import OrphanLedger, forget_orphans
from quota_enforcer.enforce.apply.record import mark_due
from quota_enforcer.enforce.gather.gatherer import Gatherer
from quota_enforcer.enforce.metering import Meters
from quota_enforcer.enforce.notify.accounts import AccountNotifier
from quota_enforcer.enforce.notify.pauses import PauseNotifier
from quota_enforcer.enforce.notify.requests import RequestNotifier
from quota_enforcer.enforce.notify.sender import NoticeSender
from quota_enforcer.enforce.ports.sweep_memory import SweepMemory, Unseen
from quota_enforcer.enforce.report import Outcome
from quota_enforcer.enforce.rules_cache import CachedRules, RulesCache

FRESH = timedelta(minutes=1)
"""How exactly wakes note when usage last changed: a write for every call would cost too much."""


class WakeLedger(OrphanLedger, SweepMemory, Unseen, Protocol):
    """The roles of the ledger that a wake itself plays."""


@dataclass(frozen=True, slots=True)
class Notifiers:
    """By which sweeps, wakes and edits tell what they find."""

    sender: NoticeSender
    pauses: PauseNotifier
    requests: RequestNotifier
    accounts: AccountNotifier


class WakeRun:
    """The wakes of one deployment.

    `Outcome.closed` says that the stack began to go in the meantime, so that what was done must be
    undone.
    """

    def __init__(
        self,
        ledger: WakeLedger,
        rules: RulesCache,
        meters: Meters,
        gatherer: Gatherer,
        enforcement: Enforcement,
        notifiers: Notifiers,
    ) -> None:
        self._ledger = ledger
        self._rules = rules
        self._meters = meters
        self._gatherer = gatherer
        self._enforcement = enforcement
        self._notifiers = notifiers

    def wake(
        self,
        principals: Iterable[Principal],
        woken: Woken,
        state: SweepState,
        now: datetime,
    ) -> Outcome:
        """Gather, decide and apply for these and their pools.

        Quotas that nobody has acted on yet are in force all the same.
        """
        cached = self._rules.current(state, now)
        given = self._gatherer.named(state, cached, principals, now, woken)
        plan = self._enforcement.agree(self._enforcement.plan(given))
        given, records = plan.work.given, plan.work.records.values()
        doubted = {each.principal for each in records if given.calls.pass_deny(each)}
        unheeded = Outcome()
        if doubted:  # else IAM is not asked
            given, gates = self._gatherer.asked(given, doubted)
            plan = replace(plan, work=replace(plan.work, given=given, gates=gates))
            unheeded = Outcome(failures=given.calls.unheeded(records, given.in_force))
        done = Outcome.total([unheeded, self._enforcement.carry_out(plan, cached.unpriced)])
        # Nobody has acted on these edits yet: if they are taken back before, nobody ever will.
        mark_due(self._ledger, cached.rules.concerned(plan.work.records), now)
        self._ledger.looked_at(given.seen(but=done.unfinished))
        fresh = state.fresh_at is None or now - state.fresh_at >= FRESH
        told, _ = self._notifiers.accounts.notify(state, given, done.unreachable)
        done = Outcome.total([done, told])
        sent = self._send(done, now)
        if fresh:
            self._ledger.note(fresh_at=now, lag=given.calls.measured(state.lag, now))
        closed = bool(plan.work.decisions) and self._closed(plan, cached)
        return Outcome.total([done, sent, Outcome(closed=closed)])

    def edited(self, state: SweepState, now: datetime) -> Outcome:
        """Gather, decide and apply for everybody whom edits of the quota table concern.

        What could not be brought about is news still, so whoever is asked again goes on with it.
        """
        cached = self._rules.to_act_on(now)
        told = self._meters.tell(cached.rules)
        if not cached.rules.news:
            return told
        paused = self._notifiers.pauses.notify(state, cached.rules.rules, now)
        asked = self._notifiers.requests.notify(cached.rules.book, now)
        edits = Outcome.total([Outcome(edits=len(cached.rules.edits)), paused, asked])
        given = self._gatherer.edited(state, cached, now)
        plan = self._enforcement.agree(self._enforcement.plan(given))
        done = Outcome.total([told, edits, self._enforcement.carry_out(plan, cached.unpriced)])
        forget_orphans(self._ledger, cached.rules)
        told, _ = self._notifiers.accounts.notify(state, given, done.unreachable)
        done = Outcome.total([done, told])
        if not done.incomplete:
            seen = self._meters.needing_no_metering(cached.rules.edits)
            cached, remembered = self._rules.remember(cached, seen)
            done = Outcome.total([remembered, done])
        sent = self._send(done, now)
        return Outcome.total([done, sent, Outcome(closed=self._closed(plan, cached))])

    def _send(self, outcome: Outcome, now: datetime) -> Outcome:
        return self._notifiers.sender.send(outcome.notices, now) if outcome.notices else Outcome()

    def _closed(self, plan: Plan, cached: CachedRules) -> bool:
        """See whether quotas were edited in the meantime, or the stack has begun to go."""
        return self._rules.settle(cached, all_seen=False).closed and bool(plan.work.moved)
