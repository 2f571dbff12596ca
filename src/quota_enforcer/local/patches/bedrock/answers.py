"""Bedrock's answers with given token counts, whole or as an event stream.

The counts stand in the body (each vendor spells them its own way), in headers, and, for
InvokeModelWithResponseStream, in `amazon-bedrock-invocationMetrics` of the last chunk.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from botocore.eventstream import EventStreamBuffer
from ministack.services import bedrock_runtime

from quota_enforcer.core.usage.counts import TOKEN_COUNTS

_CAPITAL: Final = re.compile("[A-Z]")
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
_CACHE: Final[Mapping[str, Mapping[str, str]]] = {
    "input_tokens": {
        "cache_read_input_tokens": "cache_read_tokens",
        "cache_creation_input_tokens": "cache_write_tokens",
    },
    "inputTokens": {
        "cacheReadInputTokens": "cache_read_tokens",
        "cacheWriteInputTokens": "cache_write_tokens",
    },
}
"""Where a vendor spells input tokens so, it spells the cached ones so."""

Tokens = Mapping[str, int]
"""What one call used, by counter; a count that Bedrock would not say is left out."""


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
        replaced[key] = _replaced(key, found, tokens)
        cached = _CACHE.get(key, {})
        replaced |= {name: tokens[count] for name, count in cached.items() if count in tokens}
    return replaced


def _replaced(key: str, found: int, tokens: Tokens) -> int:
    if key in _TOTAL:
        return sum(tokens.values())
    counter = "input_tokens" if key in _INPUT else "output_tokens" if key in _OUTPUT else ""
    return tokens.get(counter, found)


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
    metrics = {TOKEN_COUNTS[counter].field: number for counter, number in tokens.items()}
    return metrics | {"invocationLatency": 1, "firstByteLatency": 1}


def _headers(tokens: Tokens) -> dict[str, str]:
    """Named as the fields of a record: `x-amzn-bedrock-cache-read-input-token-count`."""
    fields = ((TOKEN_COUNTS[counter].field, number) for counter, number in tokens.items())
    words = ((_CAPITAL.sub(r"-\g<0>", field).lower(), number) for field, number in fields)
    return {f"x-amzn-bedrock-{name}": str(number) for name, number in words}
