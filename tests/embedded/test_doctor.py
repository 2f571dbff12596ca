"""The doctor on the real template: what is damaged is found, and its fix puts it right."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import boto3
import pytest
from typer.testing import CliRunner

import aws_commands
from deployed_stack import ALLOW, MODEL, TEMPLATE, DeployedStack, call
from embedded_account import (
    LOG_GROUP,
    START,
    a_user,
    document,
    logging_to_group,
    make_log_role,
)
from quota_enforcer.cli.doctor.checks import CHECKS
from quota_enforcer.cli.main import app
from quota_enforcer.core.policies.doctor import NEEDS
from quota_enforcer.local.embedded import EmbeddedAws

ACCOUNT = EmbeddedAws.account_id
STACK = "bedrock-quota"
EVIL = document({"Effect": "Allow", "Action": "*", "Resource": "*"})


@dataclass
class Clinic:
    """A healthy deployment with somebody blocked, and the doctor.

    It is `sound` where nobody damaged it, or the damage was healed.
    """

    stack: DeployedStack
    sound: bool = True

    @property
    def aws(self) -> EmbeddedAws:
        return self.stack.aws

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    def part(self, name: str) -> str:
        """What CloudFormation calls a resource of the template."""
        found = self.client("cloudformation").describe_stack_resource(
            StackName=self.stack.name, LogicalResourceId=name
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    @property
    def deny(self) -> str:
        return self.stack.outputs["DenyAllPolicy"]

    @property
    def gate(self) -> str:
        head = self.deny.rpartition("/")[0]
        return f"{head}/{self.stack.name}-bedrock-quota-gate-1-BOUNDARY-ONLY"

    def auditor(self) -> boto3.Session:
        """The credentials of an admin who may do nothing by himself."""
        iam = self.client("iam")
        if "auditor" not in {each["UserName"] for each in iam.list_users()["Users"]}:
            return a_user(self.aws, "auditor")
        key = iam.create_access_key(UserName="auditor")["AccessKey"]
        return self.aws.session_for(key["AccessKeyId"], key["SecretAccessKey"])

    def examine(self) -> dict[str, Any]:
        """What the doctor says, by check."""
        result = CliRunner().invoke(app, ["doctor", "--json"])
        said = json.loads(result.stdout)
        assert result.exit_code == (0 if said["healthy"] else 1), result.output
        return {each["check"]: each for each in said["checks"]}

    def only(self, check: str) -> dict[str, Any]:
        """The one thing that is wrong, which this check must have found."""
        examined = self.examine()
        assert [name for name, each in examined.items() if not each["healthy"]] == [check]
        [finding] = (each for each in examined[check]["findings"] if each["severity"] != "note")
        assert isinstance(finding, dict)
        return finding


def wrong(examined: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The check, the severity and the sentence of everything that is wrong."""
    return [
        (name, finding["severity"], finding["what"])
        for name, check in examined.items()
        for finding in check["findings"]
        if finding["severity"] != "note"
    ]


@pytest.fixture(scope="module")
def clinics(embedded_aws: EmbeddedAws) -> Callable[[], Clinic]:
    """The same clinic for test after test, as long as it is sound."""
    open_: list[Clinic] = []

    def find() -> Clinic:
        if not open_ or not open_[-1].sound:
            open_.append(a_clinic(embedded_aws))
        return open_[-1]

    return find


def a_clinic(aws: EmbeddedAws) -> Clinic:
    aws.reset(START)
    parameters = {
        "Mode": "enforce",
        "Gates": "1",
        "ModelScope1": MODEL,
        "NoticeEmail": "admins@example.com",
    }
    stack = DeployedStack(aws, STACK, aws.deploy(TEMPLATE, STACK, parameters))
    stack.quota()
    stack.sweep()
    call(a_user(aws, "alice", ALLOW), 1200)
    stack.metered()
    for _ in range(3):  # so that the block is older than what may still be under way
        stack.sweep()
    return Clinic(stack)


@pytest.fixture
def clinic(clinics: Callable[[], Clinic], monkeypatch: pytest.MonkeyPatch) -> Clinic:
    found = clinics()
    for name, value in found.aws.environment().items():
        monkeypatch.setenv(name, value)
    return found


def test_a_healthy_deployment_gives_no_finding(clinic: Clinic) -> None:
    assert clinic.sound
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["ok"] * len(CHECKS)


