"""Deploys a template to the embedded AWS: what `sam deploy` does, with boto3 alone."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict

from botocore.exceptions import ClientError

from quota_enforcer.local.template import BUCKET, REGION, transformed_with_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef, StackTypeDef
    from mypy_boto3_s3 import S3Client

PATIENCE: Final = 120.0
"""Seconds that a stack may take."""
_PAUSE: Final = 0.05
"""Seconds between the first two looks at a stack; each look costs it time that it would need."""
_LONGEST_PAUSE: Final = 0.4


class _Written(TypedDict, total=False):
    TemplateBody: str
    TemplateURL: str


class StackError(RuntimeError):
    """A stack did not get where it should; the message names each failed resource and why."""


def deploy(
    cloudformation: "CloudFormationClient",
    s3: "S3Client",
    template_path: Path,
    stack_name: str,
    parameters: dict[str, str] | None = None,
) -> dict[str, str]:
    """Create the stack, or update it when it exists, and return its outputs.

    Raises:
        StackError: it failed, was rolled back or took longer than PATIENCE.
    """
    given: list[ParameterTypeDef] = [
        {"ParameterKey": name, "ParameterValue": value}
        for name, value in (parameters or {}).items()
    ]
    written = _written(s3, template_path, stack_name, parameters)
    if _described(cloudformation, stack_name) is None:
        cloudformation.create_stack(
            StackName=stack_name,
            **written,
            Parameters=given,
            Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
    else:
        try:
            cloudformation.update_stack(
                StackName=stack_name,
                **written,
                Parameters=given,
                Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            )
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise
    stack = _settled(cloudformation, stack_name, ("CREATE_COMPLETE", "UPDATE_COMPLETE"))
    outputs = stack.get("Outputs", []) if stack else []
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}


def _written(
    s3: "S3Client", template_path: Path, stack_name: str, parameters: dict[str, str] | None
) -> "_Written":
    """Where the template stands: plain CloudFormation in the request, as stack sets take it.

    What is for SAM goes by way of a bucket, as `sam deploy` does it: a request takes no more than
    51,200 bytes.
    """
    text = template_path.read_text(encoding="utf-8")
    if "\nTransform:" not in text:
        return {"TemplateBody": text}
    template, archives = transformed_with_code(template_path, parameters)
    s3.create_bucket(Bucket=BUCKET)
    for key, archive in archives.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=archive)
    key = f"{stack_name}.template"
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(template).encode())
    return {"TemplateURL": f"https://s3.{REGION}.amazonaws.com/{BUCKET}/{key}"}


def delete(cloudformation: "CloudFormationClient", stack_name: str) -> None:
    """Delete the stack and wait until it is gone.

    Raises:
        StackError: a resource could not be deleted, or it took longer than PATIENCE.
    """
    cloudformation.delete_stack(StackName=stack_name)
    _settled(cloudformation, stack_name, ("DELETE_COMPLETE",))


def _described(cloudformation: "CloudFormationClient", stack_name: str) -> "StackTypeDef | None":
    try:
        stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _settled(
    cloudformation: "CloudFormationClient", stack_name: str, wanted: tuple[str, ...]
) -> "StackTypeDef | None":
    """The stack once it rests in one of the wanted states; None when it is gone as wanted."""
    stack = _awaited(lambda: _described(cloudformation, stack_name), stack_name)
    status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
    if status in wanted:
        return stack
    failures = "".join(f"\n  {reason}" for reason in _failures(cloudformation, stack_name))
    raise StackError(f"stack {stack_name} is {status}, not {' or '.join(wanted)}:{failures}")


def _awaited(look: "Callable[[], StackTypeDef | None]", stack_name: str) -> "StackTypeDef | None":
    deadline = time.monotonic() + PATIENCE
    pause = _PAUSE
    while True:
        stack = look()
        if stack is None or not stack["StackStatus"].endswith("IN_PROGRESS"):
            return stack
        if time.monotonic() > deadline:
            raise StackError(
                f"stack {stack_name} is still {stack['StackStatus']} after {PATIENCE:.0f} s"
            )
        time.sleep(pause)
        pause = min(1.5 * pause, _LONGEST_PAUSE)


def _failures(cloudformation: "CloudFormationClient", stack_name: str) -> list[str]:
    """What failed and why, the first failure first."""
    events = cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]
    return [
        f"{event['LogicalResourceId']} ({event['ResourceType']}) {event['ResourceStatus']}: "
        f"{event.get('ResourceStatusReason', 'no reason given')}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("FAILED")
    ]
