"""Calls added to the ledger exactly once: transactions of their markers and their buckets.

A transaction is written whole or not at all, so a crash between any two leaves nothing half done,
and who repeats a delivery finds the markers. There is never a claim without its usage.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from quota_enforcer.aws.dynamodb.ledger.memory.form import TableForm
from quota_enforcer.aws.dynamodb.ledger.usage import addition_items
from quota_enforcer.aws.dynamodb.ledger.usage.addition_items import ADDED, marker_key
from quota_enforcer.aws.dynamodb.ledger.usage.packs import Marker, Pack, lanes
from quota_enforcer.aws.dynamodb.ledger.usage.recounts import DynamoRecounts
from quota_enforcer.aws.dynamodb.ledger.usage.tallies import DynamoTallies
from quota_enforcer.aws.dynamodb.retry import TRIES, cancellation_reasons, is_transient
from quota_enforcer.aws.dynamodb.table import Table
from quota_enforcer.core.errors import NewerLedger
from quota_enforcer.core.usage.counts import NO_MONEY
from quota_enforcer.core.usage.window import next_hour
from quota_enforcer.meter.ports import AddResult, UsageEntry
from quota_enforcer.meter.recount.recounter import ADDED_FREELY

if TYPE_CHECKING:
    from quota_enforcer.aws.dynamodb.table import Write

PATIENCE: Final = timedelta(seconds=60)
"""After that a delivery begins no transaction more: what is left ends as failed.

Until then it goes on meeting others: after an outage many deliveries come at once.
"""
LANES: Final = 4
"""Transactions under way at once, at most; one if they share the check that an hour is open."""
_ODD: Final = {"ValidationException", "ValidationError", "ItemCollectionSizeLimitExceeded"}
"""What DynamoDB says of a call that it will never take, whatever it stands next to."""

_SHOWN = 200


@dataclass(slots=True)
class _Outcome:
    """What became of the calls of one lane so far, by their keys; until when it may take."""

    until: datetime
    added: set[str] = field(default_factory=set)
    duplicates: set[str] = field(default_factory=set)
    late: dict[str, datetime] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def open(self, calls: Iterable[UsageEntry]) -> Pack:
        """Those of the calls that nothing is known of yet."""
        known = self.added | self.duplicates | self.late.keys() | self.failed.keys()
        return [call for call in calls if call.key not in known]

    def fail(self, calls: Iterable[UsageEntry], reason: str) -> None:
        """Nothing more can be done for these."""
        self.failed |= {call.key: reason for call in calls}


class DynamoAdditions:
    """Adds calls; `now` is asked for what passes while it does so."""

    def __init__(
        self,
        table: Table,
        form: TableForm,
        recounts: DynamoRecounts,
        tallies: DynamoTallies,
        zone: ZoneInfo,
        now: Callable[[], datetime],
    ) -> None:
        self._table = table
        self._form = form
        self._recounts = recounts
        self._tallies = tallies
        self._zone = zone
        self._now = now

    def add(self, additions: Sequence[UsageEntry], now: datetime) -> AddResult:
        """Add each call that was never added; duplicates are confirmed and dropped.

        It never raises for what DynamoDB says: calls that may not have been written are `failed`.
        """
        calls = {addition.key: addition for addition in additions}
        try:
            if calls:
                self._form.note()
        except (BotoCoreError, ClientError, OSError, NewerLedger) as error:
            return AddResult(failed=dict.fromkeys(calls, _words(error)))
        begun = self._now()
        soon = self._closed(calls.values(), now + 2 * PATIENCE)
        lanes_of = lanes(calls.values(), soon)

        def run(lane: Sequence[Pack]) -> _Outcome:
            outcome = _Outcome(begun + PATIENCE)
            for pack in lane:
                if self._now() > outcome.until:
                    outcome.fail(pack, f"DynamoDB kept this delivery for more than {PATIENCE}")
                else:
                    self._add(pack, now, outcome)
            return outcome

        with ThreadPoolExecutor(1 if soon else LANES) as threads:
            outcomes = list(threads.map(run, lanes_of))
        taken = [calls[key] for outcome in outcomes for key in outcome.added]
        with suppress(BotoCoreError, ClientError, OSError):  # the ledger has them; see `tallies`
            self._tallies.add(taken)
        twice_at_once = len(additions) - len(calls)
        return AddResult(
            sum(len(outcome.added) for outcome in outcomes),
            sum(len(outcome.duplicates) for outcome in outcomes) + twice_at_once,
            frozenset(hour for outcome in outcomes for hour in outcome.late.values()),
            {key: reason for outcome in outcomes for key, reason in outcome.failed.items()},
            sum((call.counts.cost_usd for call in taken), NO_MONEY),
        )

    def _add(self, pack: Pack, now: datetime, outcome: _Outcome) -> None:
        """Add a pack; one bad call never costs its neighbours."""
        try:
            self._write(pack, now, outcome)
        except (BotoCoreError, ClientError, ArithmeticError, OSError, TypeError) as error:
            left = outcome.open(pack)
            if len(left) > 1 and _is_odd(error):
                half = len(left) // 2
                self._add(left[:half], now, outcome)
                self._add(left[half:], now, outcome)
            elif is_transient(error) and self._now() <= outcome.until:
                self._add(left, now, outcome)
            else:
                outcome.fail(left, _words(error))

    def _write(self, pack: Pack, now: datetime, outcome: _Outcome) -> None:
        """One transaction, again without the calls whose conditions did not hold."""
        left = pack
        for _ in range(TRIES):
            left = outcome.open(left)
            if not left:
                return
            markers = addition_items.marker_updates(left, now)
            checks = addition_items.open_checks(self._closed(left, now), self._recounts.place)
            conditions: list[Marker | datetime] = [*markers, *checks]
            writes: list[Write] = [*markers.values(), *checks.values()]
            writes += addition_items.bucket_updates(left, self._zone)
            writes += addition_items.minute_updates(left)
            broken = [conditions[place] for place in self._table.write(writes)]
            if not broken:
                outcome.added |= {call.key for call in left}
                continue
            known = self._known(each for each in broken if isinstance(each, Marker))
            outcome.duplicates |= {call.key for call in left if call.key in known}
            begun = {each for each in broken if isinstance(each, datetime)}
            late = {call.key: call.hour for call in outcome.open(left) if call.hour in begun}
            if late:
                self._recounts.ask_recounts(late.values(), now)
                outcome.late |= late
        outcome.fail(outcome.open(left), f"its conditions did not settle in {TRIES} tries")

    def _known(self, markers: Iterable[Marker]) -> set[str]:
        """The keys of all calls that these markers say were added."""
        items = self._table.batch_get(map(marker_key, markers))
        return {key for item in items for key in item[ADDED]}

    def _closed(self, calls: Iterable[UsageEntry], now: datetime) -> set[datetime]:
        """Of which hours a recount may have begun."""
        # By the clock as it is at each try: a recount may begin while a delivery takes its time.
        latest = max(now, self._now()) - ADDED_FREELY
        hours = {call.hour for call in calls}
        return {hour for hour in hours if next_hour(hour, self._zone) <= latest}


def _is_odd(error: Exception) -> bool:
    """Whether one of the calls is at fault, and not DynamoDB."""
    if isinstance(error, ClientError):
        reasons: set[str] = {error.response["Error"]["Code"], *cancellation_reasons(error)}
        return bool(reasons & _ODD)
    return isinstance(error, (ArithmeticError, ParamValidationError, TypeError))


def _words(error: Exception) -> str:
    said: Any = error
    return f"{type(error).__name__}: {said}"[:_SHOWN]
