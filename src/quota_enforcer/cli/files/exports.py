"""Exports of the invocation log, as people have them at hand, made into records of Bedrock.

Logs Insights, the CloudWatch console and its command line, Athena, Firehose and spreadsheets each
wrap, flatten or spell a record in their own way. Only commands that read files know them: the meter
takes nothing but what Bedrock writes.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from quota_enforcer.core.usage.counts import TOKEN_COUNTS
from quota_enforcer.meter.log.record import Counted, Reading, read

_MESSAGE: Final = ("@message", "message")
"""Where an export keeps the record as it was logged."""
_SECTIONS: Final = ("identity", "input", "output")
_BODY: Final = ("output", "outputBodyJson")
_COUNTS: Final = {(each.section, each.field) for each in TOKEN_COUNTS.values()}
_FIELDS: Final = (
    *((name,) for name in ("schemaType", "timestamp", "accountId", "region", "requestId")),
    *((name,) for name in ("operation", "modelId", "errorCode")),
    ("identity", "arn"),
    _BODY,
    *sorted(_COUNTS),
)
"""The paths of a record that anything depends on."""
_ABSENT: Final = frozenset({"", "-", "null", "none", "nan", "n/a"})
"""How tables write that there is no value."""
_STRUCT: Final = re.compile(r"\{\w+=[^={}]*(?:, \w+=[^={}]*)*\}")
"""Athena's text of a section: `{arn=arn:aws:iam::111122223333:user/alice}`."""
_MILLISECONDS: Final = 10**11
"""Numbers from here on are milliseconds of Unix time, and below it seconds."""


def _plain(name: str) -> str:
    """A name as far as exports keep it: Athena knows no capitals, spreadsheets blanks and `_`."""
    return re.sub(r"[^a-z0-9.@]", "", name.casefold())


_PATHS: Final = {_plain(name): path for path in _FIELDS for name in (".".join(path), path[-1])} | {
    _plain("".join(path)): path for path in _FIELDS
}
"""By the whole path, by its end, and by both written as one word."""


def readings(entry: str | bytes | Mapping[str, Any], home: str = "") -> Iterator[Reading]:
    """What an entry of a file says: a line, or an object that was read already.

    What the meter could take is read as the meter does. Anything else may be an export.
    """
    if isinstance(entry, str | bytes):
        reading = read(entry, home=home)
        if isinstance(reading, Counted) and not reading.counts.incomplete_requests:
            yield reading
            return
        records = list(_records_in(entry))
        if not records:
            yield reading
            return
    else:
        records = list(records_of(entry))
    for record in records:
        if isinstance(record, dict):
            yield read(json.dumps(_normal(record), default=str), home=home)
        else:
            text = record if isinstance(record, str) else json.dumps(record)
            yield read(text, home=home)


def documents(text: str) -> Iterator[Any]:
    """The JSON values of a text, with blanks or commas between; stops where it is no JSON.

    The end is then yielded as a text.
    """
    decoder = json.JSONDecoder()
    at = 0
    while rest := text[at:].lstrip(" \t\r\n,"):
        at = len(text) - len(rest)
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            yield rest
            return
        yield value


def records_of(document: Any) -> Iterator[Any]:
    """The records in a JSON value that was exported: objects, or texts that are no JSON."""
    match document:
        case [{"field": _}, *_] if all(map(_is_cell, document)):
            yield from records_of({each["field"]: each.get("value") for each in document})
        case list():
            for each in document:
                yield from records_of(each)
        case {"results": list(inside)} | {"events": list(inside)} | {"logEvents": list(inside)} if (
            not _is_record(document)
        ):
            yield from records_of(inside)
        case dict() if not _is_record(document) and any(document.get(name) for name in _MESSAGE):
            yield from _message(next(document[name] for name in _MESSAGE if document.get(name)))
        case _:
            yield document


