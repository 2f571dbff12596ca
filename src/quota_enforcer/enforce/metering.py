"""The meters, as a sweep deals with them: tells them, reads the metrics, settles a change."""

from dataclasses import replace

from quota_enforcer.core.deployment import Metering, Settings
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.table import PriceTable
from quota_enforcer.decide.rules import RuleSet
from quota_enforcer.enforce.ports import Adapters
from quota_enforcer.enforce.report import Report
from quota_enforcer.enforce.rules_cache import CachedRules
from quota_enforcer.meter.cloudwatch.meter import MeterRun, Occasion, Pricing, meter
from quota_enforcer.meter.handover import hand_over


class Meters:
    """One deployment's meters."""

    def __init__(self, settings: Settings, outside: Adapters) -> None:
        self._settings = settings
        self._outside = outside

    def tell(self, known: CachedRules, report: Report) -> None:
        """What the quota table says to them, where that is news. It may wait for another sweep."""
        meter_rules, ledger = known.loaded.meter_rules, self._outside.ledger
        try:
            if ledger.meter_rules() != meter_rules:
                ledger.put_meter_rules(meter_rules, known.rules.seen)
        except Exception as error:  # noqa: BLE001 - the rest of the sweep goes on
            report.failures.append(f"could not tell the meters: {_words(error)}")

    def run(
        self, state: SweepState, loaded: RuleSet, report: Report
    ) -> tuple[SweepState, MeterRun | None]:
        """Usage into the ledger, where it comes from the metrics; None where that failed.

        Returns also the state as the next sweep shall find it. Without metrics the clock still
        releases, so the sweep goes on.
        """
        try:
            state = self._take_over(state, report)
        except Exception as error:  # noqa: BLE001 - whatever AWS says, the rest goes on
            report.failures.append(f"could not change the meter: {_words(error)}")
            return state, None
        try:
            metered = self._read(state, loaded, report)
        except Exception as error:  # noqa: BLE001 - likewise
            report.failures.append(f"could not read the metrics: {_words(error)}")
            return state, None
        if metered is None:
            return state, MeterRun()
        report.series = metered.series
        report.unattributed += metered.unattributed
        report.failures += metered.failures
        fresh_at = report.now if metered.fresh else state.fresh_at
        return replace(state, metered_to=report.now, fresh_at=fresh_at), metered

    def _take_over(self, state: SweepState, report: Report) -> SweepState:
        settings, ledger = self._settings, self._outside.ledger
        if state.metering == settings.metering:
            return state
        behind = min((each.behind for each in ledger.sources() if each.behind), default=None)
        taken = hand_over(state, settings.metering, report.now, settings.zone, behind)
        if taken.hours and not report.dry_run:
            ledger.ask_recounts(taken.hours, report.now)
        return taken.state

    def _read(self, state: SweepState, loaded: RuleSet, report: Report) -> MeterRun | None:
        """What the metrics say; None where it is the stream that meters, or did until this hour."""
        settings, outside = self._settings, self._outside
        begins = state.metering_from
        if settings.metering is Metering.STREAM or (begins is not None and report.now <= begins):
            return None
        occasion = Occasion(
            report.now, settings.zone, settings.account, loaded.watch_sessions, begins
        )
        table = PriceTable(shipped_rates(), loaded.prices)
        pricing = Pricing(outside.models, table, settings.region)
        return meter(outside.metrics, outside.ledger, loaded.book, state, occasion, pricing)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
