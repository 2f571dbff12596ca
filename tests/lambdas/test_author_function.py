"""The author function: its events, its settings, and how the enforcer asks it."""

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from freezegun import freeze_time
from tenacity import stop_after_attempt, wait_none

from boto_calls import actions_of
from builders import NOON
from gate_fakes import ALL, GATE, GATE_2, Gatehouse, an_intent
from quota_enforcer.aws import clients
from quota_enforcer.aws.functions.author import AuthorFunction, AuthorRefused
from quota_enforcer.core.errors import ConfigError, UnknownEvent
from quota_enforcer.core.policies.boundary import Entry, fitting_gate
from quota_enforcer.core.principal import Principal
from quota_enforcer.gates.author import LEASE, AuthorBusy
from quota_enforcer.gates.result import GateResult
from quota_enforcer.gates.settings import AuthorSettings
from quota_enforcer.lambdas.author import handler as author

if TYPE_CHECKING:
    from quota_enforcer.enforce.ports.adapters import GateAuthor

EVENTS = Path(__file__).parents[2] / "events"
CI = Principal.parse("session/shared/ci-42")
ENVIRONMENT = {
    "LEDGER_TABLE": "ledger",
    "GATES": json.dumps([GATE, GATE_2]),
    "DENY_AGENT_CORE": "true",
}


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Gatehouse:
    """A deployment over fakes behind the handler, with one session to be denied."""
    house = Gatehouse()
    house.role("shared")
    house.memory.put(an_intent("session/shared/ci-42"))
    monkeypatch.setattr(author, "author", lambda: house.author)
    return house


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event


def invoke(event: Any) -> dict[str, Any]:
    context: Any = SimpleNamespace(
        function_name="author",
        memory_limit_in_mb=128,
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:author",
        aws_request_id="52fdfc07-2182-454f-963f-5f0f9a621d72",
    )
    with freeze_time(NOON):
        return cast("dict[str, Any]", author.handler(event, context))


# Events


def test_rendering_answers_what_the_gates_deny(house: Gatehouse) -> None:
    answer = GateResult.from_json(invoke(sample("author-render")))
    assert answer.denied == {CI: ALL}
    assert len(house.user_ids()) == 1


def test_emptying_answers_that_nobody_is_denied(house: Gatehouse) -> None:
    invoke(sample("author-render"))
    assert invoke(sample("author-empty"))["denied"] == {}
    assert house.user_ids() == []


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"action": "sweep"},
        {"action": "render", "gates": ["arn:aws:iam::123456789012:policy/Admin"]},
        {"action": "empty", "now": True},
        [],
        "render",
    ],
)
def test_an_unknown_event_is_refused(house: Gatehouse, event: Any) -> None:
    with pytest.raises(UnknownEvent, match=r'known: \{"action": "render"\}'):
        invoke(event)
    assert house.iam.calls == []


