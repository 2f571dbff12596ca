"""A meter notes the table's form before its first usage: an older version must not misread it."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from builders import ALICE, HAIKU, HOUR, LEDGER_TABLE, NOON, UTC_ZONE
from quota_enforcer.aws.dynamodb.ledger.ledger import DynamoLedger
from quota_enforcer.aws.dynamodb.ledger.memory.form import TableForm
from quota_enforcer.aws.dynamodb.ledger.schema import SCHEMA, STATE, VERSION
from quota_enforcer.aws.dynamodb.ledger.usage import additions as ledger_additions
from quota_enforcer.aws.dynamodb.ledger.usage.meter_ledger import DynamoMeterLedger
from quota_enforcer.aws.dynamodb.table import Table, WholeTable
from quota_enforcer.core.errors import NewerLedger
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.meter.ports import AddResult, UsageEntry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BUCKET = Bucket(ALICE, HAIKU, NOON.date())
CALL = UsageEntry("k", NOON, NOON, (BUCKET,), Counts(1, 10))
NOW = NOON + timedelta(minutes=2)


@pytest.fixture(autouse=True)
def _one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stubs take one request at a time, and nobody waits."""
    monkeypatch.setattr(ledger_additions, "LANES", 1)
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _seconds: None)


def a_meter(client: Any) -> DynamoMeterLedger:
    return DynamoMeterLedger(client, LEDGER_TABLE, UTC_ZONE, now=lambda: NOW)


WRITES: dict[str, Callable[[DynamoMeterLedger], object]] = {
    "a call": lambda meter: meter.add([CALL], NOW),
    "an hour of a recount": lambda meter: meter.set_hours(BUCKET, {NOON: Counts(1)}, "recount"),
    "its minutes": lambda meter: meter.set_minutes(BUCKET, NOON, NOON + HOUR, {NOON: Counts(1)}),
}


def form(client: "DynamoDBClient") -> int | None:
    return (Table(client, LEDGER_TABLE).get(STATE) or {}).get(SCHEMA)


def note_form(client: "DynamoDBClient", number: int) -> None:
    Table(client, LEDGER_TABLE).update(STATE, {SCHEMA: number})


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_whoever_writes_usage_has_noted_the_form_before(
    dynamodb: "DynamoDBClient",
    session: boto3.Session,
    write: Callable[[DynamoMeterLedger], object],
) -> None:
    watched = session.client("dynamodb")
    noted_at_each_write: list[bool] = []

    def look(params: dict[str, Any], **_: object) -> None:
        if params.get("Key") != {"pk": {"S": "deployment"}, "sk": {"S": "state"}}:
            noted_at_each_write.append(form(dynamodb) == VERSION)

    for operation in ("UpdateItem", "PutItem", "TransactWriteItems"):
        watched.meta.events.register(f"provide-client-params.dynamodb.{operation}", look)
    write(a_meter(watched))
    assert noted_at_each_write
    assert all(noted_at_each_write)


def test_it_is_noted_once_in_a_process(dynamodb: "DynamoDBClient") -> None:
    meter = a_meter(dynamodb)
    meter.add([CALL], NOW)
    Table(dynamodb, LEDGER_TABLE).update(STATE, {}, [SCHEMA])
    meter.add([CALL], NOW)
    assert form(dynamodb) is None
    a_meter(dynamodb).add([CALL], NOW)
    assert form(dynamodb) == VERSION


def test_a_delivery_without_any_call_notes_nothing(dynamodb: "DynamoDBClient") -> None:
    a_meter(dynamodb).add([], NOW)
    assert form(dynamodb) is None


def test_an_older_form_is_raised_and_what_else_the_state_says_stays(
    dynamodb: "DynamoDBClient", ledger: DynamoLedger
) -> None:
    ledger.begin(NOON)
    note_form(dynamodb, VERSION - 1)
    a_meter(dynamodb).add([CALL], NOW)
    assert form(dynamodb) == VERSION
    assert ledger.state().started == NOON


def test_a_meter_adds_nothing_to_a_newer_ledger_but_leaves_its_calls_to_the_log(
    dynamodb: "DynamoDBClient",
) -> None:
    note_form(dynamodb, VERSION + 1)
    meter = a_meter(dynamodb)
    for _ in range(2):
        added = meter.add([CALL], NOW)
        assert (added.added, list(added.failed)) == (0, ["k"])
        assert "deploy the newer version" in added.failed["k"]
    with pytest.raises(NewerLedger, match="deploy the newer version"):
        meter.set_hours(BUCKET, {NOON: Counts(1)}, "recount")
    with pytest.raises(NewerLedger):
        meter.set_minutes(BUCKET, NOON, NOON + HOUR, {NOON: Counts(1)})
    assert [item["sk"] for item in WholeTable(dynamodb, LEDGER_TABLE).scan()] == ["state"]
    assert form(dynamodb) == VERSION + 1


def test_calls_are_failed_where_the_form_cannot_be_noted(
    stub: Callable[[str], tuple[Any, Stubber]],
) -> None:
    client, answers = stub("dynamodb")
    answers.add_client_error("update_item", "AccessDeniedException")
    failed = a_meter(client).add([CALL], NOW)
    assert failed == AddResult(failed={"k": failed.failed["k"]})
    assert "AccessDenied" in failed.failed["k"]


@pytest.mark.parametrize(
    "error", [EndpointConnectionError(endpoint_url="https://dynamodb"), TimeoutError("slow")]
)
def test_calls_are_failed_where_dynamodb_cannot_be_reached(
    stub: Callable[[str], tuple[Any, Stubber]], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(_: TableForm) -> None:
        raise error

    monkeypatch.setattr(TableForm, "note", fail)
    client, _ = stub("dynamodb")
    assert list(a_meter(client).add([CALL], NOW).failed) == ["k"]


def test_a_sweep_that_began_before_never_lowers_the_form(
    dynamodb: "DynamoDBClient", ledger: DynamoLedger
) -> None:
    note_form(dynamodb, VERSION + 1)
    ledger.begin(NOON)
    assert form(dynamodb) == VERSION + 1
    note_form(dynamodb, VERSION - 1)
    ledger.begin(NOON)
    assert form(dynamodb) == VERSION
