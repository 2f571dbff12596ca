"""Gates in IAM: made, versioned again and again, read back, and looked after."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from quota_enforcer.aws.iam.gates import IamGates
from quota_enforcer.core.policies.boundary import gate
from quota_enforcer.core.policies.document import compact
from quota_enforcer.gates.roles import Role

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from quota_enforcer.gates.ports import Gates

MakeStub = Callable[[str], tuple[Any, Stubber]]
GATE = "arn:aws:iam::123456789012:policy/bedrock-quota/q/q-gate-1-BOUNDARY-ONLY"
NOBODY = gate({})
DOCUMENTS = [gate({f"*:person{number}": {"*"}}) for number in range(6)]


@pytest.fixture
def iam(mocked_aws: None, iam_client: "IAMClient") -> "IAMClient":  # noqa: ARG001
    return iam_client


@pytest.fixture
def gates(iam: "IAMClient") -> IamGates:
    return IamGates(iam)


def test_a_gate_is_made_under_its_exact_name(iam: "IAMClient", gates: IamGates) -> None:
    port: Gates = gates
    assert port.document(GATE) is None
    port.create(GATE, NOBODY)
    assert port.document(GATE) == NOBODY
    assert "never to be attached" in iam.get_policy(PolicyArn=GATE)["Policy"]["Description"]


def test_a_gate_has_its_tags_from_the_beginning_or_from_its_next_document(
    iam: "IAMClient", gates: IamGates
) -> None:
    """Rules of an organisation may refuse to have a policy made without them."""
    tags = [{"Key": "empty", "Value": ""}, {"Key": "team", "Value": "platform"}]
    tagged = IamGates(iam, [("team", "platform"), ("empty", "")])
    older = GATE.replace("gate-1", "gate-2")
    gates.create(older, NOBODY)
    assert iam.list_policy_tags(PolicyArn=older)["Tags"] == []
    tagged.replace(older, DOCUMENTS[0])
    tagged.create(GATE, NOBODY)
    for gate_of_ours in (GATE, older):
        assert iam.list_policy_tags(PolicyArn=gate_of_ours)["Tags"] == tags


def test_a_new_document_is_in_force_at_once(gates: IamGates) -> None:
    gates.create(GATE, NOBODY)
    gates.replace(GATE, DOCUMENTS[0])
    assert gates.document(GATE) == DOCUMENTS[0]


def test_the_oldest_version_makes_room_for_a_sixth(iam: "IAMClient", gates: IamGates) -> None:
    gates.create(GATE, NOBODY)
    for document in DOCUMENTS:
        gates.replace(GATE, document)
        assert gates.document(GATE) == document
    versions = iam.list_policy_versions(PolicyArn=GATE)["Versions"]
    assert {version["VersionId"] for version in versions} == {"v3", "v4", "v5", "v6", "v7"}


def test_an_old_default_version_is_replaced_and_never_deleted(
    iam: "IAMClient", gates: IamGates
) -> None:
    gates.create(GATE, NOBODY)
    for document in DOCUMENTS[:4]:
        gates.replace(GATE, document)
    iam.set_default_policy_version(PolicyArn=GATE, VersionId="v1")
    assert gates.document(GATE) == NOBODY
    gates.replace(GATE, DOCUMENTS[5])
    assert gates.document(GATE) == DOCUMENTS[5]
    versions = iam.list_policy_versions(PolicyArn=GATE)["Versions"]
    assert {version["VersionId"] for version in versions} == {"v1", "v3", "v4", "v5", "v6"}


def test_a_gate_that_somebody_has_just_made_is_written_all_the_same(gates: IamGates) -> None:
    gates.create(GATE, NOBODY)
    gates.create(GATE, DOCUMENTS[0])
    assert gates.document(GATE) == DOCUMENTS[0]


def test_a_gate_that_is_not_there_cannot_be_replaced(gates: IamGates) -> None:
    with pytest.raises(ClientError, match="NoSuchEntity"):
        gates.replace(GATE, NOBODY)


def test_all_who_have_a_gate_attached_are_found(iam: "IAMClient", gates: IamGates) -> None:
    gates.create(GATE, NOBODY)
    assert gates.attached_to(GATE) == []
    iam.create_user(UserName="ann")
    iam.attach_user_policy(UserName="ann", PolicyArn=GATE)
    iam.create_role(RoleName="admin", AssumeRolePolicyDocument="{}")
    iam.attach_role_policy(RoleName="admin", PolicyArn=GATE)
    iam.create_group(GroupName="team")
    iam.attach_group_policy(GroupName="team", PolicyArn=GATE)
    assert set(gates.attached_to(GATE)) == {"group/team", "role/admin", "user/ann"}


def test_more_have_a_gate_attached_than_one_page_lists(
    users_on_two_pages: Callable[[str, str, str], Any],
) -> None:
    client = users_on_two_pages(GATE, "ann", "bob")
    assert set(IamGates(client).attached_to(GATE)) == {"user/ann", "user/bob"}


def test_serving_as_a_boundary_is_what_a_gate_is_for(stub: MakeStub) -> None:
    client, answers = stub("iam")
    request = {"PolicyArn": GATE, "PolicyUsageFilter": "PermissionsPolicy"}
    empty: dict[str, Any] = {"PolicyUsers": [], "PolicyRoles": [], "PolicyGroups": []}
    answers.add_response("list_entities_for_policy", empty, request)
    assert IamGates(client).attached_to(GATE) == []


def test_a_role_tells_its_id_and_boundary(iam: "IAMClient", gates: IamGates) -> None:
    gates.create(GATE, NOBODY)
    made = iam.create_role(
        RoleName="shared", Path="/team/", AssumeRolePolicyDocument="{}", PermissionsBoundary=GATE
    )
    iam.create_role(RoleName="plain", AssumeRolePolicyDocument="{}")
    assert gates.role("shared") == Role(made["Role"]["RoleId"], GATE, "/team/")
    assert gates.role("plain") == Role(iam.get_role(RoleName="plain")["Role"]["RoleId"], "")
    assert gates.role("gone") is None


def test_a_document_goes_out_without_idle_characters(stub: MakeStub) -> None:
    client, answers = stub("iam")
    versions = [{"VersionId": "v1", "IsDefaultVersion": True}]
    answers.add_response("list_policy_versions", {"Versions": versions}, {"PolicyArn": GATE})
    request = {"PolicyArn": GATE, "PolicyDocument": compact(NOBODY), "SetAsDefault": True}
    answers.add_response("create_policy_version", {}, request)
    IamGates(client).replace(GATE, NOBODY)


@pytest.mark.parametrize("method", ["document", "role"])
def test_what_cannot_be_read_is_not_taken_for_missing(stub: MakeStub, method: str) -> None:
    client, answers = stub("iam")
    operation = {"document": "list_policy_versions", "role": "get_role"}[method]
    answers.add_client_error(operation, "AccessDenied")
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(IamGates(client), method)(GATE if method == "document" else "shared")
