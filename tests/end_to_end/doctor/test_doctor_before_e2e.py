"""`doctor --before` in an account of the embedded AWS in which nothing is deployed."""

import json
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from deployed_stack import ALLOW, call
from embedded_account import LOG_GROUP, START, a_user, document
from quota_enforcer.cli.main import app
from quota_enforcer.local.embedded import EmbeddedAws

TRUST = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}


def look(aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch, *more: str) -> dict[str, Any]:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, ["doctor", "--before", "--json", *more])
    assert result.stdout, (result.stderr, result.exception)
    said: dict[str, Any] = json.loads(result.stdout)
    return said


def test_who_may_call_and_did_is_said_without_a_stack_and_nothing_changes(
    logged: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = a_user(logged, "alice", ALLOW)
    a_user(logged, "bob")
    iam = logged.client("iam")
    iam.create_role(RoleName="shared", AssumeRolePolicyDocument=document(TRUST))
    iam.put_role_policy(RoleName="shared", PolicyName="use", PolicyDocument=document(ALLOW))
    call(alice)
    logged.set_time(START + timedelta(minutes=10))
    before = logged.client("iam").get_account_authorization_details()
    said = look(logged, monkeypatch)
    checks = {each["check"]: each for each in said["checks"]}
    about = {
        name: " ".join(who for found in each["findings"] for who in found["about"])
        for name, each in checks.items()
    }
    assert "user/alice (models" in about["who may call"]
    assert "bob" not in about["who may call"]
    assert "role/shared" in about["shared roles"]
    assert LOG_GROUP in about["logging"]
    assert "us-east-1" in about["traffic"]
    [deployment, *_] = [
        each["command"] for each in said["commands"] if " deploy " in each["command"]
    ]
    assert f"ExistingLogGroup={LOG_GROUP}" in deployment
    after = logged.client("iam").get_account_authorization_details()
    assert _text(after) == _text(before)
    assert logged.client("cloudformation").list_stacks()["StackSummaries"] == []


def test_whoever_has_the_printed_policy_sees_as_much(
    aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = json.loads(CliRunner().invoke(app, ["policy", "doctor", "--before"]).stdout)
    reader = a_user(aws, "reader", *printed["Statement"])
    nobody = a_user(aws, "nobody")
    monkeypatch.setattr(aws, "environment", _as(aws, reader))
    allowed = look(aws, monkeypatch)
    monkeypatch.setattr(aws, "environment", _as(aws, nobody))
    refused = look(aws, monkeypatch)
    assert "could not check" not in json.dumps(allowed)
    assert [each["check"] for each in refused["checks"] if each["healthy"]] == ["accounts"]


def _as(aws: EmbeddedAws, session: Any) -> Any:
    key = session.get_credentials()
    own = {"AWS_ACCESS_KEY_ID": key.access_key, "AWS_SECRET_ACCESS_KEY": key.secret_key}
    environment = {**aws.environment(), **own}
    return lambda: environment


def _text(details: dict[str, Any]) -> str:
    return json.dumps({**details, "ResponseMetadata": None}, default=str, sort_keys=True)
