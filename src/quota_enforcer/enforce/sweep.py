"""One sweep: gather what is due or touched, decide, apply, tell. A wake does so for a few."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial

from quota_enforcer.core.deployment import Settings
from quota_enforcer.core.errors import SweepFailed
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.principal import Principal
from quota_enforcer.decide.rules import QuotaLoader
from quota_enforcer.enforce.apply.all import Enforcement
from quota_enforcer.enforce.apply.breaker import apply_breaker
from quota_enforcer.enforce.apply.teardown import release_everybody
from quota_enforcer.enforce.gather import gather
from quota_enforcer.enforce.metering import Meters
from quota_enforcer.enforce.outbox import Outbox
from quota_enforcer.enforce.ports import Adapters
from quota_enforcer.enforce.report import Report
from quota_enforcer.enforce.rules_cache import CachedRules, RulesCache
from quota_enforcer.enforce.unpriced import PriceWatch
from quota_enforcer.enforce.wake import WakeRun
from quota_enforcer.meter.cloudwatch.meter import MeterRun


class Sweep:
    """Sweeps one deployment; every part of it may be repeated, and two at once do no harm."""

    def __init__(self, settings: Settings, outside: Adapters) -> None:
        self._settings = settings
        self._outside = outside
        self._ledger = outside.ledger
        self._outbox = Outbox(outside.ledger, outside.topic, settings)
        self._meters = Meters(settings, outside)
        self._quotas = RulesCache(outside, QuotaLoader(settings.zone, outside.denies.scopes))
        self._waking = WakeRun(settings, outside, self._quotas, self._meters, self._outbox)

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
        known = self._quotas.to_look_at(now) if dry_run else self._quotas.to_act_on(now)
        report.edits = len(known.loaded.edits)
        self._ledger.begin(now)
        if not dry_run:
            self._meters.tell(known, report)
        begun = state
        state, metered = self._meters.run(state, known.loaded, report)
        gathered = gather(self._outside, self._settings, state, known, metered, now)
        report.failures += self._outside.denies.unmanaged_attachments
        rules = partial(self._quotas.rules, now)
        round_ = Enforcement(self._settings, self._outside, report, rules)
        looked = round_.decide(gathered)
        if confirm_blocks:
            state = replace(state, breaker_since=None, confirmed_at=now)
        else:
            breaker = self._settings.breaker
            state = apply_breaker(looked.decisions, state, self._ledger, breaker, report)
        report.data_age_seconds = _age(now, state)
        if dry_run:
            # Not finished on purpose: the next sweep looks at everybody this one metered.
            report.notices += known.loaded.invalid
            report.notices += (notice for each in looked.decisions for notice in each.notices)
            return report
        self._ledger.post(report.notices)
        report.notices += PriceWatch(self._ledger).tell(looked.prices, now)
        report.gates_told = state.gates_told
        round_.apply(looked.decisions, looked.gathered)
        self._remember(known, metered, report)
        report.failures += self._outbox.send(report.notices, now)
        self._finish(begun, state, metered, report)
        self._quotas.settle(known, all_seen=True)
        return report

    def wake(self, principals: Iterable[Principal], now: datetime) -> Report:
        """Gather, decide and apply for just these, whose usage has changed, and their pools."""
        return self._woken(now, partial(self._waking.wake, principals))

    def edited(self, now: datetime) -> Report:
        """The same for whom the edits of the quota table concern that nobody has acted on yet."""
        return self._woken(now, self._waking.edited)

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

    def _woken(self, now: datetime, wake: Callable[[SweepState, Report], bool]) -> Report:
        """`wake` says whether the stack began to go after it had begun."""
        state = self._ledger.state()
        report = self._report(now, state)
        if not report.closed and wake(state, report):
            self.close(report.now)
        return report

    def _report(self, now: datetime, state: SweepState, *, dry_run: bool = False) -> Report:
        """An empty report; time never runs backwards from the last sweep's."""
        settings = self._settings
        now = max(now, state.watermark or now)
        return Report(now, settings.mode, dry_run, closed=state.closed, metering=settings.metering)

    def _remember(self, known: CachedRules, metered: MeterRun | None, report: Report) -> None:
        """What was acted on is no news any more, but for sessions that were not metered yet."""
        edits = known.loaded.edits
        seen = [each for each in edits if metered is not None or not each.of_sessions]
        told, failures = self._quotas.remember(known, seen)
        report.notices = [*told, *report.notices]
        report.failures += failures

    def _finish(
        self, begun: SweepState, state: SweepState, metered: MeterRun | None, report: Report
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
