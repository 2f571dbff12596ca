"""What the doctor looks at in AWS: a protocol, so that tests can look at something else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from quota_enforcer.core.policies.document import Document
from quota_enforcer.core.policies.guard.keys import Key
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.doctor.access import Problem
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


@dataclass(frozen=True, slots=True)
class StackPart:
    """A resource: its type, and its name, ARN or URL, whichever CloudFormation knows it by."""

    type: str
    id: str


class Probe(Protocol):
    """Each call asks AWS, may come from several threads at once, and raises what boto3 raises."""

    @property
    def region(self) -> str:
        """The deployment's."""

    def problem(self, error: Exception) -> Problem:
        """What an error that a reading raised says."""

    def parameters(self) -> Mapping[str, str]:
        """The stack's parameters."""

    def parts(self) -> Mapping[str, StackPart]:
        """The stack's resources by their names in the template."""

    def outputs(self) -> Mapping[str, str]:
        """The stack's outputs."""

    def satellites(self) -> Sequence[Satellite]:
        """The satellites that announced themselves, by place."""

    def meter(self) -> MeterSettings:
        """What the meter is set to."""

    def author(self) -> AuthorSettings:
        """What the author is set to."""

    def regions(self) -> list[str]:
        """The account's enabled Regions."""

    def logging(self, region: str) -> LoggingFound | None:
        """Bedrock's logging configuration there."""

    def calls(
        self, region: str, start: datetime, end: datetime, period: int
    ) -> Mapping[datetime, int]:
        """The calls that Bedrock counted there, by period start."""

    def undelivered(self, start: datetime, end: datetime) -> int:
        """How many records Bedrock could not write."""

    def mantle(self, region: str, start: datetime, end: datetime, period: int) -> int:
        """The calls that the bedrock-mantle endpoint answered there."""

    def batch_jobs(self, since: datetime) -> Sequence[BatchJob]:
        """The batch jobs submitted since then, in the deployment's Region."""

    def stacks(self, region: str) -> tuple[str, ...]:
        """The deployments of ours there."""

    def log_class(self, group: str) -> str | None:
        """The class of a log group; None if there is none."""

    def masking(self, group: str) -> MaskingFound:
        """The data protection policies in force for a log group."""

    def newest_record(self, group: str) -> datetime | None:
        """When Bedrock's stream got its newest event."""

    def subscriptions(self, group: str) -> list[SubscriptionFound]:
        """Who is handed the records of a log group."""

    def metric_names(self, group: str) -> list[str]:
        """The metrics that filters of a log group write for this stack."""

    def series(self) -> list[Series]:
        """The stack's own series with data in the last hours."""

    def function(self, name: str) -> FunctionFound:
        """A function's state."""

    def logs_may_invoke(self, name: str) -> bool:
        """Whether CloudWatch Logs may invoke a function."""

    def mapping_state(self, uuid: str) -> str:
        """The state of an event source mapping; empty if it is gone."""

    def schedule(self, name: str) -> ScheduleFound | None:
        """A schedule; None if it is gone."""

    def waiting(self, queue_url: str) -> int:
        """How many messages a queue holds."""

    def alarms(self, names: Sequence[str]) -> Mapping[str, AlarmFound]:
        """Those of these alarms that are there."""

    def listeners(self) -> Listeners:
        """Who gets notices."""

    def identities(self) -> Mapping[Principal, Entity]:
        """Every user and role."""

    def may(self, holder: str, keys: Sequence[Key]) -> Sequence[Key]:
        """Those of these calls that IAM allows a user or role, which is named by its ARN."""

    def slots(self) -> Mapping[Kind, int]:
        """How many managed policies a user or role may have."""

    def denied(self) -> tuple[Mapping[Principal, frozenset[str]], list[str]]:
        """Who has which deny attached, and in words what only an admin can undo."""

    def document(self, policy: str) -> Document | None:
        """The default version of a policy, by ARN; None if it is gone."""

    def gates(self) -> Gates:
        """The gates and the roles that may name them, in IAM."""

    def gate_memory(self) -> MemoryReads:
        """The author's part of the ledger."""

    def recounts(self) -> list[Recount]:
        """The hours to be set from the log."""

    def trail(self, group: str, zone: ZoneInfo, start: datetime, end: datetime) -> TrailRead:
        """What a trail's log group, by name or ARN, says of Bedrock's calls in these hours."""

    def server_time(self) -> datetime:
        """What time AWS has."""
