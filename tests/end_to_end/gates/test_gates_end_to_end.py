"""People who share a role, end to end: the real template, enforcer and author, judged by IAM."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from beginnings import Beginnings
from deployed_stack import ALLOW, MODEL, DeployedStack, call, is_refused
from embedded_account import START, Caller, document
from quota_enforcer.cli.main import app
from quota_enforcer.local.embedded import EmbeddedAws

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
SSO_PATH = "/aws-reserved/sso.amazonaws.com/"
DEVELOPER = "AWSReservedSSO_Developer_0123456789abcdef"
ANALYST = "AWSReservedSSO_Analyst_fedcba9876543210"
EVERYTHING = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
)


@dataclass(frozen=True)
class Gated:
    """A deployment with one gate, and somebody who subscribed to everything."""

    stack: DeployedStack
    queue: str

    @property
    def iam(self) -> Any:
        return self.stack.aws.client("iam")

    @property
    def gate(self) -> str:
        account, name = self.stack.aws.account_id, self.stack.name
        policy = f"{name}-over-bedrock-quota-gate-1-see-your-notice-BOUNDARY-ONLY"
        return f"arn:aws:iam::{account}:policy/bedrock-quota/{name}/{policy}"

    def make_role(self, name: str, *, gate: bool = True) -> None:
        """A role that anybody may take and that may call models; Identity Center's by its name."""
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        self.iam.create_role(
            RoleName=name,
            Path=SSO_PATH if name.startswith("AWSReservedSSO_") else "/",
            AssumeRolePolicyDocument=document(trust),
            **({"PermissionsBoundary": self.gate} if gate else {}),
        )
        self.iam.put_role_policy(RoleName=name, PolicyName="x", PolicyDocument=document(ALLOW))

    def behind(self, role: str, session: str) -> boto3.Session:
        """The credentials of somebody behind a role."""
        arn = self.iam.get_role(RoleName=role)["Role"]["Arn"]
        taken = self.stack.aws.client("sts").assume_role(RoleArn=arn, RoleSessionName=session)
        key = taken["Credentials"]
        return self.stack.aws.session_for(
            key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"]
        )

    def document(self) -> dict[str, Any]:
        """The gate as it is in force."""
        version = self.iam.get_policy(PolicyArn=self.gate)["Policy"]["DefaultVersionId"]
        found = self.iam.get_policy_version(PolicyArn=self.gate, VersionId=version)
        written: dict[str, Any] = found["PolicyVersion"]["Document"]
        return written

    def mail(self) -> list[tuple[str, str, str]]:
        """Kind, principal and text of the notices sent since the last time; alarms are none."""
        sqs, read = self.stack.aws.client("sqs"), []
        while found := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in found:
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
                sent = json.loads(message["Body"])
                about = sent.get("MessageAttributes", {})
                kind, subject = (
                    about.get(each, {}).get("Value", "") for each in ("kind", "principal")
                )
                if kind:
                    read.append((kind, subject, sent["Message"]))
        return read


@pytest.fixture
def gated(beginnings: Beginnings) -> Gated:
    return beginnings.of(with_a_gate)


def with_a_gate(aws: EmbeddedAws) -> Gated:
    """Its first sweep has made the gate."""
    stack = DeployedStack.of(aws, Gates="1", ModelScope1=MODEL)
    arn = f"arn:aws:sqs:{aws.region}:{aws.account_id}:all"
    sends = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}}
    policy = document(sends | {"Action": "sqs:SendMessage", "Resource": arn})
    made = aws.client("sqs").create_queue(QueueName="all", Attributes={"Policy": policy})
    queue = made["QueueUrl"]
    topic = stack.outputs["NoticeTopic"]
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    stack.sweep()
    return Gated(stack, queue)


def is_blocked(caller: boto3.Session) -> bool:
    return is_refused(lambda: call(caller))


def call_haiku(caller: boto3.Session) -> None:
    body = json.dumps({"messages": []})
    caller.client("bedrock-runtime").invoke_model(modelId=HAIKU, body=body)


def test_a_person_is_blocked_while_a_colleague_on_the_same_role_goes_on(gated: Gated) -> None:
    gated.make_role(DEVELOPER)
    alice, bob = (gated.behind(DEVELOPER, f"{name}@example.com") for name in ("alice", "bob"))
    gated.stack.quota()
    call(alice, 1200)
    call(bob, 10)
    assert gated.stack.told() == [
        ("sso/alice@example.com", "blocked"),
    ]
    assert is_blocked(alice)
    call(bob)
    gated.stack.quota(limit=5000)
    assert gated.stack.told() == [("sso/alice@example.com", "restored")]
    call(alice)


