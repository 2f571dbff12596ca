"""Several accounts of an organisation, and several Regions, on the embedded AWS."""

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from quota_enforcer.local.embedded import EmbeddedAws

MEMBER = "444455556666"
LAMBDA_MAY = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
CALLS = """
import os, boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
def handler(event, context):
    request = AWSRequest("POST", event["url"], data="hello", headers={"content-type": "text/plain"})
    SigV4Auth(boto3.Session().get_credentials(), "lambda", "us-east-1").add_auth(request)
    answer = URLLib3Session().send(request.prepare())
    return [answer.status_code, answer.text]
"""
ANSWERS = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event["requestContext"]["authorizer"]["iam"])}
"""


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def a_role(session: Any, name: str, trust: dict[str, Any], *allowed: dict[str, Any]) -> str:
    iam = session.client("iam")
    role: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"][
        "Arn"
    ]
    if allowed:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*allowed))
    return role


def a_function(session: Any, name: str, code: str, role: str) -> Any:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", code)
    client = session.client("lambda")
    client.create_function(
        FunctionName=name, Runtime="python3.13", Handler="index.handler", Role=role,
        Code={"ZipFile": packed.getvalue()},
    )  # fmt: skip
    return client


def test_a_function_url_says_who_calls_from_which_account_of_the_organisation_and_refuses_others(
    aws: EmbeddedAws,
) -> None:
    """Both permissions, of the function and of the caller, are asked for across accounts."""
    organizations = aws.client("organizations")
    organization = organizations.describe_organization()["Organization"]["Id"]
    home, member = aws.session(), aws.session(MEMBER, "eu-west-1")
    client = a_function(home, "home", ANSWERS, a_role(home, "home", LAMBDA_MAY))
    url = client.create_function_url_config(FunctionName="home", AuthType="AWS_IAM")["FunctionUrl"]
    org_members = {"FunctionName": "home", "Principal": "*", "PrincipalOrgID": organization}
    client.add_permission(
        **org_members,
        StatementId="url",
        Action="lambda:InvokeFunctionUrl",
        FunctionUrlAuthType="AWS_IAM",
    )
    client.add_permission(
        **org_members,
        StatementId="function",
        Action="lambda:InvokeFunction",
        InvokedViaFunctionUrl=True,
    )
    may = {"Effect": "Allow", "Action": "lambda:Invoke*", "Resource": "*"}
    caller = a_function(member, "caller", CALLS, a_role(member, "caller", LAMBDA_MAY, may))

    def called() -> tuple[int, Any]:
        payload = json.dumps({"url": url}).encode()
        answer = caller.invoke(FunctionName="caller", Payload=payload)["Payload"].read()
        status, text = json.loads(answer)
        return status, json.loads(text)

    assert called()[0] == 403
    organizations.invite_account_to_organization(Target={"Id": MEMBER, "Type": "ACCOUNT"})
    status, told = called()
    assert status == 200
    assert told["accountId"] == MEMBER
    assert told["principalOrgId"] == organization
    assert told["userArn"] == f"arn:aws:sts::{MEMBER}:assumed-role/caller/caller"
    organizations.remove_account_from_organization(AccountId=MEMBER)
    assert called()[0] == 403


def test_a_role_of_another_account_is_taken_by_whom_it_trusts_with_the_right_external_id(
    aws: EmbeddedAws,
) -> None:
    home, member = aws.session(), aws.session(MEMBER)
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{aws.account_id}:root"},
        "Action": "sts:AssumeRole",
    }
    take = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    role = a_role(home, "taker", trust, take)
    conditions = {
        "ArnEquals": {"aws:PrincipalArn": role},
        "StringEquals": {"sts:ExternalId": "theirs"},
    }
    theirs = a_role(member, "theirs", trust | {"Condition": conditions})
    keys = home.client("sts").assume_role(RoleArn=role, RoleSessionName="us")["Credentials"]
    us = aws.session_for(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

    def taken(external_id: str) -> str:
        answer = us.client("sts").assume_role(
            RoleArn=theirs, RoleSessionName="us", ExternalId=external_id
        )
        arn: str = answer["AssumedRoleUser"]["Arn"]
        return arn

    assert taken("theirs") == f"arn:aws:sts::{MEMBER}:assumed-role/theirs/us"
    with pytest.raises(ClientError, match="AccessDenied"):
        taken("another")
