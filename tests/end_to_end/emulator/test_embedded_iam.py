from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_account import Caller, Sessions, document
from quota_enforcer.local.embedded import EmbeddedAws

MODEL = "anthropic.claude-3-opus-20240229-v1:0"
ALLOW = {"Effect": "Allow", "Action": "bedrock:*", "Resource": "*"}
DENY = {"Effect": "Deny", "Action": "bedrock:InvokeModel*", "Resource": "*"}
HELLO: list[Any] = [{"role": "user", "content": [{"text": "hello"}]}]


def converse(session: Any, model: str = MODEL) -> None:
    session.client("bedrock-runtime").converse(modelId=model, messages=HELLO)


def make_policy(aws: EmbeddedAws, name: str, *statements: dict[str, Any]) -> str:
    created = aws.client("iam").create_policy(
        PolicyName=name, PolicyDocument=document(*statements or (DENY,))
    )
    return str(created["Policy"]["Arn"])


def test_invoke_model_is_what_converse_needs(user: Caller) -> None:
    only_invoke = {"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"}
    alice = user("alice", only_invoke)
    converse(alice)
    with pytest.raises(ClientError, match="bedrock:InvokeModelWithResponseStream"):
        alice.client("bedrock-runtime").converse_stream(modelId=MODEL, messages=HELLO)


def test_denying_invoke_model_denies_converse_and_its_stream(user: Caller) -> None:
    alice = user("alice", ALLOW, DENY)
    with pytest.raises(ClientError, match="AccessDenied"):
        converse(alice)
    with pytest.raises(ClientError, match="AccessDenied"):
        alice.client("bedrock-runtime").converse_stream(modelId=MODEL, messages=HELLO)


@pytest.mark.parametrize(
    "denied",
    [
        f"arn:aws:bedrock:*::foundation-model/{MODEL}",
        f"arn:aws:bedrock:*:*:inference-profile/*.{MODEL}",
    ],
)
@pytest.mark.parametrize("profile", ["us", "global"])
def test_a_profile_is_closed_by_denying_it_or_its_model(
    user: Caller, denied: str, profile: str
) -> None:
    alice = user("alice", ALLOW, {**DENY, "Resource": denied})
    with pytest.raises(ClientError, match="AccessDenied"):
        converse(alice, f"{profile}.{MODEL}")
    converse(alice, "us.amazon.nova-lite-v1:0")


def test_allowing_a_profile_without_its_model_is_not_enough(user: Caller) -> None:
    profile = {**ALLOW, "Resource": "arn:aws:bedrock:*:*:inference-profile/*"}
    with pytest.raises(ClientError, match=f"foundation-model/{MODEL}"):
        converse(user("alice", profile), f"us.{MODEL}")


def test_an_application_profile_leads_to_its_model(aws: EmbeddedAws, user: Caller) -> None:
    arn = aws.client("bedrock").create_inference_profile(
        inferenceProfileName="team",
        modelSource={"copyFrom": f"arn:aws:bedrock:us-east-1::foundation-model/{MODEL}"},
    )["inferenceProfileArn"]
    found = aws.client("bedrock").get_inference_profile(inferenceProfileIdentifier=arn)
    assert [model["modelArn"].rpartition("/")[2] for model in found["models"]] == [MODEL]
    converse(user("alice", ALLOW), arn)
    deny = {**DENY, "Resource": f"arn:aws:bedrock:*::foundation-model/{MODEL}"}
    with pytest.raises(ClientError, match="AccessDenied"):
        converse(user("bob", ALLOW, deny), arn)


def test_a_refusal_names_the_policy_that_denies(aws: EmbeddedAws, user: Caller) -> None:
    alice = user("alice", ALLOW)
    arn = make_policy(aws, "over-bedrock-quota-see-your-notice")
    aws.client("iam").attach_user_policy(UserName="alice", PolicyArn=arn)
    with pytest.raises(ClientError) as refused:
        converse(alice)
    assert refused.value.response["Error"]["Message"] == (
        f"User: arn:aws:iam::{aws.account_id}:user/alice is not authorized to perform: "
        f"bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1::foundation-model/{MODEL} "
        f"with an explicit deny in an identity-based policy: {arn}"
    )


def test_a_refusal_names_the_boundary_that_denies(aws: EmbeddedAws, user: Caller) -> None:
    alice = user("alice", ALLOW)
    arn = make_policy(aws, "gate")
    aws.client("iam").put_user_permissions_boundary(UserName="alice", PermissionsBoundary=arn)
    with pytest.raises(
        ClientError, match=f"with an explicit deny in a permissions boundary: {arn}"
    ):
        converse(alice)


def test_a_denied_user_is_free_again_once_the_policy_is_detached(
    aws: EmbeddedAws, user: Caller
) -> None:
    alice = user("alice", ALLOW)
    iam, arn = aws.client("iam"), make_policy(aws, "deny")
    iam.attach_user_policy(UserName="alice", PolicyArn=arn)
    with pytest.raises(ClientError, match="AccessDenied"):
        converse(alice)
    iam.detach_user_policy(UserName="alice", PolicyArn=arn)
    converse(alice)


def test_a_deny_by_user_id_stops_one_session_of_a_role_only(role_session: Sessions) -> None:
    deny = {**DENY, "Condition": {"StringLike": {"aws:userid": "*:bob@example.com"}}}
    alice = role_session("shared", "alice@example.com", ALLOW, deny)
    bob = role_session("shared", "bob@example.com")
    converse(alice)
    with pytest.raises(ClientError, match="explicit deny"):
        converse(bob)


