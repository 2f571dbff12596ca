"""The doctor's probe of AWS itself, wired to the adapters."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from quota_enforcer.aws import clients
from quota_enforcer.aws.account.regions import enabled_regions
from quota_enforcer.aws.account.stack import StackParts, server_time
from quota_enforcer.aws.bedrock.batch_jobs import batch_jobs
from quota_enforcer.aws.bedrock.logging_found import logging_found
from quota_enforcer.aws.cloudwatch.alarms import alarms
from quota_enforcer.aws.cloudwatch.logs.log_groups import LogWiring
from quota_enforcer.aws.cloudwatch.logs.trail import TrailLog
from quota_enforcer.aws.cloudwatch.metrics import CloudWatchMetrics
from quota_enforcer.aws.cloudwatch.traffic import BedrockTraffic
from quota_enforcer.aws.dynamodb.ledger.memory.gates import DynamoGateMemory
from quota_enforcer.aws.dynamodb.ledger.usage.recounts import recounts_everywhere
from quota_enforcer.aws.dynamodb.satellites import DynamoSatellites
from quota_enforcer.aws.dynamodb.table import Table
from quota_enforcer.aws.errors import problem
from quota_enforcer.aws.functions.triggers import FunctionState, mapping_state, schedule
from quota_enforcer.aws.iam.denies import IamDenies
from quota_enforcer.aws.iam.gates import IamGates
from quota_enforcer.aws.iam.identities import IamIdentities
from quota_enforcer.aws.iam.simulation import allowed
from quota_enforcer.aws.messaging.queues import waiting
from quota_enforcer.aws.messaging.subscriptions import listeners
from quota_enforcer.core.errors import NotThere
from quota_enforcer.core.policies.document import Document
from quota_enforcer.core.policies.guard.keys import Key
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.doctor.access import Problem
from quota_enforcer.doctor.probe import Probe, StackPart
from quota_enforcer.doctor.rules.coverage import Entity
from quota_enforcer.doctor.rules.logging import LoggingFound
from quota_enforcer.doctor.rules.machinery import FunctionFound, ScheduleFound
from quota_enforcer.doctor.rules.metering import MaskingFound, SubscriptionFound
from quota_enforcer.doctor.rules.notices import AlarmFound, Listeners
from quota_enforcer.doctor.rules.unlogged import BatchJob
from quota_enforcer.doctor.witness.trail import TrailRead
from quota_enforcer.gates.ports import Gates, MemoryReads
from quota_enforcer.gates.settings import AuthorSettings
from quota_enforcer.meter.ports import Recount, Series
from quota_enforcer.meter.settings import MeterSettings
from quota_enforcer.satellites.registry import Satellite

if TYPE_CHECKING:
    import boto3

    from quota_enforcer.core.deployment import Settings

_HOUR: Final = 3600
_ARNS_REGION: Final = 3
"""Where the Region stands between the colons of an ARN."""


def aws_probe(session: "boto3.Session", settings: "Settings", outputs: Mapping[str, str]) -> Probe:
    """The `Probe` of one deployment, by what its stack's outputs name."""
    return _AwsProbe(session, settings, outputs)


