"""Our documents on users and roles of an account, and what the calls they make then get."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_account import Caller, document
from quota_enforcer.core.policies.boundary import gate
from quota_enforcer.core.policies.callers.allow import allow_models
from quota_enforcer.core.policies.deny import deny_models
from quota_enforcer.core.policies.document import Document, compact
from quota_enforcer.local.embedded import EmbeddedAws

OPUS = "anthropic.claude-3-opus-20240229-v1:0"
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
ALLOW = {"Effect": "Allow", "Action": "bedrock:*", "Resource": "*"}
HELLO: list[Any] = [{"role": "user", "content": [{"text": "hello"}]}]
GATE = "bedrock-quota-over-bedrock-quota-gate-1-see-your-notice-BOUNDARY-ONLY"


def is_open(session: Any, model: str) -> bool:
    """Whether IAM lets a single call and a stream through; it never lets only one."""
    client = session.client("bedrock-runtime")
    single = is_allowed(lambda: client.converse(modelId=model, messages=HELLO))
    stream = is_allowed(
        lambda: list(client.converse_stream(modelId=model, messages=HELLO)["stream"])
    )
    assert single == stream
    return single


def is_allowed(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as refused:
        if refused.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return False
    return True


def make_policy(aws: EmbeddedAws, name: str, written: Document) -> str:
    created = aws.client("iam").create_policy(PolicyName=name, PolicyDocument=compact(written))
    return str(created["Policy"]["Arn"])


def make_role(aws: EmbeddedAws, path: str, name: str, boundary: str) -> str:
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    iam = aws.client("iam")
    role = iam.create_role(
        RoleName=name,
        Path=path,
        AssumeRolePolicyDocument=document(trust),
        PermissionsBoundary=boundary,
    )["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="x", PolicyDocument=document(ALLOW))
    return str(role["Arn"])


def session_of(aws: EmbeddedAws, role: str, name: str) -> Any:
    key = aws.client("sts").assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
    return aws.session_for(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])


def test_a_model_deny_closes_that_model_and_its_siblings_stay_open(
    aws: EmbeddedAws, user: Caller
) -> None:
    alice = user("alice", ALLOW)
    profile = aws.client("bedrock").create_inference_profile(
        inferenceProfileName="team",
        modelSource={"copyFrom": f"arn:aws:bedrock:us-east-1::foundation-model/{OPUS}"},
    )["inferenceProfileArn"]
    arn = make_policy(aws, "deny", deny_models([OPUS]))
    aws.client("iam").attach_user_policy(UserName="alice", PolicyArn=arn)
    for model in (OPUS, f"us.{OPUS}", f"global.{OPUS}", profile):
        assert not is_open(alice, model)
    for model in (HAIKU, f"us.{HAIKU}", f"global.{HAIKU}"):
        assert is_open(alice, model)
    alice.client("bedrock").list_foundation_models()


def test_a_gate_stops_an_identity_center_person_behind_every_permission_set(
    aws: EmbeddedAws,
) -> None:
    boundary = make_policy(aws, GATE, gate({"*:alice@example.com": ["*"]}))
    path = "/aws-reserved/sso.amazonaws.com/"
    roles = [
        make_role(aws, path, f"AWSReservedSSO_{name}_0123456789abcdef", boundary)
        for name in ("Developers", "Analysts")
    ]
    for role in roles:
        assert not is_open(session_of(aws, role, "alice@example.com"), HAIKU)
        for colleague in ("bob@example.com", "malice@example.com"):
            assert is_open(session_of(aws, role, colleague), HAIKU)


def test_a_gate_stops_one_session_of_a_shared_role_and_not_its_namesake(aws: EmbeddedAws) -> None:
    boundary = make_policy(aws, GATE, gate({}))
    shared, other = (make_role(aws, "/team/", name, boundary) for name in ("shared", "other"))
    role_id = aws.client("iam").get_role(RoleName="shared")["Role"]["RoleId"]
    write(aws, boundary, gate({f"{role_id}:ci-42": [OPUS]}))
    assert not is_open(session_of(aws, shared, "ci-42"), f"us.{OPUS}")
    assert is_open(session_of(aws, shared, "ci-42"), HAIKU)
    assert is_open(session_of(aws, shared, "ci-43"), OPUS)
    assert is_open(session_of(aws, other, "ci-42"), OPUS)


def test_a_new_version_of_a_gate_acts_on_a_session_that_already_runs(aws: EmbeddedAws) -> None:
    boundary = make_policy(aws, GATE, gate({}))
    alice = session_of(aws, make_role(aws, "/team/", "shared", boundary), "alice")
    assert is_open(alice, HAIKU)
    write(aws, boundary, gate({"*:alice": ["*"]}))
    assert not is_open(alice, HAIKU)
    write(aws, boundary, gate({}))
    assert is_open(alice, HAIKU)


def test_an_access_policy_opens_its_models_and_nothing_else(aws: EmbeddedAws, user: Caller) -> None:
    alice = user("alice")
    (written,) = allow_models([OPUS], aws.account_id)
    arn = make_policy(aws, "allow", written)
    aws.client("iam").attach_user_policy(UserName="alice", PolicyArn=arn)
    for model in (OPUS, f"us.{OPUS}", f"global.{OPUS}"):
        assert is_open(alice, model)
    for model in (HAIKU, f"us.{HAIKU}", f"global.{HAIKU}"):
        assert not is_open(alice, model)
    with pytest.raises(ClientError, match="AccessDenied"):
        alice.client("bedrock").list_foundation_models()


def test_an_access_policy_for_the_console_lists_models_too(aws: EmbeddedAws, user: Caller) -> None:
    (written,) = allow_models([OPUS], aws.account_id, console=True)
    client = user("alice", *written["Statement"]).client("bedrock")
    assert client.list_foundation_models()["modelSummaries"]
    with pytest.raises(ClientError, match="AccessDenied"):
        client.get_model_invocation_logging_configuration()


def write(aws: EmbeddedAws, arn: str, written: Document) -> None:
    aws.client("iam").create_policy_version(
        PolicyArn=arn, PolicyDocument=json.dumps(written), SetAsDefault=True
    )
