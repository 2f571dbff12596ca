"""Wiring of the satellites: each is reached by the reader role that its stack made for home.

A process meters for many places and recounts few, so what only a recount needs is made late.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from quota_enforcer.aws import clients
from quota_enforcer.aws.account.assumed import assumed
from quota_enforcer.aws.bedrock.models import BedrockModels
from quota_enforcer.aws.cloudwatch.logs.invocation_log import CloudWatchInvocationLog
from quota_enforcer.aws.dynamodb.ledger.usage.meter_ledger import DynamoMeterLedger
from quota_enforcer.aws.dynamodb.ledger.usage.model_memory import DynamoModelMemory
from quota_enforcer.aws.dynamodb.ledger.usage.scan import UsageOfDay
from quota_enforcer.aws.dynamodb.satellites import DynamoSatellites
from quota_enforcer.aws.dynamodb.table import Table
from quota_enforcer.aws.messaging.queues import SqsDeadLetters
from quota_enforcer.aws.messaging.undelivered import SqsUndelivered
from quota_enforcer.core.usage.model import NamedModel, is_opaque, named
from quota_enforcer.lambdas.meter.places import PlaceAdapters, SatellitePlaces, SharedDays
from quota_enforcer.meter.adapters import MeterAdapters, MeteredLogGroup
from quota_enforcer.satellites.names import Part, external_id, queue_name, role_arn

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3
    from mypy_boto3_sts import STSClient

    from quota_enforcer.core.usage.place import Place
    from quota_enforcer.lambdas.meter.places import Undelivered
    from quota_enforcer.meter.ports import InvocationLog, Models
    from quota_enforcer.meter.settings import MeterSettings

SESSION: Final = "home-meter"
"""Who takes a reader role, as the satellite's CloudTrail has it."""


def satellite_places(
    settings: "MeterSettings", session: "boto3.Session", home: MeterAdapters
) -> SatellitePlaces | None:
    """The satellites that the stack takes; None if it takes none."""
    stack = settings.home
    if stack is None:
        return None
    dynamodb = session.client("dynamodb", config=clients.PROMPT)
    partition = session.get_partition_for_region(settings.region)

    days = SharedDays(UsageOfDay(dynamodb, settings.ledger_table, settings.zone).day)

    @cache
    def sts() -> "STSClient":
        return session.client("sts", config=clients.PROMPT)

    @cache
    def reader(place: "Place") -> "boto3.Session":
        role = role_arn(partition, place.account, settings.stack, Part.READER, place.region)
        return assumed(sts(), role, external_id(settings.stack_id), SESSION, place.region)

    @cache
    def adapters_of(place: "Place", group: str) -> PlaceAdapters:
        def models() -> BedrockModels:
            client = reader(place).client("bedrock", config=clients.MODEL_NAMES)
            return BedrockModels(client, DynamoModelMemory(dynamodb, settings.ledger_table))

        def log() -> CloudWatchInvocationLog:
            return CloudWatchInvocationLog(reader(place).client("logs"), group)

        def queue() -> SqsUndelivered:
            client = reader(place).client("sqs", config=clients.PROMPT)
            return SqsUndelivered(client, queue_name(settings.stack))

        letters = SqsDeadLetters(
            session.client("sqs", config=clients.PROMPT), settings.dead_letters, group, str(place)
        )
        ledger = DynamoMeterLedger(
            dynamodb, settings.ledger_table, settings.zone, place=str(place), day=days.day
        )
        adapters = MeterAdapters(
            ledger=ledger,
            models=_ModelsThere(cast("Models", _Late(models))),
            log=cast("InvocationLog", _Late(log)),
            wake=home.wake,
            letters=letters,
            prices=home.prices,
        )
        return PlaceAdapters(adapters, cast("Undelivered", _Late(queue)))

    return SatellitePlaces(
        stack,
        DynamoSatellites(Table(dynamodb, settings.ledger_table)),
        MeteredLogGroup(settings.account, settings.log_group, settings.zone),
        adapters_of,
        days,
    )


class _Late:
    """An adapter that is made when it is first asked for something."""

    def __init__(self, make: "Callable[[], object]") -> None:
        self._make = cache(make)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._make(), name)


class _ModelsThere:
    """The `Models` of a satellite: Bedrock there is asked only about ids that do not say."""

    def __init__(self, asked: "Models") -> None:
        self._asked = asked

    def named(self, model_id: str) -> NamedModel:
        return self._asked.named(model_id) if is_opaque(model_id) else named(model_id)
