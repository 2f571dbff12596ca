"""The meters, as a sweep deals with them: tells them, reads the metrics, settles a change."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from quota_enforcer.core.deployment import Metering, Settings
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.pricing.catalog.shipped import shipped_prices
from quota_enforcer.core.pricing.dated import DatedPrices
from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.decide.rules.rule_set import QuotaEdit, RuleSet
from quota_enforcer.enforce.ports.ledger import MeterRulesMemory
from quota_enforcer.enforce.report import Outcome, failure
from quota_enforcer.meter.cloudwatch.meter import MeterRun, Occasion, Pricing, meter
from quota_enforcer.meter.handover import hand_over
from quota_enforcer.meter.ports import MeteredHours, Metrics, Models


class MetersLedger(MeterRulesMemory, MeteredHours, Protocol):
    """The roles of the ledger that the meters and the enforcer share."""


class Meters:
    """One deployment's meters."""

    def __init__(
        self, settings: Settings, ledger: MetersLedger, metrics: Metrics, models: Models
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._metrics = metrics
        self._models = models

    def tell(self, rules: RuleSet) -> Outcome:
        """What the quota table says to them, if that is news. It may wait for another sweep."""
        try:
            if self._ledger.meter_rules() != rules.meter_rules:
                self._ledger.put_meter_rules(rules.meter_rules, rules.version)
        except Exception as error:  # noqa: BLE001 - the rest of the sweep goes on
            return Outcome(failures=(failure("could not tell the meters", error),))
        return Outcome()

    def run(
        self, state: SweepState, rules: RuleSet, now: datetime, *, dry_run: bool
    ) -> tuple[SweepState, MeterRun | None, Outcome]:
        """Usage into the ledger, if it comes from the metrics; None if that failed.

        Returns also the state as the next sweep shall find it. Without metrics the clock still
        releases, so the sweep goes on.
        """
        try:
            state = self._hand_over(state, now, dry_run=dry_run)
        except Exception as error:  # noqa: BLE001 - whatever AWS says, the rest goes on
            return state, None, Outcome(failures=(failure("could not change the meter", error),))
        try:
            metered = self._read(state, rules, now)
        except Exception as error:  # noqa: BLE001 - as above
            return state, None, Outcome(failures=(failure("could not read the metrics", error),))
        if metered is None:
            return state, MeterRun(), Outcome()
        fresh_at = now if metered.fresh else state.fresh_at
        outcome = Outcome(
            failures=metered.failures, unattributed=metered.unattributed, series=metered.series
        )
        return replace(state, metered_to=now, fresh_at=fresh_at), metered, outcome

    def needing_no_metering(self, edits: Iterable[QuotaEdit]) -> list[QuotaEdit]:
        """The edits that can be settled without reading metrics: all but those of sessions."""
        by_metrics = self._settings.metering is Metering.CLOUDWATCH
        return [edit for edit in edits if not (by_metrics and edit.of_sessions)]

    def _hand_over(self, state: SweepState, now: datetime, *, dry_run: bool) -> SweepState:
        settings = self._settings
        if state.metering == settings.metering:
            return state
        sources = self._ledger.sources()
        behind = min((each.behind for each in sources if each.behind), default=None)
        taken = hand_over(state, settings.metering, now, settings.zone, behind)
        if taken.hours and not dry_run:
            self._ledger.ask_recounts(taken.hours, now)
        return taken.state

    def _read(self, state: SweepState, rules: RuleSet, now: datetime) -> MeterRun | None:
        """What the metrics say; None if it is the stream that meters, or did until this hour."""
        settings, begins = self._settings, state.metering_from
        if settings.metering is Metering.STREAM or (begins is not None and now <= begins):
            return None
        occasion = Occasion(now, settings.zone, settings.account, rules.watch_sessions, begins)
        pricing = Pricing(self._models, dated_prices(rules.prices), settings.region)
        return meter(self._metrics, self._ledger, rules.book, state, occasion, pricing)


def dated_prices(own: Mapping[str, Rate]) -> DatedPrices:
    """The prices that come with the product, with what admins wrote over them."""
    return _prices(tuple(own.items()))


@lru_cache(maxsize=1)
def _prices(own: tuple[tuple[str, Rate], ...]) -> DatedPrices:
    """The same until admins change theirs, since they remember their look-ups."""
    return shipped_prices(dict(own))
