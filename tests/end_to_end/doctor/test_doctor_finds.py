"""The doctor on the real template: what an admin has to think about, with what to do."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

import pytest

from clinic import Clinic, wrong
from deployed_stack import ALLOW, MODEL, call
from embedded_account import LOG_GROUP, document, logging_to_group, make_log_role

Undo = Callable[[], object]
"""Each comes with its undoing, so that the clinic serves again."""


def full_slots(clinic: Clinic) -> Undo:
    iam = clinic.client("iam")
    iam.create_user(UserName="carol")
    for number in range(10):
        written = document(ALLOW)
        made = iam.create_policy(PolicyName=f"p{number}", PolicyDocument=written)["Policy"]["Arn"]
        iam.attach_user_policy(UserName="carol", PolicyArn=made)
    clinic.stack.quota(principal="user/carol")
    clinic.stack.sweep()
    return lambda: iam.detach_user_policy(UserName="carol", PolicyArn=made)


def break_glass(clinic: Clinic) -> Undo:
    iam = clinic.client("iam")
    iam.create_user(UserName="dora", Path="/break-glass/")
    clinic.stack.quota(principal="user/dora")
    clinic.stack.sweep()

    def undo() -> None:
        iam.delete_user(UserName="dora")
        clinic.stack.command("quota", "remove", "user/dora", "daily")

    return undo


def disabled_schedule(clinic: Clinic) -> Undo:
    client, name = clinic.client("scheduler"), clinic.part("MeterSchedule")
    known = client.get_schedule(Name=name)
    given = {each: known[each] for each in ("ScheduleExpression", "FlexibleTimeWindow", "Target")}
    client.update_schedule(Name=name, State="DISABLED", **given)
    return lambda: client.update_schedule(Name=name, State="ENABLED", **given)


def masked_log(clinic: Clinic) -> Undo:
    client, group = clinic.client("logs"), clinic.part("InvocationLogGroup")
    identifiers = ["arn:aws:dataprotection::aws:data-identifier/EmailAddress"]
    masks = {"DataIdentifier": identifiers, "Operation": {"Deidentify": {"MaskConfig": {}}}}
    policy = json.dumps({"Name": "p", "Version": "2021-06-01", "Statement": [masks]})
    client.put_data_protection_policy(logGroupIdentifier=group, policyDocument=policy)
    return lambda: client.delete_data_protection_policy(logGroupIdentifier=group)


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


FOUND: dict[str, list[tuple[Callable[[Clinic], Undo], str, str, str, str]]] = {
    "people and places": [
        (full_slots, "users and roles", "problem", "have no policy slot left", "detach managed"),
        (break_glass, "users and roles", "warning", "may not touch these", "--action notify"),
        (person_without_a_gate, "shared roles", "problem",
         "permission set Developer does not name a gate", "quota-enforcer gates setup"),
        (disabled_schedule, "schedules", "problem", "MeterSchedule is disabled", "enable it"),
        (masked_log, "masking", "problem", "may mask who called", "delete-data-protection-policy"),
        (dead_letter, "dead letters", "problem", "could not be written", "aws sqs receive-message"),
        (alarm_on, "alarms", "problem", "MeterFailing is on", "quota-enforcer recount"),
    ],
    "other logs": [
        (somebody_elses_logging, "logging", "problem", f"logs calls to {LOG_GROUP}",
         f"ExistingLogGroup={LOG_GROUP}"),
        (calls_elsewhere, "regions", "problem", "used in eu-west-1",
         "satellites plan --regions eu-west-1"),
    ],
}  # fmt: skip
"""What is found of the same deployment, each by its check, and by no other."""


@pytest.mark.parametrize("together", FOUND)
def test_what_an_admin_has_to_think_about_is_found_with_what_to_do(
    clinic: Clinic, together: str
) -> None:
    clinic.sound = False
    undoings = [damage(clinic) for damage, *_ in FOUND[together]]
    found = clinic.wrong()
    assert Counter({check: len(several) for check, several in found.items()}) == Counter(
        check for _, check, *_ in FOUND[together]
    )
    for _damage, check, severity, what, fix in FOUND[together]:
        [finding] = (each for each in found[check] if what in each["what"])
        assert finding["severity"] == severity
        assert fix in finding["fix"]
    for undo in undoings:
        undo()
    assert wrong(clinic.examine()) == []
    clinic.sound = True
