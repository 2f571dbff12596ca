"""Asynchronous invocations of functions, counted, so that one can wait until all of them are over.

As Lambda does, a failed one is tried again as often as the function's EventInvokeConfig says
(twice by default), then handed to the on-failure destination where there is one, and counted as
dropped; unlike Lambda, it is tried again at once and not after minutes.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
An invocation is in flight from the moment that its caller is answered, so whoever calls and then
waits (`SETTLE`) never misses it, nor what it invokes itself.
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

import asyncio
import contextvars
import json
import threading
import traceback
from collections import deque
from typing import Any, Final

from ministack.services import cloudwatch, lambda_svc

from quota_enforcer.local.patches.control import journal

SETTLE: Final = "/_quota_enforcer/settle"
"""The path of the server that answers once nothing is in flight: a list of what has ended since."""
KEPT: Final = 1000
"""So many invocations are remembered for who waits next; older ones are forgotten."""
_RETRIES: Final = 2

_lock: Final = threading.Lock()
_ended: Final[deque[dict[str, Any]]] = deque(maxlen=KEPT)
_waiting: Final[list[tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]]] = []
_in_flight = 0


def install() -> None:
    """Count what is invoked with InvocationType=Event."""
    # Invoke itself counts the first attempt among the function's invocations.
    lambda_svc.invoke_async_with_retry = invoke


class Attempts:
    """The invocations of a function for one event, as who waits hears of them.

    `counted` says that the first is among the function's invocations already.
    """

    def __init__(self, function: dict[str, Any], event: Any, *, counted: bool = False) -> None:
        self._function = function
        self._event = event
        self._counted = counted
        self._name = (function.get("config") or function)["FunctionName"]
        self._ended: dict[str, Any] = {"function": self._name, "event": event, "attempts": 0}

    def attempt(self) -> dict[str, Any]:
        """Invoke it, and count that; what came of it."""
        with journal.noted(f"run:{self._name}"):
            result: dict[str, Any] = lambda_svc._execute_function_with_config_scope(
                self._function, self._event
            )
        failed, first = bool(result.get("error")), not self._ended["attempts"]
        self._ended["attempts"] += 1
        self._ended |= {"log": result.get("log", ""), "answer": None, "error": None}
        self._ended["error" if failed else "answer"] = result.get("body")
        _metric("Invocations", self._name, 0 if self._counted and first else 1)
        _metric("Errors", self._name, int(failed))
        return result

    def over(self) -> None:
        """There are no more."""
        with _lock:
            _ended.append(self._ended)

    def broke(self) -> None:
        """The emulator itself failed: whatever it is, whoever waits has to hear of it."""
        error = {"errorType": "EmulatorFailed", "errorMessage": traceback.format_exc()}
        self._ended["error"] = error
        self.over()

    def dropped(self) -> None:
        """Count that it was given up."""
        _metric("AsyncEventsDropped", self._name, 1)


def invoke(function: dict[str, Any], event: Any) -> None:
    """Invoke a function's record asynchronously; returns at once."""
    begin()
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_run, function, event), daemon=True).start()


def begin() -> None:
    """From now on something is in flight."""
    global _in_flight  # noqa: PLW0603 - one server, one count
    with _lock:
        _in_flight += 1


def done() -> None:
    """That is over."""
    global _in_flight  # noqa: PLW0603 - see above
    with _lock:
        _in_flight -= 1
        if _in_flight:
            return
        for loop, waiter in _waiting:
            loop.call_soon_threadsafe(_wake, waiter)
        _waiting.clear()


async def settled() -> bytes:
    """Once nothing is in flight: what ended since the last such answer, as a JSON list."""
    loop = asyncio.get_running_loop()
    with _lock:
        over = loop.create_future()
        if _in_flight:
            _waiting.append((loop, over))
        else:
            over.set_result(None)
    await over
    with _lock:
        ended = list(_ended)
        _ended.clear()
    return json.dumps(ended).encode()


def with_settle(app: Any) -> Any:
    """The server's application, with the path SETTLE."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path") != SETTLE:
            await app(scope, receive, send)
            return
        body = await settled()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return serve


def _run(function: dict[str, Any], event: Any) -> None:
    attempts = Attempts(function, event, counted=True)
    try:
        _try(function, event, attempts)
    except Exception:  # noqa: BLE001 - see there
        attempts.broke()
    else:
        attempts.over()
    finally:
        done()


def _try(function: dict[str, Any], event: Any, attempts: Attempts) -> None:
    """Until it succeeds or its tries are used up."""
    settings = _settings(function)
    retries = settings.get("MaximumRetryAttempts")
    result: dict[str, Any] = {}
    for _ in range(1 + (_RETRIES if retries is None else int(retries))):
        result = attempts.attempt()
        if not result.get("error"):
            return
    destination = settings.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination:
        name = (function.get("config") or function)["FunctionName"]
        lambda_svc._route_async_failure(destination, name, event, result)
    attempts.dropped()


def _settings(function: dict[str, Any]) -> dict[str, Any]:
    """The EventInvokeConfig of the function's latest code."""
    found = function.get("event_invoke_config") or {}
    return found or (function.get("event_invoke_configs") or {}).get("$LATEST") or {}


def _metric(metric: str, function: str, value: int) -> None:
    cloudwatch.record_metric("AWS/Lambda", metric, value, "Count", {"FunctionName": function})


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():  # who waited may have gone away
        waiter.set_result(None)
