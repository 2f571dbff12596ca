"""Items as JSON: read with the line of each, and written so that no number loses a digit."""

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from json.decoder import JSONDecodeError
from typing import Any

from quota_enforcer.cli.files.values import NotExact, exact
from quota_enforcer.core.quotas.form.values import digits

_SPACE = " \t\n\r"


def entries(text: str) -> Iterator[tuple[Any, int, list[str]]]:
    """Every entry of a list, with its line and its problems.

    Raises ValueError if the text is not JSON; JSON that is not a list is one entry with line 0.
    """
    problems: list[str] = []
    decoder = _decoder(problems)
    at = _next(text, 0)
    if text[at : at + 1] != "[":
        yield decoder.decode(text), 0, problems
        return
    at, line, counted = _next(text, at + 1), 1, 0
    while text[at : at + 1] != "]":
        line, counted = line + text.count("\n", counted, at), at
        entry, at = decoder.raw_decode(text, at)
        yield entry, line, problems[:]
        problems.clear()
        at = _next(text, at)
        if text[at : at + 1] == ",":
            at = _next(text, at + 1)
            if text[at : at + 1] == "]":
                raise JSONDecodeError("Illegal trailing comma", text, at)
        elif text[at : at + 1] != "]":
            raise JSONDecodeError("Expecting ',' delimiter", text, at)
    if rest := text[at + 1 :].strip(_SPACE):
        raise JSONDecodeError("Extra data", text, len(text) - len(rest))


def _next(text: str, at: int) -> int:
    while text[at : at + 1] in {" ", "\t", "\n", "\r"}:
        at += 1
    return at


def _decoder(problems: list[str]) -> json.JSONDecoder:
    def number(text: str) -> Decimal | str:
        try:
            return exact(text)
        except NotExact as error:
            problems.append(str(error))
            return text

    def once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                problems.append(twice(name))
            found.setdefault(name, value)
        return found

    return json.JSONDecoder(
        parse_float=number, parse_int=number, parse_constant=number, object_pairs_hook=once
    )


def twice(name: str) -> str:
    """The problem of an attribute that an item has twice."""
    return f"attribute {name!r} is there twice in one item: remove one"


def written(items: Iterable[Mapping[str, Any]]) -> str:
    """The items as a JSON list, two spaces for each level."""
    return f"{_text(list(items))}\n"


def _text(value: Any, indent: str = "\n") -> str:
    """JSON's own writer knows no exact decimals."""
    deeper = f"{indent}  "
    match value:
        case Mapping() if value:
            pairs = (f"{_quoted(name)}: {_text(entry, deeper)}" for name, entry in value.items())
            return f"{{{deeper}{f',{deeper}'.join(pairs)}{indent}}}"
        case list() if value:
            return f"[{deeper}{f',{deeper}'.join(_text(each, deeper) for each in value)}{indent}]"
        case Decimal():
            return digits(value)
        case str():
            return _quoted(value)
        case bytes():
            return _quoted(b64encode(value).decode())
        case _:
            return json.dumps(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
