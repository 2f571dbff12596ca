"""A satellite's queue of the hours that it could not hand over."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from quota_enforcer.aws.messaging.undelivered import SqsUndelivered

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

QUEUE = "quotas-satellite-undelivered"
TEN, ELEVEN = (datetime(2026, 11, 29, hour, tzinfo=UTC) for hour in (10, 11))


@pytest.fixture
def client(mocked_aws: None, sqs_client: "SQSClient") -> "SQSClient":  # noqa: ARG001
    sqs_client.create_queue(QueueName=QUEUE)
    return sqs_client


def left(client: "SQSClient", body: Any) -> None:
    url = client.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    text = body if isinstance(body, str) else json.dumps(body)
    client.send_message(QueueUrl=url, MessageBody=text)


def waiting(client: "SQSClient") -> int:
    url = client.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(map(int, answer.values()))


def test_the_hours_that_wait_are_told_and_go_once_they_are_taken(client: "SQSClient") -> None:
    for number in range(12):
        hours = ["2026-11-29T10:00:00Z", "2026-11-29T11:59:59+00:00"] if number else []
        left(client, {"hours": hours or ["2026-11-29T12:30:00+02:00"], "reason": "502"})
    queue = SqsUndelivered(client, QUEUE)
    found = queue.hours()
    assert len(found) == 12
    assert min(map(tuple, found.values())) == (TEN,)
    assert {hour for hours in found.values() for hour in hours} == {TEN, ELEVEN}
    assert waiting(client) == 12, "nothing goes before it is asked for"
    queue.taken(found)
    assert waiting(client) == 0
    assert queue.hours() == {}


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "[]", "[" * 10_000, {"hours": []}, {"hours": "2026-11-29T10:00:00Z"},
        {"hours": ["2026-11-29T10:00:00"]}, {"hours": [5]}, {"hours": ["0001-01-01T00:00:00Z"]},
        {"hours": ["2026-11-29T10:00:00Z", "soon"]},
        {"hours": ["2026-11-29T10:00:00Z"] * 1_001},
    ],
    ids=repr,
)  # fmt: skip
def test_a_message_that_says_no_hours_stays_for_somebody_to_look_at(
    client: "SQSClient", body: Any
) -> None:
    left(client, body or "no json")
    left(client, {"hours": ["2026-11-29T10:00:00Z"]})
    queue = SqsUndelivered(client, QUEUE)
    found = queue.hours()
    assert list(map(list, found.values())) == [[TEN]]
    queue.taken(found)
    assert waiting(client) == 1
