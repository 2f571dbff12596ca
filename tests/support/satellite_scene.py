"""Satellites on the embedded AWS, rolled out as `satellites plan` says, and who calls there."""

import json
import re
import shlex
from dataclasses import dataclass
from typing import Any

import boto3

from deployed_stack import ALLOW, DeployedStack
from embedded_account import document
from quota_enforcer.local.embedded import EmbeddedAws
from template_source import SATELLITE_TEMPLATE

_PARAMETER = re.compile(r'ParameterKey=(\w+),ParameterValue=(?:"([^"]*)"|([^,]*))')


@dataclass(frozen=True)
class SatelliteStack:
    """One satellite."""

    aws: EmbeddedAws
    name: str
    session: boto3.Session
    """Of root there."""

    def part(self, name: str) -> str:
        """What CloudFormation calls a resource of the template."""
        found = self.session.client("cloudformation").describe_stack_resource(
            StackName=self.name, LogicalResourceId=name
        )
        return found["StackResourceDetail"]["PhysicalResourceId"]

    def delete(self) -> None:
        self.aws.delete(self.name, self.session)

    def undelivered(self) -> list[dict[str, Any]]:
        """What waits in its queue; it stays there."""
        sqs = self.session.client("sqs")
        url = self.part("Undelivered")
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(each["Body"]) for each in found.get("Messages", [])]


def planned(home: DeployedStack, account: str, region: str) -> dict[str, str]:
    """The parameters that the plan gives a satellite there."""
    own = account == home.aws.account_id
    where = () if own else ("--accounts", account)
    said = home.command("satellites", "plan", "--regions", region, *where, "--json")
    assert said.exit_code == 0, said.output
    command = json.loads(said.stdout)["calls"][0]["command"]
    words = shlex.split(command.replace("\\\n", ""))
    found = [match for word in words if (match := _PARAMETER.fullmatch(word))]
    return {each[1]: each[2] if each[2] is not None else each[3] for each in found}


def a_satellite(home: DeployedStack, account: str, region: str, **otherwise: str) -> SatelliteStack:
    """Deployed as a stack set would, from the template as it stands."""
    session = home.aws.session(account, region)
    name = f"satellite-{region}"
    parameters = planned(home, account, region) | otherwise
    home.aws.deploy(SATELLITE_TEMPLATE, name, parameters, session=session)
    return SatelliteStack(home.aws, name, session)


def organization(aws: EmbeddedAws, *members: str) -> str:
    """The id of the organisation, after these accounts have joined it."""
    client = aws.client("organizations")
    for member in members:
        client.invite_account_to_organization(Target={"Id": member, "Type": "ACCOUNT"})
    found: str = client.describe_organization()["Organization"]["Id"]
    return found


def a_user_there(aws: EmbeddedAws, account: str, region: str, name: str) -> boto3.Session:
    """An IAM user of an account who may call models, with keys; a session in a Region."""
    iam = aws.session(account).client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="test", PolicyDocument=document(ALLOW))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return aws.session_for(key["AccessKeyId"], key["SecretAccessKey"], region=region)


def a_session_there(
    aws: EmbeddedAws, account: str, region: str, role: str, name: str, boundary: str = ""
) -> boto3.Session:
    """A session of a role of an account, which is made where it is not there."""
    root = aws.session(account)
    iam = root.client("iam")
    path = "/aws-reserved/sso.amazonaws.com/" if role.startswith("AWSReserved") else "/team/"
    if role not in {found["RoleName"] for found in iam.list_roles()["Roles"]}:
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        more: Any = {"PermissionsBoundary": boundary} if boundary else {}
        iam.create_role(RoleName=role, Path=path, AssumeRolePolicyDocument=document(trust), **more)
        iam.put_role_policy(RoleName=role, PolicyName="test", PolicyDocument=document(ALLOW))
    key = root.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{account}:role{path}{role}", RoleSessionName=name
    )["Credentials"]
    return aws.session_for(
        key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"], region=region
    )
