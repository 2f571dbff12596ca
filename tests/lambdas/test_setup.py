"""The set-up function answers CloudFormation whatever happens, and never changes its id."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from quota_enforcer.aws.functions.functions import Enforcer, EnforcerRefused

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

EVENTS = Path(__file__).parents[2] / "events"


class Answers:
    """Stands in for https to CloudFormation's response address; keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def __call__(self, _host: str, **_options: Any) -> "Answers":
        return self

    def request(self, *, body: str, **_request: Any) -> None:
        self.sent.append(json.loads(body))

    def getresponse(self) -> Any:
        return SimpleNamespace(reason="OK")


class AnEnforcer:
    """Stands in for the enforcer function."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.error = ""

    def ask(self, event: dict[str, Any]) -> dict[str, Any]:
        if self.error:
            raise EnforcerRefused(self.error)
        self.asked.append(event)
        return {"released": []}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch, clients_once: Any) -> Iterator[None]:
    monkeypatch.setattr(boto3, "client", clients_once)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    with mock_aws():
        yield


@pytest.fixture
def enforcer() -> AnEnforcer:
    return AnEnforcer()


PROPERTIES = {
    "LogGroupName": "LOG_GROUP",
    "LogRoleArn": "LOG_ROLE",
    "LogPromptsAndAnswers": "LOG_PROMPTS_AND_ANSWERS",
    "TimeZone": "TIME_ZONE",
    "EnforcerFunction": "ENFORCER_FUNCTION",
}
"""What the template gives the resource, and the function's variable of the same value."""
STATUSES = {"Create": "CREATE_IN_PROGRESS", "Update": "UPDATE_IN_PROGRESS",
            "Delete": "DELETE_IN_PROGRESS"}  # fmt: skip


