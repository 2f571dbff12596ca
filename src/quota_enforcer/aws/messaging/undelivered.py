"""A satellite's queue of what it could not hand over to home: hours, and never a record."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from quota_enforcer.core.usage.window import YEARS

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MOST_MESSAGES: Final = 500
"""Read in one look; what is left waits for the next."""
_AT_ONCE: Final = 10
_HIDDEN: Final = 120
"""Seconds for which nobody else gets what was read: until it is asked for and taken."""
_MOST_HOURS: Final = 1_000
"""Of one message; a satellite writes a handful."""


class SqsUndelivered:
    """The `Undelivered`: one queue, by its name in the account and Region of the client."""

    def __init__(self, client: "SQSClient", name: str) -> None:
        self._client = client
        self._name = name
        self._url = ""

    def hours(self) -> Mapping[str, Sequence[datetime]]:
        """By message, the starts of UTC hours; what is no such message is left out and stays.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
        """
        found: dict[str, Sequence[datetime]] = {}
        read = 0
        while read < MOST_MESSAGES:
            answer = self._client.receive_message(
                QueueUrl=self._queue(), MaxNumberOfMessages=_AT_ONCE, VisibilityTimeout=_HIDDEN
            )
            messages = answer.get("Messages", [])
            if not messages:
                break
            read += len(messages)
            for message in messages:
                hours = _hours(message["Body"])
                if hours:
                    found[message["ReceiptHandle"]] = hours
        return found

    def taken(self, messages: Iterable[str]) -> None:
        """These are asked for: they may go."""
        for handle in messages:
            self._client.delete_message(QueueUrl=self._queue(), ReceiptHandle=handle)

    def _queue(self) -> str:
        if not self._url:
            self._url = self._client.get_queue_url(QueueName=self._name)["QueueUrl"]
        return self._url


def _hours(body: str) -> list[datetime]:
    """None if it is damaged: then it stays, and the queue's alarm with it."""
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        return []
    match said:
        case {"hours": [*texts]} if 0 < len(texts) <= _MOST_HOURS:
            hours = [_hour(text) for text in texts]
            return [hour for hour in hours if hour is not None] if all(hours) else []
        case _:
            return []


def _hour(text: Any) -> datetime | None:
    """The start of the UTC hour that a moment is in."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None or moment.year not in YEARS:
        return None
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
