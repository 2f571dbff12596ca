"""CloudTrail's event history: who called Bedrock lately, where nobody set up a trail or a log.

It has every call of bedrock-runtime that takes InvokeModel's permission, since those are management
events, and none of bedrock-mantle. It is kept for 90 days, and answers two questions a second.
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, Protocol

from quota_enforcer.doctor.before.facts import CallSeen

CALLS: Final = ("Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream")
_SOURCE: Final = "bedrock.amazonaws.com"
_PAGES: Final = 2
"""Of at most 50 events each, for each kind of call: enough to see who is there."""


class CloudTrailClient(Protocol):
    """The part of boto3's `cloudtrail` client that is used here."""

    def get_paginator(self, operation: str, /) -> Any:
        """Pages of an operation."""


def newest_calls(client: CloudTrailClient, since: datetime) -> list[CallSeen]:
    """The newest calls of the client's Region; those that failed are left out."""
    return [call for name in CALLS for call in _of(client, name, since)]


def _of(client: CloudTrailClient, name: str, since: datetime) -> Iterator[CallSeen]:
    pages = client.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}],
        StartTime=since,
    )
    for page in islice(pages, _PAGES):
        for found in page["Events"]:
            event: dict[str, Any] = json.loads(found.get("CloudTrailEvent", "{}"))
            arn = event.get("userIdentity", {}).get("arn", "")
            if event.get("eventSource") == _SOURCE and arn and "errorCode" not in event:
                yield CallSeen(arn, found["EventTime"].astimezone(UTC))