# What a command puts right

Damage = Callable[[Clinic], object]


def no_logging(clinic: Clinic) -> None:
    clinic.client("bedrock").delete_model_invocation_logging_configuration()


def no_subscription(clinic: Clinic) -> None:
    clinic.client("logs").delete_subscription_filter(
        logGroupName=clinic.stack.outputs["InvocationLogGroup"],
        filterName=clinic.part("InvocationSubscription"),
    )


def half_a_subscription(clinic: Clinic) -> None:
    clinic.client("logs").put_subscription_filter(
        logGroupName=clinic.stack.outputs["InvocationLogGroup"],
        filterName=clinic.part("InvocationSubscription"),
        filterPattern="{ $.modelId = anthropic* }",
        destinationArn=f"arn:aws:lambda:{clinic.aws.region}:{clinic.aws.account_id}:function:"
        + clinic.part("MeterFunction"),
    )


def no_permission_for_logs(clinic: Clinic) -> None:
    name = clinic.part("MeterFunction")
    client = clinic.client("lambda")
    [statement] = json.loads(client.get_policy(FunctionName=name)["Policy"])["Statement"]
    client.remove_permission(FunctionName=name, StatementId=statement["Sid"])


def throttled(clinic: Clinic) -> None:
    clinic.client("lambda").put_function_concurrency(
        FunctionName=clinic.part("EnforcerFunction"), ReservedConcurrentExecutions=0
    )


def no_schedule(clinic: Clinic) -> None:
    clinic.client("scheduler").delete_schedule(Name=clinic.part("EnforcerSchedule"))


def detached(clinic: Clinic) -> None:
    clinic.client("iam").detach_user_policy(UserName="alice", PolicyArn=clinic.deny)


def planted(clinic: Clinic) -> None:
    clinic.client("iam").create_role(RoleName="batch", AssumeRolePolicyDocument=EVIL)
    clinic.client("iam").attach_role_policy(RoleName="batch", PolicyArn=clinic.deny)


def on_a_group(clinic: Clinic) -> None:
    clinic.client("iam").create_group(GroupName="developers")
    clinic.client("iam").attach_group_policy(GroupName="developers", PolicyArn=clinic.deny)


def rewritten_deny(clinic: Clinic) -> None:
    clinic.client("iam").create_policy_version(
        PolicyArn=clinic.deny, PolicyDocument=EVIL, SetAsDefault=True
    )


def rewritten_gate(clinic: Clinic) -> None:
    clinic.client("iam").create_policy_version(
        PolicyArn=clinic.gate, PolicyDocument=EVIL, SetAsDefault=True
    )


def gate_as_a_policy(clinic: Clinic) -> None:
    clinic.client("iam").attach_user_policy(UserName="alice", PolicyArn=clinic.gate)


def invalid_quota(clinic: Clinic) -> None:
    clinic.stack.quota(principal="user/bob", window="fortnight")
    clinic.stack.sweep()  # which tells admins once: to the doctor it stays news


def nobody_listens(clinic: Clinic) -> None:
    sns, topic = clinic.client("sns"), clinic.stack.outputs["NoticeTopic"]
    for each in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])


@pytest.mark.parametrize(
    ("damage", "check", "what"),
    [
        (no_logging, "logging", "invocation logging is off in us-east-1"),
        (no_subscription, "meter", "no subscription hands the log's records to the meter"),
        (half_a_subscription, "meter", "hands over only some of the records"),
        (no_permission_for_logs, "meter", "CloudWatch Logs may not invoke the meter"),
        (throttled, "functions", "is throttled to nothing"),
        (no_schedule, "schedules", "the schedule EnforcerSchedule is gone"),
        (detached, "denies", "the deny of * is not attached to user/alice, who goes on"),
        (planted, "denies", "the deny of * is attached to role/batch, who is not over"),
        (on_a_group, "denies", "is attached to the group developers"),
        (rewritten_deny, "deny policies", "the policy that denies * does not say what it should"),
        (rewritten_gate, "gates", "is not what the author writes for those who are over"),
        (gate_as_a_policy, "gates", "is attached to user/alice as an ordinary policy"),
        (invalid_quota, "quotas", "quota daily of user/bob is not valid"),
        (nobody_listens, "notices", "nobody gets the notices"),
    ],
)
def test_a_damage_is_found_and_its_fix_puts_it_right(
    clinic: Clinic, damage: Damage, check: str, what: str
) -> None:
    clinic.sound = False
    damage(clinic)
    finding = clinic.only(check)
    assert what in finding["what"]
    assert finding["severity"] == "problem"
    assert finding["evidence"]
    aws_commands.run(finding["fix"], clinic.aws)
    assert wrong(clinic.examine()) == []
    clinic.sound = True


