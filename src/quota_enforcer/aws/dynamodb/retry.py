"""Retries of what DynamoDB refuses for a moment only and botocore does not repeat by itself."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from tenacity import Retrying, stop_after_attempt, wait_random_exponential

if TYPE_CHECKING:
    from collections.abc import Mapping

TRIES = 8
FAILED = "ConditionalCheckFailed"
"""The cancellation reason of a part of a transaction whose condition does not hold."""

# Another transaction holds an item for a moment, or the table is busy.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
_PASSING = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}

# A try whose answer got lost may still be in progress; the next one then meets its conditions.
_PASSING_ERRORS = {"TransactionConflictException", "TransactionInProgressException"}


def retrying(**policy: Any) -> Retrying:
    """A few seconds of patience, spread at random so that two writers do not meet again."""
    wait = wait_random_exponential(multiplier=0.05, max=2)
    return Retrying(**{"stop": stop_after_attempt(TRIES), "wait": wait, "reraise": True, **policy})


def is_transient(error: BaseException) -> bool:
    """Whether the same write may well succeed in a moment; nothing of it was written."""
    if not isinstance(error, ClientError):
        return False
    reasons = set(cancellation_reasons(error))
    if reasons:
        return FAILED not in reasons and bool(reasons & _PASSING)
    return error.response["Error"]["Code"] in _PASSING_ERRORS


def cancellation_reasons(error: ClientError) -> list[str]:
    """Why a transaction was cancelled, part by part; empty for any other error."""
    response: Mapping[str, Any] = error.response
    return [reason.get("Code", "None") for reason in response.get("CancellationReasons", [])]
