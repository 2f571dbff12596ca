"""The enforcer's entry point, with the sample events and a deployment of fakes."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from builders import NOON
from quota_enforcer import clock
from quota_enforcer.core.deployment import Metering, Settings
from quota_enforcer.core.errors import ConfigError, StackStays, SweepFailed, UnknownEvent
from quota_enforcer.lambdas.enforcer import handler as enforcer
from quota_enforcer.lambdas.enforcer import wiring
from quota_enforcer.lambdas.enforcer.events import WakeRequest, read_event
from stopped_clock import at
from world import World, principal

EVENTS = Path(__file__).parents[2] / "events"
ENVIRONMENT = {
    "STACK_NAME": "bedrock-quota",
    "ACCOUNT_ID": "111122223333",
    "QUOTA_TABLE": "quotas",
    "LEDGER_TABLE": "ledger",
    "NOTICE_TOPIC": "arn:aws:sns:us-east-1:111122223333:notices",
    "METRIC_NAMESPACE": "BedrockQuota/bedrock-quota",
    "DENY_POLICIES": '{"*": "arn:aws:iam::111122223333:policy/bedrock-quota/deny"}',
    "MODE": "observe",
    "TIME_ZONE": "Europe/Berlin",
    "CONTACT": "the platform team",
    "BREAKER_NUMBER": "10",
    "BREAKER_PERCENT": "20",
    "METERING": "stream",
}


@dataclass
class Context:
    """What Powertools reads of a Lambda context."""

    function_name: str = "enforcer"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:111122223333:function:enforcer"
    aws_request_id: str = "52fdfc07-2182-454f-963f-5f0f9a621d72"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A deployment over fakes behind the handler."""
    world = World()
    monkeypatch.setattr(enforcer, "enforcer", world.enforcer)
    monkeypatch.setattr(enforcer, "closer", world.enforcer)
    stack_is(monkeypatch, "UPDATE_COMPLETE")
    return world


