"""Long tables in parts: a page of a thousand people is read a hundred at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request

ROWS: Final = 100
"""Of one part."""


@dataclass(frozen=True, slots=True)
class TablePart:
    """Some of the rows; `before` and `after` are addresses of the parts beside it, if there are."""

    rows: Sequence[Any]
    first: int
    of: int
    before: str
    after: str

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def part(request: Request, rows: Sequence[Any]) -> TablePart:
    """The one that the address asks for; the last one if there are not so many."""
    last = max((len(rows) - 1) // ROWS, 0)
    place = min(_number(request.query_params.get("part", "")), last)
    shown = rows[place * ROWS : (place + 1) * ROWS]

    def address(to: int) -> str:
        asked = {**request.query_params, "part": str(to + 1)}
        return f"{request.url.path}?{urlencode(asked)}" if 0 <= to <= last else ""

    return TablePart(shown, place * ROWS + 1, len(rows), address(place - 1), address(place + 1))


def _number(text: str) -> int:
    """From 0 on; what is no number is the first."""
    return max(int(text[:9]) - 1, 0) if text.isascii() and text.isdigit() else 0
