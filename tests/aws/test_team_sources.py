"""Teams as IAM, Identity Center and S3 keep them, on moto; on a stub what moto cannot say."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from quota_enforcer.aws.account.identity_center import grouped, identity_store
from quota_enforcer.aws.account.team_sources import MOST_BYTES, read_teams
from quota_enforcer.aws.iam.tags import tagged
from quota_enforcer.insight.quotas.teams.reading import NO_TEAM, Unread
from quota_enforcer.insight.quotas.teams.source import (
    InvalidSource,
    TeamSource,
    UnreadableTeams,
)

MakeStub = Callable[[str], tuple[Any, Stubber]]
TRUST = '{"Version": "2012-10-17", "Statement": []}'
STORE = "d-1234567890"
ACCOUNT = "123456789012"


@pytest.fixture
def session(mocked_aws: None, session: boto3.Session) -> boto3.Session:  # noqa: ARG001
    """An empty account of moto's."""
    return session


class TestTags:
    def test_users_and_roles_by_the_tag_whatever_the_case_of_its_key(
        self, session: boto3.Session
    ) -> None:
        iam = session.client("iam")
        for name, tags in (("alice", {"Team": "research"}), ("bob", {"team": "ops"}), ("eve", {})):
            written: Any = [{"Key": key, "Value": value} for key, value in tags.items()]
            iam.create_user(UserName=name, Path="/eng/", Tags=written)
        iam.create_role(
            RoleName="ci", AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "team", "Value": "ops"}]
        )
        reading = read_teams(session, TeamSource.parse("iam:team"))
        assert sorted((each.team, each.who) for each in reading.entries) == [
            ("ops", f"arn:aws:iam::{ACCOUNT}:role/ci"),
            ("ops", f"arn:aws:iam::{ACCOUNT}:user/eng/bob"),
            ("research", f"arn:aws:iam::{ACCOUNT}:user/eng/alice"),
        ]
        assert reading.unread == ()

    def test_all_pages_and_what_is_no_member(self, stub: MakeStub) -> None:
        client, stubber = stub("iam")
        tag = [{"Key": "team", "Value": "x"}]
        several = [_role("a", tags=[{"Key": "team", "Value": " "}]),
                   _role("AWSReservedSSO_Dev_0123456789abcdef", "/aws-reserved/sso/", tag),
                   _role("AWSServiceRoleForX", "/aws-service-role/x.amazonaws.com/", tag),
                   _role("b")]  # fmt: skip
        asked = {"Filter": ["User", "Role"], "MaxItems": 1000}
        stubber.add_response(
            "get_account_authorization_details",
            {"UserDetailList": [], "RoleDetailList": several, "IsTruncated": True, "Marker": "2"},
            asked,
        )
        stubber.add_response(
            "get_account_authorization_details",
            {"UserDetailList": [], "RoleDetailList": [_role("c", tags=tag)], "IsTruncated": False},
            asked | {"Marker": "2"},
        )
        reading = tagged(client, "team")
        assert [each.who for each in reading.entries] == [f"arn:aws:iam::{ACCOUNT}:role/c"]
        assert [each.team for each in reading.unread] == [NO_TEAM] * 3

    def test_a_page_that_fails_is_no_reading_at_all(self, stub: MakeStub) -> None:
        client, stubber = stub("iam")
        stubber.add_response(
            "get_account_authorization_details",
            {"UserDetailList": [], "RoleDetailList": [], "IsTruncated": True, "Marker": "2"},
        )
        stubber.add_client_error("get_account_authorization_details", "ServiceFailure")
        with pytest.raises(ClientError):
            tagged(client, "team")


def _role(name: str, path: str = "/", tags: Any = ()) -> dict[str, Any]:
    arn = f"arn:aws:iam::{ACCOUNT}:role{path}{name}"
    return {"RoleName": name, "Path": path, "Arn": arn, "Tags": list(tags)}