class _AwsProbe:
    def __init__(
        self, session: "boto3.Session", settings: "Settings", outputs: Mapping[str, str]
    ) -> None:
        self._session = session
        self._settings = settings
        self._outputs = outputs
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = Lock()

    @property
    def region(self) -> str:
        return self._session.region_name or ""

    def problem(self, error: Exception) -> Problem:
        return problem(error)

    def parameters(self) -> Mapping[str, str]:
        return self._stack.parameters()

    def parts(self) -> Mapping[str, StackPart]:
        return self._stack.parts()

    def outputs(self) -> Mapping[str, str]:
        return self._outputs

    def satellites(self) -> Sequence[Satellite]:
        table = Table(self._client("dynamodb"), self._settings.ledger_table)
        return DynamoSatellites(table).satellites()

    def meter(self) -> MeterSettings:
        return MeterSettings.from_environment(self._environment("MeterFunction"))

    def author(self) -> AuthorSettings:
        return AuthorSettings.from_environment(self._environment("AuthorFunction"))

    def regions(self) -> list[str]:
        return enabled_regions(self._client("account"))

    def logging(self, region: str) -> LoggingFound | None:
        return logging_found(self._client("bedrock", region))

    def calls(
        self, region: str, start: datetime, end: datetime, period: int
    ) -> Mapping[datetime, int]:
        return BedrockTraffic(self._client("cloudwatch", region)).calls(start, end, period)

    def undelivered(self, start: datetime, end: datetime) -> int:
        return BedrockTraffic(self._client("cloudwatch")).undelivered(start, end, _HOUR)

    def mantle(self, region: str, start: datetime, end: datetime, period: int) -> int:
        return BedrockTraffic(self._client("cloudwatch", region)).mantle(start, end, period)

    def batch_jobs(self, since: datetime) -> Sequence[BatchJob]:
        return batch_jobs(self._client("bedrock"), since)

    def stacks(self, region: str) -> tuple[str, ...]:
        return LogWiring(self._client("logs", region)).stacks()

    def log_class(self, group: str) -> str | None:
        return self._logs.class_of(group)

    def masking(self, group: str) -> MaskingFound:
        return self._logs.masking(group)

    def newest_record(self, group: str) -> datetime | None:
        return self._logs.newest_record(group)

    def subscriptions(self, group: str) -> list[SubscriptionFound]:
        return self._logs.subscriptions(group)

    def metric_names(self, group: str) -> list[str]:
        return self._logs.metrics(group, self._settings.metric_namespace)

    def series(self) -> list[Series]:
        metrics = CloudWatchMetrics(self._client("cloudwatch"), self._settings.metric_namespace)
        return metrics.series(recent=True)

    def trail(self, group: str, zone: ZoneInfo, start: datetime, end: datetime) -> TrailRead:
        of_arn = group.split(":") if group.startswith("arn:") else None
        client = self._client("logs", of_arn[_ARNS_REGION] if of_arn else self.region)
        return TrailLog(client, of_arn[-1] if of_arn else group, zone).read(start, end)

    def function(self, name: str) -> FunctionFound:
        return FunctionState(self._client("lambda")).found(name)

    def logs_may_invoke(self, name: str) -> bool:
        return FunctionState(self._client("lambda")).logs_may_invoke(name)

    def mapping_state(self, uuid: str) -> str:
        return mapping_state(self._client("lambda"), uuid)

    def schedule(self, name: str) -> ScheduleFound | None:
        return schedule(self._client("scheduler"), name)

    def waiting(self, queue_url: str) -> int:
        return waiting(self._client("sqs"), queue_url)

    def alarms(self, names: Sequence[str]) -> Mapping[str, AlarmFound]:
        return alarms(self._client("cloudwatch"), names)

    def listeners(self) -> Listeners:
        return listeners(self._client("sns"), self._settings.notice_topic)

    def identities(self) -> Mapping[Principal, Entity]:
        return IamIdentities(self._client("iam")).all()

    def may(self, holder: str, keys: Sequence[Key]) -> Sequence[Key]:
        return allowed(self._client("iam"), holder, keys)

    def slots(self) -> Mapping[Kind, int]:
        return IamIdentities(self._client("iam")).slots()

    def denied(self) -> tuple[Mapping[Principal, frozenset[str]], list[str]]:
        denies = IamDenies(self._client("iam"), self._settings.denies)
        return denies.denied(), denies.unmanaged_attachments

    def document(self, policy: str) -> Document | None:
        return IamGates(self._client("iam")).document(policy)

    def gates(self) -> Gates:
        return IamGates(self._client("iam"))

    def gate_memory(self) -> MemoryReads:
        return DynamoGateMemory(self._client("dynamodb"), self._settings.ledger_table)

    def recounts(self) -> list[Recount]:
        table = Table(self._client("dynamodb"), self._settings.ledger_table)
        return recounts_everywhere(table)

    def server_time(self) -> datetime:
        return server_time(self._client("sts"))

    def _environment(self, output: str) -> Mapping[str, str]:
        """What a function was set to, by the output that names it."""
        if output not in self._outputs:
            raise NotThere(
                f"stack {self._settings.stack!r} has no output {output!r}, so it is of an earlier "
                "version: deploy it again",
            )
        configured = self._client("lambda").get_function_configuration(
            FunctionName=self._outputs[output]
        )
        found: Mapping[str, str] = configured.get("Environment", {}).get("Variables", {})
        return found

    @property
    def _stack(self) -> StackParts:
        return StackParts(self._client("cloudformation"), self._settings.stack)

    @property
    def _logs(self) -> LogWiring:
        return LogWiring(self._client("logs"))

    def _client(self, service: str, region: str = "") -> Any:
        """One for each service and Region.

        Clients may be shared by threads; a session may not make two at once, so while checks run
        nothing else may ask it for one.
        """
        key = service, region or self.region
        with self._lock:
            if key not in self._clients:
                make: Any = self._session.client
                self._clients[key] = make(service, region_name=key[1], config=clients.DOCTOR)
            return self._clients[key]
