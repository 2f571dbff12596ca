"""The command line end to end on moto: it finds the deployment, edits real tables, blocks in IAM.

moto's CloudFormation needs more packages than all the rest, and its Lambda cannot run ours, so
those two services answer here as AWS documents it.
"""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import vl_convert
from typer.testing import CliRunner, Result

from builders import ALICE, HAIKU, NOON, UTC_ZONE
from page_reading import PageReading
from quota_enforcer import clock
from quota_enforcer.aws.dynamodb.ledger.usage.model_memory import DynamoModelMemory
from quota_enforcer.cli.deployment.by_stack import find
from quota_enforcer.cli.main import app
from quota_enforcer.core.deployment import Settings
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.model import unresolved
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import hour_start, local_date
from quota_enforcer.lambdas.enforcer import wiring

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sns import SNSClient

    from quota_enforcer.aws.dynamodb.ledger.ledger import DynamoLedger

Answer = dict[str, Any]
DENY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "bedrock:*", "Resource": "*"}],
}


def error(code: str, message: str) -> Answer:
    return {"Error": {"Code": code, "Message": message}}


@dataclass
class Cloud:
    """What CloudFormation and Lambda answer; `now` is everybody's clock."""

    environment: dict[str, str]
    stacks: list[Answer] = field(default_factory=list)
    invoked: list[Answer] = field(default_factory=list)
    crash: str = ""

    def describe_stacks(self, _: Answer) -> Answer:
        if not self.stacks:
            return error("ValidationError", "Stack with id bedrock-quota does not exist")
        return {"Stacks": self.stacks}

    def get_function_configuration(self, _: Answer) -> Answer:
        return {"Environment": {"Variables": self.environment}}

    def invoke(self, request: Answer) -> Answer:
        """As the function does it, here."""
        event = json.loads(request["body"])
        self.invoked.append(event)
        if self.crash:
            return {
                "FunctionError": "Unhandled",
                "Payload": payload({"errorType": "SweepFailed", "errorMessage": self.crash}),
            }
        settings = Settings.from_environment(self.environment)
        session = boto3.Session(region_name="us-east-1")
        report = wiring.sweep(settings, session).run(
            clock.now(), dry_run=event["dry_run"], confirm_blocks=event["confirm_blocks"]
        )
        return {"Payload": payload(report.to_json())}


def payload(document: Answer) -> io.BytesIO:
    return io.BytesIO(json.dumps(document).encode())


def a_stack(status: str = "CREATE_COMPLETE", **outputs: str) -> Answer:
    return {
        "StackName": "bedrock-quota",
        "StackStatus": status,
        "Outputs": [{"OutputKey": key, "OutputValue": outputs[key]} for key in outputs],
    }


def answering(answer: Callable[[Answer], Answer]) -> Any:
    """An answer in place of the network, as botocore's `before-call` event takes it."""

    class Response:
        status_code = 200

    def before_call(params: Answer, **_: Any) -> tuple[Any, Answer]:
        parsed = answer(params)
        response = Response()
        response.status_code = 400 if "Error" in parsed else 200
        return response, {"ResponseMetadata": {}, **parsed}

    return before_call


@pytest.fixture
def iam(dynamodb: "DynamoDBClient", iam_client: "IAMClient") -> "IAMClient":  # noqa: ARG001
    iam_client.create_user(UserName="alice")
    return iam_client