def test_the_stream_closes_the_gate_for_a_person_and_a_session_without_any_tick(
    gated: Gated,
) -> None:
    """The log alone tells which roles they are behind, and how their names are spelled."""
    stack = gated.stack
    stack.quota(principal="sso/*")
    stack.quota(principal="session/ci/*")
    DeployedStack.of(stack.aws, Gates="1", ModelScope1=MODEL, Metering="stream")
    stack.sweep()  # which tells the meter to watch sessions
    gated.make_role(DEVELOPER)
    gated.make_role("ci")
    alice, bob = (gated.behind(DEVELOPER, f"{name}@Example.com") for name in ("Alice", "Bob"))
    one, two = gated.behind("ci", "one"), gated.behind("ci", "two")
    for caller in (alice, one):
        call(caller, 1200)
    assert [kind for _, kind in stack.told_by_the_stream()].count("blocked") == 2
    assert is_blocked(alice)
    assert is_blocked(one)
    call(bob)
    call(two)


def test_the_end_of_the_window_opens_the_gate(gated: Gated) -> None:
    gated.make_role(DEVELOPER)
    alice = gated.behind(DEVELOPER, "alice@example.com")
    gated.stack.quota()
    call(alice, 1200)
    gated.stack.sweep()
    gated.stack.aws.set_time(START + timedelta(hours=12))
    assert gated.stack.told() == [("sso/alice@example.com", "restored")]
    call(alice)


def test_a_person_is_blocked_behind_every_permission_set_with_a_gate(gated: Gated) -> None:
    """Also one that she has not used yet, in the spelling that was seen."""
    gated.make_role(DEVELOPER)
    gated.make_role(ANALYST)
    gated.stack.quota()
    call(gated.behind(DEVELOPER, "Alice@Example.com"), 1200)
    gated.stack.sweep()
    for role in (DEVELOPER, ANALYST):
        assert is_blocked(gated.behind(role, "Alice@Example.com"))
        call(gated.behind(role, "malice@Example.com"))


def test_one_model_is_closed_to_a_person_and_the_others_stay_open(gated: Gated) -> None:
    gated.make_role(DEVELOPER)
    alice = gated.behind(DEVELOPER, "alice@example.com")
    gated.stack.quota(models=MODEL)
    call(alice, 1200)
    gated.stack.sweep()
    assert is_blocked(alice)
    call_haiku(alice)


def test_one_session_of_a_shared_role_is_blocked_and_the_others_go_on(gated: Gated) -> None:
    gated.make_role("ci")
    one, two = gated.behind("ci", "one"), gated.behind("ci", "two")
    gated.stack.quota(principal="session/ci/*")
    call(one, 1200)
    call(two, 10)
    assert ("session/ci/one", "blocked") in gated.stack.told()
    assert is_blocked(one)
    call(two)


def test_a_role_made_anew_does_not_open_again_what_was_closed(gated: Gated) -> None:
    """Its new id is in the gate after the next sweep."""
    gated.make_role("ci")
    gated.stack.quota(principal="session/ci/*")
    call(gated.behind("ci", "one"), 1200)
    gated.stack.sweep()
    gated.iam.delete_role_policy(RoleName="ci", PolicyName="x")
    gated.iam.delete_role(RoleName="ci")
    gated.make_role("ci")
    gated.stack.sweep()
    assert is_blocked(gated.behind("ci", "one"))
    call(gated.behind("ci", "two"))


def test_who_has_no_gate_is_told_to_admins_and_not_said_to_be_blocked(gated: Gated) -> None:
    gated.make_role(DEVELOPER, gate=False)
    alice = gated.behind(DEVELOPER, "alice@example.com")
    gated.stack.quota()
    call(alice, 1200)
    gated.stack.sweep()
    mail = gated.mail()
    assert [(kind, subject) for kind, subject, _ in mail] == [
        ("could-not-deny", "sso/alice@example.com"),
    ]
    assert "the permission set Developer" in mail[0][2]
    assert "quota-enforcer gates setup" in mail[0][2]
    call(alice)
    gated.stack.sweep()
    assert gated.mail() == []


def test_once_the_gate_is_set_the_next_sweep_blocks_and_says_so(gated: Gated) -> None:
    gated.make_role(DEVELOPER, gate=False)
    alice = gated.behind(DEVELOPER, "alice@example.com")
    gated.stack.quota()
    call(alice, 1200)
    gated.stack.sweep()
    gated.mail()
    gated.iam.put_role_permissions_boundary(RoleName=DEVELOPER, PermissionsBoundary=gated.gate)
    gated.stack.sweep()
    assert [(kind, subject) for kind, subject, _ in gated.mail()] == [
        ("blocked", "sso/alice@example.com")
    ]
    assert is_blocked(alice)


# The end of the stack