def is_table(names: list[str]) -> bool:
    """Whether a line of these cells heads a table of records."""
    found = {_PATHS.get(_plain(name)) for name in names}
    wrapped = any(name.strip().casefold() in _MESSAGE for name in names)
    return len(names) > 1 and (wrapped or ("modelId",) in found or ("identity", "arn") in found)


def _message(message: Any) -> Iterator[Any]:
    """A record as it was logged, as a text or parsed by Logs Insights."""
    if isinstance(message, str):
        yield from _records_in(message) if "{" in message else [message]
    else:
        yield from records_of(message)


def _records_in(line: str | bytes) -> Iterator[Any]:
    """The records in a line: of an export, they may have a time before them and more after them."""
    text = (line.decode("utf-8", "replace") if isinstance(line, bytes) else line).strip()
    before, brace, _ = text.partition("{")
    if text.startswith("[") and brace:
        before = ""
    if not brace or '"' in before:  # half a record, or none
        return
    found = list(documents(text[len(before) :]))
    if isinstance(found[0], str):  # broken: the meter's reader says where
        return
    for document in found:
        if not isinstance(document, str):  # the columns after a record
            yield from (each for each in records_of(document) if isinstance(each, dict | str))


def _is_cell(value: Any) -> bool:
    return isinstance(value, dict) and "field" in value


def _is_record(document: Mapping[str, Any]) -> bool:
    """Whether it names a caller or a model, in whichever spelling; wrappers do not."""
    paths = {_PATHS.get(_plain(name)) for name in document}
    return bool(paths & {("modelId",), ("identity", "arn")}) or "identity" in document


def _normal(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record in Bedrock's own spelling; fields that nothing depends on stay as they are."""
    normal: dict[str, Any] = {}
    for name, value in record.items():
        section = _plain(name)
        inside = _opened(value) if section in _SECTIONS else None
        if inside is None:
            _put(normal, name, value)
        else:
            for inner, each in inside.items():
                _put(normal, f"{section}.{inner}", each)
    if "timestamp" not in normal and (written := record.get("@timestamp")):
        normal["timestamp"] = _moment(written)
    return normal


def _opened(value: Any) -> Mapping[str, Any] | None:
    """A section that may be written as a text; None if it cannot be taken apart for certain."""
    if not isinstance(value, str):
        return value if isinstance(value, dict) else None
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found
    if _STRUCT.fullmatch(value):
        pairs = [each.split("=") for each in re.split(r", (?=\w+=)", value[1:-1])]
        if len({name for name, _ in pairs}) == len(pairs):  # a body may hold the same words
            return dict(pairs)
    return None


def _put(normal: dict[str, Any], name: str, value: Any) -> None:
    if _is_absent(value):
        return
    path = _PATHS.get(_plain(name))
    if path is None:
        normal.setdefault(name, value)
        return
    if path in _COUNTS:
        value = _whole(value)
    elif path == ("timestamp",):
        value = _moment(value)
    elif path == _BODY:
        value = _body(value)
    place = normal
    for section in path[:-1]:
        place = place.setdefault(section, {})
    place.setdefault(path[-1], value)


def _is_absent(value: Any) -> bool:
    match value:
        case None:
            return True
        case str():
            return value.strip().casefold() in _ABSENT
        case float():
            return math.isnan(value)
        case _:
            return False


def _whole(value: Any) -> Any:
    """A whole number that is written as a text or with a decimal point; else as it is."""
    if not isinstance(value, str | float):
        return value
    try:
        number = Decimal(value.strip() if isinstance(value, str) else repr(value))
    except InvalidOperation:
        return value
    return int(number) if number.is_finite() and number == number.to_integral_value() else value


def _moment(value: Any) -> Any:
    """A moment as Bedrock writes it; Unix time and Athena's ` UTC` become so."""
    if isinstance(value, str):
        text = value.strip().removesuffix(" UTC")
        if not re.fullmatch(r"\d{10}(?:\d{3})?(?:\.0)?", text):
            return text
        value = float(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    seconds = value / 1000 if value >= _MILLISECONDS else value
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return value


def _body(value: Any) -> Any:
    """An answer that was written as a text."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
