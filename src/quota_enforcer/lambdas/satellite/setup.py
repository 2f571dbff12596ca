"""The set-up of a satellite: a custom resource that follows its stack from creation to deletion.

It announces the satellite to home and switches Bedrock's invocation logging on; when the stack goes
it leaves home, takes off what its own denies and gates still deny, and puts the logging back.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

import hashlib
import json
import os
import time
from collections.abc import Callable
from typing import Any, Final

import boto3
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from quota_enforcer.lambdas.satellite.home import REFUSED, accepted, ask_home

PATIENCE: Final = 120
"""Seconds for IAM to know a new role, and for home to let go."""
PAUSE: Final = 5
STATUSES: Final = {
    "Create": {"CREATE_IN_PROGRESS"},
    "Update": {"UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"},
    "Delete": {"DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"},
}
"""Of the stack: whoever may invoke this function can send it any event, so it is asked."""
QUOTA: Final = "-over-bedrock-quota-"
"""In the name of each policy of ours."""
OPEN: Final = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
)
"""A boundary, which never grants."""
KINDS: Final = ("text", "image", "embedding", "video", "audio")


class SetupFailed(Exception):
    """The stack cannot be made or changed so; CloudFormation shows the words' end."""


def handler(event: dict[str, Any], _context: object) -> None:
    """Answer CloudFormation, whatever happens."""
    status, words = "SUCCESS", ""
    try:
        words = _follow(event)
    except Exception as error:  # noqa: BLE001 - CloudFormation would wait for an hour
        status, words = "FAILED", f"{type(error).__name__}: {error}"[-900:]
    print(json.dumps({"request": event["RequestType"], "status": status, "words": words}))  # noqa: T201 - Lambda's log
    answer = {
        "Status": status,
        "Reason": words or "done",
        # Never another: CloudFormation would take that for a replacement, and delete the old one.
        "PhysicalResourceId": "bedrock-quota-satellite",
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    sent = AWSRequest("PUT", event["ResponseURL"], {"content-type": ""}, json.dumps(answer))
    URLLib3Session().send(sent.prepare())


def _follow(event: dict[str, Any]) -> str:
    """Do what the stack's state calls for; nothing else in the event is believed."""
    own, kind = os.environ["STACK_ID"], event["RequestType"]
    [stack] = boto3.client("cloudformation").describe_stacks(StackName=own)["Stacks"]
    state = stack["StackStatus"]
    if event["StackId"] != own or state not in STATUSES[kind]:
        raise SetupFailed(f"nothing done for a {kind}: the stack {own} is {state}; who sent it?")
    if kind == "Delete":
        left, released = _leave(own), _release()
        _open_gates()
        return f"{left}; {released}; logging {_put_back()}"
    try:
        return f"{_announce(own)}; logging {_switch_on()}"
    except SetupFailed as failure:
        if state == "UPDATE_ROLLBACK_IN_PROGRESS":  # else the stack would be stuck on its way back
            return f"not as wanted: {failure}"
        raise


def _announce(own: str) -> str:
    digest = hashlib.sha256(os.environ["PARAMETERS"].encode()).hexdigest()[:16]
    said = {"stack_id": own, "log_group": os.environ["LOG_GROUP"], "parameters": digest}
    status, words = _ask_until({"announce": said}, PATIENCE)
    if not accepted(status):
        raise SetupFailed(f"home does not know this satellite, it answered {status}: {words}")
    return "announced"


def _leave(own: str) -> str:
    """Say goodbye; a home that is gone, or not ours, must not keep the satellite."""
    status, words = _ask_until({"leave": {"stack_id": own}}, PATIENCE / 4)
    return "left" if accepted(status) else f"could not leave ({status}: {words})"


def _ask_until(asked: dict[str, Any], patience: float) -> tuple[int, str]:
    """Home's last answer: while IAM does not know a new role yet, and while home is busy, wait."""
    end = time.monotonic() + patience
    while True:
        status, words = ask_home(asked)
        if accepted(status) or status in REFUSED or time.monotonic() > end:
            return status, words
        time.sleep(PAUSE)


def _release() -> str:
    """Take off the denies of this stack, with which their policies could not be deleted."""
    iam, released = boto3.client("iam"), 0
    for policy in json.loads(os.environ["DENIES"]):
        pages = iam.get_paginator("list_entities_for_policy").paginate(
            PolicyArn=policy, PolicyUsageFilter="PermissionsPolicy"
        )
        for page in list(pages):
            for user in page["PolicyUsers"]:
                _detach(iam.detach_user_policy, UserName=user["UserName"], PolicyArn=policy)
            for role in page["PolicyRoles"]:
                _detach(iam.detach_role_policy, RoleName=role["RoleName"], PolicyArn=policy)
            released += len(page["PolicyUsers"]) + len(page["PolicyRoles"])
    return f"{released} denies taken off"


def _open_gates() -> None:
    """Have the gates deny nobody any more: permission sets may name them for longer."""
    iam = boto3.client("iam")
    for number in range(1, int(os.environ["GATES"]) + 1):
        [deny] = json.loads(os.environ["DENIES"])[:1]
        gate = deny.replace(QUOTA, f"{QUOTA}gate-{number}-", 1) + "-BOUNDARY-ONLY"
        try:
            versions = iam.list_policy_versions(PolicyArn=gate)["Versions"]
            for each in versions:  # IAM keeps five
                if not each["IsDefaultVersion"]:
                    iam.delete_policy_version(PolicyArn=gate, VersionId=each["VersionId"])
            iam.create_policy_version(PolicyArn=gate, PolicyDocument=OPEN, SetAsDefault=True)
        except ClientError as error:
            _ignore_gone(error)


def _ignore_gone(error: ClientError) -> None:
    if error.response["Error"]["Code"] != "NoSuchEntity":
        raise error


def _detach(call: Callable[..., object], **names: str) -> None:
    try:
        call(**names)
    except ClientError as error:
        _ignore_gone(error)


def _switch_on() -> str:
    """Have calls logged to the wanted group, unless somebody else has so already."""
    bedrock, group, role = boto3.client("bedrock"), os.environ["LOG_GROUP"], os.environ["LOG_ROLE"]
    current = _settled(bedrock.get_model_invocation_logging_configuration).get("loggingConfig")
    target = (current or {}).get("cloudWatchConfig", {})
    if current and target.get("roleArn") != role:
        if target.get("logGroupName") == group:
            return f"left alone: somebody else has calls logged to {group}"
        found = f"to {target['logGroupName']}" if target else "without a log group: add one"
        raise SetupFailed(
            "Bedrock's invocation logging is set up here already, and not by this stack, "
            f"{found}. Set parameter ExistingLogGroup to that group"
        )
    bodies = os.environ["LOG_PROMPTS_AND_ANSWERS"] == "true"
    put = bedrock.meta.service_model.operation_model("PutModelInvocationLoggingConfiguration")
    shape: Any = put.input_shape
    known = shape.members["loggingConfig"].members  # as Lambda's own boto3 has them
    flags = {f"{kind}DataDeliveryEnabled": bodies for kind in KINDS}
    wanted: Any = {
        **(current or {}),
        "cloudWatchConfig": {**target, "logGroupName": group, "roleArn": role},
        **{flag: value for flag, value in flags.items() if flag in known},
    }
    if wanted == current:
        return "unchanged"
    if os.environ["MANAGE_LOGGING"] != "true":
        raise SetupFailed(
            "Bedrock's invocation logging is not as the parameters say, and ManageLogging is "
            f"false: set it to true, or log to {group} yourself"
        )
    _settled(bedrock.put_model_invocation_logging_configuration, loggingConfig=wanted)
    return f"switched on: calls are logged to {group}"


def _put_back() -> str:
    """Take away what this stack switched on, and nothing that others made."""
    bedrock = boto3.client("bedrock")
    current = bedrock.get_model_invocation_logging_configuration().get("loggingConfig", {})
    if current.get("cloudWatchConfig", {}).get("roleArn") != os.environ["LOG_ROLE"]:
        return "left alone, since it is not this stack's"
    if os.environ["MANAGE_LOGGING"] != "true":
        return "left alone, since ManageLogging is false: switch it off yourself"
    if "s3Config" in current:  # somebody added a bucket to ours
        rest: Any = {name: value for name, value in current.items() if name != "cloudWatchConfig"}
        bedrock.put_model_invocation_logging_configuration(loggingConfig=rest)
        return "switched off for the log group; the bucket that somebody added stays"
    bedrock.delete_model_invocation_logging_configuration()
    return "switched off"


def _settled(call: Callable[..., Any], **arguments: Any) -> Any:
    """Bedrock's answer: it cannot use a new role before IAM knows it everywhere."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return call(**arguments)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in {"ValidationException", "AccessDeniedException"}:
                raise
            if time.monotonic() > end:
                words = error.response["Error"]["Message"][:100]
                raise SetupFailed(
                    f"Bedrock cannot write to {os.environ['LOG_GROUP']}: {words}. Is it in this "
                    "Region and of the Standard class? See parameter ExistingLogGroup"
                ) from error
        time.sleep(PAUSE)