class Cloud:
    """CloudFormation, which sends an event when the stack is as far as the event says."""

    def __init__(self, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        self.module = module
        self.monkeypatch = monkeypatch
        self.status = ""

    def sends(self, event: dict[str, Any]) -> None:
        self.status = STATUSES[event["RequestType"]]
        for name, variable in PROPERTIES.items():
            self.monkeypatch.setenv(variable, event["ResourceProperties"][name])
        self.module.handler(event, a_context())


@pytest.fixture
def cloud(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    cloud = Cloud(setup, monkeypatch)
    monkeypatch.setenv("MANAGE_LOGGING", "true")
    monkeypatch.setenv("STACK_ID", an_event("create")["StackId"])
    own = SimpleNamespace(status=lambda: cloud.status)
    monkeypatch.setattr(setup, "OwnStack", lambda _client, _id: own)
    return cloud


@pytest.fixture
def setup(monkeypatch: pytest.MonkeyPatch, enforcer: AnEnforcer) -> ModuleType:
    """The handler's module, imported as in a new Lambda process."""
    monkeypatch.delitem(sys.modules, "quota_enforcer.lambdas.setup.handler", raising=False)
    module = importlib.import_module("quota_enforcer.lambdas.setup.handler")
    monkeypatch.setattr(module, "Enforcer", lambda _client, _function: enforcer)
    return module


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    answers = Answers()
    monkeypatch.setattr("crhelper.utils.HTTPSConnection", answers)
    return answers


def an_event(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"setup-{name}.json").read_text("utf-8"))
    return event


def a_context() -> "LambdaContext":
    context: Any = SimpleNamespace(
        function_name="setup", aws_request_id="1", get_remaining_time_in_millis=lambda: 900_000
    )
    return context  # type: ignore[no-any-return]


def configured() -> dict[str, Any]:
    answer = boto3.client("bedrock").get_model_invocation_logging_configuration()
    return dict(answer.get("loggingConfig", {}))


def somebody_else_logs() -> None:
    boto3.client("bedrock").put_model_invocation_logging_configuration(
        loggingConfig={
            "cloudWatchConfig": {
                "logGroupName": "/theirs",
                "roleArn": "arn:aws:iam::123456789012:role/theirs",
            }
        }
    )


def test_creation_switches_logging_on(cloud: Cloud, answers: Answers) -> None:
    cloud.sends(an_event("create"))

    (answer,) = answers.sent
    assert answer["Status"] == "SUCCESS"
    assert configured()["cloudWatchConfig"] == {
        "logGroupName": "/bedrock-quota/bedrock-quota/invocations",
        "roleArn": an_event("create")["ResourceProperties"]["LogRoleArn"],
    }
    assert configured()["textDataDeliveryEnabled"] is False


@pytest.mark.parametrize("name", ["create", "update"])
def test_a_mistyped_time_zone_fails_with_the_nearest_name_and_changes_nothing(
    cloud: Cloud, answers: Answers, name: str
) -> None:
    event = an_event(name)
    event["ResourceProperties"]["TimeZone"] = "Europe/Berln"
    cloud.sends(event)

    assert answers.sent[-1]["Status"] == "FAILED"
    assert answers.sent[-1]["Reason"].endswith(
        "parameter TimeZone: 'Europe/Berln' is no IANA time zone; the nearest is Europe/Berlin"
    )
    assert configured() == {}


def test_a_mistyped_time_zone_never_stands_in_the_way_of_deleting(
    cloud: Cloud, answers: Answers, enforcer: AnEnforcer
) -> None:
    event = an_event("delete")
    event["ResourceProperties"]["TimeZone"] = "Europe/Berln"
    cloud.sends(event)

    assert answers.sent[-1]["Status"] == "SUCCESS"
    assert enforcer.asked == [{"action": "close"}]


def test_an_update_applies_the_changed_parameters(cloud: Cloud, answers: Answers) -> None:
    cloud.sends(an_event("create"))
    cloud.sends(an_event("update"))

    assert answers.sent[-1]["Status"] == "SUCCESS"
    assert configured()["textDataDeliveryEnabled"] is True


def test_an_update_releases_nobody(
    cloud: Cloud,
    answers: Answers,  # noqa: ARG001 - the answer goes nowhere
    enforcer: AnEnforcer,
) -> None:
    cloud.sends(an_event("create"))
    cloud.sends(an_event("update"))

    assert enforcer.asked == []


def test_deletion_closes_the_enforcer_and_switches_logging_off(
    cloud: Cloud, answers: Answers, enforcer: AnEnforcer
) -> None:
    cloud.sends(an_event("create"))
    cloud.sends(an_event("delete"))

    assert answers.sent[-1]["Status"] == "SUCCESS"
    assert enforcer.asked == [json.loads((EVENTS / "close.json").read_text("utf-8"))]
    assert configured() == {}


def test_deletion_fails_while_somebody_would_stay_blocked(
    cloud: Cloud, answers: Answers, enforcer: AnEnforcer
) -> None:
    cloud.sends(an_event("create"))
    enforcer.error = "quota-EnforcerFunction failed: SweepFailed: could not release user/alice"
    cloud.sends(an_event("delete"))

    assert answers.sent[-1]["Status"] == "FAILED"
    assert "could not release user/alice" in answers.sent[-1]["Reason"]
    assert configured() != {}


def test_creation_fails_where_somebody_else_logs_elsewhere(cloud: Cloud, answers: Answers) -> None:
    somebody_else_logs()
    cloud.sends(an_event("create"))

    assert answers.sent[-1]["Status"] == "FAILED"
    assert answers.sent[-1]["Reason"].endswith("set parameter ExistingLogGroup to /theirs")
    assert configured()["cloudWatchConfig"]["logGroupName"] == "/theirs"


def test_its_physical_id_is_the_same_in_every_answer(
    cloud: Cloud, answers: Answers, enforcer: AnEnforcer
) -> None:
    for name in ("create", "update", "delete"):
        cloud.sends(an_event(name))
    enforcer.error = "no"
    somebody_else_logs()
    for name in ("create", "update", "delete"):
        cloud.sends(an_event(name))

    assert [answer["Status"] for answer in answers.sent[3:]] == ["FAILED"] * 3
    assert {answer["PhysicalResourceId"] for answer in answers.sent} == {"bedrock-quota-setup"}


def test_a_stack_keeps_the_id_that_an_older_version_gave(cloud: Cloud, answers: Answers) -> None:
    cloud.sends(an_event("update") | {"PhysicalResourceId": "older"})

    assert answers.sent[-1]["PhysicalResourceId"] == "older"


@pytest.mark.parametrize("name", ["create", "update", "delete"])
@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_FAILED"])
def test_an_event_that_cloudformation_did_not_send_is_refused(
    cloud: Cloud, answers: Answers, enforcer: AnEnforcer, name: str, status: str
) -> None:
    """Whoever may invoke the function can forge one: the stack's own state decides."""
    cloud.sends(an_event("create"))
    before = configured()
    cloud.status = status
    cloud.module.handler(an_event(name), a_context())

    assert answers.sent[-1]["Status"] == "FAILED"
    assert f"as {status}: nothing was done" in answers.sent[-1]["Reason"]
    assert (enforcer.asked, configured()) == ([], before)


def test_an_update_that_is_taken_back_is_never_stuck(
    cloud: Cloud, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever set-up could not do is a warning then: somebody else logs, or a zone is no zone."""
    cloud.sends(an_event("create"))
    somebody_else_logs()
    monkeypatch.setenv("TIME_ZONE", "Europe/Berln")
    for status, answer in (
        ("UPDATE_IN_PROGRESS", "FAILED"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "SUCCESS"),
    ):
        cloud.status = status
        cloud.module.handler(an_event("update"), a_context())
        assert answers.sent[-1]["Status"] == answer
    assert configured()["cloudWatchConfig"]["logGroupName"] == "/theirs"


@pytest.mark.parametrize("name", ["create", "update", "delete"])
def test_an_event_of_another_stack_is_refused(
    cloud: Cloud, answers: Answers, enforcer: AnEnforcer, name: str
) -> None:
    foreign = an_event(name)
    foreign["StackId"] = foreign["StackId"].replace("51af3dc0", "00000000")
    cloud.sends(foreign)

    assert answers.sent[-1]["Status"] == "FAILED"
    assert "the event is of the stack" in answers.sent[-1]["Reason"]
    assert (enforcer.asked, configured()) == ([], {})


def test_what_an_event_says_of_the_log_is_not_believed(
    cloud: Cloud,
    answers: Answers,  # noqa: ARG001 - the answer goes nowhere
) -> None:
    """An update is made as the template wants it, whatever the event claims."""
    cloud.sends(an_event("create"))
    before = configured()
    cloud.status = "UPDATE_IN_PROGRESS"
    forged = an_event("update")
    forged["ResourceProperties"] |= {"LogPromptsAndAnswers": "true", "LogGroupName": "/theirs"}
    forged["OldResourceProperties"]["LogRoleArn"] = "arn:aws:iam::123456789012:role/theirs"
    cloud.module.handler(forged, a_context())
    assert configured() == before
    somebody_else_logs()
    cloud.module.handler(forged, a_context())
    assert configured()["cloudWatchConfig"]["logGroupName"] == "/theirs"


@pytest.mark.parametrize("path", ["", "platform/", "a/b/"])
def test_another_path_of_the_roles_takes_the_log_along(
    cloud: Cloud, answers: Answers, path: str
) -> None:
    """The role that writes the log is then another, and CloudFormation deletes the old one."""
    cloud.sends(an_event("create"))
    moved = an_event("update")
    role = moved["ResourceProperties"]["LogRoleArn"].replace(":role/", f":role/{path}")
    moved["ResourceProperties"]["LogRoleArn"] = f"{role}-2"
    cloud.sends(moved)

    assert answers.sent[-1]["Status"] == "SUCCESS"
    assert configured()["cloudWatchConfig"]["roleArn"] == f"{role}-2"


@pytest.mark.parametrize("status", ["DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"])
def test_a_creation_that_is_taken_back_closes_too(
    cloud: Cloud, answers: Answers, enforcer: AnEnforcer, status: str
) -> None:
    cloud.sends(an_event("create"))
    cloud.status = status
    cloud.module.handler(an_event("delete"), a_context())
    assert answers.sent[-1]["Status"] == "SUCCESS"
    assert enforcer.asked == [{"action": "close"}]


def test_the_enforcers_own_words_say_why_it_failed() -> None:
    class Refusing:
        def invoke(self, **_request: Any) -> dict[str, Any]:
            error = {"errorType": "SweepFailed", "errorMessage": "1 failure(s) in this sweep"}
            payload = SimpleNamespace(read=lambda: json.dumps(error).encode())
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": payload}

    client: Any = Refusing()
    with pytest.raises(EnforcerRefused, match=r"q-Enforcer failed: SweepFailed: 1 failure\(s\)"):
        Enforcer(client, "q-Enforcer").ask({"action": "close"})
