"""What the doctor looks at, healthy unless a test says otherwise."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from gate_fakes import FakeIam, FakeMemory, Gatehouse
from quota_enforcer.aws import errors
from quota_enforcer.aws.cloudwatch.logs.trail import TrailLog
from quota_enforcer.core.policies.deny import deny_documents
from quota_enforcer.core.policies.document import Document
from quota_enforcer.core.policies.guard.keys import Key
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.counts import METRIC_NAMES
from quota_enforcer.doctor.access import Problem
from quota_enforcer.doctor.checks.machinery import ALARM
from quota_enforcer.doctor.probe import StackPart
from quota_enforcer.doctor.rules.coverage import Entity
from quota_enforcer.doctor.rules.logging import STANDARD, LoggingFound
from quota_enforcer.doctor.rules.machinery import FunctionFound, ScheduleFound
from quota_enforcer.doctor.rules.metering import MaskingFound, SubscriptionFound
from quota_enforcer.doctor.rules.notices import AlarmFound, Listeners
from quota_enforcer.doctor.rules.unlogged import BatchJob
from quota_enforcer.doctor.witness.trail import TrailRead, TrailRow
from quota_enforcer.gates.settings import AuthorSettings
from quota_enforcer.meter.ports import Recount, Series
from quota_enforcer.meter.settings import MeterSettings
from quota_enforcer.satellites.registry import Satellite
from trail_events import Insights
from world import ACCOUNT, World

T = TypeVar("T")

REGION = "us-east-1"
GROUP = "/bedrock-quota/bedrock-quota/invocations"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/bedrock-quota/bedrock-quota/log-role"
METER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:meter-function"
PARTS = {
    "InvocationLogRole": StackPart("AWS::IAM::Role", "log-role"),
    "InvocationSubscription": StackPart("AWS::Logs::SubscriptionFilter", "subscription"),
    "MeterFunction": StackPart("AWS::Lambda::Function", "meter-function"),
    "EnforcerFunction": StackPart("AWS::Lambda::Function", "enforcer-function"),
    "MeterSchedule": StackPart("AWS::Scheduler::Schedule", "meter-schedule"),
    "EnforcerSchedule": StackPart("AWS::Scheduler::Schedule", "enforcer-schedule"),
    "MeterScheduleRole": StackPart("AWS::IAM::Role", "meter-schedule-role"),
    "EnforcerScheduleRole": StackPart("AWS::IAM::Role", "enforcer-schedule-role"),
    "MeterDeadLetters": StackPart("AWS::SQS::Queue", "https://sqs/meter"),
    "EnforcerDeadLetters": StackPart("AWS::SQS::Queue", "https://sqs/enforcer"),
    "MeterFailing": StackPart(ALARM, "meter-failing"),
}


SAID: Final = {"SweepMinutes": "5", "DenyAgentCore": "true"}
"""The stack's parameters, but for Satellites."""

PERMISSION_SET = "AWSReservedSSO_Dev_0123456789abcdef"


