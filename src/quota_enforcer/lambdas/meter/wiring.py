"""Wiring of the meter: apart from the enforcer's, so that it constructs only what it may call."""

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from quota_enforcer.aws import clients
from quota_enforcer.aws.account.regions import enabled_regions
from quota_enforcer.aws.bedrock.models import BedrockModels
from quota_enforcer.aws.cloudwatch.elsewhere import Elsewhere, calls_elsewhere
from quota_enforcer.aws.cloudwatch.logs.invocation_log import CloudWatchInvocationLog
from quota_enforcer.aws.cloudwatch.metrics import CloudWatchMetrics
from quota_enforcer.aws.cloudwatch.witness import CloudWatchWitness
from quota_enforcer.aws.dynamodb.ledger.usage.meter_ledger import DynamoMeterLedger
from quota_enforcer.aws.dynamodb.ledger.usage.model_memory import DynamoModelMemory
from quota_enforcer.aws.functions.functions import EnforcerWake
from quota_enforcer.aws.messaging.queues import SqsDeadLetters
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.pricing.catalog.shipped import shipped_prices
from quota_enforcer.core.pricing.dated import DatedPrices
from quota_enforcer.core.usage.counts import METRIC_NAMES
from quota_enforcer.lambdas.meter.satellites import satellite_places
from quota_enforcer.meter.adapters import MeterAdapters, MeteredLogGroup
from quota_enforcer.meter.recount.recounter import Recounter
from quota_enforcer.meter.stream import Stream
from quota_enforcer.meter.watch.metered import MetricTallies
from quota_enforcer.meter.watch.watch import MeterWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta

    import boto3

    from quota_enforcer.core.usage.stored import MeterRules
    from quota_enforcer.lambdas.meter.places import SatellitePlaces
    from quota_enforcer.meter.settings import MeterSettings
    from quota_enforcer.meter.watch.ports import WatchLedger


class Meter(NamedTuple):
    """Both halves of the meter, what looks where it does not reach, and the satellites."""

    stream: Stream
    recounter: Recounter
    elsewhere: "Callable[[datetime, timedelta], Elsewhere]"
    watch: MeterWatch
    unwired: "Callable[[str], tuple[str, ...]]"
    places: "SatellitePlaces | None" = None
    """None where the stack takes no satellites."""


def wired(settings: "MeterSettings", session: "boto3.Session") -> Meter:
    """One deployment's meter."""
    adapters = meter_adapters(settings, session)
    places = satellite_places(settings, session, adapters)
    return Meter(
        stream(settings, adapters),
        recounter(settings, adapters),
        elsewhere(settings, session, places),
        watch(settings, session, adapters),
        unwired(settings, session),
        places,
    )


def meter_adapters(settings: "MeterSettings", session: "boto3.Session") -> MeterAdapters:
    """Every adapter of one deployment's meter."""
    dynamodb = session.client("dynamodb", config=clients.PROMPT)
    return MeterAdapters(
        ledger=DynamoMeterLedger(dynamodb, settings.ledger_table, settings.zone),
        models=BedrockModels(
            session.client("bedrock", config=clients.MODEL_NAMES),
            DynamoModelMemory(dynamodb, settings.ledger_table),
        ),
        log=CloudWatchInvocationLog(session.client("logs"), settings.log_group),
        wake=EnforcerWake(session.client("lambda", config=clients.PROMPT), settings.enforcer),
        letters=SqsDeadLetters(
            session.client("sqs", config=clients.PROMPT), settings.dead_letters, settings.log_group
        ),
        prices=_prices,
    )


def elsewhere(
    settings: "MeterSettings", session: "boto3.Session", places: "SatellitePlaces | None" = None
) -> "Callable[[datetime, timedelta], Elsewhere]":
    """What asks the account's other Regions for calls."""

    def asked(now: "datetime", back: "timedelta") -> Elsewhere:
        regions = enabled_regions(session.client("account", config=clients.MODEL_NAMES))
        satellites = places.satellites() if places else ()
        metered = {
            each.place.region for each in satellites if each.place.account == settings.account
        }
        return calls_elsewhere(
            (each for each in regions if each != session.region_name),
            lambda region: session.client(
                "cloudwatch", region_name=region, config=clients.MODEL_NAMES
            ),
            now,
            back,
            metered,
        )

    return asked


def watch(
    settings: "MeterSettings", session: "boto3.Session", adapters: MeterAdapters
) -> MeterWatch:
    """What holds the tallies against AWS's own totals."""
    cloudwatch = session.client("cloudwatch", config=clients.MODEL_NAMES)
    client = session.client("dynamodb", config=clients.PROMPT)
    ledger: WatchLedger = DynamoMeterLedger(client, settings.ledger_table, settings.zone)
    streams = settings.metering is Metering.STREAM
    if not streams:
        metrics = CloudWatchMetrics(cloudwatch, metric_namespace(settings))
        ledger = MetricTallies(ledger, metrics, adapters.models, settings.zone)
    log = CloudWatchInvocationLog(session.client("logs"), settings.log_group)
    witness = CloudWatchWitness(
        cloudwatch,
        adapters.models,
        settings.log_group,
        settings.zone,
        lambda: partial(ours, settings.stack, log.handed_to()),
    )
    return MeterWatch(ledger, witness, settings.zone, subscribed=streams)


def unwired(
    settings: "MeterSettings", session: "boto3.Session"
) -> "Callable[[str], tuple[str, ...]]":
    """A function that says which subscription or metric filters the meter, by its ARN, has lost."""
    log = CloudWatchInvocationLog(session.client("logs"), settings.log_group)

    def asked(function: str) -> tuple[str, ...]:
        if settings.metering is Metering.STREAM:
            return () if log.is_subscribed(function) else ("subscription",)
        return tuple(sorted({*METRIC_NAMES.values()} - log.measured(metric_namespace(settings))))

    return asked


def ours(stack: str, now: "Mapping[str, str]", name: str) -> bool:
    """Whether a subscription is the meter's, or was: `now` are those of the group by destination.

    CloudFormation names subscription and function after the stack; one that is gone has its name
    only.
    """
    if name in now:
        return f":function:{stack}-MeterFunction-" in now[name]
    return name.startswith(f"{stack}-InvocationSubscription-")


def metric_namespace(settings: "MeterSettings") -> str:
    """Where the template's metric filters write."""
    return f"BedrockQuota/{settings.stack}"


def stream(settings: "MeterSettings", adapters: MeterAdapters) -> Stream:
    """What meters deliveries."""
    return Stream(adapters, _log_group(settings))


def recounter(settings: "MeterSettings", adapters: MeterAdapters) -> Recounter:
    """What sets hours from the log."""
    return Recounter(adapters, _log_group(settings))


def _log_group(settings: "MeterSettings") -> MeteredLogGroup:
    return MeteredLogGroup(settings.account, settings.log_group, settings.zone)


def _prices(meter_rules: "MeterRules") -> DatedPrices:
    return shipped_prices(meter_rules.prices)
