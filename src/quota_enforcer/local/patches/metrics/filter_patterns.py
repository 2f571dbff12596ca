"""CloudWatch Logs filter patterns for JSON log events.

AWS: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
The emulator matches such a pattern as a list of words, or takes it to match everything.

Not documented by AWS, and decided here: a comparison (`!=` included) with a property that is
absent, null, an object or an array is false, and `&&` binds tighter than `||`.
Not supported: regular expressions between `%`, and IP address ranges.
"""

import fnmatch
import json
import operator
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

MISSING: Final = object()
"""What a selector yields when the event has no such property; JSON null is None."""

Test = Callable[[Any], bool]

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<word>NOT\s+EXISTS|EXISTS|IS\s+NULL|IS\s+TRUE|IS\s+FALSE)(?![\w.*])
      | (?P<symbol>&&|\|\||!=|>=|<=|[=<>()])
      | (?P<selector>\$(?:\.[\w\-]+|\[\d+\]|\["[^"]+"\]|\['[^']+'\])*)
      | "(?P<quoted>(?:[^"\\]|\\.)*)"
      | (?P<bare>[^\s()&|=!<>"]+)
    )""",
    re.VERBOSE,
)
_STEP: Final = re.compile(r"""\.([\w\-]+)|\["([^"]+)"\]|\['([^']+)'\]|\[(\d+)\]""")
_ORDER: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_STATES: Final[dict[str, Test]] = {
    "NOT EXISTS": lambda found: found is MISSING,
    "EXISTS": lambda found: found is not MISSING,
    "IS NULL": lambda found: found is None,
    "IS TRUE": lambda found: found is True,
    "IS FALSE": lambda found: found is False,
}


class InvalidPatternError(ValueError):
    """A filter pattern that CloudWatch Logs would refuse."""


def is_json_pattern(pattern: str) -> bool:
    """Whether the pattern is of the kind `{ $.selector ... }`."""
    stripped = pattern.strip()
    return stripped.startswith("{") and stripped.endswith("}")


@lru_cache(16)
def parsed(message: str) -> Any:
    """The event as JSON, or MISSING when it is a plain line.

    Each filter of a log group asks again, and none of them changes what it is given.
    """
    try:
        return json.loads(message)
    except ValueError:
        return MISSING


def selected(event: Any, selector: str) -> Any:
    """What a selector such as `$.input.inputTokenCount` or `$["a.b"][0]` finds, or MISSING."""
    found = event
    for name, double, single, index in _STEP.findall(selector):
        try:
            found = found[int(index)] if index else found[name or double or single]
        except (KeyError, IndexError, TypeError):
            return MISSING
    return found


def matches(pattern: str, message: str) -> bool:
    """Whether a log event's message matches a JSON pattern; a plain line never does.

    Raises:
        InvalidPatternError: the pattern is not in the grammar.
    """
    test = compiled(pattern)
    event = parsed(message)
    return isinstance(event, dict | list) and test(event)


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Test:
    """The pattern as a test of one parsed event.

    Raises:
        InvalidPatternError: the pattern is not in the grammar.
    """
    parser = _Parser(pattern)
    test = parser.either()
    parser.end()
    return test


class _Parser:
    """Reads one pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        if not is_json_pattern(pattern):
            raise InvalidPatternError(f"filter pattern {pattern!r}: expected '{{ ... }}'")
        self._pattern = pattern
        self._text = pattern.strip()[1:-1].rstrip()
        self._at = 0

    def either(self) -> Test:
        tests = [self._both()]
        while self._taken("symbol", "||"):
            tests.append(self._both())
        return lambda event: any(test(event) for test in tests)

    def end(self) -> None:
        if self._at < len(self._text):
            raise self._unexpected("the end or an operator")

    def _both(self) -> Test:
        tests = [self._single()]
        while self._taken("symbol", "&&"):
            tests.append(self._single())
        return lambda event: all(test(event) for test in tests)

    def _single(self) -> Test:
        if self._taken("symbol", "("):
            test = self.either()
            if not self._taken("symbol", ")"):
                raise self._unexpected("')'")
            return test
        selector = self._taken("selector")
        if selector is None:
            raise self._unexpected("a selector such as $.property")
        condition = self._condition()
        return lambda event: condition(selected(event, selector))

    def _condition(self) -> Test:
        if (word := self._taken("word")) is not None:
            return _STATES[" ".join(word.split())]
        symbol = self._taken("symbol")
        if symbol in ("=", "!="):
            equal = self._equality()
            wanted = symbol == "="
            return lambda found: _comparable(found) and equal(found) is wanted
        if symbol in _ORDER:
            compare, limit = _ORDER[symbol], _number(self._taken("bare") or "")
            if limit is None:
                raise self._unexpected("a number")
            return lambda found: (value := _number(found)) is not None and compare(value, limit)
        raise self._unexpected("=, !=, <, <=, >, >=, IS NULL, IS TRUE, IS FALSE or NOT EXISTS")

    def _equality(self) -> Test:
        text = self._taken("quoted")
        number = None
        if text is None:
            text = self._taken("bare")
            if text is None or text.startswith("%"):
                raise self._unexpected("a text, a number or a wildcard")
            number = _number(text)
        literal = text.replace("[", "[[]").replace("?", "[?]")  # only * is a wildcard in AWS
        if number is not None:
            return lambda found: _number(found) == number
        return lambda found: fnmatch.fnmatchcase(_spelled(found), literal)

    def _taken(self, kind: str, value: str | None = None) -> str | None:
        """The next token if it is of this kind (and value), else None."""
        token = _TOKEN.match(self._text, self._at)
        if token is None or token.lastgroup != kind:
            return None
        text = token[kind]
        if value is not None and text != value:
            return None
        self._at = token.end()
        return text

    def _unexpected(self, wanted: str) -> InvalidPatternError:
        rest = self._text[self._at :].strip()
        found = repr(rest) if rest else "the end"
        return InvalidPatternError(
            f"filter pattern {self._pattern!r}: expected {wanted}, found {found}"
        )


def _comparable(found: Any) -> bool:
    return found is not MISSING and isinstance(found, str | int | float)


def _number(found: Any) -> float | None:
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    try:
        return float(found)
    except ValueError:
        return None


def _spelled(found: Any) -> str:
    return found if isinstance(found, str) else json.dumps(found)
