"""Between two sweeps: a wake looks at whose usage has changed, or at whom an edit concerns.

What others attached or detached and what is due is left to the schedule, which also heals whatever
a wake has not come to.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from quota_enforcer.core.deployment import Metering, Settings
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.principal import GATED, Principal
from quota_enforcer.enforce.apply.all import Enforcement, already_applied
from quota_enforcer.enforce.apply.breaker import apply_breaker, hold_new_blocks
from quota_enforcer.enforce.evaluate import Evaluated
from quota_enforcer.enforce.gather import SweepInput, gather_edited, gather_named
from quota_enforcer.enforce.metering import Meters
from quota_enforcer.enforce.outbox import Outbox
from quota_enforcer.enforce.ports import Adapters
from quota_enforcer.enforce.report import Report
from quota_enforcer.enforce.rules_cache import CachedRules, RulesCache

FRESH = timedelta(minutes=1)
"""How exactly wakes note when usage last changed: a write for every call would be dear."""


class WakeRun:
    """The wakes of one deployment."""

    def __init__(
        self,
        settings: Settings,
        outside: Adapters,
        quotas: RulesCache,
        meters: Meters,
        outbox: Outbox,
    ) -> None:
        self._settings = settings
        self._outside = outside
        self._ledger = outside.ledger
        self._quotas = quotas
        self._meters = meters
        self._outbox = outbox

    def wake(self, principals: Iterable[Principal], state: SweepState, report: Report) -> bool:
        """Gather, decide and apply for these and their pools.

        Quotas that nobody has acted on yet are in force all the same. Returns whether the stack
        began to go in the meantime, so that what was done must be undone.
        """
        now = report.now
        known = self._quotas.current(state, now)
        round_ = self._round(report)
        looked = round_.decide(gather_named(self._settings, known, principals, now))
        after, moved = self._bring_about(looked, round_, known, state, report)
        # Nobody has acted on these edits yet: if they are taken back before, nobody ever will.
        round_.mark_due(known.loaded.concerned(looked.gathered.records))
        fresh = state.fresh_at is None or now - state.fresh_at >= FRESH
        self._send(report)
        self._note(state, after, report, fresh_at=now if fresh else None)
        return bool(looked.decisions) and self._settle(known) and bool(moved)

    def edited(self, state: SweepState, report: Report) -> bool:
        """The same for whom edits of the quota table concern, whichever these are.

        What could not be brought about is news still, so whoever is asked again goes on with it.
        """
        known = self._quotas.to_act_on(report.now)
        self._meters.tell(known, report)
        if not known.loaded.news:
            return False
        report.edits = len(known.loaded.edits)
        round_ = self._round(report)
        gathered = gather_edited(self._outside, self._settings, known, report.now)
        looked = round_.decide(gathered)
        after, moved = self._bring_about(looked, round_, known, state, report)
        if not round_.failed:
            self._remember(known, report)
        self._send(report)
        self._note(state, after, report)
        return self._settle(known) and bool(moved)

    def _round(self, report: Report) -> Enforcement:
        rules = partial(self._quotas.rules, report.now)
        return Enforcement(self._settings, self._outside, report, rules, wake=True)

    def _bring_about(
        self,
        looked: Evaluated,
        round_: Enforcement,
        known: CachedRules,
        state: SweepState,
        report: Report,
    ) -> tuple[SweepState, set[Principal]]:
        """Apply and tell; the state to leave, and of whom something else is denied than before."""
        after = self._hold(looked, state, report)
        gathered = looked.gathered
        moved = {
            each.principal
            for each in looked.decisions
            if not already_applied(each, gathered.records[each.principal])
        }
        if any(principal.kind in GATED for principal in moved):
            gathered = self._with_gates(gathered)
        if report.notices:
            self._ledger.post(report.notices)
        report.notices += known.prices.tell(looked.prices, report.now)
        report.gates_told = state.gates_told
        round_.apply(looked.decisions, gathered)
        if state.terms != self._settings.fingerprint:
            # No sweep has seen these settings: if they are taken back before, none ever will.
            round_.mark_due(moved)
        return after, moved

    def _with_gates(self, gathered: SweepInput) -> SweepInput:
        intents = {intent.principal: intent for intent in self._ledger.gate_intents()}
        return replace(gathered, gates=intents)

    def _hold(self, looked: Evaluated, state: SweepState, report: Report) -> SweepState:
        """While the breaker has tripped a wake blocks nobody: else they would go one by one."""
        if state.breaker_since is None:
            return apply_breaker(
                looked.decisions, state, self._ledger, self._settings.breaker, report
            )
        hold_new_blocks(looked.decisions, report)
        return state

    def _remember(self, known: CachedRules, report: Report) -> None:
        """But for sessions that the metrics must be read for, since that is the sweep's."""
        metrics = self._settings.metering is Metering.CLOUDWATCH
        edits = [each for each in known.loaded.edits if not (metrics and each.of_sessions)]
        told, failures = self._quotas.remember(known, edits)
        report.notices = [*told, *report.notices]
        report.failures += failures

    def _send(self, report: Report) -> None:
        if report.notices:
            report.failures += self._outbox.send(report.notices, report.now)

    def _settle(self, known: CachedRules) -> bool:
        """See whether quotas were edited in the meantime; whether the stack has begun to go."""
        return self._quotas.settle(known, all_seen=False).closed

    def _note(
        self,
        before: SweepState,
        after: SweepState,
        report: Report,
        *,
        fresh_at: datetime | None = None,
    ) -> None:
        """Note what a wake leaves, where it is news."""
        tripped = after.breaker_since if before.breaker_since is None else None
        told = report.gates_told if report.gates_told != before.gates_told else ""
        if fresh_at or tripped or told:
            self._ledger.note(fresh_at=fresh_at, breaker_since=tripped, gates_told=told)
