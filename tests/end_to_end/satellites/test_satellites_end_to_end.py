"""Two accounts and three places: one limit over all of them, by IAM's own decisions in each.

Home is 123456789012/us-east-1; satellites are in 123456789012/us-west-2 and 444455556666/eu-west-1.
"""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from deployed_stack import TEMPLATE, DeployedStack, call, is_refused
from embedded_account import START
from quota_enforcer.local.deploy import StackError
from quota_enforcer.local.embedded import EmbeddedAws
from satellite_scene import (
    SatelliteStack,
    a_satellite,
    a_session_there,
    a_user_there,
    organization,
    planned,
)

if TYPE_CHECKING:
    from collections.abc import Callable

HOME = "123456789012"
MEMBER = "444455556666"
GATE = "bedrock-quota/bedrock-quota-over-bedrock-quota-gate-1-see-your-notice-BOUNDARY-ONLY"
PEOPLE = "AWSReservedSSO_Developers_0123456789abcdef"


@pytest.fixture(scope="module")
def home(shared_aws: EmbeddedAws) -> DeployedStack:
    said = {"Mode": "enforce", "Gates": "1", "Satellites": organization(shared_aws, MEMBER)}
    return DeployedStack(
        shared_aws, "bedrock-quota", shared_aws.deploy(TEMPLATE, "bedrock-quota", said)
    )


@pytest.fixture(scope="module")
def member(home: DeployedStack) -> SatelliteStack:
    return a_satellite(home, MEMBER, "eu-west-1")


@pytest.fixture(scope="module")
def west(home: DeployedStack) -> SatelliteStack:
    return a_satellite(home, HOME, "us-west-2")


def used(home: DeployedStack, principal: str) -> dict[str, Any]:
    """What the ledger has of somebody this month."""
    said = home.command("usage", principal, "--json")
    assert said.exit_code == 0, said.output
    return json.loads(said.stdout)  # type: ignore[no-any-return]


def requests(home: DeployedStack, principal: str) -> int:
    return sum(row["requests"] for row in used(home, principal)["rows"])


class TestWhoIsOver:
    def test_a_user_of_the_member_account_is_refused_by_its_iam_without_any_tick(
        self, home: DeployedStack, member: SatelliteStack
    ) -> None:
        bob = a_user_there(home.aws, MEMBER, "eu-west-1", "bob")
        home.quota(principal=f"{MEMBER}/user/bob", limit=1000)
        home.metered()
        call(bob, 999)
        assert home.told_by_the_stream() == [(f"{MEMBER}/user/bob", "warning")]
        call(bob, 1)
        assert home.told_by_the_stream() == [(f"{MEMBER}/user/bob", "blocked")]
        assert is_refused(lambda: call(bob))
        del member

    def test_a_role_of_the_member_account_is_denied_there_and_its_namesake_at_home_is_not(
        self, home: DeployedStack, member: SatelliteStack
    ) -> None:
        theirs = a_session_there(home.aws, MEMBER, "eu-west-1", "reporting", "night")
        ours = a_session_there(home.aws, HOME, "us-east-1", "reporting", "night")
        home.quota(principal=f"{MEMBER}/role/reporting", limit=1000)
        home.metered()
        call(ours, 1200)
        call(theirs, 1200)
        assert home.told_by_the_stream() == [(f"{MEMBER}/role/reporting", "blocked")]
        assert is_refused(lambda: call(theirs))
        call(ours)
        home.metered()
        del member

    def test_a_user_of_home_who_goes_on_in_another_region_meets_the_same_limit(
        self, home: DeployedStack, west: SatelliteStack
    ) -> None:
        east = a_user_there(home.aws, HOME, "us-east-1", "carol")
        key = east.get_credentials()
        assert key is not None
        there = home.aws.session_for(str(key.access_key), str(key.secret_key), region="us-west-2")
        home.quota(principal="user/carol", limit=1000)
        home.metered()
        call(east, 600)
        home.metered()
        call(there, 600)
        assert ("user/carol", "blocked") in home.told_by_the_stream()
        assert is_refused(lambda: call(east))
        assert is_refused(lambda: call(there))
        del west

    def test_one_person_is_refused_in_both_accounts_and_released_in_both_at_the_reset(
        self, home: DeployedStack, member: SatelliteStack
    ) -> None:
        home.sweep()  # the author makes the gates
        first, second = (
            a_session_there(
                home.aws, account, region, PEOPLE, "dora@example.com",
                f"arn:aws:iam::{account}:policy/bedrock-quota/{GATE}",
            )
            for account, region in ((HOME, "us-east-1"), (MEMBER, "eu-west-1"))
        )  # fmt: skip
        home.quota(principal="sso/dora@example.com", limit=1000)
        home.metered()
        call(first, 600)
        home.metered()
        call(second, 600)
        assert ("sso/dora@example.com", "blocked") in home.told_by_the_stream()
        assert is_refused(lambda: call(first))
        assert is_refused(lambda: call(second))
        before = home.aws.time
        home.aws.set_time(START + timedelta(hours=12))
        assert ("sso/dora@example.com", "restored") in home.told()
        call(first)
        call(second)
        home.metered()
        assert home.aws.time > before
        del member