def test_the_principal_arn_of_a_session_is_its_role(
    aws: EmbeddedAws, role_session: Sessions
) -> None:
    arn = f"arn:aws:iam::{aws.account_id}:role/team/shared"
    only = {**ALLOW, "Condition": {"ArnEquals": {"aws:PrincipalArn": arn}}}
    converse(role_session("shared", "alice", only))


def test_a_principal_limited_by_policy_arn_attaches_only_that_policy(
    aws: EmbeddedAws, user: Caller
) -> None:
    ours, other = make_policy(aws, "ours"), make_policy(aws, "other")
    user("bob")
    enforcer = user(
        "enforcer",
        {
            "Effect": "Allow",
            "Action": ["iam:AttachUserPolicy", "iam:DetachUserPolicy"],
            "Resource": "*",
            "Condition": {"ArnEquals": {"iam:PolicyARN": ours}},
        },
    ).client("iam")
    enforcer.attach_user_policy(UserName="bob", PolicyArn=ours)
    enforcer.detach_user_policy(UserName="bob", PolicyArn=ours)
    with pytest.raises(ClientError, match="AccessDenied"):
        enforcer.attach_user_policy(UserName="bob", PolicyArn=other)


def test_a_user_holds_ten_policies_and_a_role_twenty(
    aws: EmbeddedAws, user: Caller, role_session: Sessions
) -> None:
    iam = aws.client("iam")
    user("bob")
    role_session("shared", "anyone")
    arns = [make_policy(aws, f"policy-{number}") for number in range(21)]
    for arn in arns[:10]:
        iam.attach_user_policy(UserName="bob", PolicyArn=arn)
    iam.attach_user_policy(UserName="bob", PolicyArn=arns[0])
    with pytest.raises(iam.exceptions.LimitExceededException, match="PoliciesPerUser: 10"):
        iam.attach_user_policy(UserName="bob", PolicyArn=arns[10])
    for arn in arns[:20]:
        iam.attach_role_policy(RoleName="shared", PolicyArn=arn)
    with pytest.raises(iam.exceptions.LimitExceededException, match="PoliciesPerRole: 20"):
        iam.attach_role_policy(RoleName="shared", PolicyArn=arns[20])


def test_a_policy_that_does_not_exist_cannot_be_attached(aws: EmbeddedAws, user: Caller) -> None:
    user("bob")
    iam = aws.client("iam")
    with pytest.raises(iam.exceptions.NoSuchEntityException, match="not attachable"):
        iam.attach_user_policy(
            UserName="bob", PolicyArn=f"arn:aws:iam::{aws.account_id}:policy/none"
        )


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/aws-reserved/sso.amazonaws.com/", "AWSReservedSSO_Developers_0123456789abcdef"),
        ("/aws-service-role/x.amazonaws.com/", "AWSServiceRoleForX"),
    ],
)
def test_a_role_that_aws_owns_cannot_be_changed(aws: EmbeddedAws, path: str, name: str) -> None:
    iam, arn = aws.client("iam"), make_policy(aws, "deny")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=document(trust))
    with pytest.raises(iam.exceptions.UnmodifiableEntityException, match="only modifiable by AWS"):
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    with pytest.raises(iam.exceptions.UnmodifiableEntityException):
        iam.detach_role_policy(RoleName=name, PolicyArn=arn)


def test_a_policy_for_a_path_covers_the_users_under_it(aws: EmbeddedAws, user: Caller) -> None:
    iam, arn = aws.client("iam"), make_policy(aws, "deny")
    iam.create_user(UserName="plain")
    iam.create_user(UserName="oncall", Path="/break-glass/")
    attach = {"Effect": "Allow", "Action": "iam:AttachUserPolicy", "Resource": "*"}
    never = {**attach, "Effect": "Deny", "Resource": "arn:aws:iam::*:user/break-glass/*"}
    admin = user("admin", attach, never).client("iam")
    admin.attach_user_policy(UserName="plain", PolicyArn=arn)
    with pytest.raises(ClientError, match="AccessDenied"):
        admin.attach_user_policy(UserName="oncall", PolicyArn=arn)


def test_a_service_says_for_which_account_it_takes_a_role(aws: EmbeddedAws) -> None:
    """Root stands in for every service."""
    for name, account in (("ours", aws.account_id), ("theirs", "999999999999")):
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "scheduler.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": account}},
        }
        aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    sts, role = aws.client("sts"), f"arn:aws:iam::{aws.account_id}:role/"
    sts.assume_role(RoleArn=f"{role}ours", RoleSessionName="scheduler")
    with pytest.raises(ClientError, match="AccessDenied"):
        sts.assume_role(RoleArn=f"{role}theirs", RoleSessionName="scheduler")


def test_iam_dates_follow_the_simulated_clock(aws: EmbeddedAws, user: Caller) -> None:
    until = {**DENY, "Condition": {"DateLessThan": {"aws:CurrentTime": "2027-03-01T13:00:00Z"}}}
    alice = user("alice", ALLOW, until)
    with pytest.raises(ClientError, match="explicit deny"):
        converse(alice)
    aws.set_time(aws.time.replace(hour=14))
    converse(alice)
