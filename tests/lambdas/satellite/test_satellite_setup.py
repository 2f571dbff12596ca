"""The set-up of a satellite answers CloudFormation whatever happens, and puts back what it did."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, Final

import boto3
import pytest

from quota_enforcer.core.policies.names import deny_policy_name, gate_name
from quota_enforcer.lambdas.satellite import setup
from satellite_home import FakeHome

OWN: Final = "arn:aws:cloudformation:eu-west-1:444455556666:stack/satellite/7d1c"
GROUP: Final = "/bedrock-quota/bedrock-quota/invocations"
ROLE: Final = "arn:aws:iam::444455556666:role/bedrock-quota/bedrock-quota/satellite-log"
STATES: Final = {
    "Create": "CREATE_IN_PROGRESS",
    "Update": "UPDATE_IN_PROGRESS",
    "Delete": "DELETE_IN_PROGRESS",
}
Follow = Callable[..., dict[str, Any]]


class OneStack:
    """CloudFormation, which has one stack in some state."""

    def __init__(self) -> None:
        self.state = ""

    def describe_stacks(self, **_names: str) -> dict[str, Any]:
        return {"Stacks": [{"StackStatus": self.state}]}


@pytest.fixture(autouse=True)
def stack(home: FakeHome, monkeypatch: pytest.MonkeyPatch) -> OneStack:  # noqa: ARG001 - AWS of moto
    for name, value in {
        "STACK_ID": OWN,
        "LOG_GROUP": GROUP,
        "LOG_ROLE": ROLE,
        "LOG_PROMPTS_AND_ANSWERS": "false",
        "MANAGE_LOGGING": "true",
        "PARAMETERS": "a|b",
        "DENIES": "[]",
        "GATES": "0",
    }.items():
        monkeypatch.setenv(name, value)
    own, real = OneStack(), boto3.client

    def client(name: Any) -> Any:
        return own if name == "cloudformation" else real(name)

    monkeypatch.setattr("quota_enforcer.lambdas.satellite.setup.boto3.client", client)
    monkeypatch.setattr(setup, "PATIENCE", 0)
    monkeypatch.setattr(setup, "PAUSE", 0)
    return own


@pytest.fixture
def follow(home: FakeHome, stack: OneStack) -> Follow:
    def sent(kind: str, state: str = "", stack_id: str = OWN) -> dict[str, Any]:
        """What CloudFormation is told after an event while the stack is in this state."""
        stack.state = state or STATES[kind]
        event = {
            "RequestType": kind,
            "ResponseURL": f"{home.url}cloudformation?signature=a%2Fb",
            "StackId": stack_id,
            "RequestId": "1",
            "LogicalResourceId": "Setup",
        }
        setup.handler(event, None)
        return home.told[-1]

    return sent


def configured() -> dict[str, Any]:
    answer = boto3.client("bedrock").get_model_invocation_logging_configuration()
    return dict(answer.get("loggingConfig", {}))


def they_log_to(group: str) -> None:
    theirs: Any = {"logGroupName": group, "roleArn": "arn:aws:iam::444455556666:role/theirs"}
    boto3.client("bedrock").put_model_invocation_logging_configuration(
        loggingConfig={"cloudWatchConfig": theirs}
    )


def test_creation_announces_and_switches_logging_on(home: FakeHome, follow: Follow) -> None:
    told = follow("Create")
    assert (told["Status"], told["PhysicalResourceId"]) == ("SUCCESS", "bedrock-quota-satellite")
    [asked] = home.asked
    digest = hashlib.sha256(b"a|b").hexdigest()[:16]
    assert asked["announce"] == {"stack_id": OWN, "log_group": GROUP, "parameters": digest}
    assert configured()["cloudWatchConfig"] == {"logGroupName": GROUP, "roleArn": ROLE}
    assert configured()["textDataDeliveryEnabled"] is False


def test_a_home_that_refuses_it_fails_the_stack_with_its_words_and_nothing_is_changed(
    home: FakeHome, follow: Follow
) -> None:
    home.statuses, home.words = [409], "this is the home X"
    told = follow("Create")
    assert told["Status"] == "FAILED"
    assert told["Reason"].endswith("it answered 409: this is the home X")
    assert configured() == {}


def test_while_iam_does_not_know_the_new_role_it_asks_again(
    home: FakeHome, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "PATIENCE", 30)
    home.statuses = [403, 403, 502]
    assert follow("Create")["Status"] == "SUCCESS"
    assert len(home.asked) == 4


def test_a_log_that_goes_to_the_wanted_group_already_is_left_alone(follow: Follow) -> None:
    they_log_to(GROUP)
    before = configured()
    assert follow("Create")["Status"] == "SUCCESS"
    assert follow("Delete")["Status"] == "SUCCESS"
    assert configured() == before


def test_a_log_that_goes_elsewhere_fails_with_the_parameter_to_set(follow: Follow) -> None:
    they_log_to("/theirs")
    told = follow("Create")
    assert told["Status"] == "FAILED"
    assert "to /theirs. Set parameter ExistingLogGroup" in told["Reason"]
    assert configured()["cloudWatchConfig"]["logGroupName"] == "/theirs"


def test_an_update_follows_the_parameters(follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    follow("Create")
    monkeypatch.setenv("LOG_PROMPTS_AND_ANSWERS", "true")
    assert follow("Update")["Status"] == "SUCCESS"
    assert configured()["textDataDeliveryEnabled"] is True


def test_where_it_may_not_change_logging_it_only_looks(
    follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANAGE_LOGGING", "false")
    assert "ManageLogging is false" in follow("Create")["Reason"]
    monkeypatch.setenv("MANAGE_LOGGING", "true")
    follow("Create")
    monkeypatch.setenv("MANAGE_LOGGING", "false")
    assert follow("Update")["Status"] == "SUCCESS"
    assert follow("Delete")["Status"] == "SUCCESS"
    assert configured() != {}


def test_an_update_that_is_taken_back_is_never_stuck(home: FakeHome, follow: Follow) -> None:
    home.statuses = [409]
    assert follow("Update", "UPDATE_ROLLBACK_IN_PROGRESS")["Status"] == "SUCCESS"


def test_deletion_leaves_takes_its_denies_off_and_puts_the_log_back(
    home: FakeHome, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    iam = boto3.client("iam")
    deny = {"Effect": "Deny", "Action": "bedrock:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    ours, other = (
        iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
        for name in ("ours", "other")
    )
    iam.create_user(UserName="bob")
    iam.create_role(RoleName="reporting", AssumeRolePolicyDocument=document)
    for policy in (ours, other):
        iam.attach_user_policy(UserName="bob", PolicyArn=policy)
    iam.attach_role_policy(RoleName="reporting", PolicyArn=ours)
    monkeypatch.setenv("DENIES", json.dumps([ours]))
    follow("Create")

    told = follow("Delete")
    assert (told["Status"], home.asked[-1]["leave"]) == ("SUCCESS", {"stack_id": OWN})
    assert "2 denies taken off" in told["Reason"]
    attached = iam.list_attached_user_policies(UserName="bob")["AttachedPolicies"]
    assert [each["PolicyArn"] for each in attached] == [other]
    assert iam.list_attached_role_policies(RoleName="reporting")["AttachedPolicies"] == []
    assert configured() == {}


def test_deletion_leaves_gates_that_deny_nobody_since_permission_sets_may_name_them_for_longer(
    follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    iam = boto3.client("iam")
    deny = {"Effect": "Deny", "Action": "bedrock:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    account = "arn:aws:iam::123456789012:policy/"
    names = [deny_policy_name("q"), gate_name("q", 1)]
    gate = [iam.create_policy(PolicyName=name, PolicyDocument=document) for name in names][1]
    arn = gate["Policy"]["Arn"]
    for _ in range(4):  # IAM keeps five
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
    monkeypatch.setenv("DENIES", json.dumps([f"{account}{names[0]}"]))
    monkeypatch.setenv("GATES", "2")  # of which the author has made one
    follow("Create")
    assert follow("Delete")["Status"] == "SUCCESS"
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    assert found == {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }


@pytest.mark.parametrize("state", ["DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"])
@pytest.mark.parametrize("status", [403, 404, 409, 502])
def test_a_home_that_is_gone_keeps_no_satellite(
    home: FakeHome, follow: Follow, status: int, state: str
) -> None:
    follow("Create")
    home.statuses = [status]
    told = follow("Delete", state)
    assert told["Status"] == "SUCCESS"
    assert f"could not leave ({status}" in told["Reason"]
    assert configured() == {}


def test_a_bucket_that_somebody_added_stays(follow: Follow) -> None:
    follow("Create")
    added: Any = configured() | {"s3Config": {"bucketName": "theirs"}}
    boto3.client("bedrock").put_model_invocation_logging_configuration(loggingConfig=added)
    follow("Update")
    assert configured()["s3Config"] == {"bucketName": "theirs"}
    follow("Delete")
    assert configured()["s3Config"] == {"bucketName": "theirs"}
    assert "cloudWatchConfig" not in configured()


@pytest.mark.parametrize("kind", STATES)
@pytest.mark.parametrize("state", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_FAILED"])
def test_an_event_that_cloudformation_did_not_send_is_refused(
    home: FakeHome, follow: Follow, kind: str, state: str
) -> None:
    follow("Create")
    before, asked = configured(), len(home.asked)
    told = follow(kind, state)
    assert told["Status"] == "FAILED"
    assert f"is {state}; who sent it?" in told["Reason"]
    assert (configured(), len(home.asked)) == (before, asked)


def test_an_event_of_another_stack_is_refused(home: FakeHome, follow: Follow) -> None:
    assert follow("Create", stack_id=f"{OWN}-2")["Status"] == "FAILED"
    assert (home.asked, configured()) == ([], {})
