"""Wiring of the meter: apart from the enforcer's, so that it imports nothing that it may not do."""

from typing import TYPE_CHECKING, Final

from botocore.config import Config

from quota_enforcer.aws.bedrock.models import SOON_OR_NOT, BedrockModels
from quota_enforcer.aws.cloudwatch.invocation_log import CloudWatchInvocationLog
from quota_enforcer.aws.dynamodb.ledger.usage.meter_ledger import DynamoMeterLedger
from quota_enforcer.aws.dynamodb.ledger.usage.model_memory import DynamoModelMemory
from quota_enforcer.aws.functions.wake import EnforcerWake
from quota_enforcer.aws.messaging.queues import SqsDeadLetters
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.table import PriceTable
from quota_enforcer.meter.adapters import MeterAdapters, MeteredLogGroup
from quota_enforcer.meter.recount import Recounter
from quota_enforcer.meter.stream import Stream

if TYPE_CHECKING:
    import boto3

    from quota_enforcer.core.ledger import MeterRules
    from quota_enforcer.meter.settings import MeterSettings

PATIENT: Final = Config(
    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 4}
)
"""A delivery must not hang on one lost answer; repeats of one write count once."""


def outside(settings: "MeterSettings", session: "boto3.Session") -> MeterAdapters:
    """Every adapter of one deployment's meter."""
    dynamodb = session.client("dynamodb", config=PATIENT)
    return MeterAdapters(
        ledger=DynamoMeterLedger(dynamodb, settings.ledger_table, settings.zone),
        models=BedrockModels(
            session.client("bedrock", config=SOON_OR_NOT),
            DynamoModelMemory(dynamodb, settings.ledger_table),
        ),
        log=CloudWatchInvocationLog(session.client("logs"), settings.log_group),
        wake=EnforcerWake(session.client("lambda", config=PATIENT), settings.enforcer),
        letters=SqsDeadLetters(
            session.client("sqs", config=PATIENT), settings.dead_letters, settings.log_group
        ),
        prices=_prices,
    )


def stream(settings: "MeterSettings", adapters: MeterAdapters) -> Stream:
    """What meters deliveries."""
    return Stream(adapters, _log_group(settings))


def recounter(settings: "MeterSettings", adapters: MeterAdapters) -> Recounter:
    """What sets hours from the log."""
    return Recounter(adapters, _log_group(settings))


def _log_group(settings: "MeterSettings") -> MeteredLogGroup:
    return MeteredLogGroup(settings.account, settings.log_group, settings.zone)


def _prices(meter_rules: "MeterRules") -> PriceTable:
    return PriceTable(shipped_rates(), meter_rules.prices)