# What an admin has to think about; each comes with its undoing, so that the clinic serves again.

Undo = Callable[[], object]


def full_slots(clinic: Clinic) -> Undo:
    iam = clinic.client("iam")
    iam.create_user(UserName="carol")
    for number in range(10):
        made = iam.create_policy(PolicyName=f"p{number}", PolicyDocument=EVIL)["Policy"]["Arn"]
        iam.attach_user_policy(UserName="carol", PolicyArn=made)
    clinic.stack.quota(principal="user/carol")
    clinic.stack.sweep()
    return lambda: iam.detach_user_policy(UserName="carol", PolicyArn=made)


def break_glass(clinic: Clinic) -> Undo:
    iam = clinic.client("iam")
    iam.create_user(UserName="dora", Path="/break-glass/")
    clinic.stack.quota(principal="user/dora")
    clinic.stack.sweep()
    return lambda: iam.delete_user(UserName="dora")


def disabled_schedule(clinic: Clinic) -> Undo:
    client, name = clinic.client("scheduler"), clinic.part("MeterSchedule")
    known = client.get_schedule(Name=name)
    given = {each: known[each] for each in ("ScheduleExpression", "FlexibleTimeWindow", "Target")}
    client.update_schedule(Name=name, State="DISABLED", **given)
    return lambda: client.update_schedule(Name=name, State="ENABLED", **given)


def dead_letter(clinic: Clinic) -> Undo:
    client, url = clinic.client("sqs"), clinic.part("MeterDeadLetters")
    client.send_message(QueueUrl=url, MessageBody="{}")
    return lambda: client.purge_queue(QueueUrl=url)


def alarm_on(clinic: Clinic) -> Undo:
    def turn(state: str) -> None:
        clinic.client("cloudwatch").set_alarm_state(
            AlarmName=clinic.part("MeterFailing"), StateValue=state, StateReason="a test"
        )

    turn("ALARM")
    return lambda: turn("OK")


def somebody_elses_logging(clinic: Clinic) -> Undo:
    bedrock = clinic.client("bedrock")
    ours = bedrock.get_model_invocation_logging_configuration()["loggingConfig"]
    clinic.client("logs").create_log_group(logGroupName=LOG_GROUP)
    make_log_role(clinic.aws, ["logs:CreateLogStream", "logs:PutLogEvents"])
    put = bedrock.put_model_invocation_logging_configuration
    put(loggingConfig=logging_to_group(clinic.aws))
    return lambda: put(loggingConfig=ours)


def person_without_a_gate(clinic: Clinic) -> Undo:
    role = "AWSReservedSSO_Developer_0123456789abcdef"
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    iam = clinic.client("iam")
    made = iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(trust))["Role"]
    iam.put_role_policy(RoleName=role, PolicyName="x", PolicyDocument=document(ALLOW))
    taken = clinic.client("sts").assume_role(RoleArn=made["Arn"], RoleSessionName="ann@example.com")
    key = taken["Credentials"]
    ann = clinic.aws.session_for(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
    call(ann, 10)
    clinic.stack.metered()
    return lambda: iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=clinic.gate)


def calls_elsewhere(clinic: Clinic) -> Undo:
    """Until somebody deploys there."""

    def there(service: str) -> Any:
        return clinic.aws.session().client(cast("Any", service), region_name="eu-west-1")

    there("cloudwatch").put_metric_data(
        Namespace="AWS/Bedrock",
        MetricData=[
            {
                "MetricName": "Invocations",
                "Dimensions": [{"Name": "ModelId", "Value": MODEL}],
                "Timestamp": clinic.aws.time - timedelta(hours=2),
                "Value": 7,
            }
        ],
    )

    def deploy() -> None:
        there("logs").create_log_group(logGroupName="/bedrock-quota/west/enforcer")
        there("logs").create_log_group(logGroupName=LOG_GROUP)
        with suppress(clinic.client("iam").exceptions.EntityAlreadyExistsException):
            make_log_role(clinic.aws, ["logs:CreateLogStream", "logs:PutLogEvents"])
        there("bedrock").put_model_invocation_logging_configuration(
            loggingConfig=logging_to_group(clinic.aws)
        )

    return deploy