def test_a_run_waits_for_another_one(house: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    house.memory.take_lease("another", NOON, NOON + LEASE)
    given_back = author.WAIT.copy(
        wait=wait_none(), before_sleep=lambda _: house.memory.leave_lease("another")
    )
    monkeypatch.setattr(author, "WAIT", given_back)
    assert invoke(sample("author-render"))["denied"] == {str(CI): ["*"]}


def test_a_run_does_not_wait_for_ever(house: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    house.memory.take_lease("another", NOON, NOON + LEASE)
    impatient = author.WAIT.copy(wait=wait_none(), stop=stop_after_attempt(3))
    monkeypatch.setattr(author, "WAIT", impatient)
    with pytest.raises(AuthorBusy):
        invoke(sample("author-render"))


# Settings and permissions


def test_the_settings_come_from_the_environment() -> None:
    settings = AuthorSettings.from_environment(ENVIRONMENT)
    assert settings == AuthorSettings("ledger", (GATE, GATE_2), "aws", agent_core=True)


def test_tags_are_read_with_what_their_values_may_hold() -> None:
    settings = AuthorSettings.from_environment(ENVIRONMENT | {"GATE_TAGS": "a=b=c, team = x y,z="})
    assert settings.tags == (("a", "b=c"), ("team", "x y"), ("z", ""))


def test_a_gate_is_written_for_its_partition_and_settings() -> None:
    gates = json.dumps([GATE.replace("arn:aws:", "arn:aws-cn:")])
    changed = {"GATES": gates, "DENY_AGENT_CORE": "false"}
    settings = AuthorSettings.from_environment(ENVIRONMENT | changed)
    entries = [Entry("a", ("*:alice",), frozenset({"amazon.nova-lite-v1:0"}))]
    assert settings.write(entries) == fitting_gate(entries, partition="aws-cn", agent_core=False)
    assert "arn:aws-cn:bedrock" in str(settings.write(entries).document)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("LEDGER_TABLE", "", "LEDGER_TABLE is not set"),
        ("DENY_AGENT_CORE", "yes", "DENY_AGENT_CORE is 'yes'; allowed: true, false"),
        ("GATE_TAGS", "team", "GATE_TAGS is 'team'; allowed: KEY=VALUE,KEY=VALUE"),
        ("GATE_TAGS", "a=b,", "GATE_TAGS is"),
        ("GATE_TAGS", "=b", "GATE_TAGS is"),
        ("GATE_TAGS", "Team=a,team=b", "GATE_TAGS is"),
        ("GATES", "", "GATES is not set"),
        ("GATES", "[", "GATES is '['; allowed: a JSON list"),
        ("GATES", "[]", "GATES is"),
        ("GATES", '{"a": 1}', "GATES is"),
        ("GATES", "[1]", "GATES is"),
        ("GATES", f'["{GATE}", "arn:aws:iam::123456789012:policy/Admin"]', "GATES is"),
        ("GATES", f'["{GATE}", "{GATE.replace(":aws:", ":aws-cn:")}"]', "GATES is"),
        ("GATES", '["arn:aws:iam::aws:policy/bedrock-quota/q/x-BOUNDARY-ONLY"]', "GATES is"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        AuthorSettings.from_environment(ENVIRONMENT | {name: value})
    assert told in str(refused.value)


def test_the_author_calls_nothing_but_what_its_work_needs() -> None:
    assert actions_of("quota_enforcer.lambdas.author.handler") == {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "iam:CreatePolicy",
        "iam:CreatePolicyVersion",
        "iam:DeletePolicyVersion",
        "iam:GetPolicyVersion",
        "iam:GetRole",
        "iam:ListEntitiesForPolicy",
        "iam:ListPolicyVersions",
        "iam:TagPolicy",
        "sts:AssumeRole",
    }


# How the enforcer asks


class FakeLambda:
    """The Lambda client: it answers this."""

    def __init__(self, answer: object, error: str = "") -> None:
        self.answer = answer
        self.error = error
        self.asked: list[tuple[str, str]] = []

    def invoke(self, **request: str) -> dict[str, Any]:
        self.asked.append((request["FunctionName"], request["Payload"]))
        payload = io.BytesIO(json.dumps(self.answer).encode())
        return {"Payload": payload} | ({"FunctionError": self.error} if self.error else {})


def test_the_enforcer_gets_the_answer_in_its_own_terms() -> None:
    rendered = GateResult({CI: ALL}, {CI: "half"}, (GATE,), ("told",), {GATE: 81}, ("failed",))
    client = FakeLambda(rendered.to_json())
    function: GateAuthor = AuthorFunction(cast("Any", client), "q-Author")
    assert function.render() == function.empty() == rendered
    assert client.asked == [
        ("q-Author", json.dumps(sample("author-render"))),
        ("q-Author", json.dumps(sample("author-empty"))),
    ]
    function.render(everywhere=False)
    assert json.loads(client.asked[-1][1]) == {"action": "render", "everywhere": False}


def test_a_failure_of_the_author_comes_in_its_own_words() -> None:
    said = {"errorType": "AuthorBusy", "errorMessage": "another run"}
    client = cast("Any", FakeLambda(said, "Unhandled"))
    with pytest.raises(AuthorRefused, match="q-Author failed: AuthorBusy: another run"):
        AuthorFunction(client, "q-Author").render()


def test_the_enforcer_waits_longer_than_a_lease_lasts() -> None:
    assert clients.ASKS_AUTHOR.read_timeout > LEASE.total_seconds()  # type: ignore[attr-defined]
