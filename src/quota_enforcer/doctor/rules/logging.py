"""Bedrock's invocation logging: without it nothing is metered."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from quota_enforcer.doctor.finding import Diagnosis, Finding, diagnosis, problem
from quota_enforcer.doctor.fixes import deploy

STANDARD = "STANDARD"
"""The only class of log group in which subscriptions and metric filters work.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html
"""


@dataclass(frozen=True, slots=True)
class LoggingFound:
    """A configuration that is in force; empty names where it has no log group or no bucket."""

    log_group: str = ""
    role: str = ""
    bucket: str = ""
    prefix: str = ""
    bodies: bool = False
    """Whether prompts and answers are logged too."""


@dataclass(frozen=True, slots=True)
class Logging:
    """What a stack meters (`group`, written by `role`), and what Bedrock is set to.

    `group_class` is the class of the log group; None where there is none of that name.
    """

    stack: str
    region: str
    group: str
    role: str
    found: LoggingFound | None
    group_class: str | None = STANDARD
    bodies: bool = False


def logging_here(seen: Logging) -> Diagnosis:
    """Whether calls are logged to where the stack meters them."""
    with_what = "with" if seen.found and seen.found.bodies else "without"
    fine = f"calls are logged to {seen.group}, {with_what} prompts and answers"
    return diagnosis(fine, _findings(seen))


def _findings(seen: Logging) -> Iterator[Finding]:
    found = seen.found
    if found is None:
        yield problem(
            f"Bedrock's invocation logging is off in {seen.region}, so no call is metered",
            "Bedrock has no logging configuration there",
            _put(seen),
        )
    elif not found.log_group:
        yield problem(
            "Bedrock logs calls to a bucket only, so none is metered",
            f"the configuration in force names the bucket {found.bucket} and no log group",
            _put(seen),
        )
    elif found.log_group != seen.group:
        ours = found.role == seen.role
        yield problem(
            f"Bedrock logs calls to {found.log_group}, and the stack meters {seen.group}",
            f"the configuration in force writes with {found.role}, "
            f"{'the stack' if ours else 'somebody else'}'s role",
            _put(seen) if ours else deploy(seen.stack, ExistingLogGroup=found.log_group),
        )
    if seen.group_class is None:
        yield problem(
            f"the log group {seen.group} does not exist, so what Bedrock logs is lost",
            "CloudWatch Logs lists no such group",
            f"aws logs create-log-group --log-group-name {seen.group}",
        )
    elif seen.group_class != STANDARD:
        yield problem(
            f"the log group {seen.group} is of a class that cannot be metered",
            f"its class is {seen.group_class}, in which no subscription and no metric filter works",
            "make a log group of the Standard class, and name it in Bedrock's console, Settings > "
            "Model invocation logging",
            f"then {deploy(seen.stack, ExistingLogGroup='ITS_NAME')}",
        )


def _put(seen: Logging) -> str:
    """The command that has calls logged as the stack wants it; a bucket that is there stays."""
    config: dict[str, Any] = {
        "cloudWatchConfig": {"logGroupName": seen.group, "roleArn": seen.role},
    }
    if seen.found and seen.found.bucket:
        config["s3Config"] = {"bucketName": seen.found.bucket}
        if seen.found.prefix:
            config["s3Config"]["keyPrefix"] = seen.found.prefix
    bodies = seen.found.bodies if seen.found else seen.bodies
    for kind in ("text", "image", "embedding", "video", "audio"):
        config[f"{kind}DataDeliveryEnabled"] = bodies
    return (
        "aws bedrock put-model-invocation-logging-configuration "
        f"--logging-config '{json.dumps(config, separators=(',', ':'))}'"
    )
