"""DynamoDB's answers out of memory, handed over where botocore would send, after AWS's usual time.

So what is timed has all of botocore in it: signing, parsing, and decoding of the JSON. Each request
is worked out when it is first asked and remembered, so a second run of the same command computes
nothing but its own.
"""

import json
import time
from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

if TYPE_CHECKING:
    import boto3

    from .tables import Tables

ANSWER, MEGABYTE = 0.010, 0.100
"""Seconds that DynamoDB takes for an answer, and for each MB that it passes over for it, both
rather more than less."""
PASSED_OVER = 1_000_000
"""Bytes that it passes over for one page of a scan, whatever is left after the filter."""


class Answers:
    """What the tables answer to each request, and how many requests there were."""

    def __init__(self, tables: "Tables") -> None:
        self.calls: Counter[str] = Counter()
        self.waited = 0.0
        """Seconds in which at least one request was under way."""
        self.worked_out = 0
        """Answers that were not known before."""
        self._until = 0.0
        self._tables = tables
        self._known: dict[tuple[str, bytes], tuple[bytes, float]] = {}
        self._lock = Lock()

    def fresh(self) -> None:
        """Count anew."""
        self.calls.clear()
        self.waited = 0.0
        self.worked_out = 0

    def attach(self, session: "boto3.Session") -> None:
        """Answer all DynamoDB clients of a session."""
        events: Any = session.events
        events.register("before-send.dynamodb", self._send)

    def _send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        operation = operation_of(request)
        body, seconds = self._answer(operation, request.body)
        with self._lock:
            self.calls[operation] += 1
            begin, end = time.monotonic(), time.monotonic() + seconds
            self.waited += max(end - max(begin, self._until), 0.0)
            self._until = max(end, self._until)
        time.sleep(seconds)
        return answered(request, body)

    def _answer(self, operation: str, asked: Any) -> tuple[bytes, float]:
        key = operation, bytes(asked)
        with self._lock:
            if key not in self._known:
                self.worked_out += 1
                found = self._tables.answer(operation, json.loads(asked))
                body = json.dumps(found).encode()
                over = PASSED_OVER if "LastEvaluatedKey" in found else len(body)
                self._known[key] = body, ANSWER + MEGABYTE * over / 1_000_000
            return self._known[key]


def at_once(tables: "Tables", request: AWSPreparedRequest, **_: object) -> AWSResponse:
    """What the tables answer, in place of sending a request; botocore does all else of its work."""
    body: Any = request.body
    found = tables.answer(operation_of(request), json.loads(bytes(body)))
    return answered(request, json.dumps(found).encode())


def operation_of(request: AWSPreparedRequest) -> str:
    """What DynamoDB is asked for."""
    target = request.headers["X-Amz-Target"]
    return (target.decode() if isinstance(target, bytes) else str(target)).split(".")[-1]


def answered(request: AWSPreparedRequest, body: bytes) -> AWSResponse:
    """An answer as botocore has it once it is read."""
    headers: Any = HTTPHeaders()
    answer: Any = AWSResponse(request.url, 200, headers, None)
    answer._content = body  # noqa: SLF001 - where botocore keeps what it has read
    return answer  # type: ignore[no-any-return]