@dataclass
class FakeProbe:
    """The probe of the deployment of a world; `fails` is what a method raises, by its name."""

    world: World
    now: datetime
    gatehouse: Gatehouse = field(default_factory=Gatehouse)
    fails: dict[str, Exception] = field(default_factory=dict)
    region: str = REGION
    found: dict[str, Any] = field(default_factory=dict)
    """What a method answers instead, by its name."""
    calls_in: dict[str, dict[datetime, int]] = field(default_factory=dict)
    """The calls by Region."""

    def problem(self, error: Exception) -> Problem:
        return errors.problem(error)

    def parameters(self) -> Mapping[str, str]:
        return self._said("parameters", {**SAID, "Satellites": "o-exampleorgid"})

    def parts(self) -> Mapping[str, StackPart]:
        return self._said("parts", PARTS)

    def outputs(self) -> Mapping[str, str]:
        return self._said("outputs", {"SatelliteUrl": "https://abc.lambda-url.us-east-1.on.aws/"})

    def satellites(self) -> list[Satellite]:
        return self._said("satellites", [])

    def meter(self) -> MeterSettings:
        settings = self.world.settings
        of_meter = MeterSettings(
            settings.stack, ACCOUNT, "ledger", GROUP, "enforcer", "https://sqs/meter", settings.zone
        )
        return self._said("meter", of_meter)

    def author(self) -> AuthorSettings:
        return self._said("author", AuthorSettings("ledger", self.gatehouse.gates, "aws", True))

    def regions(self) -> list[str]:
        return self._said("regions", [REGION, "eu-west-1"])

    def logging(self, region: str) -> LoggingFound | None:
        return self._said("logging", LoggingFound(GROUP, ROLE) if region == REGION else None)

    def calls(
        self, region: str, start: datetime, end: datetime, period: int
    ) -> Mapping[datetime, int]:
        del start, end, period
        return self._said(f"calls in {region}", self.calls_in.get(region, {}))

    def mantle(self, region: str, start: datetime, end: datetime, period: int) -> int:
        del start, end, period
        return self._said(f"mantle in {region}", 0)

    def batch_jobs(self, since: datetime) -> list[BatchJob]:
        del since
        return self._said("batch_jobs", [])

    def undelivered(self, start: datetime, end: datetime) -> int:
        del start, end
        return self._said("undelivered", 0)

    def stacks(self, region: str) -> tuple[str, ...]:
        del region
        return self._said("stacks", ())

    def log_class(self, group: str) -> str | None:
        return self._said("log_class", STANDARD if group == GROUP else None)

    def masking(self, group: str) -> MaskingFound:
        del group
        return self._said("masking", MaskingFound())

    def newest_record(self, group: str) -> datetime | None:
        del group
        return self._said("newest_record", self.now)

    def subscriptions(self, group: str) -> list[SubscriptionFound]:
        del group
        return self._said("subscriptions", [SubscriptionFound("subscription", "", METER)])

    def metric_names(self, group: str) -> list[str]:
        del group
        return self._said("metric_names", list(METRIC_NAMES.values()))

    def series(self) -> list[Series]:
        return self._said("series", self.world.metrics.series(recent=True))

    def function(self, name: str) -> FunctionFound:
        return self._said("function", FunctionFound(name))

    def logs_may_invoke(self, name: str) -> bool:
        del name
        return self._said("logs_may_invoke", True)

    def mapping_state(self, uuid: str) -> str:
        del uuid
        return self._said("mapping_state", "Enabled")

    def schedule(self, name: str) -> ScheduleFound | None:
        function = (
            f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name.replace('schedule', 'function')}"
        )
        return self._said("schedule", ScheduleFound(enabled=True, target=function))

    def waiting(self, queue_url: str) -> int:
        return self._said(f"waiting in {queue_url}", 0)

    def alarms(self, names: Sequence[str]) -> Mapping[str, AlarmFound]:
        return self._said("alarms", {name: AlarmFound("OK") for name in names})

    def listeners(self) -> Listeners:
        return self._said("listeners", Listeners(self.world.settings.notice_topic, 1))

    def identities(self) -> Mapping[Principal, Entity]:
        everybody = (record.principal for record in self.world.ledger.everybody())
        return self._said("identities", {who: Entity("/") for who in everybody})

    def may(self, holder: str, keys: Sequence[Key]) -> Sequence[Key]:
        held: Mapping[str, Sequence[str]] = self._said("may", {})
        return [key for key in keys if key.action in held.get(holder, ())]

    def slots(self) -> Mapping[Kind, int]:
        return self._said("slots", {Kind.USER: 10, Kind.ROLE: 20})

    def denied(self) -> tuple[Mapping[Principal, frozenset[str]], list[str]]:
        return self._said(
            "denied", (self.world.denies.denied(), self.world.denies.unmanaged_attachments)
        )

    def document(self, policy: str) -> Document | None:
        [scope] = (each for each, arn in self.world.settings.denies.items() if arn == policy)
        [written] = deny_documents([scope])
        return self._said("document", written)

    def gates(self) -> FakeIam:
        return self._said("gates", self.gatehouse.iam)

    def gate_memory(self) -> FakeMemory:
        return self._said("gate_memory", self.gatehouse.memory)

    def recounts(self) -> list[Recount]:
        return self._said("recounts", [])

    def trail(self, group: str, zone: ZoneInfo, start: datetime, end: datetime) -> TrailRead:
        events: list[dict[str, Any]] | None = self.found.get("trail")
        if "trail" not in self.fails and events is None:
            return TrailRead(tuple(self._as_metered(start, end)))
        return TrailLog(Insights(self._said("trail", [])), group, zone, lambda _: None).read(
            start, end
        )

    def _as_metered(self, start: datetime, end: datetime) -> Iterator[TrailRow]:
        """CloudTrail as it is if every call was metered, in the home account and Region."""
        for bucket, hours in self.world.ledger.all_hours().items():
            who = bucket.principal
            named = {
                Kind.USER: f"iam::{ACCOUNT}:user/{who.name}",
                Kind.ROLE: f"sts::{ACCOUNT}:assumed-role/{who.name}/x",
                Kind.SSO: f"sts::{ACCOUNT}:assumed-role/{PERMISSION_SET}/{who.name}",
            }
            for hour, counts in hours.items():
                if who.kind in named and not bucket.place and start <= hour < end:
                    arn = f"arn:aws:{named[who.kind]}"
                    yield TrailRow(hour, ACCOUNT, REGION, arn, "InvokeModel", counts.requests)

    def server_time(self) -> datetime:
        return self._said("server_time", self.now)

    def _said(self, method: str, healthy: T) -> T:
        if method in self.fails:
            raise self.fails[method]
        found: T = self.found.get(method, healthy)
        return found
