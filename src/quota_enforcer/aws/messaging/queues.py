"""Queues: pointers to records that could not be metered, for an admin, and how many wait."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from quota_enforcer.aws.messaging.batches import batches
from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.core.usage.place import HOME
from quota_enforcer.meter.ports import EventPointer
from quota_enforcer.meter.stream import BEDROCK_STREAM

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

MOST_MESSAGES: Final = 10
"""In one SendMessageBatch."""

MOST_BYTES: Final = 25_000
"""Of one message, so that ten of them stay under the 256 KB that a batch may have in all.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

_LONGEST_REASON: Final = 1_000

_ROOM: Final = 10_000
"""For all of a message but its events; an escape makes six bytes of one letter."""


class LettersRefused(EnforcerError):
    """The queue did not take some messages, so these pointers are not kept anywhere."""


class SqsDeadLetters:
    """The `DeadLetters`: one queue, for records of Bedrock's stream of one log group."""

    def __init__(self, client: "SQSClient", queue_url: str, group: str, place: str = HOME) -> None:
        """Of a satellite the group may not be known; then it is empty."""
        self._client = client
        self._queue = queue_url
        where = {"log_group": group, "log_stream": BEDROCK_STREAM}
        self._where = json.dumps(where | ({"place": place} if place else {}))[1:-1]

    def send(self, pointers: Sequence[EventPointer]) -> None:
        """Leave them, those of one reason together; no call without any.

        Raises LettersRefused if the queue took only some, after all were offered.
        """
        bodies = list(self._bodies(pointers))
        refused: list[str] = []
        for first in range(0, len(bodies), MOST_MESSAGES):
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {"Id": str(number), "MessageBody": body}
                for number, body in enumerate(bodies[first : first + MOST_MESSAGES])
            ]
            answer = self._client.send_message_batch(QueueUrl=self._queue, Entries=entries)
            refused += [
                f"{each['Code']}: {each.get('Message', 'no message')}"
                for each in answer.get("Failed", [])
            ]
        if refused:
            raise LettersRefused(
                f"{self._queue} did not take {len(refused)} of {len(bodies)} messages "
                f"({'; '.join(sorted(set(refused)))}): the delivery has to be repeated, or the "
                "hours to be recounted with quota-enforcer recount"
            )

    def _bodies(self, pointers: Sequence[EventPointer]) -> Iterator[str]:
        reasons: dict[str, list[str]] = {}
        for event_id, timestamp, reason in dict.fromkeys(pointers):
            pointer = json.dumps({"id": event_id, "timestamp": timestamp})
            reasons.setdefault(reason[:_LONGEST_REASON], []).append(pointer)
        for reason, found in reasons.items():
            for events in batches(found, count=len(found), size=MOST_BYTES - _ROOM):
                listed = ", ".join(events)
                yield f'{{{self._where}, "events": [{listed}], "reason": {json.dumps(reason)}}}'


def waiting(client: "SQSClient", queue_url: str) -> int:
    """About how many messages a queue holds, those being read at this moment too."""
    answer = client.get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )
    return sum(int(count) for count in answer["Attributes"].values())
