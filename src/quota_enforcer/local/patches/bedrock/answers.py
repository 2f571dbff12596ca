"""Bedrock's answers with given token counts, whole or as an event stream.

The counts stand in the body (each vendor spells them its own way), in headers, and, for
InvokeModelWithResponseStream, in `amazon-bedrock-invocationMetrics` of the last chunk.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from botocore.eventstream import EventStreamBuffer
from ministack.services import bedrock_runtime

_INPUT: Final = frozenset(
    {"input_tokens", "inputTokens", "inputTextTokenCount", "prompt_token_count", "prompt_tokens"}
)
_OUTPUT: Final = frozenset(
    {
        "output_tokens",
        "outputTokens",
        "totalOutputTextTokenCount",
        "tokenCount",
        "generation_token_count",
        "completion_tokens",
    }
)
_TOTAL: Final = frozenset({"totalTokens", "total_tokens"})
_CACHE: Final = {
    "input_tokens": ("cache_read_input_tokens", "cache_creation_input_tokens"),
    "inputTokens": ("cacheReadInputTokens", "cacheWriteInputTokens"),
}
"""Where a vendor spells input tokens so, it spells the cached ones so."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one call used; None where Bedrock would not say a count at all."""

    input: int
    output: int
    cache_read: int | None = None
    cache_write: int | None = None

    @property
    def total(self) -> int:
        """All four together, as in Bedrock's `totalTokens`."""
        return self.input + self.output + (self.cache_read or 0) + (self.cache_write or 0)


def counted(operation: str, answer: Any, whole: bytes, tokens: Tokens) -> tuple[Any, Any]:
    """The answer with these counts, and its body as the invocation log shows it."""
    status, headers, body = answer
    if operation == "InvokeModelWithResponseStream":
        chunks = [_with_counts(chunk, tokens) for chunk in _chunks(body)]
        chunks[-1]["amazon-bedrock-invocationMetrics"] = _metrics(tokens)
        stream = b"".join(bedrock_runtime._es_event_chunk(chunk) for chunk in chunks)
        return (status, headers, stream), chunks
    logged = _with_counts(json.loads(whole), tokens)
    if operation == "ConverseStream":
        return (status, headers, _converse_stream(body, tokens)), logged
    return (status, headers | _headers(tokens), json.dumps(logged).encode()), logged


def _with_counts(value: Any, tokens: Tokens) -> Any:
    """The same JSON value with every token count in it replaced."""
    if isinstance(value, list):
        return [_with_counts(each, tokens) for each in value]
    if not isinstance(value, dict):
        return value
    replaced = {}
    for key, found in value.items():
        if type(found) is not int:
            replaced[key] = _with_counts(found, tokens)
            continue
        count = tokens.input if key in _INPUT else tokens.output if key in _OUTPUT else found
        replaced[key] = tokens.total if key in _TOTAL else count
        cached = zip(_CACHE.get(key, ()), (tokens.cache_read, tokens.cache_write), strict=False)
        replaced |= {name: count for name, count in cached if count is not None}
    return replaced


def _events(stream: bytes) -> Iterator[tuple[Any, Any]]:
    buffer = EventStreamBuffer()
    buffer.add_data(stream)
    for event in buffer:
        yield event.headers, json.loads(event.payload)


def _chunks(stream: bytes) -> Iterator[Any]:
    for _, payload in _events(stream):
        yield json.loads(base64.b64decode(payload["bytes"]))


def _converse_stream(stream: bytes, tokens: Tokens) -> bytes:
    return b"".join(
        bedrock_runtime._es_event(headers[":event-type"], _with_counts(payload, tokens))
        for headers, payload in _events(stream)
    )


def _metrics(tokens: Tokens) -> dict[str, int]:
    metrics = {"inputTokenCount": tokens.input, "outputTokenCount": tokens.output}
    if tokens.cache_read is not None:
        metrics["cacheReadInputTokenCount"] = tokens.cache_read
    if tokens.cache_write is not None:
        metrics["cacheWriteInputTokenCount"] = tokens.cache_write
    return metrics | {"invocationLatency": 1, "firstByteLatency": 1}


def _headers(tokens: Tokens) -> dict[str, str]:
    headers = {
        "x-amzn-bedrock-input-token-count": str(tokens.input),
        "x-amzn-bedrock-output-token-count": str(tokens.output),
    }
    if tokens.cache_read is not None:
        headers["x-amzn-bedrock-cache-read-input-token-count"] = str(tokens.cache_read)
    if tokens.cache_write is not None:
        headers["x-amzn-bedrock-cache-write-input-token-count"] = str(tokens.cache_write)
    return headers
