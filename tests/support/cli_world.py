"""The command line on a deployment of fakes, with the real sweep behind its enforcer."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from builders import NOON
from doctor_fakes import FakeProbe
from fakes import FakeNames, FakeQuotas, FakeSubscriptions
from gate_fakes import Gatehouse
from quota_enforcer import clock
from quota_enforcer.aws.functions.function_url import NotAnswered
from quota_enforcer.cli.deployment import by_stack
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.insight.me import question
from quota_enforcer.cli.main import app
from quota_enforcer.cli.operate.people import team_sources
from quota_enforcer.cli.terminal import asking
from quota_enforcer.core.deployment import Mode, SelfServiceSettings
from quota_enforcer.core.errors import Conflict, NotThere, SweepFailed
from quota_enforcer.core.principal import identify
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.usage.model import SeenModel
from quota_enforcer.core.usage.reads import no_progress
from quota_enforcer.insight.gates import GatesKept
from quota_enforcer.insight.quotas.teams.reading import TeamEntry, TeamsReading
from quota_enforcer.insight.quotas.teams.source import TeamSource
from quota_enforcer.insight.self_service import SelfService
from quota_enforcer.lambdas.self_service.answer import document, taken
from quota_enforcer.lambdas.self_service.caller import Refused
from quota_enforcer.lambdas.self_service.requests import take
from quota_enforcer.satellites.registry import Satellite
from world import ACCOUNT, World

ADMIN = f"arn:aws:iam::{ACCOUNT}:user/admin"


OF_PLATFORM = TeamEntry("platform", "user/alice", "her tag")

REGION = "us-east-1"
"""Where the deployment is; the enforcer of `World` prices by the model alone."""


@dataclass
class AdminTable:
    """The fake quota table as admins edit it; where `overtaken`, somebody always writes first."""

    quotas: FakeQuotas
    overtaken: bool = False

    def items(self) -> list[Item]:
        return self.quotas.items()

    def get(self, subject: str, name: str) -> Item | None:
        return self.quotas.table.get((subject, name))

    def put(self, item: Item, expected: Item | None) -> None:
        key = item["principal"], item["quota"]
        if self.overtaken or self.quotas.table.get(key) != expected:
            raise Conflict("the quota was changed by somebody else")
        self.quotas.table[key] = dict(item)

    def remove(self, subject: str, name: str, expected: Item | None = None) -> Item | None:
        stored = self.quotas.table.get((subject, name))
        if expected is not None and (self.overtaken or stored != expected):
            raise Conflict("the quota was changed by somebody else")
        return self.quotas.table.pop((subject, name), None)


@dataclass
class Shell:
    """Runs commands at `now`; `asked` are the events that the enforcer got."""

    world: World
    table: AdminTable
    monkeypatch: pytest.MonkeyPatch
    now: datetime = NOON
    asked: list[dict[str, Any]] = field(default_factory=list)
    enforcer_fails: Exception | None = None
    """What the enforcer raises instead of sweeping."""
    also_fails: Exception | None = None
    """What it raises after it has swept."""
    report: dict[str, Any] | None = None
    """What the enforcer answers instead of sweeping."""
    wanted: tuple[str | None, ...] = ()
    """The stack, profile and Region that the last command was for."""
    gatehouse: Gatehouse = field(default_factory=Gatehouse)
    """The gates in IAM, as an author left them."""
    models: list[SeenModel] = field(default_factory=list)
    """The opaque model ARNs that the meter has seen."""
    asked_meter: list[dict[str, Any]] = field(default_factory=list)
    """What the meter was asked."""
    hours_refused: dict[str, str] = field(default_factory=dict)
    """Hours that the meter will not recount, and why."""
    forgotten: list[Satellite] = field(default_factory=list)
    """The satellites that were struck off."""
    rebuilt: bool = False
    """Whether another stack stands in a satellite's place by now."""
    satellites_set: list[dict[str, Any]] = field(default_factory=list)
    """What the meter answers of satellites."""
    subscriptions: FakeSubscriptions = field(default_factory=FakeSubscriptions)
    """Who gets notices by e-mail."""
    caller: str = f"arn:aws:iam::{ACCOUNT}:user/alice"
    """Who asks where it stands."""
    names: FakeNames = field(default_factory=FakeNames)
    """The users and roles in IAM."""
    logged: list[dict[str, Any]] = field(default_factory=list)
    """The records of the invocation log, without prompts and answers."""
    parameters: dict[str, str] = field(default_factory=dict)
    """What the stack was deployed with."""
    teams_read: TeamsReading = field(default_factory=lambda: TeamsReading((OF_PLATFORM,)))
    """What IAM, Identity Center or S3 says of who is in which team."""
    teams_asked: list[tuple[str | None, ...]] = field(default_factory=list)
    """Where it was read: the source, the profile, the role and the Region."""
    ailments: dict[str, Any] = field(default_factory=dict)
    """What is otherwise for a doctor: `found`, `fails` or `calls_in` of its probe."""

    @property
    def probe(self) -> FakeProbe:
        """What a doctor sees, healthy but for `ailments`."""
        return FakeProbe(self.world, self.now, self.gatehouse, **self.ailments)

    def find(self, *where: str | None) -> Deployment:
        """In place of looking for a stack."""
        self.wanted = where
        world = self.world
        return Deployment(
            replace(world.settings, region=REGION),
            world.ledger,
            self.table,
            self.ask,
            lambda: ADMIN,
            self.gates,
            ask_meter=self.ask_meter,
            subscriptions=lambda: self.subscriptions,
            models=lambda: self.models,
            probe=lambda: self.probe,
            identities=lambda: self.names,
            usages=world.ledger.usages,
            sample=world.ledger.sample,
            satellites=world.satellites,
            requests=lambda: world.ledger,
            forget=self.forget,
            parameters=lambda: self.parameters,
            calls=self.read_calls,
        )

    def read_calls(
        self, start: datetime, end: datetime, told: Callable[[float], None] = no_progress
    ) -> Iterator[dict[str, Any]]:
        """The records of the log between two moments."""
        told(1)
        for each in self.logged:
            if start <= datetime.fromisoformat(each["timestamp"]) <= end:
                yield each

    def read_teams(self, source: TeamSource, *how: str | None) -> TeamsReading:
        """In place of asking AWS."""
        self.teams_asked.append((str(source), *how))
        return self.teams_read

    def forget(self, satellite: Satellite) -> bool:
        """A satellite is struck off, unless another stack stands there by now."""
        self.forgotten.append(satellite)
        return not self.rebuilt

    def gates(self) -> GatesKept:
        """What an author with fakes keeps; nothing unless `world.keep_gates` was called."""
        if not self.world.settings.author:
            raise NotThere("this deployment keeps no gates")
        return GatesKept(self.gatehouse.gates, self.gatehouse.iam)

    def ask_meter(self, event: dict[str, Any]) -> dict[str, Any]:
        """The meter's answer: an hour was recounted, or why `hours_refused` says it was not."""
        self.asked_meter.append(event)
        hour = event["hour"]
        if hour in self.hours_refused:
            return {"hour": hour, "refused": self.hours_refused[hour]}
        counts = {"records": 1200, "buckets": 2, "principals": 1, "quarantined": 0}
        answer = {"hour": hour, **counts}
        return answer | ({"places": self.satellites_set} if self.satellites_set else {})

    def ask_me(
        self, _where: object = None, _url: object = None, wish: Any = None
    ) -> dict[str, Any]:
        """What the self-service function says of `caller`, or to what it asks for."""
        settings = me_settings(self.world)
        ledger, who = self.world.ledger, identify(self.caller, ACCOUNT)
        look = SelfService(settings, ledger, self.world.quotas, ledger.request)
        view = look.of(who, self.now)
        if wish is None:
            return document(view, settings)
        try:
            return taken(take(who, wish, view, ledger), settings)
        except Refused as refused:
            raise NotAnswered(f"the self-service function answered {refused}") from refused

    def ask(self, event: dict[str, Any]) -> dict[str, Any]:
        """The enforcer's answer, as its handler gives it."""
        self.asked.append(event)
        if self.enforcer_fails is not None:
            raise self.enforcer_fails
        if self.report is not None:
            return self.report
        flags = {name: event[name] for name in ("dry_run", "confirm_blocks")}
        report = self.world.sweep(self.now, **flags)
        if report.failures:
            raise SweepFailed(report.failures)
        if self.also_fails is not None:
            raise self.also_fails
        answer: dict[str, Any] = json.loads(json.dumps(report.to_json()))
        return answer

    def used(self, who: str, tokens: int) -> None:
        """Somebody called Bedrock some minutes ago."""
        self.world.call(who, self.now - timedelta(minutes=10), tokens)

    def sweep(self) -> None:
        """A tick of the schedule."""
        self.world.sweep(self.now)

    def run(self, *args: str, typed: str | None = None) -> Result:
        """One command, as from a shell whose output goes into a pipe.

        Who has `typed` something sits at a terminal; else nobody can be asked.
        """
        self.monkeypatch.setattr(asking, "at_terminal", lambda: typed is not None)
        return CliRunner().invoke(app, list(args), input=typed)

    def out(self, *args: str) -> str:
        """What a command that must succeed prints."""
        result = self.run(*args)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *args: str) -> Any:
        """The JSON document that a command that must succeed prints."""
        return json.loads(self.out(*args, "--json"))

    def item(self, subject: str = "user/alice", name: str = "daily") -> dict[str, Any]:
        """A quota item as it stands in the table."""
        return dict(self.world.quotas.table[subject, name])


def me_settings(world: World) -> SelfServiceSettings:
    """The self-service function of the same deployment."""
    of = world.settings
    return SelfServiceSettings(
        of.stack,
        of.account,
        of.quota_table,
        of.ledger_table,
        of.contact,
        tuple(of.denies),
        of.mode,
        of.zone,
        gated=bool(of.author),
        region=REGION,
    )


def a_shell(monkeypatch: pytest.MonkeyPatch, mode: Mode = Mode.ENFORCE) -> Shell:
    """A shell on an empty deployment, at noon."""
    world = World(mode)
    shell = Shell(world, AdminTable(world.quotas), monkeypatch)
    monkeypatch.setattr(by_stack, "find", shell.find)
    monkeypatch.setattr(question, "ask", shell.ask_me)
    monkeypatch.setattr(team_sources, "read_in_aws", shell.read_teams)
    monkeypatch.setattr(clock, "now", lambda: shell.now)
    for name in ("QUOTA_ENFORCER_STACK", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return shell
