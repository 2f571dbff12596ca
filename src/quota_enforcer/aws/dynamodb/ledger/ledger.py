"""The ledger in DynamoDB: one table, everything of one principal in one partition.

Each role has its own class over that table; here they are put together.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from quota_enforcer import clock
from quota_enforcer.aws.dynamodb.headrooms import DynamoHeadrooms
from quota_enforcer.aws.dynamodb.ledger.memory.rules import (
    DynamoMeterRules,
    DynamoPriceMemories,
    DynamoQuotaMemories,
)
from quota_enforcer.aws.dynamodb.ledger.memory.sweeps import DynamoSweepMemory
from quota_enforcer.aws.dynamodb.ledger.notices import DynamoNotices
from quota_enforcer.aws.dynamodb.ledger.reads import DynamoReads
from quota_enforcer.aws.dynamodb.ledger.requests import DynamoRequests
from quota_enforcer.aws.dynamodb.ledger.standings import DynamoStandings
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.hours import DynamoUsage
from quota_enforcer.aws.dynamodb.ledger.usage.recounts import DynamoRecounts
from quota_enforcer.aws.dynamodb.ledger.usage.sources import DynamoSources
from quota_enforcer.aws.dynamodb.table import WholeTable
from quota_enforcer.aws.dynamodb.unseen_usage import DynamoUnseen

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoLedger:
    """The whole `Ledger` of an enforcer; `zone` says which local hours the buckets are."""

    def __init__(
        self,
        client: "DynamoDBClient",
        name: str,
        zone: "ZoneInfo",
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        table = WholeTable(client, name)

        reads = DynamoReads(table, zone)
        self.state, self.records, self.everybody = reads.state, reads.records, reads.everybody
        self.usage, self.minutes, self.pace = reads.usage, reads.minutes, reads.pace
        self.quota_memories = reads.quota_memories

        standings = DynamoStandings(table)
        self.due, self.blocked = standings.due, standings.blocked
        self.gate_intents = standings.gate_intents
        self.put = standings.put
        self.forget = standings.forget

        notices = DynamoNotices(table)
        self.post = notices.post
        self.gate_findings = notices.gate_findings
        self.tell_findings = notices.tell_findings
        self.outbox = notices.outbox
        self.sent = notices.sent
        self.history = notices.history
        self.whole_history = notices.whole_history

        sweeps = DynamoSweepMemory(table)
        self.begin = sweeps.begin
        self.finish = sweeps.finish
        self.claim_edits = sweeps.claim_edits
        self.complete_edits = sweeps.complete_edits
        self.reopen_edits = sweeps.reopen_edits
        self.turn_breaker = sweeps.turn_breaker
        self.note = sweeps.note
        self.note_pause = sweeps.note_pause
        self.note_tiers, self.note_digest = sweeps.note_tiers, sweeps.note_digest
        self.note_gates, self.note_accounts = sweeps.note_gates, sweeps.note_accounts
        self.close, self.reopen = sweeps.close, sweeps.reopen

        requests = DynamoRequests(table)
        self.requests, self.note_request = requests.requests, requests.note_request

        marks = DynamoUnseen(table)
        self.unseen, self.looked_at = marks.unseen, marks.looked_at

        headrooms = DynamoHeadrooms(table)
        self.headrooms, self.keep_headrooms = headrooms.headrooms, headrooms.keep_headrooms
        self.drop_headrooms = headrooms.drop_headrooms

        quotas, prices = DynamoQuotaMemories(table), DynamoPriceMemories(table)
        self.remember_quota = quotas.remember
        self.forget_quota = quotas.forget
        self.announce_removal = quotas.announce_removal
        self.price_memories, self.remember_price = prices.all, prices.remember

        meter_rules = DynamoMeterRules(table)
        self.meter_rules, self.put_meter_rules = meter_rules.get, meter_rules.put

        hours, sources = DynamoUsage(table, zone), DynamoSources(table, now)
        self.hours, self.set_hours = hours.hours, hours.set_hours
        self.ask_recounts = DynamoRecounts(table).ask_recounts
        self.sources = sources.sources
        self.remember_source = sources.remember_source
