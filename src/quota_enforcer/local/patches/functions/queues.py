"""Queues: what a topic leaves in them goes to the functions that event source mappings name.

- A mapping hands over one batch at a time. One that fails is tried again until the queue's
  RedrivePolicy hands it over to the dead letters; unlike Lambda, at once and not after the time
  that its messages are out of sight.
  https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
- Lambda reads a queue as the function: a mapping whose function's role may not stands still.
  https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
- A batch is in flight from the publication on, so who publishes and then waits (`deliveries`) never
  misses it.
Not imitated: filters, batching windows, partial answers, and messages that no topic sends.
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

import contextvars
import threading
import time
from typing import Any, Final

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc, sns, sqs

from quota_enforcer.local.patches.functions import deliveries

READING: Final = ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage")

_lock: Final = threading.Lock()
_one_at_a_time: Final[dict[str, threading.Lock]] = {}
"""For each mapping, by id."""


def install() -> None:
    """Deliver by mappings as soon as a topic has left something in a queue."""
    plain = sns._deliver_to_sqs

    def deliver(endpoint: str, *message: Any, **named: Any) -> None:
        plain(endpoint, *message, **named)
        for mapping in list(lambda_svc._esms.values()):
            if mapping["EventSourceArn"] == endpoint and mapping.get("Enabled", True):
                _serve(mapping)

    sns._deliver_to_sqs = deliver


def _serve(mapping: dict[str, Any]) -> None:
    deliveries.begin()
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_work, mapping), daemon=True).start()


def _work(mapping: dict[str, Any]) -> None:
    """Hand over until nothing is waiting."""
    with _lock:
        alone = _one_at_a_time.setdefault(mapping["UUID"], threading.Lock())
    try:
        with alone:
            url = sqs._queue_url(mapping["EventSourceArn"].rpartition(":")[2])
            size = int(mapping.get("BatchSize", 10))
            while _readable(mapping) and (batch := sqs._receive_messages_for_esm(url, size)):
                _hand_over(mapping, url, batch)
    finally:
        deliveries.done()


def _hand_over(mapping: dict[str, Any], url: str, batch: list[dict[str, Any]]) -> None:
    function, _ = lambda_svc._get_func_record_for_qualifier(
        mapping["FunctionName"], mapping.get("Qualifier")
    )
    attempts = deliveries.Attempts(function, {"Records": [_record(mapping, m) for m in batch]})
    try:
        failed = bool(attempts.attempt().get("error"))
    except Exception:  # noqa: BLE001 - see there
        attempts.broke()
        failed = True
    else:
        attempts.over()
    if not failed:
        sqs._delete_messages_for_esm(url, {message["receipt_handle"] for message in batch})
        return
    with sqs._queues_lock:
        for message in batch:
            message["visible_at"] = time.time()


def _record(mapping: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
    """As Lambda hands it to a function.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    return {
        "messageId": message["id"],
        "receiptHandle": message["receipt_handle"],
        "body": message["body"],
        "attributes": {
            "ApproximateReceiveCount": str(message["receive_count"]),
            "SentTimestamp": str(int(message["sent_at"] * 1000)),
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping["EventSourceArn"],
        "awsRegion": get_region(),
    }


def _readable(mapping: dict[str, Any]) -> bool:
    """Whether the function is there, and its role may read the queue."""
    function = lambda_svc._functions.get(mapping["FunctionName"].rpartition(":")[2])
    if function is None:
        return False
    role = function["config"]["Role"]
    policies = iam_evaluator._gather_role_policies(role.rpartition("/")[2], get_account_id())
    return all(
        iam_evaluator.evaluate(
            iam_evaluator.EvalContext(
                principal_arn=role,
                principal_type="AssumedRole",
                principal_account=get_account_id(),
                action=f"sqs:{action}",
                resource_arn=mapping["EventSourceArn"],
                region=get_region(),
            ),
            policies,
        ).decision
        == "Allow"
        for action in READING
    )
