"""One sweep: gather what is due or touched, decide, apply, tell. A wake does so for a few."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from quota_enforcer.core.decision import Decision
from quota_enforcer.core.errors import SweepFailed
from quota_enforcer.core.principal import GATED, Principal
from quota_enforcer.metering.cloudwatch import Metered
from quota_enforcer.ports import Outside, SweepState
from quota_enforcer.settings import Settings
from quota_enforcer.sweep.close import release_everybody
from quota_enforcer.sweep.gather import gather, gather_named
from quota_enforcer.sweep.hold import hold, hold_back
from quota_enforcer.sweep.known import Known, KnownQuotas
from quota_enforcer.sweep.meters import Meters
from quota_enforcer.sweep.outbox import Outbox
from quota_enforcer.sweep.quotas import QuotaLoader
from quota_enforcer.sweep.report import Report
from quota_enforcer.sweep.round import Round, settled
from quota_enforcer.sweep.unpriced import PriceWatch

FRESH = timedelta(minutes=1)
"""How exactly wakes note when usage last changed: a write for every call would be dear."""


class Sweep:
    """Sweeps one deployment; every part of it may be repeated, and two at once do no harm."""

    def __init__(self, settings: Settings, outside: Outside) -> None:
        self._settings = settings
        self._outside = outside
        self._ledger = outside.ledger
        self._outbox = Outbox(outside.ledger, outside.topic, settings)
        self._meters = Meters(settings, outside)
        self._quotas = KnownQuotas(outside, QuotaLoader(settings.zone, outside.denies.scopes))

    def run(self, now: datetime, *, dry_run: bool = False, confirm_blocks: bool = False) -> Report:
        """Gather, decide and, unless `dry_run`, apply.

        What fails is collected in the report while the rest goes on. `confirm_blocks` is an admin's
        word that the breaker need not hold.
        """
        state = self._ledger.state()
        report = self._report(now, state, dry_run=dry_run)
        if report.closed:
            return report
        now = report.now
        loaded = self._quotas.load(now)
        # Before anything is done about an edit, so that no wake goes on with the quotas before it.
        self._ledger.begin(now, uuid4().hex if loaded.news else "")
        if not dry_run:
            self._meters.tell(loaded, report)
        begun = state
        state, metered = self._meters.run(state, loaded, report)
        gathered = gather(self._outside, self._settings, state, loaded, metered, now)
        report.failures += self._outside.denies.strays
        round_ = Round(self._settings, self._outside, report, lambda: gathered.rules)
        looked = round_.decide(gathered)
        gathered = looked.gathered
        if confirm_blocks:
            state = replace(state, breaker_since=None, confirmed_at=now)
        else:
            breaker = self._settings.breaker
            state = hold(looked.decisions, state, self._ledger, breaker, report)
        report.notices += loaded.invalid
        report.data_age_seconds = _age(now, state)
        if dry_run:
            # Not finished on purpose: the next sweep looks at everybody this one metered.
            report.notices += (notice for each in looked.decisions for notice in each.notices)
            return report
        self._ledger.post(report.notices)
        report.notices += PriceWatch(self._ledger).tell(looked.prices, now)
        report.gates_told = state.gates_told
        round_.apply(looked.decisions, gathered)
        report.failures += self._outbox.send(report.notices, now)
        if metered is not None or not loaded.watch_sessions:
            report.failures += self._quotas.remember(loaded)
        self._finish(begun, state, metered, report)
        return report

    def wake(self, principals: Iterable[Principal], now: datetime) -> Report:
        """Gather, decide and apply for just these, whose usage has changed, and their pools.

        What others attached or detached, what is due and what was edited is left to the schedule;
        quotas edited since the last sweep are in force all the same.
        """
        state, known, gathered = gather_named(
            self._outside, self._settings, self._quotas, set(principals), now
        )
        report = self._report(now, state)
        if report.closed:
            return report
        now = report.now
        round_ = Round(
            self._settings, self._outside, report, lambda: self._current(now).rules, wake=True
        )
        looked = round_.decide(gathered)
        gathered = looked.gathered
        after = self._hold_at_wake(looked.decisions, state, report)
        records = gathered.records
        moved = [each for each in looked.decisions if not settled(each, records[each.principal])]
        if any(decision.principal.kind in GATED for decision in moved):
            intents = {intent.principal: intent for intent in self._ledger.gate_intents()}
            gathered = replace(gathered, gates=intents)
        if report.notices:
            self._ledger.post(report.notices)
        report.notices += known.prices.tell(looked.prices, now)
        report.gates_told = state.gates_told
        round_.apply(looked.decisions, gathered)
        # No sweep has seen these edits, nor perhaps these settings: if they are taken back before
        # one does, none ever will.
        again = known.loaded.concerned(records)
        if state.terms != self._settings.fingerprint:
            again |= {decision.principal for decision in moved}
        round_.look_again(again)
        if report.notices:
            report.failures += self._outbox.send(report.notices, now)
        self._note(state, after, report)
        if moved and self._ledger.state().closed:  # the stack began to go in the meantime
            self.close(now)
        return report

    def close(self, now: datetime) -> list[str]:
        """Block nobody from now on and release everybody; returns whom. For the end of the stack.

        Raises SweepFailed where somebody could not be released, after all others were.
        """
        self._ledger.close()
        notices, failures = release_everybody(self._outside, now)
        self._outbox.send(notices, now)  # one that cannot be sent keeps no stack from going
        if failures:
            raise SweepFailed(failures)
        return [notice.principal for notice in notices]

    def _report(self, now: datetime, state: SweepState, *, dry_run: bool = False) -> Report:
        """An empty report; time never runs backwards from the last sweep's."""
        settings = self._settings
        now = max(now, state.watermark or now)
        return Report(now, settings.mode, dry_run, closed=state.closed, metering=settings.metering)

    def _current(self, now: datetime) -> Known:
        return self._quotas.current(self._ledger.state(), now)

    def _hold_at_wake(
        self, decisions: list[Decision], state: SweepState, report: Report
    ) -> SweepState:
        """While the breaker has tripped a wake blocks nobody: else they would go one by one."""
        if state.breaker_since is None:
            return hold(decisions, state, self._ledger, self._settings.breaker, report)
        hold_back(decisions, report)
        return state

    def _note(self, before: SweepState, after: SweepState, report: Report) -> None:
        """Note what a wake leaves, where it is news."""
        fresh = before.fresh_at is None or report.now - before.fresh_at >= FRESH
        tripped = after.breaker_since if before.breaker_since is None else None
        told = report.gates_told if report.gates_told != before.gates_told else ""
        if fresh or tripped or told:
            self._ledger.note(
                fresh_at=report.now if fresh else None, breaker_since=tripped, gates_told=told
            )

    def _finish(
        self, begun: SweepState, state: SweepState, metered: Metered | None, report: Report
    ) -> None:
        """Note what this sweep leaves. One that could not meter has not looked at all touched.

        `begun` is the state it began with: what wakes have noted since stays.
        """
        latest = self._ledger.state()
        finished = begun.finished if metered is None else report.now
        if finished is not None:
            tripped = latest.breaker_since != begun.breaker_since
            moments = [each for each in (state.fresh_at, latest.fresh_at) if each]
            self._ledger.finish(
                replace(
                    state,
                    started=report.now,
                    finished=finished,
                    fresh_at=max(moments, default=None),
                    breaker_since=latest.breaker_since if tripped else state.breaker_since,
                    terms=self._settings.fingerprint,
                    gates_told=report.gates_told,
                ),
            )
        if latest.closed:  # the stack began to go while this sweep was blocking
            self.close(report.now)


def _age(now: datetime, state: SweepState) -> int | None:
    """Seconds since a bucket last changed; None where none ever did."""
    return None if state.fresh_at is None else int((now - state.fresh_at).total_seconds())
