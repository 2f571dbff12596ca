"""Tables, in whole lines for a pipe and folded for a terminal, and how a state looks in them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from quota_enforcer.cli.terminal import output
from quota_enforcer.cli.terminal.escaping import escaped
from quota_enforcer.core.notices.notice import NoticeKind
from quota_enforcer.doctor.finding import Severity
from quota_enforcer.insight.status import State

if TYPE_CHECKING:
    from rich.console import JustifyMethod

Cell = str | Text
NO_LIMITS: Mapping[str, int] = {}


def say_table(
    head: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    numbers: Collection[str] = (),
    narrow: Mapping[str, int] = NO_LIMITS,
) -> None:
    """A table on stdout that folds long cells instead of cutting them.

    `numbers` are the columns aligned to the right. `narrow` limits columns on a narrow
    terminal to a width, so that the others, such as the principal, stay readable.
    """
    shown = output.console()
    if shown.width >= output.WIDE:
        lines = "".join(f"{line}\n" for line in plain_table(head, rows, numbers))
        shown.file.write(escaped(lines))
        return
    widest = narrow if shown.width < output.ROOMY else NO_LIMITS
    made = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
    )
    for name in head:
        justify: JustifyMethod = "right" if name in numbers else "left"
        made.add_column(name, overflow="fold", justify=justify, max_width=widest.get(name))
    for row in rows:
        made.add_row(*map(_seen, row))
    shown.print(made)


def _seen(cell: Cell) -> Cell:
    """Escaped before rich measures it, so that nothing is cut off."""
    if isinstance(cell, str):
        return escaped(cell)
    return cell if cell.plain.isprintable() else Text(escaped(cell.plain), cell.style)


_BETWEEN = "  "


def plain_table(
    head: Sequence[str], rows: Iterable[Sequence[str | Text]], numbers: Collection[str]
) -> Iterator[str]:
    """Its lines; the columns `numbers` are aligned to the right. Line breaks become blanks."""
    cells = [list(head), *([_line(cell) for cell in row] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
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
    blanks = " " * (width - _width(text))
    return blanks + text if right else text + blanks


def _width(text: str) -> int:
    """In cells of a terminal."""
    return len(text) if text.isascii() else cell_len(text)


# Keys are compared as texts: "blocked" is a state and a notice, "warning" a notice and a severity.
_STYLES: Mapping[str, str] = {
    NoticeKind.BLOCKED: "bold red",
    NoticeKind.COULD_NOT_DENY: "bold red",
    NoticeKind.WARNING: "yellow",
    NoticeKind.WOULD_HAVE_BLOCKED: "yellow",
    NoticeKind.RESTORED: "green",
    State.WARNED: "yellow",
    State.OVER: "bold yellow",
    State.WOULD_BE_BLOCKED: "bold yellow",
    State.COULD_NOT_BE_BLOCKED: "bold red",
    State.NO_QUOTA: "dim",
    Severity.PROBLEM: "bold red",
    Severity.UNCHECKED: "bold magenta",
    Severity.NOTE: "cyan",
}


_BAR = 8
"""Cells of a bar."""
_MOST = 100


@lru_cache(maxsize=1024)
def bar(word: str, percent: int | None) -> Text:
    """How full a quota is, in the style of its state; empty without a limit.

    Remembered, as a long table has few different ones.
    """
    if percent is None:
        return Text("")
    full = min(percent, _MOST) * _BAR // _MOST
    return Text.assemble(("█" * full, _STYLES.get(word, "green")), ("░" * (_BAR - full), "dim"))


@lru_cache(maxsize=1024)
def styled(word: str, shown: str | None = None) -> Text:
    """The word in its style, or another text in the style of the word."""
    return Text(str(word) if shown is None else shown, _STYLES.get(word, ""))