class TestOnce:
    def test_a_batch_that_comes_twice_counts_once(
        self, home: DeployedStack, member: SatelliteStack
    ) -> None:
        eve = a_user_there(home.aws, MEMBER, "eu-west-1", "eve")
        call(eve, 7)
        [batch] = [each.event for each in home.metered() if "awslogs" in (each.event or {})]
        payload = json.dumps(batch).encode()
        again = member.session.client("lambda").invoke(
            FunctionName=member.part("ForwarderFunction"), Payload=payload
        )
        assert json.loads(again["Payload"].read()) == {"status": 200}
        assert requests(home, f"{MEMBER}/user/eve") == 1

    def test_what_home_refused_waits_as_hours_and_home_counts_it_from_that_log(
        self, home: DeployedStack, member: SatelliteStack
    ) -> None:
        fay = a_user_there(home.aws, MEMBER, "eu-west-1", "fay")
        functions = member.session.client("lambda")
        forwarder = member.part("ForwarderFunction")
        found = functions.get_function_configuration(FunctionName=forwarder)
        said = found["Environment"]["Variables"]
        other = {**said, "HOME_STACK_ID": f"{said['HOME_STACK_ID']}0"}
        functions.update_function_configuration(
            FunctionName=forwarder, Environment={"Variables": other}
        )
        call(fay, 7)
        home.metered()
        [pointer] = member.undelivered()
        assert "home answered 409" in pointer["reason"]
        assert set(pointer) == {"hours", "log_group", "log_stream", "reason"}
        functions.update_function_configuration(
            FunctionName=forwarder, Environment={"Variables": said}
        )
        home.aws.set_time(home.aws.time + timedelta(hours=1, minutes=15))
        home.recounts()
        assert requests(home, f"{MEMBER}/user/fay") == 1
        assert member.undelivered() == []


