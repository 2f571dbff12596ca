"""What DynamoDB does to a request of the ledger: pages, leftovers, refusals, and their limits."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from builders import ALICE, HAIKU, NOON, UTC_ZONE
from quota_enforcer.aws.dynamodb.ledger.ledger import DynamoLedger
from quota_enforcer.core.errors import Conflict, DeploymentClosed
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket

MakeStub = Callable[[str], tuple[Any, Stubber]]
TODAY = NOON.date()
BUCKET = Bucket(ALICE, HAIKU, TODAY)
ALL = frozenset({"*"})
NOTICE = Notice(NoticeKind.BLOCKED, NOON, "user/alice", "daily", "1,000 of 1,000 used")


# Pages and batches


def test_usage_goes_on_over_pages(stub: MakeStub) -> None:
    client, answers = stub("dynamodb")
    for day, more in ((23, {"LastEvaluatedKey": {"pk": {"S": "p"}, "sk": {"S": "s"}}}), (24, {})):
        item = {
            "pk": {"S": "user/alice"},
            "sk": {"S": f"usage#2026-11-{day}#{HAIKU}"},
            "12.n": {"N": "1"},
        }
        answers.add_response("query", {"Items": [item], **more})
    usage = DynamoLedger(client, "ledger", UTC_ZONE).usage(ALICE, TODAY.replace(day=1))
    assert usage.models[HAIKU].days == {TODAY.replace(day=23): Counts(1), TODAY: Counts(1)}


def test_usage_is_one_consistent_query(stub: MakeStub) -> None:
    client, answers = stub("dynamodb")
    request = {
        "TableName": "ledger",
        "ConsistentRead": True,
        "KeyConditionExpression": "#pk = :pk AND #sk BETWEEN :first AND :after",
        "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"},
        "ExpressionAttributeValues": {
            ":pk": {"S": "user/alice"},
            ":first": {"S": "usage#2026-11-24"},
            ":after": {"S": "usage$"},
        },
    }
    answers.add_response("query", {"Items": []}, request)
    DynamoLedger(client, "ledger", UTC_ZONE).usage(ALICE, TODAY)


def test_more_records_than_a_batch_holds_are_read(ledger: DynamoLedger) -> None:
    several = [Principal(Kind.USER, f"u{number}") for number in range(130)]
    stored = {several[number] for number in (0, 7, 99, 100, 129)}
    for principal in stored:
        ledger.put(Record(principal, version=1, due=NOON))
    records = ledger.records(several)
    assert records.keys() == set(several)
    assert {who for who, record in records.items() if record.version == 1} == stored
    assert {record.principal for record in ledger.everybody()} == stored
    assert ledger.due(NOON) == stored


def batch(*numbers: int) -> dict[str, Any]:
    """Keys of usage items."""
    keys = [
        {"pk": {"S": f"user/u{number}"}, "sk": {"S": f"usage#2026-11-24#{HAIKU}"}}
        for number in numbers
    ]
    return {"ledger": {"Keys": keys, "ConsistentRead": True}}


def answer(*numbers: int, left: tuple[int, ...] = ()) -> dict[str, Any]:
    found = [{**key, "12.n": {"N": "1"}} for key in batch(*numbers)["ledger"]["Keys"]]
    return {
        "Responses": {"ledger": found} if found else {},
        "UnprocessedKeys": batch(*left) if left else {},
    }


def buckets(*numbers: int) -> list[Bucket]:
    return [Bucket(Principal(Kind.USER, f"u{number}"), HAIKU, TODAY) for number in numbers]


def test_keys_left_unprocessed_are_asked_again(stub: MakeStub) -> None:
    client, answers = stub("dynamodb")
    answers.add_response("batch_get_item", answer(0, left=(1, 2)), {"RequestItems": batch(0, 1, 2)})
    answers.add_response("batch_get_item", answer(1, left=(2,)), {"RequestItems": batch(1, 2)})
    answers.add_response("batch_get_item", answer(2), {"RequestItems": batch(2)})
    hours = DynamoLedger(client, "ledger", UTC_ZONE).hours(buckets(0, 1, 2))
    assert hours == {bucket: {NOON: Counts(1)} for bucket in buckets(0, 1, 2)}


def test_keys_that_stay_unprocessed_are_no_absent_items(
    stub: MakeStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _seconds: None)
    client, answers = stub("dynamodb")
    for _ in range(8):
        answers.add_response("batch_get_item", answer(left=(1,)))
    with pytest.raises(TimeoutError, match="1 of 2 items of table ledger unread 8 times"):
        DynamoLedger(client, "ledger", UTC_ZONE).hours(buckets(0, 1))


# Refusals


def cancelled(answers: Stubber, *reasons: str) -> None:
    answers.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        modeled_fields={"CancellationReasons": [{"Code": reason} for reason in reasons]},
    )


@pytest.mark.parametrize(
    ("reasons", "error"),
    [
        (("ConditionalCheckFailed", "None"), Conflict),
        (("None", "ConditionalCheckFailed"), DeploymentClosed),
        (("ConditionalCheckFailed", "ConditionalCheckFailed"), DeploymentClosed),
        (("TransactionConflict", "ConditionalCheckFailed"), DeploymentClosed),
    ],
)
def test_a_cancelled_transaction_says_what_it_was(
    stub: MakeStub, reasons: tuple[str, ...], error: type[Exception]
) -> None:
    client, answers = stub("dynamodb")
    cancelled(answers, *reasons)
    with pytest.raises(error, match="user/alice"):
        DynamoLedger(client, "ledger", UTC_ZONE).put(Record(ALICE, intended=ALL, version=1))


def test_a_write_that_meets_a_transaction_is_repeated(
    stub: MakeStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _seconds: None)
    client, answers = stub("dynamodb")
    ledger = DynamoLedger(client, "ledger", UTC_ZONE)
    cancelled(answers, "None", "TransactionConflict")
    cancelled(answers, "ThrottlingError", "None")
    answers.add_response("transact_write_items", {})
    ledger.put(Record(ALICE, intended=ALL, version=1))
    answers.add_client_error("update_item", "TransactionConflictException")
    answers.add_response("update_item", {})
    ledger.begin(NOON)


def test_a_write_that_keeps_meeting_transactions_rises(
    stub: MakeStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _seconds: None)
    client, answers = stub("dynamodb")
    for _ in range(8):
        cancelled(answers, "None", "TransactionConflict")
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        DynamoLedger(client, "ledger", UTC_ZONE).put(Record(ALICE, intended=ALL, version=1))


def test_any_other_refusal_rises(stub: MakeStub) -> None:
    client, answers = stub("dynamodb")
    cancelled(answers, "None", "ValidationError")
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        DynamoLedger(client, "ledger", UTC_ZONE).put(Record(ALICE, intended=ALL, version=1))
    answers.add_client_error("put_item", "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        DynamoLedger(client, "ledger", UTC_ZONE).put(Record(ALICE, version=1))


def test_a_record_alone_is_no_transaction(stub: MakeStub) -> None:
    client, answers = stub("dynamodb")
    request = {
        "TableName": "ledger",
        "Item": ANY,
        "ConditionExpression": "#version = :previous",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":previous": {"N": "1"}},
    }
    answers.add_response("put_item", {}, request)
    DynamoLedger(client, "ledger", UTC_ZONE).put(Record(ALICE, intended=frozenset(), version=2))


def test_as_many_notices_as_a_transaction_holds_go_with_a_record(ledger: DynamoLedger) -> None:
    notices = [replace(NOTICE, quota=f"q{number}") for number in range(48)]
    ledger.put(Record(ALICE, intended=ALL, version=1), notices)
    assert len(ledger.history(ALICE)) == 48


def test_more_notices_than_a_transaction_holds_are_refused_whole(ledger: DynamoLedger) -> None:
    notices = [replace(NOTICE, quota=f"q{number}") for number in range(50)]
    with pytest.raises(ValueError, match=r"user/alice has 50 notices at once; allowed.*48"):
        ledger.put(Record(ALICE, version=1), notices)
    assert ledger.history(ALICE) == []
