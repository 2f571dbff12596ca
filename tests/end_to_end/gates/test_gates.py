"""Gates by IAM's own decisions: the real author function, its role, and people who share a role."""

import json
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from beginnings import Beginnings
from builders import UTC_ZONE
from deployed_stack import ALLOW, MODEL, DeployedStack, is_refused
from embedded_account import document
from quota_enforcer.aws.dynamodb.ledger.ledger import DynamoLedger
from quota_enforcer.aws.functions.author import AuthorFunction
from quota_enforcer.core.ledger import GateIntent
from quota_enforcer.core.principal import Principal
from quota_enforcer.gates.result import GateResult
from quota_enforcer.local.embedded import EmbeddedAws

DEVELOPERS = "AWSReservedSSO_Developers_0123456789abcdef"
ANALYSTS = "AWSReservedSSO_Analysts_fedcba9876543210"
NOVA = "amazon.nova-lite-v1:0"
ALL = frozenset({"*"})
OPEN = document({"Effect": "Allow", "Action": "*", "Resource": "*"})


@dataclass(frozen=True)
class Gated:
    """A deployment with one gate."""

    stack: DeployedStack

    @property
    def aws(self) -> EmbeddedAws:
        return self.stack.aws

    @property
    def gate(self) -> str:
        name = f"{self.stack.name}-over-bedrock-quota-gate-1-see-your-notice-BOUNDARY-ONLY"
        return f"arn:aws:iam::{self.aws.account_id}:policy/bedrock-quota/{self.stack.name}/{name}"

    @property
    def author(self) -> AuthorFunction:
        return AuthorFunction(self.aws.client("lambda"), self.stack.outputs["AuthorFunction"])

    def role(self, name: str, *statements: dict[str, Any], path: str = "/team/") -> None:
        """A role behind the gate, which may call models unless told otherwise."""
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        self.aws.client("iam").create_role(
            RoleName=name,
            Path="/aws-reserved/sso.amazonaws.com/" if name.startswith("AWSReserved") else path,
            AssumeRolePolicyDocument=document(trust),
            PermissionsBoundary=self.gate,
        )
        self.aws.client("iam").put_role_policy(
            RoleName=name, PolicyName="test", PolicyDocument=document(*statements or (ALLOW,))
        )

    def session(self, role: str, name: str) -> boto3.Session:
        """Credentials issued now."""
        arn = self.aws.client("iam").get_role(RoleName=role)["Role"]["Arn"]
        key = self.aws.client("sts").assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
        return self.aws.session_for(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])

    def intend(self, who: str, scopes: frozenset[str] = ALL, *roles: str, name: str = "") -> None:
        """What a sweep writes before it asks the author."""
        principal = Principal.parse(who)
        *role, session = principal.name.split("/")
        intent = GateIntent(
            principal, scopes, frozenset({name or session}), frozenset(roles or role)
        )
        ledger = DynamoLedger(
            self.aws.client("dynamodb"), self.stack.outputs["LedgerTable"], UTC_ZONE
        )
        record = ledger.records([principal])[principal]
        ledger.put(record.next(intended=scopes), gate=intent)

    def deny(
        self, who: str, scopes: frozenset[str] = ALL, *roles: str, name: str = ""
    ) -> GateResult:
        """Have the author put this in force, after all that came before."""
        self.intend(who, scopes, *roles, name=name)
        return self.author.render()


@pytest.fixture
def gated(beginnings: Beginnings) -> Gated:
    return beginnings.of(a_gate)


def a_gate(aws: EmbeddedAws) -> Gated:
    """One gate, made by the author, and the shared role `reporting` behind it."""
    gated = Gated(DeployedStack.of(aws, Gates="1"))
    assert gated.author.render().written == (gated.gate,)
    gated.role("reporting")
    return gated


def refused(caller: boto3.Session, model: str = MODEL) -> bool:
    """Whether a call of the model is refused."""
    body = json.dumps({"messages": []})
    runtime = caller.client("bedrock-runtime")
    return is_refused(lambda: runtime.invoke_model(modelId=model, body=body))


def test_one_session_of_a_shared_role_is_stopped_while_another_goes_on(gated: Gated) -> None:
    """With the credentials that both had before."""
    loop, report = gated.session("reporting", "loop"), gated.session("reporting", "report")
    assert (refused(loop), refused(report)) == (False, False)
    answer = gated.deny("session/reporting/loop")
    assert (refused(loop), refused(report)) == (True, False)
    assert refused(gated.session("reporting", "loop"))
    assert (answer.denied, answer.trouble, answer.failures) == (
        {Principal.parse("session/reporting/loop"): ALL}, {}, (),
    )  # fmt: skip
    gated.deny("session/reporting/loop", frozenset())
    assert (refused(loop), refused(report)) == (False, False)


