"""The doctor on the real template: what is damaged is found, and its fix puts it right."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from typer.testing import CliRunner

import aws_commands
from clinic import EVIL, Clinic, wrong
from deployed_stack import call
from embedded_account import START
from quota_enforcer.cli.main import app
from quota_enforcer.doctor.checks import coverage
from quota_enforcer.doctor.run import CHECKS


def test_a_healthy_deployment_gives_no_finding(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a day when the shipped prices are young: the clinic's clock stands in another year."""
    monkeypatch.setattr(coverage, "shipped_on", START.date)
    assert clinic.sound
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["ok"] * len(CHECKS)


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


HEALED: dict[str, list[tuple[Damage, str, str]]] = {
    "all at once": [
        (invalid_quota, "quotas", "quota daily of user/bob is not valid"),
        (no_logging, "logging", "invocation logging is off in us-east-1"),
        (no_subscription, "meter", "no subscription hands the log's records to the meter"),
        (throttled, "functions", "is throttled to nothing"),
        (no_schedule, "schedules", "the schedule EnforcerSchedule is gone"),
        (detached, "denies", "the deny of * is not attached to user/alice, who goes on"),
        (rewritten_deny, "deny policies", "the policy that denies * does not say what it should"),
        (rewritten_gate, "gates", "is not what the author writes for those who are over"),
        (nobody_listens, "notices", "nobody gets the notices"),
    ],
    "by halves": [
        (half_a_subscription, "meter", "hands over only some of the records"),
        (planted, "denies", "the deny of * is attached to role/batch, who is not over"),
        (gate_as_a_policy, "gates", "is attached to user/alice as an ordinary policy"),
    ],
    "at the wrong place": [
        (no_permission_for_logs, "meter", "CloudWatch Logs may not invoke the meter"),
        (on_a_group, "denies", "is attached to the group developers"),
    ],
}
"""Damages of the same deployment, each found by its check, and by no other."""


@pytest.mark.parametrize("together", HEALED)
def test_a_damage_is_found_and_its_fix_puts_it_right(clinic: Clinic, together: str) -> None:
    clinic.sound = False
    for damage, _, _ in HEALED[together]:
        damage(clinic)
    found = clinic.wrong()
    assert sorted(found) == sorted(check for _, check, _ in HEALED[together])
    for _damage, check, what in HEALED[together]:
        [finding] = found[check]
        assert what in finding["what"]
        assert finding["severity"] == "problem"
        assert finding["evidence"]
    for [finding] in found.values():
        aws_commands.run(finding["fix"], clinic.aws)
    assert wrong(clinic.examine()) == []
    clinic.sound = True


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
