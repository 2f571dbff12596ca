"""Pointers to records that could not be metered, as an admin finds them in the queue."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from quota_enforcer.aws.messaging.queues import LettersRefused, SqsDeadLetters
from quota_enforcer.meter.ports import EventPointer

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from quota_enforcer.meter.ports import DeadLetters

GROUP = "/aws/bedrock/calls"
POINTERS = st.builds(
    EventPointer,
    st.text(max_size=200),
    st.integers(0, 2**53),
    st.sampled_from(["the ledger is busy", "no time", "schön\n" * 400]),
)


class Queue:
    """A queue that takes everything; `batches` are the requests it got."""

    def __init__(self) -> None:
        self.batches: list[list[dict[str, str]]] = []

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        self.batches.append(request["Entries"])
        return {"Successful": []}

    @property
    def letters(self) -> list[dict[str, Any]]:
        return [json.loads(entry["MessageBody"]) for batch in self.batches for entry in batch]


def left(pointers: list[EventPointer]) -> Queue:
    queue = Queue()
    SqsDeadLetters(cast("SQSClient", queue), "https://queue", GROUP).send(pointers)
    return queue


@pytest.fixture
def queue(mocked_aws: None, sqs_client: "SQSClient") -> str:  # noqa: ARG001
    return sqs_client.create_queue(QueueName="dead-letters")["QueueUrl"]


def test_a_letter_names_the_events_of_one_reason(queue: str, sqs_client: "SQSClient") -> None:
    letters: DeadLetters = SqsDeadLetters(sqs_client, queue, GROUP)
    letters.send(
        [
            EventPointer("1", 1000, "no time"),
            EventPointer("2", 1001, "busy"),
            EventPointer("3", 9, "busy"),
        ]
    )
    received = sqs_client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    where = {"log_group": GROUP, "log_stream": "aws/bedrock/modelinvocations"}
    found = sorted((json.loads(each["Body"]) for each in received), key=lambda it: it["reason"])
    assert found == [
        {
            **where,
            "events": [{"id": "2", "timestamp": 1001}, {"id": "3", "timestamp": 9}],
            "reason": "busy",
        },
        {**where, "events": [{"id": "1", "timestamp": 1000}], "reason": "no time"},
    ]


def test_nothing_is_no_call() -> None:
    assert left([]).batches == []


@pytest.mark.usefixtures("queue")
def test_a_queue_that_is_gone_is_an_error(sqs_client: "SQSClient") -> None:
    letters = SqsDeadLetters(sqs_client, "https://sqs.us-east-1.amazonaws.com/1/gone", GROUP)
    with pytest.raises(sqs_client.exceptions.QueueDoesNotExist):
        letters.send([EventPointer("1", 1, "busy")])


def test_what_the_queue_does_not_take_is_an_error_after_all_were_offered(
    stub: Callable[[str], tuple[Any, Stubber]],
) -> None:
    client, answers = stub("sqs")
    failed = {"Id": "0", "SenderFault": False, "Code": "InternalError", "Message": "try again"}
    answers.add_response("send_message_batch", {"Successful": [], "Failed": [failed]})
    answers.add_response("send_message_batch", {"Successful": [], "Failed": []})
    eleven = [EventPointer("1", 1, f"reason {n}") for n in range(11)]
    with pytest.raises(LettersRefused, match=r"1 of 11 messages \(InternalError: try again\)"):
        SqsDeadLetters(client, "https://queue", GROUP).send(eleven)


def test_a_large_batch_with_one_reason_is_few_calls_that_fit() -> None:
    pointers = [EventPointer(f"{n:056}", 1795486500000 + n, "busy") for n in range(10_000)]
    batches = left(pointers).batches
    assert len(batches) <= 8
    for batch in batches:
        assert sum(len(entry["MessageBody"]) for entry in batch) < 256 * 1024


@given(st.lists(POINTERS, max_size=300))
def test_every_pointer_is_left_once_and_every_request_fits(pointers: list[EventPointer]) -> None:
    queue = left(pointers)
    found = [
        (each["id"], each["timestamp"], letter["reason"])
        for letter in queue.letters
        for each in letter["events"]
    ]
    assert sorted(found) == sorted({(id_, at, why[:1000]) for id_, at, why in pointers})
    for batch in queue.batches:
        assert len(batch) <= 10
        assert len({entry["Id"] for entry in batch}) == len(batch)
        assert sum(len(entry["MessageBody"].encode()) for entry in batch) < 256 * 1024


def test_a_letter_from_a_satellite_names_its_place() -> None:
    queue = Queue()
    place = "444455556666/eu-west-1"
    SqsDeadLetters(cast("SQSClient", queue), "https://queue", GROUP, place).send(
        [EventPointer("1", 1000, "no time")]
    )
    [letter] = queue.letters
    assert (letter["place"], letter["log_group"]) == (place, GROUP)
