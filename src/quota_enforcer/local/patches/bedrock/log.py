"""The model invocation log: which configuration AWS accepts, and the records it delivers.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
The emulator stores any configuration and delivers nothing.
Here a record is in the log group when the call returns (AWS: seconds later), dated with the
simulated clock to the second; delivery to S3 is not imitated.
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

import json
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import bedrock, cloudwatch_logs, iam

from quota_enforcer import clock
from quota_enforcer.core.usage.counts import TOKEN_COUNTS
from quota_enforcer.local.patches.bedrock.answers import Tokens

STREAM: Final = "aws/bedrock/modelinvocations"
"""The log stream that Bedrock writes to."""
WELCOME: Final = "Permissions are correctly set for Amazon Bedrock logs."
"""The line that Bedrock writes when logging is switched on; no record."""

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request being served; the record carries the same as the answer's header."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A call of a model, as far as the log is concerned."""

    operation: str
    model_id: str
    body: bytes


def install() -> None:
    """Check a logging configuration before it is stored, and write the first line."""
    plain = bedrock._put_logging_config

    def put(body: bytes) -> Any:
        wished = (json.loads(body or b"{}").get("loggingConfig") or {}).get("cloudWatchConfig")
        if wished and not _may_write(wished):
            return bedrock._validation(
                f"Failed to validate permissions for log group: {wished.get('logGroupName')}, with "
                f"role: {wished.get('roleArn')}. Verify the IAM role permissions are correct."
            )
        answer = plain(body)
        if wished:
            _write(WELCOME)
        return answer

    bedrock._put_logging_config = put


def succeeded(invocation: Invocation, tokens: Tokens, answer: Any) -> None:
    """Log a call that was answered."""
    read: dict[str, Any] = {"inputContentType": "application/json"}
    written: dict[str, Any] = {"outputContentType": "application/json"}
    if _configuration().get("textDataDeliveryEnabled", True):
        read["inputBodyJson"] = json.loads(invocation.body)
        written["outputBodyJson"] = answer
    sections = {"input": read, "output": written}
    for counter, number in tokens.items():
        count = TOKEN_COUNTS[counter]
        sections[count.section][count.field] = number
    _deliver(invocation, sections)


def failed(invocation: Invocation, code: str) -> None:
    """Log a call that the model or Bedrock failed: such a record has neither input nor output."""
    _deliver(invocation, {"errorCode": code})


def _deliver(invocation: Invocation, outcome: dict[str, Any]) -> None:
    record = {
        "timestamp": clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "accountId": get_account_id(),
        "region": get_region(),
        "requestId": request_id.get(),
        "operation": invocation.operation,
        "modelId": invocation.model_id,
        "identity": {"arn": iam_evaluator.caller_arn()},
        **outcome,
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
    }
    _write(json.dumps(record))


def _configuration() -> dict[str, Any]:
    return bedrock._invocation_logging_config.get("config") or {}


def _write(message: str) -> None:
    group = (_configuration().get("cloudWatchConfig") or {}).get("logGroupName")
    if group not in cloudwatch_logs._log_groups:
        return  # no configuration, or its log group is gone: AWS drops the record too
    target = {"logGroupName": group, "logStreamName": STREAM}
    if STREAM not in cloudwatch_logs._log_groups[group]["streams"]:
        cloudwatch_logs._create_log_stream(target)
    event = {"timestamp": int(clock.now().timestamp()) * 1000, "message": message}
    cloudwatch_logs._put_log_events(target | {"logEvents": [event]})


def _may_write(wished: dict[str, Any]) -> bool:
    """Whether the group is there, and Bedrock may take the role and write with it."""
    group = wished.get("logGroupName", "")
    role = iam._roles.get(wished.get("roleArn", "").rpartition("/")[2])
    if group not in cloudwatch_logs._log_groups or role is None:
        return False
    account, region = get_account_id(), get_region()
    policies = iam_evaluator._gather_role_policies(role["RoleName"], account)
    stream = f"arn:aws:logs:{region}:{account}:log-group:{group}:log-stream:{STREAM}"
    return _trusts_bedrock(role, account, region) and all(
        iam_evaluator.evaluate(_asked(role["Arn"], action, stream), policies).decision == "Allow"
        for action in ("logs:CreateLogStream", "logs:PutLogEvents")
    )


def _trusts_bedrock(role: dict[str, Any], account: str, region: str) -> bool:
    document = role["AssumeRolePolicyDocument"]
    statements = (json.loads(document) if isinstance(document, str) else document)["Statement"]
    asked = _asked(role["Arn"], "sts:AssumeRole", role["Arn"])
    asked.service_context = {
        "aws:sourceaccount": account,
        "aws:sourcearn": f"arn:aws:bedrock:{region}:{account}:*",
    }
    return any(
        "bedrock.amazonaws.com" in json.dumps(statement["Principal"].get("Service", ""))
        and statement["Effect"] == "Allow"
        and iam_evaluator._conditions_met(statement.get("Condition", {}), asked)
        for statement in statements
    )


def _asked(role_arn: str, action: str, resource: str) -> Any:
    return iam_evaluator.EvalContext(
        principal_arn=role_arn,
        principal_type="AssumedRole",
        principal_account=get_account_id(),
        action=action,
        resource_arn=resource,
        region=get_region(),
    )