def test_a_session_of_the_same_name_in_another_role_goes_on(gated: Gated) -> None:
    gated.role("billing")
    gated.deny("session/reporting/loop")
    assert refused(gated.session("reporting", "loop"))
    assert not refused(gated.session("billing", "loop"))
    assert not refused(gated.session("reporting", "loop2"))
    assert not refused(gated.session("reporting", "aloop"))


def test_a_person_is_stopped_in_every_permission_set_and_a_colleague_in_none(
    gated: Gated,
) -> None:
    for role in (DEVELOPERS, ANALYSTS):
        gated.role(role)
    gated.deny("sso/alice@example.com", ALL, DEVELOPERS)
    for role in (DEVELOPERS, ANALYSTS):
        assert refused(gated.session(role, "alice@example.com"))
        assert not refused(gated.session(role, "malice@example.com"))
        assert not refused(gated.session(role, "bob@example.com"))


def test_a_session_that_is_called_like_a_person_goes_on(gated: Gated) -> None:
    """Also where its role names the same gate as the person's permission set."""
    gated.role(DEVELOPERS)
    gated.deny("sso/alice@example.com", ALL, DEVELOPERS)
    assert refused(gated.session(DEVELOPERS, "alice@example.com"))
    assert not refused(gated.session("reporting", "alice@example.com"))


def test_a_person_is_stopped_in_the_spelling_seen(gated: Gated) -> None:
    gated.role(DEVELOPERS)
    gated.deny("sso/alice@example.com", ALL, DEVELOPERS, name="Alice@Example.com")
    assert refused(gated.session(DEVELOPERS, "Alice@Example.com"))


def test_one_model_is_closed_while_another_stays_open(gated: Gated) -> None:
    loop = gated.session("reporting", "loop")
    gated.deny("session/reporting/loop", frozenset({MODEL}))
    assert (refused(loop), refused(loop, f"us.{MODEL}")) == (True, True)
    assert (refused(loop, NOVA), refused(loop, f"us.{NOVA}")) == (False, False)


def test_a_role_made_anew_does_not_open_the_gate(gated: Gated) -> None:
    gated.deny("session/reporting/loop")
    iam = gated.aws.client("iam")
    iam.delete_role_policy(RoleName="reporting", PolicyName="test")
    iam.delete_role(RoleName="reporting")
    gated.role("reporting")
    loop = gated.session("reporting", "loop")
    assert not refused(loop)
    assert gated.author.render().written == (gated.gate,)
    assert refused(loop)


def test_a_gate_tampered_with_grants_nothing_and_is_put_right(gated: Gated) -> None:
    gated.role("powerless", {"Effect": "Allow", "Action": "bedrock:List*", "Resource": "*"})
    gated.deny("session/reporting/loop")
    iam = gated.aws.client("iam")
    iam.create_policy_version(PolicyArn=gated.gate, PolicyDocument=OPEN, SetAsDefault=True)
    powerless = gated.session("powerless", "eve")
    assert refused(powerless)
    assert is_refused(lambda: powerless.client("iam").create_user(UserName="eve"))
    assert not refused(gated.session("reporting", "loop"))
    (told,) = gated.author.render().righted
    assert "held a document that the author did not write" in told
    assert refused(gated.session("reporting", "loop"))


def test_a_gate_attached_as_an_ordinary_policy_is_told(gated: Gated) -> None:
    iam = gated.aws.client("iam")
    iam.create_user(UserName="eve")
    iam.attach_user_policy(UserName="eve", PolicyArn=gated.gate)
    (told,) = gated.author.render().tampered
    assert told.startswith(f"{gated.gate} is attached to user/eve as an ordinary policy")


def test_a_gate_is_written_more_often_than_a_policy_has_versions(gated: Gated) -> None:
    for number in range(7):
        assert gated.deny(f"session/reporting/loop{number}").written == (gated.gate,)
    assert all(refused(gated.session("reporting", f"loop{number}")) for number in range(7))
    versions = gated.aws.client("iam").list_policy_versions(PolicyArn=gated.gate)["Versions"]
    assert len(versions) == 5


def test_an_emptied_gate_stops_nobody(gated: Gated) -> None:
    gated.deny("session/reporting/loop")
    assert gated.author.empty().denied == {}
    assert not refused(gated.session("reporting", "loop"))
