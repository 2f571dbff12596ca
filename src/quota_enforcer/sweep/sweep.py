"""One sweep: gather what is due or touched, decide, apply, tell."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from quota_enforcer.core.decision import Decision
from quota_enforcer.core.errors import Closed, Conflict, SweepFailed
from quota_enforcer.core.notice import Notice, NoticeKind
from quota_enforcer.core.principal import GATED
from quota_enforcer.metering.cloudwatch import Metering, Occasion, meter
from quota_enforcer.ports import Outside, Record, SweepState
from quota_enforcer.settings import Settings
from quota_enforcer.sweep.apply import apply
from quota_enforcer.sweep.close import release_everybody
from quota_enforcer.sweep.gates import GateRun, deserted
from quota_enforcer.sweep.gather import NOTHING, Gathered, gather
from quota_enforcer.sweep.look import look
from quota_enforcer.sweep.outbox import Outbox
from quota_enforcer.sweep.quotas import LoadedQuotas, QuotaLoader
from quota_enforcer.sweep.report import Report

READERS = 8
"""Principals looked at side by side: reading waits for the network, not for the processor."""
TRIES = 3
"""How often a principal is gathered again when another sweep wrote it first."""
SETTLING = timedelta(minutes=10)
"""A change this young may be another sweep's that is still under way, or not yet listed by IAM."""


