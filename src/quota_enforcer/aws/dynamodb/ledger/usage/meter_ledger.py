"""The ledger in DynamoDB as the stream meter and the recount touch it, and no more of it."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from quota_enforcer import clock
from quota_enforcer.aws.dynamodb.headrooms import DynamoRoom
from quota_enforcer.aws.dynamodb.ledger.memory.form import TableForm
from quota_enforcer.aws.dynamodb.ledger.usage.additions import DynamoAdditions
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.hours import DynamoUsage
from quota_enforcer.aws.dynamodb.ledger.usage.recounts import DynamoRecounts
from quota_enforcer.aws.dynamodb.ledger.usage.scan import UsageOfDay
from quota_enforcer.aws.dynamodb.ledger.usage.sources import (
    METER_RULES,
    DynamoSources,
    meter_rules_of,
)
from quota_enforcer.aws.dynamodb.ledger.usage.tallies import DynamoTallies
from quota_enforcer.aws.dynamodb.table import Table
from quota_enforcer.aws.dynamodb.unseen_usage import mark_all
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.usage.place import HOME

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date
    from zoneinfo import ZoneInfo

    from mypy_boto3_dynamodb import DynamoDBClient

    from quota_enforcer.core.principal import Principal
    from quota_enforcer.core.usage.counts import Counts
    from quota_enforcer.core.usage.stored import Bucket, MeterRules


class DynamoMeterLedger:
    """The `MeterLedger`; `zone` says which local hours the buckets are.

    `place` is where the log is whose hours it recounts, as its buckets have it. `day` reads
    everybody's usage of a day, where several places share what was read.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        name: str,
        zone: "ZoneInfo",
        now: Callable[[], datetime] = clock.now,
        place: str = HOME,
        day: "Callable[[date], dict[Bucket, dict[datetime, Counts]]] | None" = None,
    ) -> None:
        self._table = table = Table(client, name)

        sources = DynamoSources(table, now)
        self.sources = sources.sources
        self.remember_sources = sources.remember_sources

        self._form = TableForm(table)
        self._hours = DynamoUsage(table, zone)
        self.day = day or UsageOfDay(client, name, zone).day

        recounts = DynamoRecounts(table, place)
        self.ask_recounts = recounts.ask_recounts
        self.recounts = recounts.recounts
        self.start_recount = recounts.start_recount
        self.finish_recount = recounts.finish_recount
        self.drop_recount = recounts.drop_recount
        self.left_out = recounts.left_out
        self.leave_out = recounts.leave_out

        tallies = DynamoTallies(table)
        self.set_tally = tallies.set_tally
        self.tallies = tallies.tallies
        self.watch_memory = tallies.watch_memory
        self.keep_watch_memory = tallies.keep_watch_memory
        self.post = tallies.post

        self.add = DynamoAdditions(table, self._form, recounts, tallies, zone, now).add
        self.room = DynamoRoom(table).room

    def meter_rules(self) -> "MeterRules":
        return meter_rules_of(self._table.get(METER_RULES))

    def set_hours(
        self,
        bucket: "Bucket",
        hours: "Mapping[datetime, Counts]",
        meter: str = Metering.CLOUDWATCH,
    ) -> None:
        self._form.note()
        self._hours.set_hours(bucket, hours, meter)

    def set_minutes(
        self,
        bucket: "Bucket",
        hour: datetime,
        end: datetime,
        minutes: "Mapping[datetime, Counts]",
    ) -> None:
        self._form.note()
        self._hours.set_minutes(bucket, hour, end, minutes)

    def mark_unseen(self, principals: "Collection[Principal]", mark: str) -> None:
        mark_all(self._table, principals, mark)
