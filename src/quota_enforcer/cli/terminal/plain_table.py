"""A table for a pipe: whole lines without folding or colour, as `output` draws it on a terminal.

rich takes 14 s to lay out 10,000 rows; nothing here needs laying out.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

_BETWEEN = "  "


def plain_table(
    head: Sequence[str], rows: Iterable[Sequence[str | Text]], numbers: Collection[str]
) -> Iterator[str]:
    """Its lines; the columns `numbers` are aligned to the right. Line breaks become blanks."""
    cells = [list(head), *([_line(cell) for cell in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    right = [name in numbers for name in head]
    for place, row in enumerate(cells):
        if place == 1:
            yield _rule(widths)
        yield _BETWEEN.join(map(_padded, row, widths, right)).rstrip()
    if len(cells) == 1:
        yield _rule(widths)


def _rule(widths: Sequence[int]) -> str:
    return "─" * (sum(widths) + len(_BETWEEN) * (len(widths) - 1))


def _line(cell: str | Text) -> str:
    text = cell.plain if isinstance(cell, Text) else cell
    return text.replace("\n", " ")


def _padded(text: str, width: int, right: bool) -> str:  # noqa: FBT001 - for map
    blanks = " " * (width - cell_len(text))
    return blanks + text if right else text + blanks