@pytest.fixture
def cloud(iam: "IAMClient", sns_client: "SNSClient", monkeypatch: pytest.MonkeyPatch) -> Cloud:
    deny = iam.create_policy(
        PolicyName="deny", Path="/bedrock-quota/bedrock-quota/", PolicyDocument=json.dumps(DENY)
    )["Policy"]["Arn"]
    cloud = Cloud(
        {
            "STACK_NAME": "bedrock-quota",
            "ACCOUNT_ID": "123456789012",
            "QUOTA_TABLE": "quotas",
            "LEDGER_TABLE": "ledger",
            "NOTICE_TOPIC": sns_client.create_topic(Name="notices")["TopicArn"],
            "METRIC_NAMESPACE": "BedrockQuota/bedrock-quota",
            "DENY_POLICIES": json.dumps({"*": deny}),
            "MODE": "enforce",
            "TIME_ZONE": "UTC",
            "CONTACT": "the platform team",
            "BREAKER_NUMBER": "10",
            "BREAKER_PERCENT": "20",
            "METERING": "cloudwatch",
        },
        [a_stack(EnforcerFunction="enforcer", Mode="enforce")],
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE", "QUOTA_ENFORCER_STACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    real = boto3.Session

    def session(**where: Any) -> boto3.Session:
        made = real(**where)
        for event, answer in (
            ("cloudformation.DescribeStacks", cloud.describe_stacks),
            ("lambda.GetFunctionConfiguration", cloud.get_function_configuration),
            ("lambda.Invoke", cloud.invoke),
        ):
            made.events.register(f"before-call.{event}", answering(answer))
        return made

    monkeypatch.setattr(boto3, "Session", session)
    monkeypatch.setattr(clock, "now", lambda: NOON)
    return cloud


def run(*args: str) -> Result:
    return CliRunner().invoke(app, list(args))


def out(*args: str) -> str:
    result = run(*args)
    assert result.exit_code == 0, result.output
    return result.stdout


def used(ledger: "DynamoLedger", tokens: int) -> None:
    """The meter counted this of alice's."""
    bucket = Bucket(ALICE, HAIKU, local_date(NOON, UTC_ZONE))
    ledger.set_hours(bucket, {hour_start(NOON, UTC_ZONE): Counts(1, tokens)})
    ledger.put(ledger.records([ALICE])[ALICE].next(due=NOON - timedelta(minutes=1)))


def attached(iam: "IAMClient") -> list[str]:
    policies = iam.list_attached_user_policies(UserName="alice")["AttachedPolicies"]
    return [policy["PolicyName"] for policy in policies]


def test_the_command_line_knows_the_region_that_lambda_lists_among_no_functions_variables(
    cloud: Cloud,
) -> None:
    """Prices depend on it."""
    assert "AWS_REGION" not in cloud.environment
    assert find("bedrock-quota", None, "us-east-1").settings.region == "us-east-1"


def test_an_admin_sets_a_quota_sees_a_block_releases_and_removes(
    cloud: Cloud, iam: "IAMClient", ledger: "DynamoLedger"
) -> None:
    rule = ("--measure", "total_tokens", "--limit", "1_000", "--window", "day")
    assert "Added quota daily of user/*" in out("quota", "set", "user/*", "daily", *rule)
    [listed] = json.loads(out("quota", "list", "--json"))["quotas"]
    assert listed["item"]["edited_by"].startswith("arn:aws:")
    assert listed["item"]["limit"] == 1000

    used(ledger, 1200)
    assert "the next sweep blocks" in out("status")
    swept = json.loads(out("sweep", "--json"))
    assert [event["kind"] for event in swept["events"]] == ["blocked"]
    assert attached(iam) == ["deny"]
    [row] = json.loads(out("status", "--json"))["standings"]
    assert (row["state"], row["used"], row["limit"]) == ("blocked", 1200, 1000)

    assert "user/alice is free." in out("release", "user/alice")
    assert attached(iam) == []
    assert cloud.invoked[-1] == {"action": "sweep", "dry_run": False, "confirm_blocks": False}

    changed = out("quota", "set", "user/*", "daily", "--limit", "5_000", "--warn-at", "90")
    assert ["limit", "1,000", "5,000"] in [line.split() for line in changed.splitlines()]
    removed = out("quota", "remove", "user/alice", "daily")
    assert "instead: daily of user/*: 5,000 total tokens per day." in removed


@pytest.mark.usefixtures("cloud")
def test_what_the_meter_found_out_about_models_is_listed(dynamodb: "DynamoDBClient") -> None:
    imported = "arn:aws:bedrock:us-east-1:123456789012:imported-model/abc"
    DynamoModelMemory(dynamodb, "ledger").remember(unresolved(imported, "no base", NOON, NOON))
    [listed] = json.loads(out("scopes", "list", "--json"))["unresolved"]
    assert (listed["arn"], listed["reason"]) == (imported, "no base")


def test_an_enforcer_that_fails_is_an_error_with_its_message(cloud: Cloud) -> None:
    cloud.crash = "1 failure(s) in this sweep: user/bob: throttled"
    result = run("sweep")
    assert result.exit_code == 1
    assert "enforcer failed: SweepFailed: 1 failure(s) in this sweep: user/bob" in result.stderr


def test_a_stack_that_is_not_there_is_named_with_what_to_do(cloud: Cloud) -> None:
    cloud.stacks.clear()
    result = run("status", "--region", "eu-west-1")
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "error: there is no stack 'bedrock-quota' in eu-west-1: name yours with --stack "
    )


def test_a_stack_that_is_not_ours_is_refused(cloud: Cloud) -> None:
    cloud.stacks[:] = [a_stack(WebsiteUrl="https://example.com")]
    result = run("status")
    assert result.exit_code == 1
    assert "is not a quota enforcer: it has no output 'EnforcerFunction' (it has: WebsiteUrl)" in (
        result.stderr
    )


def test_a_stack_that_is_still_being_made_asks_for_patience(cloud: Cloud) -> None:
    cloud.stacks[:] = [a_stack("CREATE_IN_PROGRESS")]
    assert "is CREATE_IN_PROGRESS and has no outputs yet" in run("status").stderr


def test_an_environment_that_is_not_complete_names_what_is_missing(cloud: Cloud) -> None:
    del cloud.environment["LEDGER_TABLE"]
    result = run("status")
    assert result.exit_code == 1
    assert "LEDGER_TABLE is not set" in result.stderr


def test_what_the_admin_may_not_do_is_named(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "User: x is not authorized to perform: lambda:GetFunctionConfiguration on resource: y"
    monkeypatch.setattr(
        cloud, "get_function_configuration", lambda _: error("AccessDeniedException", words)
    )
    assert "you may not lambda:GetFunctionConfiguration" in run("status").stderr


def test_an_unknown_profile_and_a_missing_region_are_explained(
    cloud: Cloud,  # noqa: ARG001 - AWS must be replaced
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unknown = run("status", "--profile", "nobody")
    assert unknown.exit_code == 1
    assert "The config profile (nobody) could not be found" in unknown.stderr
    monkeypatch.delenv("AWS_REGION")
    assert "no AWS Region is set" in run("status").stderr


@pytest.mark.usefixtures("cloud")
def test_the_report_is_made_from_the_real_tables(
    ledger: "DynamoLedger", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its drawings, which other tests look at."""
    monkeypatch.setattr(vl_convert, "vegalite_to_svg", lambda *_, **__: "<svg></svg>")
    rule = ("--measure", "total_tokens", "--limit", "1_000", "--window", "day")
    out("quota", "set", "user/*", "daily", *rule)
    used(ledger, 1200)
    out("sweep", "--json")
    page = tmp_path / "bedrock.html"
    out("report", "--html", str(page))
    tables = PageReading(page.read_text(encoding="utf-8")).tables
    [stopped] = tables["Used-up quotas"][1:]
    assert stopped[:2] == ["user/alice", "blocked"]
    [block] = tables["Every block, from when to when"][1:]
    assert block[3:5] == ["2026-11-24 12:00", "now | until 2026-11-25 00:00"]