class TestTheDenyRole:
    def taken(self, home: DeployedStack, member: SatelliteStack) -> Any:
        """IAM as home's enforcer has it in the member account."""
        roles = home.aws.client("iam").list_roles()["Roles"]
        enforcer = next(each["Arn"] for each in roles if "EnforcerRole" in each["RoleName"])
        key = home.aws.client("sts").assume_role(
            RoleArn=enforcer, RoleSessionName=home.outputs["EnforcerFunction"]
        )["Credentials"]
        ours = home.aws.session_for(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
        denier = member.session.client("iam").get_role(RoleName="bedrock-quota-satellite-denier")
        key = ours.client("sts").assume_role(
            RoleArn=denier["Role"]["Arn"], RoleSessionName="test",
            ExternalId=planned(home, MEMBER, "eu-west-1")["ExternalId"],
        )["Credentials"]  # fmt: skip
        return home.aws.session_for(
            key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"]
        ).client("iam")

    def test_it_attaches_the_denies_and_nothing_else_to_nobody_protected(
        self, home: DeployedStack, member: SatelliteStack
    ) -> None:
        root = member.session.client("iam")
        root.create_user(UserName="gus")
        root.create_user(UserName="admin", Path="/break-glass/")
        deny = member.part("DenyAllPolicy")
        iam = self.taken(home, member)
        iam.attach_user_policy(UserName="gus", PolicyArn=deny)
        iam.detach_user_policy(UserName="gus", PolicyArn=deny)
        grant = "arn:aws:iam::aws:policy/AdministratorAccess"
        refused: list[Callable[[], object]] = [
            lambda: iam.attach_user_policy(UserName="gus", PolicyArn=grant),
            lambda: iam.attach_user_policy(UserName="admin", PolicyArn=deny),
            lambda: iam.attach_role_policy(
                RoleName="bedrock-quota-satellite-denier", PolicyArn=deny
            ),
            lambda: iam.create_access_key(UserName="gus"),
            lambda: iam.create_policy_version(
                PolicyArn=deny, PolicyDocument="{}", SetAsDefault=True
            ),
            lambda: iam.put_user_policy(UserName="gus", PolicyName="x", PolicyDocument="{}"),
            iam.list_users,
        ]
        assert all(is_refused(each) for each in refused)

    def test_nobody_else_of_home_takes_it_not_even_its_root(
        self, home: DeployedStack, member: SatelliteStack
    ) -> None:
        denier = member.session.client("iam").get_role(RoleName="bedrock-quota-satellite-denier")
        said = planned(home, MEMBER, "eu-west-1")["ExternalId"]
        sts = home.aws.client("sts")
        assert is_refused(
            lambda: sts.assume_role(
                RoleArn=denier["Role"]["Arn"], RoleSessionName="us", ExternalId=said
            )
        )


class TestStacks:
    def test_a_satellite_of_another_home_fails_with_homes_sentence(
        self, home: DeployedStack, member: SatelliteStack
    ) -> None:
        del member
        other = planned(home, MEMBER, "eu-west-1")["HomeStackId"] + "0"
        with pytest.raises(StackError, match="this is the home"):
            a_satellite(home, MEMBER, "ap-south-1", HomeStackId=other, AccountRegion="eu-west-1")

    def test_the_list_says_that_all_follow_and_were_heard_of(
        self, home: DeployedStack, member: SatelliteStack, west: SatelliteStack
    ) -> None:
        del member, west
        said = home.command("satellites", "list", "--json")
        found = {each["region"]: each for each in json.loads(said.stdout)["satellites"]}
        assert {region: each["states"] for region, each in found.items()} == {
            "eu-west-1": ["ok"],
            "us-west-2": ["ok"],
        }

    def test_deleting_it_releases_whom_it_denied_leaves_and_switches_logging_off(
        self, home: DeployedStack
    ) -> None:
        """The last of all, since it takes the member's satellite away."""
        gone = SatelliteStack(
            home.aws, "satellite-eu-west-1", home.aws.session(MEMBER, "eu-west-1")
        )
        hal = a_user_there(home.aws, MEMBER, "eu-west-1", "hal")
        home.quota(principal=f"{MEMBER}/user/hal", limit=10)
        home.metered()
        call(hal, 12)
        home.metered()
        assert is_refused(lambda: call(hal))
        gone.delete()
        home.metered()
        call(hal)
        said = json.loads(home.command("satellites", "list", "--json").stdout)["satellites"]
        assert [each["region"] for each in said] == ["us-west-2"]
        bedrock = gone.session.client("bedrock")
        assert not bedrock.get_model_invocation_logging_configuration().get("loggingConfig")
