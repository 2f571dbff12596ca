"""Wiring: the one place where settings and a boto3 session become adapters and a sweep."""

import os
from typing import TYPE_CHECKING, Final

from quota_enforcer.aws import clients
from quota_enforcer.aws.bedrock.models import BedrockModels
from quota_enforcer.aws.cloudwatch.metrics import CloudWatchMetrics
from quota_enforcer.aws.cloudwatch.traffic import BedrockTiers
from quota_enforcer.aws.dynamodb.ledger.ledger import DynamoLedger
from quota_enforcer.aws.dynamodb.ledger.usage.model_memory import DynamoModelMemory
from quota_enforcer.aws.dynamodb.quota_table import DynamoQuotas
from quota_enforcer.aws.dynamodb.satellites import DynamoSatellites
from quota_enforcer.aws.dynamodb.table import Table
from quota_enforcer.aws.functions.author import AuthorFunction
from quota_enforcer.aws.functions.own_stack import OwnStack
from quota_enforcer.aws.iam.assumed_roles import AssumedRoles
from quota_enforcer.aws.iam.denies import IamDenies
from quota_enforcer.aws.messaging.topic import SnsTopic
from quota_enforcer.core.deployment import Metering
from quota_enforcer.enforce.ports.adapters import Adapters, NoSatellites
from quota_enforcer.enforce.sweep import Sweep
from quota_enforcer.meter.ports import Models, NamedByThemselves
from quota_enforcer.satellites.names import Part, external_id, role_arn

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    import boto3

    from quota_enforcer.core.deployment import Context, Settings
    from quota_enforcer.core.notices.notice import Facts
    from quota_enforcer.core.quotas.quota import Rule
    from quota_enforcer.satellites.registry import SatelliteReads


def quotas(settings: "Settings", session: "boto3.Session") -> DynamoQuotas:
    """The quota table."""
    return DynamoQuotas(session.client("dynamodb", config=clients.ENFORCER), settings.quota_table)


def ledger(settings: "Settings", session: "boto3.Session") -> DynamoLedger:
    """The ledger."""
    client = session.client("dynamodb", config=clients.ENFORCER)
    return DynamoLedger(client, settings.ledger_table, settings.zone)


def own_stack(settings: "Settings", session: "boto3.Session") -> OwnStack:
    """The stack that the deployment is."""
    client = session.client("cloudformation", config=clients.ENFORCER)
    return OwnStack(client, settings.stack_id or settings.stack)


def author(settings: "Settings", session: "boto3.Session") -> AuthorFunction | None:
    """The author of the gates, if the deployment keeps any."""
    if not settings.author:
        return None
    return AuthorFunction(session.client("lambda", config=clients.ASKS_AUTHOR), settings.author)


def satellites(settings: "Settings", session: "boto3.Session") -> "SatelliteReads":
    """Which satellites there are."""
    if not settings.has_members:
        return NoSatellites()
    client = session.client("dynamodb", config=clients.ENFORCER)
    return DynamoSatellites(Table(client, settings.ledger_table))


def denies(settings: "Settings", session: "boto3.Session") -> IamDenies:
    """The denies at home, and in member accounts by the role that each gives to the enforcer."""
    client = session.client("iam", config=clients.ENFORCER)
    return IamDenies(client, settings.denies, members(settings, session, Part.DENIER))


def members(settings: "Settings", session: "boto3.Session", part: Part) -> AssumedRoles | None:
    """IAM in member accounts, by this role of theirs; None if there are none."""
    if not settings.has_members:
        return None
    _, partition, *_ = settings.denies["*"].split(":")

    def role(account: str) -> str:
        return role_arn(partition, account, settings.stack, part)

    return AssumedRoles(session, role, external_id(settings.stack_id))


def models(settings: "Settings", session: "boto3.Session") -> Models:
    """Who says what opaque ARNs mean, if the enforcer itself meters."""
    if settings.metering is Metering.STREAM:
        return NamedByThemselves()
    memory = DynamoModelMemory(
        session.client("dynamodb", config=clients.ENFORCER), settings.ledger_table
    )
    return BedrockModels(session.client("bedrock", config=clients.MODEL_NAMES), memory)


LEAST_MEMORY: Final = 512
"""MB, as the template has it."""
PRINCIPALS_A_MB: Final = 8
"""Whose usage of three weeks fits: some 85 KB each of a busy one, and the function itself."""


class WeekWhenDue:
    """Loads the report's code in the one sweep of a week that asks for it."""

    def __init__(self, settings: "Settings", session: "boto3.Session") -> None:
        self._settings = settings
        self._session = session

    def week(
        self, rules: "Iterable[Rule]", context: "Context", monday: "date"
    ) -> tuple[str, "Facts"]:
        """As `ReportOfWeek`."""
        from quota_enforcer.insight.report.model import ReportSource  # noqa: PLC0415 - see above
        from quota_enforcer.insight.report.summary.week import ReportOfWeek  # noqa: PLC0415

        settings = self._settings
        source = ReportSource(settings.stack, settings.account, settings.region)
        reads = ledger(settings, self._session)
        memory = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", LEAST_MEMORY))
        return ReportOfWeek(reads, source, memory * PRINCIPALS_A_MB).week(rules, context, monday)


def adapters(settings: "Settings", session: "boto3.Session") -> Adapters:
    """Every adapter of one deployment."""
    cloudwatch = session.client("cloudwatch", config=clients.ENFORCER)
    return Adapters(
        ledger=ledger(settings, session),
        quotas=quotas(settings, session),
        metrics=CloudWatchMetrics(cloudwatch, settings.metric_namespace),
        denies=denies(settings, session),
        topic=SnsTopic(session.client("sns", config=clients.ENFORCER), settings.notice_topic),
        author=author(settings, session),
        models=models(settings, session),
        tiers=BedrockTiers(cloudwatch),
        satellites=satellites(settings, session),
        weeks=WeekWhenDue(settings, session) if settings.digest else None,
    )


def sweep(settings: "Settings", session: "boto3.Session") -> Sweep:
    """The sweep of one deployment, ready to run."""
    return Sweep(settings, adapters(settings, session))