class Directory:
    """Identity Center of moto, with groups and their members."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.users: dict[str, str] = {}

    def group(self, name: str, *members: str) -> str:
        made = self.client.create_group(IdentityStoreId=STORE, DisplayName=name)["GroupId"]
        for each in members:
            if each not in self.users:
                self.users[each] = self.client.create_user(
                    IdentityStoreId=STORE,
                    UserName=each,
                    DisplayName=each,
                    Name={"GivenName": each, "FamilyName": each},
                )["UserId"]
            self.client.create_group_membership(
                IdentityStoreId=STORE, GroupId=made, MemberId={"UserId": self.users[each]}
            )
        group_id: str = made
        return group_id


@pytest.fixture
def directory(session: boto3.Session) -> Directory:
    return Directory(session.client("identitystore"))


class TestIdentityCenter:
    def test_members_of_the_groups_with_a_prefix(self, directory: Directory) -> None:
        directory.group("bedrock-research", "Ana@Example.com", "bo")
        directory.group("bedrock-ops", "bo")
        directory.group("sales", "eve")
        reading = grouped(directory.client, STORE, TeamSource.parse("identity-center:bedrock-*"))
        assert sorted((each.team, each.who) for each in reading.entries) == [
            ("ops", "sso/bo"), ("research", "sso/ana@example.com"), ("research", "sso/bo"),
        ]  # fmt: skip
        assert reading.unread == ()

    def test_a_group_that_is_not_there_is_told_with_the_nearest(self, directory: Directory) -> None:
        directory.group("Research", "ana")
        reading = grouped(directory.client, STORE, TeamSource.parse("identity-center:Reserch"))
        [unread] = reading.unread
        assert unread.team == "Reserch"
        assert "did you mean Research?" in unread.why

    def test_a_member_without_a_name_is_told(self, directory: Directory) -> None:
        directory.group("x", "ana", "bo")
        directory.client.delete_user(IdentityStoreId=STORE, UserId=directory.users["bo"])
        reading = grouped(directory.client, STORE, TeamSource.parse("identity-center:x"))
        assert [each.who for each in reading.entries] == ["sso/ana"]
        assert [(each.team, each.why) for each in reading.unread] == [
            ("x", "Identity Center has no name of it")
        ]

    def test_a_group_that_cannot_be_read_stops_no_other(
        self, directory: Directory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shut, _ = directory.group("shut", "ana"), directory.group("x", "bo")
        whole = directory.client._make_api_call  # noqa: SLF001 - where a call can be refused

        def refusing(operation: str, given: dict[str, Any]) -> Any:
            if operation == "ListGroupMemberships" and given["GroupId"] == shut:
                raise ClientError({"Error": {"Code": "AccessDeniedException"}}, operation)
            return whole(operation, given)

        monkeypatch.setattr(directory.client, "_make_api_call", refusing)
        reading = grouped(directory.client, STORE, TeamSource.parse("identity-center:*"))
        assert [each.who for each in reading.entries] == ["sso/bo"]
        [unread] = reading.unread
        assert isinstance(unread, Unread)
        assert (unread.team, "AccessDenied" in unread.why) == ("shut", True)

    @pytest.mark.parametrize(
        ("stores", "words"),
        [([], "no instance"), (["d-1", "d-2"], r"several instances \(d-1, d-2\)")],
    )
    def test_which_directory_it_is_is_never_guessed(
        self, stub: MakeStub, stores: list[str], words: str
    ) -> None:
        client, stubber = stub("sso-admin")
        stubber.add_response(
            "list_instances", {"Instances": [{"IdentityStoreId": each} for each in stores]}
        )
        with pytest.raises(InvalidSource, match=words):
            identity_store(client, "eu-west-1")

    def test_the_one_instance_has_it(self, stub: MakeStub) -> None:
        client, stubber = stub("sso-admin")
        stubber.add_response("list_instances", {"Instances": [{"IdentityStoreId": STORE}]})
        assert identity_store(client, "eu-west-1") == STORE


class TestS3:
    def put(self, session: boto3.Session, key: str, body: bytes) -> TeamSource:
        session.client("s3").create_bucket(Bucket="teams")
        session.client("s3").put_object(Bucket="teams", Key=key, Body=body)
        return TeamSource.parse(f"s3://teams/{key}")

    @pytest.mark.parametrize(
        ("key", "body"),
        [
            ("a.json", b'[{"team": "x", "members": ["user/a"]}]'),
            ("a.csv", b"team,member\nx,user/a"),
        ],
    )
    def test_a_list_or_a_table(self, session: boto3.Session, key: str, body: bytes) -> None:
        [entry] = read_teams(session, self.put(session, key, body)).entries
        assert (entry.team, entry.who) == ("x", "user/a")

    @pytest.mark.parametrize(
        ("key", "body", "words"),
        [("a.yaml", b"- team: x", "is no JSON"), ("a.json", b"{}", "no list of teams"),
         ("a.json", b"\xff\xfe\x00", "not UTF-8"),
         ("a.json", b" " * (MOST_BYTES + 1), "more than")],
    )  # fmt: skip
    def test_what_is_neither(
        self, session: boto3.Session, key: str, body: bytes, words: str
    ) -> None:
        with pytest.raises(UnreadableTeams, match=words):
            read_teams(session, self.put(session, key, body))

    def test_a_file_is_read_by_the_command_line(self, session: boto3.Session) -> None:
        with pytest.raises(InvalidSource, match="command line"):
            read_teams(session, TeamSource.parse("teams.csv"))
