"""Bedrock's invocation logging, without which nothing is metered: here and in other Regions."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from quota_enforcer.core.notices.amounts import count
from quota_enforcer.doctor.finding import Diagnosis, Finding, diagnosis, note, problem, unchecked
from quota_enforcer.doctor.fixes import ATTACH, deploy
from quota_enforcer.doctor.rules.unlogged import LOCK, MANTLE_LOCK

STANDARD = "STANDARD"
"""The only class of log group in which subscriptions and metric filters work.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html
"""


@dataclass(frozen=True, slots=True)
class LoggingFound:
    """A configuration that is in force; empty names if it has no log group or no bucket."""

    log_group: str = ""
    role: str = ""
    bucket: str = ""
    prefix: str = ""
    bodies: bool = False
    """Whether prompts and answers are logged too."""


@dataclass(frozen=True, slots=True)
class Logging:
    """What a stack meters (`group`, written by `role`), and what Bedrock is set to.

    `group_class` is the class of the log group; None if there is none of that name.
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


@dataclass(frozen=True, slots=True)
class RegionSeen:
    """One enabled Region.

    `calls` are Bedrock's own count of the last days. If there are any, `logging` is what is set
    there, and `stacks` are deployments of this project. `trouble` is why the Region could not be
    asked, in words; `closed` says that a service control policy closes it.
    """

    name: str
    calls: int = 0
    logging: LoggingFound | None = None
    stacks: tuple[str, ...] = ()
    trouble: str = ""
    refused: bool = False
    """Whether it is a permission that is missing."""
    closed: bool = False
    mantle: int = 0
    """Calls of its bedrock-mantle endpoint, which nothing meters."""
    satellite: bool = False
    """Whether a satellite hands its log over to home."""


def other_regions(seen: Sequence[RegionSeen], days: int, access: str) -> Diagnosis:
    """Whether each Region with traffic is metered; `access` is how to be allowed to ask.

    A deny closes Bedrock in every Region, but a deployment meters only its own and those in which
    its satellites stand.
    """
    used = [each for each in seen if each.calls]
    fine = f"no calls in {days} days in the other enabled Regions ({len(seen)})"
    if used:
        names = ", ".join(each.name for each in used)
        fine = f"calls in {names} are metered there; the others ({len(seen) - len(used)}) have none"
    findings = [finding for each in used for finding in _of(each, days)]
    return diagnosis(fine, [*findings, *_mantle(seen, days), *_unasked(seen, access)])


def _of(seen: RegionSeen, days: int) -> Iterator[Finding]:
    evidence = f"AWS/Bedrock Invocations counts {count(seen.calls, 'call')} there in {days} days"
    if seen.satellite:
        yield note(
            f"{count(seen.calls, 'call')} of {days} days in {seen.name} count here, by the "
            "satellite there"
        )
    elif not seen.stacks:
        yield problem(
            f"Bedrock is used in {seen.name}, where nothing meters it",
            f"{evidence}; no log group /bedrock-quota/STACK/enforcer is there",
            f"quota-enforcer satellites plan --regions {seen.name}",
            "it prints the call that makes a satellite there, once the stack's parameter "
            "Satellites allows it; or close the Region: `quota-enforcer policy lock`, with a "
            "--region for each that you meter",
        )
    elif seen.logging is None or not seen.logging.log_group:
        [first, *_] = seen.stacks
        yield problem(
            f"Bedrock is used in {seen.name}, and its calls are not logged to a log group there",
            f"{evidence}; stack {first} is deployed there",
            f"quota-enforcer doctor --region {seen.name} --stack {first}",
        )
    else:
        yield note(
            f"{count(seen.calls, 'call')} of {days} days in {seen.name} count to the stack there: "
            f"{', '.join(seen.stacks)}"
        )


def _mantle(seen: Sequence[RegionSeen], days: int) -> Iterator[Finding]:
    used = [each for each in seen if each.mantle]
    if used:
        yield problem(
            "the bedrock-mantle endpoint is used in other Regions, and nothing of it is metered",
            f"AWS/BedrockMantle Inferences counts calls there in {days} days",
            MANTLE_LOCK,
            LOCK,
            [f"{each.name} ({count(each.mantle, 'call')})" for each in used],
        )


def _unasked(seen: Sequence[RegionSeen], access: str) -> Iterator[Finding]:
    """Once for each trouble, since all Regions may have the same."""
    closed = [each.name for each in seen if each.closed]
    if closed:
        yield note(
            "a service control policy keeps you out of these: see that it closes Bedrock there too",
            closed,
        )
    troubles = {each.trouble: each.refused for each in seen if each.trouble}
    for trouble, refused in troubles.items():
        names = [each.name for each in seen if each.trouble == trouble]
        what = f"could not look into {count(len(names), 'Region')}: {trouble}"
        fix, then = (access, ATTACH) if refused else ("quota-enforcer doctor", "once it answers")
        yield unchecked(what, "CloudWatch or Bedrock did not say there", fix, then, names)
