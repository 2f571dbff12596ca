"""What the server was asked and which functions ran, each with its begin and end.

`JOURNAL` answers what happened since it was asked for last, at most the last KEPT of it: so a
benchmark can tell the time of the functions from the time that the embedded AWS itself takes.
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

import json
import re
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import parse_qs

from ministack.core import iam_evaluator

JOURNAL: Final = "/_quota_enforcer/journal"
"""The path of the server that answers a JSON list."""
KEPT: Final = 5_000
_SIGNED: Final = re.compile(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/")
_FORM: Final = b"application/x-www-form-urlencoded"
_TELLING: Final = frozenset({b"authorization", b"content-type", b"x-amz-target"})

_entries: Final[deque["JournalEntry"]] = deque(maxlen=KEPT)
_lock: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A request, such as `dynamodb:GetItem`, or a run of a function, such as `run:NAME`."""

    what: str
    who: str
    """The ARN of the caller; empty where nobody signed."""
    began: float
    """Seconds of a clock that only goes forward; the first instant means nothing."""
    ended: float


@contextmanager
def noted(what: str, who: str = "") -> Iterator[None]:
    """Note how long this takes, whatever becomes of it."""
    began = time.monotonic()
    try:
        yield
    finally:
        with _lock:
            _entries.append(JournalEntry(what, who, began, time.monotonic()))


def with_journal(app: Any) -> Any:
    """The server's application, with the path JOURNAL, and each request noted."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("type") != "http":
            await app(scope, receive, send)
        elif scope["path"] == JOURNAL:
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": _taken()})
        else:
            began, first = time.monotonic(), bytearray()

            async def peeked() -> Any:
                message = await receive()
                if not first:
                    first.extend(message.get("body", b""))
                return message

            await app(scope, peeked, send)
            _note(scope, bytes(first), began)

    return serve


def _taken() -> bytes:
    with _lock:
        entries = [asdict(each) for each in _entries]
        _entries.clear()
    return json.dumps(entries).encode()


def _note(scope: Any, body: bytes, began: float) -> None:
    ended = time.monotonic()
    headers = {name: value for name, value in scope["headers"] if name in _TELLING}
    signed = _SIGNED.search(headers.get(b"authorization", b"").decode())
    if not signed:
        return
    key, service = signed.groups()
    caller = iam_evaluator._request_caller_arn.get() or _owner(key)
    what = f"{service}:{_operation(scope, headers, body)}"
    with _lock:
        _entries.append(JournalEntry(what, caller, began, ended))


def _owner(key: str) -> str:
    """The ARN of whose key it is, where the emulator itself asks for no caller."""
    return str((iam_evaluator.resolve_caller_identity(key) or {}).get("userArn", ""))


def _operation(scope: Any, headers: dict[bytes, bytes], body: bytes) -> str:
    """The name of the operation, or where a service has none in its requests, method and path."""
    if b"x-amz-target" in headers:
        return headers[b"x-amz-target"].decode().rpartition(".")[2]
    if headers.get(b"content-type", b"").startswith(_FORM):
        return parse_qs(body.decode(errors="replace")).get("Action", ["?"])[0]
    return f"{scope['method']} {scope['path']}"
