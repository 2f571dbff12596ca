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


def invoke(function: dict[str, Any], event: Any) -> None:
    """Invoke a function's record asynchronously; returns at once."""
    global _in_flight  # noqa: PLW0603 - one server, one count
    with _lock:
        _in_flight += 1
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_run, function, event), daemon=True).start()


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
    name = (function.get("config") or function)["FunctionName"]
    ended: dict[str, Any] = {"function": name, "event": event, "attempts": 0}
    try:
        _attempt(function, event, ended)
    except Exception:  # noqa: BLE001 - whatever it is, whoever waits has to hear of it
        ended["error"] = {"errorType": "EmulatorFailed", "errorMessage": traceback.format_exc()}
    finally:
        _over(ended)


def _attempt(function: dict[str, Any], event: Any, ended: dict[str, Any]) -> None:
    """Try until it succeeds or its tries are used up; `ended` says how it went."""
    name, settings = ended["function"], _settings(function)
    retries = settings.get("MaximumRetryAttempts")
    result: dict[str, Any] = {}
    for attempt in range(1 + (_RETRIES if retries is None else int(retries))):
        result = lambda_svc._execute_function_with_config_scope(function, event)
        failed = bool(result.get("error"))
        ended |= {"attempts": attempt + 1, "log": result.get("log", "")}
        if attempt or failed:
            _metric("Invocations", name, 1 if attempt else 0)
            _metric("Errors", name, int(failed))
        if not failed:
            ended |= {"answer": result.get("body"), "error": None}
            return
    ended["error"] = result.get("body")
    destination = settings.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination:
        lambda_svc._route_async_failure(destination, name, event, result)
    _metric("AsyncEventsDropped", name, 1)


def _settings(function: dict[str, Any]) -> dict[str, Any]:
    """The EventInvokeConfig of the function's latest code."""
    found = function.get("event_invoke_config") or {}
    return found or (function.get("event_invoke_configs") or {}).get("$LATEST") or {}


def _metric(metric: str, function: str, value: int) -> None:
    cloudwatch.record_metric("AWS/Lambda", metric, value, "Count", {"FunctionName": function})


def _over(ended: dict[str, Any]) -> None:
    global _in_flight  # noqa: PLW0603 - see above
    with _lock:
        _ended.append(ended)
        _in_flight -= 1
        if _in_flight:
            return
        for loop, waiter in _waiting:
            loop.call_soon_threadsafe(_wake, waiter)
        _waiting.clear()


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():  # who waited may have gone away
        waiter.set_result(None)
