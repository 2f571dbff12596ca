"""By which roles of a member account home denies there: as at home, and for home alone."""

import pytest

from iam_decisions import Caller
from quota_enforcer.core.policies import deployed
from quota_enforcer.core.policies.functions import members
from quota_enforcer.core.policies.names import GATES, MODEL_SCOPES
from quota_enforcer.satellites.names import Part, role_arn
from template_source import SATELLITE
from template_values import HOME, MEMBER, SCOPES, DeployedSatellite, spelled_out

STACK, ORGANIZATION = HOME["HomeStack"], HOME["HomeOrganization"]
MADE = DeployedSatellite(**SCOPES, Gates="4")
TRUSTED = {"DenierRole": "HomeEnforcerRole", "GateAuthorRole": "HomeAuthorRole"}


def named(scopes: int = MODEL_SCOPES) -> deployed.Deployed:
    return deployed.Deployed.named(STACK, MEMBER, "aws", "eu-west-1", scopes=scopes, gates=GATES)


def test_they_are_what_the_code_says_which_says_the_same_of_home() -> None:
    assert spelled_out(MADE.policy("DenierRole")) == spelled_out(members.denier(named()))
    assert spelled_out(MADE.policy("GateAuthorRole")) == spelled_out(members.gate_author(named()))
    plain = DeployedSatellite(Gates="1")
    assert spelled_out(plain.policy("DenierRole")) == spelled_out(members.denier(named(0)))


def test_they_are_called_as_home_calls_them() -> None:
    for name, part in (("DenierRole", Part.DENIER), ("GateAuthorRole", Part.AUTHOR)):
        found = MADE.properties(name)
        arn = f"arn:aws:iam::{MEMBER}:role{found['Path']}{found['RoleName']}"
        assert arn == role_arn("aws", MEMBER, STACK, part)


@pytest.mark.parametrize("role", TRUSTED)
def test_one_role_of_home_is_trusted_with_the_external_id_in_our_organisation(role: str) -> None:
    trust = MADE.properties(role)["AssumeRolePolicyDocument"]
    home = HOME[TRUSTED[role]]
    assert trust["Statement"] == [
        {key: each for key, each in statement.items() if key != "Sid"}
        for statement in members.trusting(home, HOME["ExternalId"], ORGANIZATION)["Statement"]
    ]


@pytest.mark.parametrize("role", TRUSTED)
def test_a_role_of_home_taken_by_anybody_else_is_refused(role: str) -> None:
    """As IAM decides on the trust policy, with the caller's own policy allowing everything."""
    [trust] = MADE.properties(role)["AssumeRolePolicyDocument"]["Statement"]
    arn = role_arn("aws", MEMBER, STACK, Part.DENIER)
    asked = {key: value for key, value in trust.items() if key != "Principal"} | {"Resource": arn}
    document = {"Version": "2012-10-17", "Statement": [asked]}
    home, right = HOME[TRUSTED[role]], HOME["ExternalId"]

    def may(caller: str, external_id: str, organization: str) -> bool:
        keys = {"aws:principalarn": caller, "aws:principalorgid": organization}
        return Caller([document], arn=caller, keys=keys).may(
            "sts:AssumeRole", arn, sts__ExternalId=external_id
        )

    assert may(home, right, ORGANIZATION)
    others = [each for each in (*HOME.values(), home[:-1], f"{home}2") if ":role/" in each]
    for other in {*others, home.replace(":role/", ":user/")} - {home}:
        assert not may(other, right, ORGANIZATION)
    assert not may(home, "another", ORGANIZATION)
    assert not may(home, right, "o-theirorganisation")
    assert trust["Principal"] == {"AWS": f"arn:aws:iam::{HOME['HomeAccount']}:root"}


def test_they_are_made_once_in_each_member_account_and_never_in_homes() -> None:
    for name in ("DenierRole", "GateAuthorRole"):
        assert MADE.has(name)
        assert not DeployedSatellite({"AWS::Region": "us-west-2"}, Gates="4").has(name)
        assert not DeployedSatellite({"AWS::AccountId": HOME["HomeAccount"]}, Gates="4").has(name)
    for less in (DeployedSatellite(), DeployedSatellite(Gates="2", HomeAuthorRole="")):
        assert less.has("DenierRole")
        assert not less.has("GateAuthorRole")


def test_setup_goes_before_the_denies_and_their_role_do() -> None:
    """So that it takes them off while they are there; home is told first."""
    assert set(SATELLITE["Resources"]["Setup"]["DependsOn"]) >= {"ForwarderRetries", "ReaderRole"}
    function = str(SATELLITE["Resources"]["SetupFunction"]["Properties"]["Environment"])
    assert "DenyAllPolicy" in function
