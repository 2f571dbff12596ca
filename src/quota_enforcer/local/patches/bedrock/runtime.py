"""Bedrock's runtime: each call answered with the wished token counts, metered and logged.

AWS writes one invocation-log record for every call that reached a model, streamed or not, and
counts it in the metrics of AWS/Bedrock; a call that IAM refuses leaves no record.
https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
The emulator answers with an invented text and logs nothing.

A caller that replays real traffic says what the answer has cost, or how the call failed:

- InvokeModel and InvokeModelWithResponseStream: `"simulate": {...}` in the JSON body;
- Converse and ConverseStream: `additionalModelRequestFields={"simulate": {...}}`;

with any count of tokens by its name in Counts, such as `input_tokens` (whole numbers), or `error`
(a Bedrock error such as `ThrottlingException`).
What is not said is estimated from the text; cache counts not said are absent from the record.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from ministack import app
from ministack.services import bedrock_runtime, cloudwatch

from quota_enforcer.core.usage.counts import TOKEN_COUNTS
from quota_enforcer.local.patches.bedrock import answers as bedrock_answers
from quota_enforcer.local.patches.bedrock import log as bedrock_log
from quota_enforcer.local.patches.bedrock.answers import Tokens
from quota_enforcer.local.patches.bedrock.log import Invocation

_ROUTE: Final = re.compile(
    r"^/model/(?P<model>.+?)/(?P<call>invoke|invoke-with-response-stream|converse|converse-stream)$"
)
_OPERATIONS: Final = {
    "invoke": "InvokeModel",
    "invoke-with-response-stream": "InvokeModelWithResponseStream",
    "converse": "Converse",
    "converse-stream": "ConverseStream",
}
_ERRORS: Final = {
    "ThrottlingException": 429,
    "ModelTimeoutException": 408,
    "ModelErrorException": 424,
    "ServiceUnavailableException": 503,
    "InternalServerException": 500,
    "ValidationException": 400,
}
_COUNTS: Final = tuple(TOKEN_COUNTS)
_OK: Final = 200


class _BadSimulationError(ValueError):
    """The `simulate` part of a request is not as documented."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a request asks its answer to be."""

    counts: dict[str, int]
    error: str | None


def install() -> None:
    """Meter and log every model call from now on."""
    plain = bedrock_runtime.handle_request
    dispatch = app._dispatch_service_request  # noqa: SLF001 - knows the request's id

    async def dispatched(*request: Any) -> Any:
        bedrock_log.request_id.set(request[-1])
        return await dispatch(*request)

    async def handle(method: str, path: str, headers: Any, body: bytes, params: Any) -> Any:
        route = _ROUTE.match(path)
        if method != "POST" or route is None:
            return await plain(method, path, headers, body, params)
        invocation = Invocation(_OPERATIONS[route["call"]], unquote(route["model"]), body)
        try:
            simulation = _simulation(body)
        except _BadSimulationError as error:
            return _failed(invocation, "ValidationException", str(error))
        if simulation.error:
            return _failed(invocation, simulation.error, f"simulated {simulation.error}")

        answer = await plain(method, path, headers, body, params)
        if answer[0] != _OK:
            bedrock_log.failed(invocation, json.loads(answer[2])["__type"])
            return answer
        # The whole answer carries the counts that the emulator leaves out of a stream.
        whole = answer
        if "stream" in route["call"]:
            unary = "converse" if route["call"] == "converse-stream" else "invoke"
            whole = await plain(method, f"/model/{route['model']}/{unary}", headers, body, params)
        tokens = _tokens(whole[1], simulation)
        answered, logged = bedrock_answers.counted(invocation.operation, answer, whole[2], tokens)
        _count(invocation.model_id, tokens)
        bedrock_log.succeeded(invocation, tokens, logged)
        return answered

    app._dispatch_service_request = dispatched  # noqa: SLF001 - see above
    bedrock_runtime.handle_request = handle


def _simulation(body: bytes) -> Simulation:
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return Simulation({}, None)  # the emulator answers for bodies that are no JSON
    if not isinstance(request, dict):
        return Simulation({}, None)
    fields = request.get("additionalModelRequestFields")
    wished = fields.get("simulate") if isinstance(fields, dict) else request.get("simulate")
    if wished is None:
        return Simulation({}, None)
    if not isinstance(wished, dict) or not wished.keys() <= {*_COUNTS, "error"}:
        raise _BadSimulationError(f"simulate {wished!r}: allowed are {', '.join(_COUNTS)}, error")
    error = wished.get("error")
    if error is not None and error not in _ERRORS:
        raise _BadSimulationError(f"simulate.error {error!r}: allowed are {', '.join(_ERRORS)}")
    counts = {name: wished[name] for name in _COUNTS if name in wished}
    for name, count in counts.items():
        if type(count) is not int or count < 0:
            raise _BadSimulationError(
                f"simulate.{name} {count!r}: allowed are whole numbers from 0"
            )
    return Simulation(counts, error)


def _tokens(headers: dict[str, str], simulation: Simulation) -> Tokens:
    return {
        "input_tokens": int(headers["x-amzn-bedrock-input-token-count"]),
        "output_tokens": int(headers["x-amzn-bedrock-output-token-count"]),
    } | simulation.counts


def _failed(invocation: Invocation, code: str, message: str) -> Any:
    bedrock_log.failed(invocation, code)
    body = json.dumps({"message": message, "__type": code}).encode()
    return _ERRORS[code], {"Content-Type": "application/json", "x-amzn-errortype": code}, body


def _count(model_id: str, tokens: Tokens) -> None:
    """The metrics of AWS/Bedrock, which know the model but not the caller."""
    for name, value in (
        ("Invocations", 1),
        ("InputTokenCount", tokens["input_tokens"]),
        ("OutputTokenCount", tokens["output_tokens"]),
    ):
        cloudwatch.record_metric("AWS/Bedrock", name, value, "Count", {"ModelId": model_id})
