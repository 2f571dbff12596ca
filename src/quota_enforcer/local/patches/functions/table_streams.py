"""Streams of tables: their records go to the functions that event source mappings name, in order.

- A mapping hands over one batch at a time, with all that is waiting then, at most its BatchSize. A
  batch that fails is split in two where BisectBatchOnFunctionError says so, else tried again as
  often as MaximumRetryAttempts says while no record is older than MaximumRecordAgeInSeconds; then
  the on-failure destination hears of it, and the next batch follows. The emulator tries for ever.
  https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
- Lambda reads a stream as the function: a mapping whose function's role may not is refused when it
  is made, and stands still afterwards. The emulator does not ask.
  https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
- A batch is in flight from the write on, so who writes and then waits (`deliveries`) never misses
  it. The emulator looks for records from time to time.
Not imitated: several shards, batching windows, partial answers, and a pause before another try.
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

import contextvars
import threading
import time
from typing import Any, Final

from ministack.core import iam_evaluator
from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, get_region
from ministack.services import dynamodb, lambda_svc
from ministack.services.cloudformation import provisioners

from quota_enforcer.local.patches.functions import deliveries

READING: Final = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
_UNBOUNDED: Final = 20
"""Tries where a mapping sets no bounds; AWS goes on until the record expires after a day."""
_TYPE: Final = "AWS::Lambda::EventSourceMapping"

_REFUSAL: Final = (
    "Cannot access stream. Please ensure the role can perform the GetRecords, GetShardIterator, "
    "DescribeStream, and ListStreams Actions on your stream in IAM."
)

Record = dict[str, Any]
Mapping = dict[str, Any]

_lock: Final = threading.Lock()
_serving: Final[set[str]] = set()
"""The mappings with a batch in flight, by id."""


def install() -> None:
    """Deliver by mappings as soon as something is written, and check who may read."""
    plain_emit = dynamodb._emit_stream_event
    plain_create = lambda_svc._create_esm
    plain_provision = provisioners._RESOURCE_HANDLERS[_TYPE]["create"]

    def emit(*change: Any, **named: Any) -> None:
        plain_emit(*change, **named)
        _serve_all()

    def create(request: Mapping) -> Any:
        if _readable(request):
            return plain_create(request)
        return lambda_svc.error_response_json("InvalidParameterValueException", _REFUSAL, 400)

    def provision(logical_id: str, properties: Mapping, stack: str) -> Any:
        if not _readable(properties):
            raise ValueError(_REFUSAL)
        return plain_provision(logical_id, properties, stack)

    dynamodb._emit_stream_event = emit
    lambda_svc._create_esm = create
    provisioners._RESOURCE_HANDLERS[_TYPE]["create"] = provision
    lambda_svc._ensure_poller = _serve_all  # what it calls when a mapping has been made
    lambda_svc._poll_dynamodb_streams = lambda: False


def _serve_all() -> None:
    for mapping in list(lambda_svc._esms.values()):
        # Every write comes here, and asking IAM takes longer than looking for records.
        enabled = _table(mapping) and mapping.get("Enabled", True)
        if enabled and _waiting(mapping) and _readable(mapping):
            _serve(mapping)


def _serve(mapping: Mapping) -> None:
    """Begin to hand over what is waiting, unless that is under way."""
    with _lock:
        if mapping["UUID"] in _serving or not _waiting(mapping):
            return
        _serving.add(mapping["UUID"])
    deliveries.begin()
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_work, mapping), daemon=True).start()


def _work(mapping: Mapping) -> None:
    """Hand over until nothing is waiting; what is written in the meantime is waiting too."""
    try:
        while batch := _next(mapping):
            wanted = lambda_svc._apply_filter_criteria(batch, mapping)
            if wanted:
                _hand_over(mapping, wanted)
            with lambda_svc._dynamodb_stream_positions_lock:
                lambda_svc._dynamodb_stream_positions[mapping["UUID"]] += len(batch)
    except BaseException:
        with _lock:
            _serving.discard(mapping["UUID"])
        raise
    finally:
        deliveries.done()


def _next(mapping: Mapping) -> list[Record]:
    with _lock:
        batch = _waiting(mapping)
        if not batch:
            _serving.discard(mapping["UUID"])
        return batch


def _waiting(mapping: Mapping) -> list[Record]:
    """The records from where the mapping is; none for one that is gone."""
    position = lambda_svc._dynamodb_stream_positions.get(mapping["UUID"])
    if position is None:
        return []
    size = int(mapping.get("BatchSize", 100))
    found: list[Record] = dynamodb.stream_records_since(_table(mapping), position, size)
    return found


def _hand_over(mapping: Mapping, batch: list[Record]) -> None:
    """Invoke the function until it succeeds or is given up; what fails goes on in halves."""
    function, _ = lambda_svc._get_func_record_for_qualifier(
        mapping["FunctionName"], mapping.get("Qualifier")
    )
    splits = bool(mapping.get("BisectBatchOnFunctionError")) and len(batch) > 1
    attempts = deliveries.Attempts(function, {"Records": batch})
    try:
        result = _try(mapping, batch, attempts, once=splits)
    except Exception:  # noqa: BLE001 - see there
        attempts.broke()
        return
    attempts.over()
    if result.get("error") and splits:
        half = len(batch) // 2
        _hand_over(mapping, batch[:half])
        _hand_over(mapping, batch[half:])
    elif result.get("error"):
        lambda_svc._send_ddb_stream_failure_record(
            mapping, function, batch, mapping["EventSourceArn"], result, "RetryAttemptsExhausted"
        )


def _try(
    mapping: Mapping, batch: list[Record], attempts: deliveries.Attempts, *, once: bool
) -> dict[str, Any]:
    retries = int(mapping.get("MaximumRetryAttempts", -1))
    tries = _UNBOUNDED if retries < 0 else 1 + retries
    until = _expires(mapping, batch)
    while True:
        result = attempts.attempt()
        tries -= 1
        if once or not tries or not result.get("error") or time.time() > until:
            return result


def _expires(mapping: Mapping, batch: list[Record]) -> float:
    """When the oldest of the records is too old to be tried again."""
    age = int(mapping.get("MaximumRecordAgeInSeconds", -1))
    written = min(float(each["dynamodb"]["ApproximateCreationDateTime"]) for each in batch)
    return float("inf") if age < 0 else written + age


def _table(mapping: Mapping) -> str:
    """The name of the table whose stream it reads; empty for another source."""
    found = lambda_svc._dynamodb_stream_table_from_arn_spec(parse_arn(mapping["EventSourceArn"]))
    return str(found[0]) if found else ""


def _readable(mapping: Mapping) -> bool:
    """Whether the function's role may read the stream."""
    function = lambda_svc._functions.get(mapping["FunctionName"].rpartition(":")[2])
    if function is None or not _table(mapping):
        return True  # the emulator answers
    arn = function["config"]["Role"]
    policies = iam_evaluator._gather_role_policies(arn.rpartition("/")[2], get_account_id())
    return all(
        iam_evaluator.evaluate(_asked(arn, action, mapping["EventSourceArn"]), policies).decision
        == "Allow"
        for action in READING
    )


def _asked(role: str, action: str, stream: str) -> Any:
    return iam_evaluator.EvalContext(
        principal_arn=role,
        principal_type="AssumedRole",
        principal_account=get_account_id(),
        action=f"dynamodb:{action}",
        resource_arn=stream,
        region=get_region(),
    )
