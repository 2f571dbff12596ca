"""What satellites and home call each other: roles, the external id, the queue, the version.

A satellite is a stack in a further Region or account. All its names come from home's stack, so that
home can name them in its own policies before there is any satellite.
"""

import re
from enum import StrEnum
from typing import Final

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.names import (
    RESOLVING,
    checked_account,
    checked_partition,
    checked_region,
    checked_stack,
    policy_path,
)

VERSION: Final = 1
"""The version of what home and its satellites send each other."""
OLDEST: Final = 1
"""The oldest version of a satellite that home still understands."""
NO_SATELLITES: Final = "off"
OWN_REGIONS: Final = "regions"
"""What home's parameter Satellites may be besides the id of an organisation."""
SATELLITES: Final = re.compile(f"{NO_SATELLITES}|{OWN_REGIONS}|o-[a-z0-9]{{10,32}}", re.ASCII)
"""What the template allows.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html
"""
LONGEST_STACK: Final = 32
"""Characters of home's name: an IAM role's has 64, and the longest Regions have 14.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""
_LONGEST_ROLE: Final = 64


class Part(StrEnum):
    """The roles of a satellite, by what stands between home's name and the Region."""

    FORWARDER = "forwarder"
    SETUP = "satellite-setup"
    READER = "satellite-reader"
    DENIER = "satellite-denier"
    AUTHOR = "satellite-author"

    @property
    def regional(self) -> bool:
        """Whether each Region has its own; the others there are once in each account."""
        return self in {Part.FORWARDER, Part.SETUP, Part.READER}


def role_name(stack: str, part: Part, region: str = "") -> str:
    """The name of a satellite's role, with the Region if each has its own, which may be `*`.

    Raises InvalidPolicyInput if home's name leaves no room for it.
    """
    tail = f"-{part}-{checked_region(region)}" if part.regional else f"-{part}"
    name = f"{checked_stack(stack)}{tail}"
    if len(name) > _LONGEST_ROLE:
        raise InvalidPolicyInput(
            f"the stack's name {stack!r} has {len(stack)} characters, so its satellites' roles "
            f"would have more than {_LONGEST_ROLE}: with satellites it may have {LONGEST_STACK}"
        )
    return name


def role_arn(partition: str, account: str, stack: str, part: Part, region: str = "") -> str:
    """The ARN of a satellite's role; `account` may be `*`, as for policies of home."""
    if account != "*":
        checked_account(account)
    name = role_name(stack, part, region)
    return f"arn:{checked_partition(partition)}:iam::{account}:role{policy_path(stack)}{name}"


def readers(partition: str, account: str, stack: str, satellites: str) -> str:
    """The readers that home's meter may take, as one pattern; `satellites` is home's parameter."""
    if satellites == NO_SATELLITES:
        return ""
    whose = account if satellites == OWN_REGIONS else "*"
    return role_arn(partition, whose, stack, Part.READER, "*")


READING: Final = (
    *sorted(RESOLVING),
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "sqs:DeleteMessage",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
)
"""What home's meter does as a satellite's reader."""


def region_of(role: str, stack: str, part: Part) -> str | None:
    """The Region in the name of a satellite's role; None if it is no such role."""
    head = f"{stack}-{part}-"
    region = role.removeprefix(head)
    if not role.startswith(head) or region == "*":
        return None
    try:
        return checked_region(region)
    except InvalidPolicyInput:
        return None


def external_id(stack_id: str) -> str:
    """What home says when it takes a role of a satellite: the unique end of its stack's id."""
    return stack_id.rpartition("/")[2]


def queue_name(stack: str) -> str:
    """The queue of each satellite with pointers to what it could not hand over."""
    return f"{checked_stack(stack)}-satellite-undelivered"