def test_deleting_the_stack_empties_the_gate_that_roles_still_name(gated: Gated) -> None:
    gated.make_role(DEVELOPER)
    gated.make_role("ci")
    people = [gated.behind(DEVELOPER, "alice@example.com"), gated.behind("ci", "one")]
    gated.stack.quota()
    gated.stack.quota(principal="session/ci/*")
    for person in people:
        call(person, 1200)
    gated.stack.sweep()
    assert all(map(is_blocked, people))
    gated.stack.aws.delete(gated.stack.name)
    assert [each["Effect"] for each in gated.document()["Statement"]] == ["Allow"]
    for person in people:
        call(person)
    told = {(kind, subject) for kind, subject, _ in gated.mail()}
    assert {("restored", "sso/alice@example.com"), ("restored", "session/ci/one")} <= told


def test_who_could_not_be_blocked_is_not_said_to_be_free_again(gated: Gated) -> None:
    gated.make_role(DEVELOPER, gate=False)
    gated.stack.quota()
    call(gated.behind(DEVELOPER, "alice@example.com"), 1200)
    gated.stack.sweep()
    gated.mail()
    gated.stack.aws.delete(gated.stack.name)
    assert gated.mail() == []


def test_deployed_again_it_takes_the_gate_over_and_finds_nothing_wrong(gated: Gated) -> None:
    gated.make_role(DEVELOPER)
    alice = gated.behind(DEVELOPER, "alice@example.com")
    gated.stack.aws.delete(gated.stack.name)
    again = DeployedStack.of(gated.stack.aws, Gates="1")
    again.quota()
    call(alice, 1200)
    report = again.sweep()
    assert report["drift"] == []
    assert is_blocked(alice)


# Drift and tampering


def test_a_gate_that_somebody_rewrote_is_put_right_and_reported(gated: Gated) -> None:
    gated.make_role(DEVELOPER)
    alice = gated.behind(DEVELOPER, "alice@example.com")
    gated.stack.quota()
    call(alice, 1200)
    gated.stack.sweep()
    gated.mail()
    gated.iam.create_policy_version(
        PolicyArn=gated.gate, PolicyDocument=EVERYTHING, SetAsDefault=True
    )
    call(alice)
    gated.stack.sweep()
    assert is_blocked(alice)
    [(kind, _, text)] = gated.mail()
    assert kind == "tampered"
    assert "held a document that the author did not write; the right one is back" in text
    gated.stack.sweep()
    assert gated.mail() == []


def test_a_gate_attached_as_an_ordinary_policy_is_alarmed(gated: Gated, user: Caller) -> None:
    user("mallory")
    gated.iam.attach_user_policy(UserName="mallory", PolicyArn=gated.gate)
    gated.stack.sweep()
    [(kind, _, text)] = gated.mail()
    assert kind == "tampered"
    assert "is attached to user/mallory as an ordinary policy" in text


def test_a_static_deny_that_somebody_detached_is_put_right_and_reported(
    gated: Gated, user: Caller
) -> None:
    alice = user("alice", ALLOW)
    gated.stack.quota()
    call(alice, 1200)
    for _ in range(3):  # what is younger may be another sweep's, still under way
        gated.stack.sweep()
    gated.mail()
    gated.iam.detach_user_policy(UserName="alice", PolicyArn=gated.stack.outputs["DenyAllPolicy"])
    call(alice)
    gated.stack.sweep()
    assert is_blocked(alice)
    [(kind, subject, text)] = gated.mail()
    assert (kind, subject) == ("tampered", "user/alice")
    assert "the deny of * was detached from user/alice" in text


# The command line


@pytest.fixture
def shell(gated: Gated, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    for name, value in gated.stack.aws.environment().items():
        monkeypatch.setenv(name, value)
    return lambda *args: CliRunner().invoke(app, list(args))


def test_gates_setup_names_what_to_set_and_then_finds_it_set(
    gated: Gated, shell: Callable[..., Result]
) -> None:
    gated.make_role(DEVELOPER, gate=False)
    gated.make_role("ci", gate=False)
    gated.stack.quota(principal="session/ci/*")
    call(gated.behind(DEVELOPER, "alice@example.com"))
    call(gated.behind("ci", "one"))
    gated.stack.sweep()
    before = shell("gates", "setup")
    assert before.exit_code == 1
    assert "put-permissions-boundary-to-permission-set" in before.stdout
    command = (
        f"aws iam put-role-permissions-boundary --role-name ci --permissions-boundary {gated.gate}"
    )
    assert command in before.stdout
    for role in (DEVELOPER, "ci"):
        gated.iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=gated.gate)
    after = shell("gates", "setup")
    assert after.exit_code == 0, after.output
    assert "cannot be blocked" not in after.stdout


def test_gates_list_shows_who_is_denied(gated: Gated, shell: Callable[..., Result]) -> None:
    gated.make_role(DEVELOPER)
    gated.stack.quota(models=MODEL)
    call(gated.behind(DEVELOPER, "alice@example.com"), 1200)
    gated.stack.sweep()
    [gate] = json.loads(shell("gates", "list", "--json").stdout)["gates"]
    assert gate["denied"] == [f"sso/alice@example.com ({MODEL})"]
    assert 0 < gate["percent"] < 80
