"""Deny policies: attached and detached as often as one likes, and refusals in words that help."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from quota_enforcer.aws.iam.denies import IamDenies
from quota_enforcer.core.errors import AccountUnreachable, CannotDeny, PrincipalGone
from quota_enforcer.core.principal import Principal

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from quota_enforcer.enforce.ports.adapters import Denies

MakeStub = Callable[[str], tuple[Any, Stubber]]
ALICE = Principal.parse("user/alice")
CI = Principal.parse("role/ci")
OPUS = "anthropic.claude-3-opus*"
POLICY = "arn:aws:iam::123456789012:policy/bedrock-quota/q/deny"
DOCUMENT = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "bedrock:*", "Resource": "*"}],
    }
)


@pytest.fixture
def iam(mocked_aws: None, iam_client: "IAMClient") -> "IAMClient":  # noqa: ARG001
    """An account with a user, a role and a group."""
    iam_client.create_user(UserName="alice", Path="/people/")
    iam_client.create_role(RoleName="ci", Path="/apps/", AssumeRolePolicyDocument="{}")
    iam_client.create_group(GroupName="team")
    return iam_client


@pytest.fixture
def denies(iam: "IAMClient") -> IamDenies:
    policies = {
        scope: iam.create_policy(PolicyName=name, PolicyDocument=DOCUMENT)["Policy"]["Arn"]
        for scope, name in (("*", "deny-all"), (OPUS, "deny-opus"))
    }
    return IamDenies(iam, policies)


def test_the_installed_scopes_are_those_with_a_policy(denies: IamDenies) -> None:
    port: Denies = denies
    assert port.scopes == {"*", OPUS}


def test_nobody_at_home_is_denied_for_a_namesake_elsewhere(denies: IamDenies) -> None:
    there = Principal.parse("444455556666/user/alice")
    with pytest.raises(AccountUnreachable, match="account 444455556666 cannot be reached"):
        denies.attach(there, "*")
    assert denies.denied() == {}
    denies.attach(ALICE, "*")
    with pytest.raises(AccountUnreachable):
        denies.detach(there, "*")
    assert denies.denied() == {ALICE: frozenset({"*"})}


def test_users_and_roles_are_denied_and_released(denies: IamDenies) -> None:
    denies.attach(ALICE, "*")
    denies.attach(CI, "*")
    denies.attach(CI, OPUS)
    assert denies.denied() == {ALICE: frozenset({"*"}), CI: frozenset({"*", OPUS})}
    denies.detach(ALICE, "*")
    denies.detach(CI, "*")
    assert denies.denied() == {CI: frozenset({OPUS})}


def test_attaching_and_detaching_may_be_repeated(denies: IamDenies) -> None:
    for _ in range(2):
        denies.attach(ALICE, "*")
    for _ in range(2):
        denies.detach(ALICE, "*")
        denies.detach(CI, "*")
    assert denies.denied() == {}


def test_more_are_denied_than_one_page_lists(
    users_on_two_pages: Callable[[str, str, str], Any],
) -> None:
    denied = IamDenies(users_on_two_pages(POLICY, "alice", "bob"), {"*": POLICY}).denied()
    assert denied.keys() == {ALICE, Principal.parse("user/bob")}


def test_a_group_that_somebody_attached_a_deny_to_is_no_principal(
    iam: "IAMClient", denies: IamDenies
) -> None:
    (policy,) = (p["Arn"] for p in iam.list_policies(Scope="Local")["Policies"][:1])
    iam.attach_group_policy(GroupName="team", PolicyArn=policy)
    assert denies.denied() == {}


def test_serving_as_a_permissions_boundary_is_no_deny(stub: MakeStub) -> None:
    client, answers = stub("iam")
    request = {"PolicyArn": POLICY, "PolicyUsageFilter": "PermissionsPolicy"}
    empty: dict[str, Any] = {"PolicyUsers": [], "PolicyRoles": [], "PolicyGroups": []}
    answers.add_response("list_entities_for_policy", empty, request)
    assert IamDenies(client, {"*": POLICY}).denied() == {}


@pytest.mark.parametrize("gone", ["user/nobody", "role/nothing"])
def test_who_does_not_exist_cannot_be_denied_but_is_released(denies: IamDenies, gone: str) -> None:
    with pytest.raises(PrincipalGone, match=gone):
        denies.attach(Principal.parse(gone), "*")
    denies.detach(Principal.parse(gone), "*")


@pytest.mark.parametrize("principal", [ALICE, CI])
def test_a_missing_policy_is_named(iam: "IAMClient", principal: Principal) -> None:
    denies = IamDenies(iam, {"*": POLICY})
    with pytest.raises(CannotDeny, match=f"{POLICY} does not exist: deploy the stack again"):
        denies.attach(principal, "*")
    denies.detach(principal, "*")


def test_a_scope_that_is_not_installed_cannot_be_denied_but_is_released(denies: IamDenies) -> None:
    with pytest.raises(CannotDeny, match=r"'other\*' is installed; installed model scopes: \*, "):
        denies.attach(ALICE, "other*")
    denies.detach(ALICE, "other*")


@pytest.mark.parametrize("who", ["sso/a@example.com", "session/ci/42", "team/x", "other/arn:x"])
def test_only_users_and_roles_are_touched(stub: MakeStub, who: str) -> None:
    client, _ = stub("iam")
    denies = IamDenies(client, {"*": POLICY})
    with pytest.raises(CannotDeny, match=who):
        denies.attach(Principal.parse(who), "*")
    denies.detach(Principal.parse(who), "*")


@pytest.mark.parametrize(
    ("code", "helps"),
    [
        ("LimitExceeded", "no slot left.*IAM says: no.*detach one.*higher quota.*IAM user"),
        ("UnmodifiableEntity", "managed by AWS.*IAM says: no.*only notifies"),
        ("AccessDenied", "protected or out of its reach.*IAM says: no.*only notifies"),
    ],
)
def test_what_iam_refuses_comes_with_what_helps(stub: MakeStub, code: str, helps: str) -> None:
    client, answers = stub("iam")
    answers.add_client_error("attach_user_policy", code, "no")
    with pytest.raises(CannotDeny, match=f"user/alice.*{helps}"):
        IamDenies(client, {"*": POLICY}).attach(ALICE, "*")


def test_any_other_refusal_rises(stub: MakeStub) -> None:
    client, answers = stub("iam")
    denies = IamDenies(client, {"*": POLICY})
    answers.add_client_error("attach_role_policy", "ServiceFailure")
    with pytest.raises(ClientError, match="ServiceFailure"):
        denies.attach(CI, "*")
    answers.add_client_error("detach_role_policy", "ServiceFailure")
    with pytest.raises(ClientError, match="ServiceFailure"):
        denies.detach(CI, "*")
    answers.add_client_error("list_entities_for_policy", "NoSuchEntity")
    with pytest.raises(ClientError, match="NoSuchEntity"):
        denies.denied()


@pytest.mark.parametrize("code", ["UnmodifiableEntity", "AccessDenied"])
def test_a_deny_out_of_reach_says_how_to_lift_it(stub: MakeStub, code: str) -> None:
    client, answers = stub("iam")
    answers.add_client_error("detach_role_policy", code)
    with pytest.raises(CannotDeny, match=f"attached to role/ci by somebody else.*detach {POLICY}"):
        IamDenies(client, {"*": POLICY}).detach(CI, "*")


def test_a_deny_of_a_group_is_named_with_what_undoes_it(stub: MakeStub) -> None:
    client, answers = stub("iam")
    group = {"GroupName": "all", "GroupId": "AGPAEXAMPLEEXAMPLE123"}
    answers.add_response(
        "list_entities_for_policy",
        {"PolicyGroups": [group], "PolicyUsers": [], "PolicyRoles": [], "IsTruncated": False},
    )
    denies = IamDenies(client, {"*": POLICY})
    assert denies.denied() == {}
    assert (
        f"detach-group-policy --group-name all --policy-arn {POLICY}"
        in denies.unmanaged_attachments[0]
    )
