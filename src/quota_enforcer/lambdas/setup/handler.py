"""The set-up function: a custom resource that follows its stack from creation to deletion.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

import os
from typing import TYPE_CHECKING, Any, Final

import boto3
from aws_lambda_powertools import Logger
from crhelper import CfnResource

from quota_enforcer.aws import clients
from quota_enforcer.aws.bedrock.logging import InvocationLogging, WantedLogging
from quota_enforcer.aws.functions.functions import Enforcer
from quota_enforcer.aws.functions.own_stack import OwnStack
from quota_enforcer.core.deployment import STACK_CHANGES, STACK_ENDS, UPDATE_ROLLBACK
from quota_enforcer.core.errors import ConfigError, StackStays
from quota_enforcer.core.usage.window import UnknownTimeZone, time_zone

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

PHYSICAL_ID: Final = "bedrock-quota-setup"
"""Never changes: CloudFormation would take a change for a replacement, and delete the old one."""

logger = Logger()
# The library reports to CloudFormation, in time and whatever happens. It would sleep after a
# deletion for the sake of logs; at DEBUG it would log the address that takes the answer.
resource = CfnResource(log_level="INFO", boto_level="ERROR", sleep_on_delete=0)


def handler(event: dict[str, Any], context: "LambdaContext") -> None:
    """Answer one request of CloudFormation."""
    resource(event, context)


@resource.create
@resource.update
def switch_on(event: dict[str, Any], _context: "LambdaContext") -> str:
    """Have calls logged to the wanted group; fails with the parameter to set.

    An update that is taken back fails for nothing: the stack would be stuck on its way back.
    """
    physical_id = _keep_physical_id(event)
    status = _check_sender(event, STACK_CHANGES)
    try:
        _check_zone()
        logger.info("invocation logging %s", _logging().ensure(_wanted(event)))
    except ConfigError as error:
        if status != UPDATE_ROLLBACK:
            raise
        logger.warning("invocation logging stays as it is: %s", error)
    return physical_id


@resource.delete
def close(event: dict[str, Any], _context: "LambdaContext") -> str:
    """Release everyone, then switch logging off; fails if somebody would stay blocked."""
    physical_id = _keep_physical_id(event)
    _check_sender(event, STACK_ENDS)
    client = boto3.client("lambda", config=clients.CLOSES_ENFORCER)
    enforcer = Enforcer(client, os.environ["ENFORCER_FUNCTION"])
    logger.info("enforcer closed: %s", enforcer.ask({"action": "close"}))
    logger.info("invocation logging %s", _logging().withdraw(_wanted(event)))
    return physical_id


def _keep_physical_id(event: dict[str, Any]) -> str:
    """The id this resource always had; also set at once, for the answer after a failure."""
    resource.PhysicalResourceId = event.get("PhysicalResourceId", PHYSICAL_ID)
    return resource.PhysicalResourceId


def _check_sender(event: dict[str, Any], statuses: frozenset[str]) -> str:
    """The status of the stack; raises StackStays unless CloudFormation says that it is so far.

    Whoever may invoke this function can send it any event: nothing else in it is believed.
    """
    own, named = os.environ["STACK_ID"], event.get("StackId")
    if named != own:
        raise StackStays(f"the event is of the stack {named}, and this function is of {own}")
    status = OwnStack(boto3.client("cloudformation", config=clients.PROMPT), own).status()
    if status not in statuses:
        raise StackStays(
            f"the event is a {event['RequestType']}, but CloudFormation has the stack {own} as "
            f"{status}: nothing was done; find in CloudTrail who sent it"
        )
    return status


def _check_zone() -> None:
    """Raises ConfigError, so that no stack is made or changed whose functions could not start."""
    try:
        time_zone(os.environ["TIME_ZONE"])
    except UnknownTimeZone as error:
        raise ConfigError(f"parameter TimeZone: {error}") from error


def _wanted(event: dict[str, Any]) -> WantedLogging:
    """What the template wants; of the event only which of our own roles wrote the log before."""
    role = os.environ["LOG_ROLE"]
    former = event.get("OldResourceProperties", {}).get("LogRoleArn", "")
    ours = _home(former) == _home(role)
    return WantedLogging(
        log_group=os.environ["LOG_GROUP"],
        role=role,
        bodies=os.environ["LOG_PROMPTS_AND_ANSWERS"] == "true",
        former_role=former if ours else "",
        may_change=os.environ["MANAGE_LOGGING"] == "true",
    )


def _home(role: str) -> tuple[str, ...]:
    """The account of a role, and how its path ends: before `bedrock-quota/STACK` is RolePath."""
    account, _, path = role.partition(":role/")
    return account, *path.split("/")[-3:-1]


def _logging() -> InvocationLogging:
    return InvocationLogging(boto3.client("bedrock"))