@pytest.mark.parametrize(
    ("damage", "check", "severity", "what", "fix"),
    [
        (full_slots, "users and roles", "problem", "have no policy slot left", "detach managed"),
        (break_glass, "users and roles", "warning", "may not touch these", "--action notify"),
        (disabled_schedule, "schedules", "problem", "MeterSchedule is disabled", "enable it"),
        (dead_letter, "dead letters", "problem", "could not be written", "aws sqs receive-message"),
        (alarm_on, "alarms", "problem", "MeterFailing is on", "quota-enforcer recount"),
        (somebody_elses_logging, "logging", "problem", f"logs calls to {LOG_GROUP}",
         f"ExistingLogGroup={LOG_GROUP}"),
        (person_without_a_gate, "shared roles", "problem",
         "permission set Developer does not name a gate", "quota-enforcer gates setup"),
        (calls_elsewhere, "regions", "problem", "used in eu-west-1", "sam deploy --region eu-west"),
    ],
)  # fmt: skip
def test_what_an_admin_has_to_think_about_is_found_with_what_to_do(
    clinic: Clinic, damage: Callable[[Clinic], Undo], check: str, severity: str, what: str, fix: str
) -> None:
    clinic.sound = False
    undo = damage(clinic)
    finding = clinic.only(check)
    assert finding["severity"] == severity
    assert what in finding["what"]
    assert fix in finding["fix"]
    undo()
    assert wrong(clinic.examine()) == []
    clinic.sound = True


class TestAccess:
    """An admin with what `policy doctor` prints, or with less."""

    @pytest.fixture
    def examined(self, clinic: Clinic) -> Callable[..., dict[str, Any]]:
        session = clinic.auditor()

        def examined(*without: str) -> dict[str, Any]:
            """What the doctor says to somebody who may not do these."""
            printed = CliRunner().invoke(app, ["policy", "doctor", "--account", ACCOUNT])
            allowed = [
                each | {"Action": [action for action in each["Action"] if action not in without]}
                for each in json.loads(printed.stdout)["Statement"]
            ]
            clinic.client("iam").put_user_policy(
                UserName="auditor",
                PolicyName="doctor",
                PolicyDocument=document(*(each for each in allowed if each["Action"])),
            )
            credentials = session.get_credentials()
            assert credentials is not None
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("AWS_ACCESS_KEY_ID", credentials.access_key)
                patch.setenv("AWS_SECRET_ACCESS_KEY", credentials.secret_key)
                return clinic.examine()

        return examined

    def test_what_it_prints_is_enough(self, examined: Callable[..., dict[str, Any]]) -> None:
        assert wrong(examined()) == []

    def test_one_action_less_stops_only_the_checks_that_need_it_and_is_named(
        self, examined: Callable[..., dict[str, Any]]
    ) -> None:
        action = "logs:DescribeSubscriptionFilters"
        assert wrong(examined(action)) == [
            ("meter", "unchecked", f"could not check: needs {action}")
        ]

    def test_without_any_each_check_says_what_it_needs(
        self, examined: Callable[..., dict[str, Any]]
    ) -> None:
        found = examined(*(each for needs in NEEDS.values() for each in needs))
        for name, check in found.items():
            sentences = [finding["what"] for finding in check["findings"]]
            named = any(f"needs {action}" in what for what in sentences for action in NEEDS[name])
            assert named or not NEEDS[name], (name, sentences)


def test_calls_that_never_reach_the_ledger_are_known_by_bedrocks_own_metric(clinic: Clinic) -> None:
    """The subscription was away for a while: it is back, and what was called meanwhile is not."""
    clinic.sound = False
    no_subscription(clinic)
    fix = clinic.only("meter")["fix"]
    clinic.aws.set_time(clinic.aws.time + timedelta(minutes=30))
    call(clinic.aws.session(), 10)
    clinic.aws.set_time(clinic.aws.time + timedelta(minutes=30))
    clinic.stack.sweep()
    aws_commands.run(fix, clinic.aws)
    assert "do not reach the ledger" in clinic.only("ledger")["what"]