class Sweep:
    """Sweeps one deployment; every part of it may be repeated, and two at once do no harm."""

    def __init__(self, settings: Settings, outside: Outside) -> None:
        self._settings = settings
        self._outside = outside
        self._ledger = outside.ledger
        self._outbox = Outbox(outside.ledger, outside.topic, settings)

    def run(self, now: datetime, *, dry_run: bool = False, confirm_blocks: bool = False) -> Report:
        """Gather, decide and, unless `dry_run`, apply.

        What fails is collected in the report while the rest goes on. `confirm_blocks` is an admin's
        word that the breaker need not hold.
        """
        state = self._ledger.state()
        now = max(now, state.watermark or now)
        report = Report(now, str(self._settings.mode), dry_run)
        if state.closed:
            report.closed = True
            return report
        self._ledger.begin(now)
        loaded = QuotaLoader(self._settings.zone, self._outside.denies.scopes).load(
            self._outside.quotas.items(), self._ledger.quota_memories(), now
        )
        metering = self._meter(state, loaded, now, report)
        gathered = gather(self._outside, self._settings, state, loaded, metering, now)
        report.failures += self._outside.denies.strays
        decisions = self._decide(gathered, report)
        state = self._hold(decisions, state, gathered, report, confirmed=confirm_blocks)
        report.notices += loaded.invalid
        report.data_age_seconds = _age(now, state, metering)
        if dry_run:
            # Not finished on purpose: the next sweep looks at everybody this one metered.
            report.notices += (notice for each in decisions for notice in each.notices)
            return report
        self._ledger.post(report.notices)
        report.gates_told = state.gates_told
        self._apply(decisions, gathered, report)
        report.failures += self._outbox.send(report.notices, now)
        if metering is not None or not loaded.watch_sessions:
            report.failures += self._remember(loaded)
        self._finish(state, metering, report)
        if self._ledger.state().closed:  # the stack began to go while this sweep was blocking
            self.close(now)
        return report

    def _finish(self, state: SweepState, metering: Metering | None, report: Report) -> None:
        """Note what this sweep leaves. One that could not meter has not looked at all touched."""
        now = report.now
        finished = state.finished if metering is None else now
        if finished is None:
            return
        self._ledger.finish(
            replace(
                state,
                started=now,
                finished=finished,
                metered_to=state.metered_to if metering is None else now,
                fresh_at=now if metering and metering.fresh else state.fresh_at,
                terms=self._settings.fingerprint,
                gates_told=report.gates_told,
            ),
        )

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

    def _meter(
        self, state: SweepState, loaded: LoadedQuotas, now: datetime, report: Report
    ) -> Metering | None:
        """Usage into the ledger. Without metrics the clock still releases, so the sweep goes on."""
        try:
            occasion = Occasion(
                now, self._settings.zone, self._settings.account, loaded.watch_sessions
            )
            metering = meter(self._outside.metrics, self._ledger, loaded.book, state, occasion)
        except Exception as error:  # noqa: BLE001 - whatever CloudWatch says, the rest goes on
            report.failures.append(f"could not read the metrics: {_words(error)}")
            return None
        report.series = metering.series
        report.unattributed += metering.unattributed
        report.failures += metering.failures
        return metering

    def _decide(self, gathered: Gathered, report: Report) -> list[Decision]:
        """Look at everybody gathered, side by side; one that fails does not stop the others."""

        def attempt(record: Record) -> Decision | Exception:
            try:
                return look(record, gathered.book, self._ledger, gathered.terms)
            except Exception as error:  # noqa: BLE001 - kept for the report
                return error

        records = [gathered.records[principal] for principal in sorted(gathered.records)]
        report.looked_at = len(records)
        decisions = []
        with ThreadPoolExecutor(READERS) as pool:
            for record, outcome in zip(records, pool.map(attempt, records), strict=True):
                if isinstance(outcome, Decision):
                    decisions.append(outcome)
                else:
                    self._failed(record, gathered.terms.now, outcome, report)
        return decisions

    def _hold(
        self,
        decisions: list[Decision],
        state: SweepState,
        gathered: Gathered,
        report: Report,
        *,
        confirmed: bool,
    ) -> SweepState:
        """The breaker: take the new blocks out of `decisions` where they are too many at once.

        What they warn of and lift stays.
        """
        breaker = self._settings.breaker
        blocking = [decision for decision in decisions if decision.blocks]
        many = len(blocking) > breaker.number and not confirmed
        if not many or not breaker.trips(len(blocking), len(self._ledger.everybody())):
            return replace(state, breaker_since=None)
        now = gathered.terms.now
        report.held = [str(decision.principal) for decision in blocking]
        words = (
            f"{len(blocking)} principals would have been blocked in one sweep, more than "
            f"{breaker.number} and more than {breaker.percent} % of all: {', '.join(report.held)}. "
            "Check the quota that was edited last, then confirm with "
            "`quota-enforcer sweep --confirm-blocks`"
        )
        report.failures.append(words)
        if state.breaker_since is None:
            report.notices.append(Notice(NoticeKind.BREAKER, now, "", "", words))
        decisions[:] = [each.without_new_blocks() if each.blocks else each for each in decisions]
        return replace(state, breaker_since=state.breaker_since or now)

    def _apply(self, decisions: Iterable[Decision], gathered: Gathered, report: Report) -> None:
        """Make the decisions true: one policy after the other, since IAM throttles bulk changes.

        All that gates must deny goes to the author together.
        """
        author = self._outside.author
        gated: list[Decision] = []
        if author is None and gathered.gates:
            report.failures.append(deserted(gathered.gates))
        for decision in decisions:
            if author is None and decision.principal in gathered.gates:
                continue  # a gate that nobody writes any more still denies: nothing may be claimed
            if author is not None and decision.principal.kind in GATED:
                gated.append(decision)
                continue
            record = gathered.records[decision.principal]
            really = gathered.really.get(decision.principal, NOTHING)
            try:
                self._tell_drift(record, really, gathered.terms.now, report)
                report.notices += self._apply_one(decision, record, really, gathered)
            except Closed:
                return
            except Exception as error:  # noqa: BLE001 - one that fails does not stop the others
                self._failed(record, gathered.terms.now, error, report)
        if author is not None:
            run = GateRun(self._ledger, author, self._settings.account, report.gates_told)
            report.failures += run.apply(gated, gathered, report)
            for record in self._ledger.records(run.unfinished).values():
                self._look_again(record, gathered.terms.now)

    def _apply_one(
        self, decision: Decision, record: Record, really: frozenset[str], gathered: Gathered
    ) -> list[Notice]:
        for _ in range(TRIES - 1):
            with suppress(Conflict):
                return apply(decision, record, really, self._ledger, self._outside.denies)
            record = self._ledger.records([record.principal])[record.principal]
            decision = look(record, gathered.book, self._ledger, gathered.terms)
        return apply(decision, record, really, self._ledger, self._outside.denies)

    def _tell_drift(
        self, record: Record, really: frozenset[str], now: datetime, report: Report
    ) -> None:
        """What somebody else attached or detached, in words; an unfinished apply is none."""
        since = record.standing.since
        if record.intended is not None or record.trouble or (since and since > now - SETTLING):
            return
        missing, planted = record.standing.denied - really, really - record.standing.denied
        drift = [
            *(
                f"the deny of {each} was detached from {record.principal}"
                for each in sorted(missing)
            ),
            *(f"the deny of {each} was attached to {record.principal}" for each in sorted(planted)),
        ]
        if drift:
            why = f"{'; '.join(drift)}, not by the enforcer, which puts it right"
            notice = Notice(NoticeKind.TAMPERED, now, str(record.principal), "", why)
            self._ledger.post([notice])
            report.notices.append(notice)
            report.drift += drift

    def _failed(self, record: Record, now: datetime, error: Exception, report: Report) -> None:
        report.failures.append(f"{record.principal}: {_words(error)}")
        if not report.dry_run:
            self._look_again(record, now)

    def _look_again(self, record: Record, now: datetime) -> None:
        """Make the next sweep look, whatever else happens."""
        if record.due is None or record.due > now:
            with suppress(Conflict):  # whoever wrote it meanwhile has looked
                self._ledger.put(record.next(due=now))

    def _remember(self, loaded: LoadedQuotas) -> list[str]:
        """Only once it has been acted on does an edit count as seen; returns failures in words."""
        failures = []
        for memory in loaded.remember:
            try:
                self._ledger.remember_quota(memory)
            except Exception as error:  # noqa: BLE001 - one item that is too large stops no other
                failures.append(f"quota {memory.name} of {memory.whom}: {_words(error)}")
        for memory in loaded.forget:
            self._ledger.forget_quota(memory)
        return failures


def _age(now: datetime, state: SweepState, metering: Metering | None) -> int | None:
    """Seconds since a bucket last changed; None where none ever did."""
    if metering is not None and metering.fresh:
        return 0
    return None if state.fresh_at is None else int((now - state.fresh_at).total_seconds())


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
