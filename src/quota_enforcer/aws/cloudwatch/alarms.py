"""CloudWatch alarms, as they are."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from quota_enforcer.doctor.rules.notices import AlarmFound

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

AT_ONCE: Final = 100
"""Names in one DescribeAlarms."""


def alarms(client: "CloudWatchClient", names: Sequence[str]) -> Mapping[str, AlarmFound]:
    """Those of these alarms that are there, by name."""
    found = {}
    pages = client.get_paginator("describe_alarms")
    for first in range(0, len(names), AT_ONCE):
        chunk = list(names[first : first + AT_ONCE])
        for page in pages.paginate(AlarmNames=chunk, AlarmTypes=["MetricAlarm"]):
            for each in page["MetricAlarms"]:
                found[each["AlarmName"]] = AlarmFound(
                    each["StateValue"],
                    each.get("AlarmDescription", ""),
                    each.get("StateReason", ""),
                    each.get("StateUpdatedTimestamp"),
                    tells=bool(each["ActionsEnabled"] and each.get("AlarmActions")),
                )
    return found