def stack_is(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    """What CloudFormation says of the stack."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    own = SimpleNamespace(status=lambda: status)
    monkeypatch.setattr(wiring, "own_stack", lambda _settings, _session: own)


def invoke(event: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", enforcer.handler(event, cast("Any", Context())))


def sample(name: str, **but: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event | but


def emitted(output: str, name: str) -> list[Any]:
    """The values of one of the enforcer's own metrics in its log."""
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [line[name] for line in lines if name in line and "_aws" in line]


@at(NOON)
def test_a_tick_sweeps_and_measures_itself(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.quota()
    world.call("alice", NOON.replace(hour=11), 1200)
    answer = invoke(sample("scheduled-sweep", scheduled_time="2026-11-24T12:00:00Z"))
    assert [event["kind"] for event in answer["events"]] == ["blocked"]
    output = capsys.readouterr().out
    assert emitted(output, "Blocked") == [[1.0]]
    assert emitted(output, "DataAge") == [[0.0]]
    assert enforcer.logger.get_correlation_id() == Context.aws_request_id


@at(NOON)
def test_how_old_the_newest_usage_is_is_measured_where_the_metrics_meter(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the stream each delivery is measured, which says the same."""
    world.settings = replace(world.settings, metering=Metering.STREAM)
    world.stream("alice", NOON.replace(hour=11), 1200)
    invoke({"action": "wake", "principals": ["user/alice"]})
    assert invoke(sample("admin-sweep"))["data_age_seconds"] == 0
    output = capsys.readouterr().out
    assert (len(emitted(output, "Duration")), emitted(output, "DataAge")) == (1, [])


@at(NOON)
def test_a_wake_measures_no_duration(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """By that the alarm EnforcerSilent hears that sweeps go on."""
    invoke({"action": "wake", "principals": ["user/alice"]})
    invoke(sample("admin-sweep"))
    output = capsys.readouterr().out
    assert (len(emitted(output, "LookedAt")), len(emitted(output, "Duration"))) == (2, 1)
    assert world.ledger.state().finished == NOON


@at(NOON)
def test_a_failed_sweep_ends_in_an_error_after_its_metrics(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.metrics.listing_fails = ConnectionError("CloudWatch is away")
    with pytest.raises(SweepFailed, match="CloudWatch is away"):
        invoke(sample("admin-sweep"))
    assert emitted(capsys.readouterr().out, "Failed") == [[1.0]]


@at(NOON)
def test_a_dry_run_answers_what_would_happen(world: World) -> None:
    world.quota()
    world.call("alice", NOON.replace(hour=11), 1200)
    answer = invoke(sample("dry-run"))
    assert (answer["dry_run"], len(answer["events"]), world.denied) == (True, 1, set())


@at(NOON)
def test_closing_answers_who_was_released(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.quota(limit=0)
    invoke(sample("admin-sweep"))
    stack_is(monkeypatch, "DELETE_IN_PROGRESS")
    assert invoke(sample("close")) == {"released": ["user/alice"], "unsent": [], "unreachable": []}


@at(NOON)
@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "DELETE_FAILED"])
def test_nobody_closes_a_deployment_whose_stack_stays(
    world: World, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    """Whoever may invoke the function can ask it to; CloudFormation decides."""
    world.quota(limit=0)
    invoke(sample("admin-sweep"))
    stack_is(monkeypatch, status)
    with pytest.raises(StackStays, match="CloudFormation does not delete this stack"):
        invoke(sample("close"))
    assert (world.denied, world.ledger.state().closed) == ({"user/alice"}, False)


@at(NOON)
def test_a_closed_deployment_whose_stack_stays_raises_an_alarm_until_it_is_reopened(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.quota(limit=0)
    stack_is(monkeypatch, "DELETE_IN_PROGRESS")
    invoke(sample("close"))
    invoke(sample("admin-sweep"))
    assert emitted(capsys.readouterr().out, "ClosedThoughDeployed") == []
    with pytest.raises(StackStays, match="stays closed"):
        invoke({"action": "reopen"})
    stack_is(monkeypatch, "UPDATE_COMPLETE")
    invoke(sample("admin-sweep"))
    assert emitted(capsys.readouterr().out, "ClosedThoughDeployed") == [[1.0]]
    assert invoke({"action": "reopen"}) == {"reopened": True}
    invoke(sample("admin-sweep"))
    assert emitted(capsys.readouterr().out, "ClosedThoughDeployed") == []
    assert world.denied == {"user/alice"}


@at(NOON)
def test_an_edit_of_the_quota_table_takes_effect_without_a_tick(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.quota(limit=0)
    answer = invoke(sample("quota-edit"))
    assert [event["kind"] for event in answer["events"]] == ["blocked"]
    assert (answer["edits"], world.denied) == (1, {"user/alice"})
    assert emitted(capsys.readouterr().out, "Edits") == [[1.0]]


@at(NOON)
def test_an_edit_that_fails_in_part_ends_in_an_error_so_that_it_comes_again(world: World) -> None:
    world.quota(limit=0)
    world.denies.refuse[principal("user/alice")] = ConnectionError("IAM is away")
    with pytest.raises(SweepFailed, match="IAM is away"):
        invoke(sample("quota-edit"))


@at(NOON)
def test_a_stale_tick_is_dropped(world: World) -> None:
    tick = sample("scheduled-sweep", scheduled_time="2026-11-24T11:00:00Z")
    assert invoke(tick)["dropped"] == "stale"
    assert world.ledger.writes == []


@at(NOON)
@pytest.mark.usefixtures("world")
def test_an_unknown_event_is_refused() -> None:
    with pytest.raises(UnknownEvent, match="known"):
        invoke({"detail-type": "Scheduled Event"})


def test_settings_come_from_the_environment() -> None:
    settings = Settings.from_environment(ENVIRONMENT)
    assert (settings.stack, settings.mode, str(settings.zone)) == (
        "bedrock-quota",
        "observe",
        "Europe/Berlin",
    )


def test_every_missing_variable_is_named_at_once() -> None:
    environment = ENVIRONMENT | {"QUOTA_TABLE": "", "TIME_ZONE": "Berlin", "MODE": "strict"}
    del environment["CONTACT"]
    with pytest.raises(ConfigError) as refused:
        Settings.from_environment(environment)
    assert str(refused.value) == (
        "the enforcer's environment is not complete: QUOTA_TABLE is not set; MODE is 'strict'; "
        "allowed: observe, enforce; TIME_ZONE: 'Berlin' is no IANA time zone; the nearest is "
        "Europe/Berlin; CONTACT is not set. The stack's template sets these variables: "
        "deploy it again."
    )


def test_a_wrong_time_zone_keeps_nobody_blocked_whose_stack_goes() -> None:
    environment = ENVIRONMENT | {"TIME_ZONE": "Europe/Berln"}
    with pytest.raises(ConfigError, match="the nearest is Europe/Berlin"):
        Settings.from_environment(environment)
    assert Settings.from_environment(environment, closing=True).zone.key == "UTC"
    assert Settings.from_environment(ENVIRONMENT, closing=True).zone.key == "Europe/Berlin"


@at(NOON)
def test_closing_asks_for_the_settings_that_may_be_wrong(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise ConfigError("TIME_ZONE: 'Europe/Berln' is no IANA time zone")

    monkeypatch.setattr(enforcer, "enforcer", refuse)
    stack_is(monkeypatch, "DELETE_IN_PROGRESS")
    assert invoke(sample("close")) == {"released": [], "unsent": [], "unreachable": []}
    assert world.denied == set()


def test_the_clock_is_real_unless_the_launcher_simulates_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at(NOON):
        assert clock.now() == NOON
    file = tmp_path / "clock"
    file.write_text("2027-01-01T00:00:00+00:00\n", encoding="ascii")
    monkeypatch.setenv(clock.SIMULATED, str(file))
    assert clock.now().year == 2027


GARBAGE: list[tuple[Any, set[str]]] = [
    ({"principal": "user/alice", "called": {"m": "noon", "n": 5, "o": None}}, {"user/alice"}),
    ({"principal": "user/alice", "called": {"m": "2026-11-24T12:00:00"}}, {"user/alice"}),
    ({"principal": "user/alice", "called": {}}, {"user/alice"}),
    ({"principal": "user/alice", "called": []}, set()),
    ({"principal": "user/alice"}, set()),
    ({"principal": 5, "called": {}}, set()),
    ({"principal": "user/alice", "called": {}, "more": 1}, set()),
    (["user/alice"], set()),
    (7, set()),
    (None, set()),
]


@pytest.mark.parametrize(("each", "understood"), GARBAGE, ids=repr)
def test_a_wake_that_says_garbage_of_one_looks_at_the_others(
    each: Any, understood: set[str]
) -> None:
    request = read_event({"action": "wake", "principals": [each, "user/bob"]}, NOON)
    assert isinstance(request, WakeRequest)
    assert set(map(str, request.principals)) == understood | {"user/bob"}
    assert len(request.refused) == 1 - len(understood)
    assert all(calls == {} for calls in request.woken.called.values())


@pytest.mark.parametrize(
    "said", [{"since": "soon"}, {"since": "2026-11-24T12:00:00"}, {"since": "2026-11-24T12:00:00Z",
             "place": "nowhere"}, {}], ids=repr,
)  # fmt: skip
def test_a_wake_that_does_not_say_since_when_is_understood_and_looks(said: dict[str, str]) -> None:
    request = read_event({"action": "wake", "principals": ["user/bob"], **said}, NOON)
    assert isinstance(request, WakeRequest)
    assert (request.woken.since, request.woken.place) == (None, "")
