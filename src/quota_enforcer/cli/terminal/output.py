"""Output: results on stdout, as texts or as JSON, and everything else on stderr."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from rich.console import Console
from rich.padding import Padding
from rich.progress import Progress, SpinnerColumn, TextColumn, track
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from quota_enforcer.cli.terminal.escaping import escaped
from quota_enforcer.core.notices.amounts import exact

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderableType

WIDE = 10_000
"""Columns if stdout is not a terminal: a pipe gets whole lines."""

ROOMY = 120
"""Columns from which on no table needs to be squeezed."""

SCREENFUL = 100
"""Rows of a long table on a terminal, unless more are asked for."""

T = TypeVar("T")


class EscapingConsole(Console):
    """Escapes what it shows, whoever wrote it; colours and layout are rich's own."""

    def render(
        self, renderable: "RenderableType", options: "ConsoleOptions | None" = None
    ) -> Iterable[Segment]:
        """The same segments; control codes that rich adds are segments of their own."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(escaped(segment.text), segment.style)


def console(*, stderr: bool = False) -> Console:
    """Text that people wrote is never read as markup or emoji, and does nothing to a terminal."""
    found = EscapingConsole(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not found.is_terminal:
        found.width = WIDE
    return found


def say(text: "RenderableType") -> None:
    """A line of the result, or an object that rich lays out, on stdout."""
    console().print(text)


def say_lines(lines: Iterable[str]) -> None:
    """Very many lines of the result: rich would take seconds for some thousands."""
    echo("\n".join(lines))


def echo(text: str = "", *, nl: bool = True) -> None:
    """A text of the result as it is, not folded, so that a command in it can be copied."""
    typer.echo(escaped(text), nl=nl)


def say_facts(facts: Iterable[tuple[str, str]], indent: int = 0) -> None:
    """Names with their texts, on stdout; a name is left out if the line before has the same."""
    named = [(name, text) for name, text in facts if text]
    again = [name == before for (before, _), (name, _) in pairwise([("", ""), *named])]
    rows = [
        ("" if repeats else name, text) for repeats, (name, text) in zip(again, named, strict=True)
    ]
    shown = console()
    if shown.width >= WIDE:
        width = max((len(name) for name, _ in rows), default=0)
        lines = (f"{' ' * indent}{name:{width}}  {text}\n" for name, text in rows)
        shown.file.write(escaped("".join(lines)))
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for row in rows:
        grid.add_row(*row)
    say(Padding(grid, (0, 0, 0, indent), expand=False))


def hint(text: str) -> None:
    """Help or progress, on stderr."""
    console(stderr=True).print(text, style="dim")


def warn(text: str) -> None:
    """What may be a mistake, on stderr."""
    console(stderr=True).print(Text.assemble(("warning: ", "bold yellow"), text))


def fail(text: str) -> None:
    """An error, on stderr."""
    console(stderr=True).print(Text.assemble(("error: ", "bold red"), text))


def say_json(document: Any) -> None:
    """One JSON document on stdout: moments are in UTC, an unlimited number is null."""
    typer.echo(json.dumps(document, indent=2, default=plain))


def plain(value: Any) -> Any:
    """The value as a type that JSON has."""
    match value:
        case Decimal():
            if not value.is_finite():
                return None
            return int(value) if value == value.to_integral_value() else exact(value)
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        case set() | frozenset():
            return sorted(value)
        case _:
            return str(value)


def progress(of: Iterable[T], label: str, total: int) -> Iterator[T]:
    """Shows on a terminal's stderr how many are done.

    It begins with the first, since what makes that one may show something of its own.
    """
    several = iter(of)
    shown = console(stderr=True)
    if not shown.is_terminal:
        yield from several
        return
    for first in several:
        yield from track(chain([first], several), label, total=total, console=shown, transient=True)


def going_by(of: Iterable[T], label: str) -> Iterator[T]:
    """Shows on a terminal's stderr how many have gone by, where nobody knows how many there are."""
    shown = console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,.0f}"))
    with Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal) as bar:
        task = bar.add_task(label, total=None)
        for each in of:
            bar.advance(task)
            yield each


@contextmanager
def waiting(label: str) -> Iterator[None]:
    """Shows on a terminal's stderr what is waited for, where nobody knows how long."""
    shown = console(stderr=True)
    if not shown.is_terminal:
        yield
        return
    with shown.status(f"{label} ..."):
        yield


@contextmanager
def how_far(label: str) -> Iterator[Callable[[float], None]]:
    """Shows the progress of a long read on a terminal's stderr; takes a fraction from 0 to 1."""
    shown = console(stderr=True)
    with Progress(console=shown, transient=True, disable=not shown.is_terminal) as progress:
        task = progress.add_task(label, total=1)
        yield lambda fraction: progress.update(task, completed=fraction)


def screen_width() -> int | None:
    """Columns of the terminal; None if stdout is a pipe, which gets whole lines."""
    width = console().width
    return None if width >= WIDE else width


def is_roomy() -> bool:
    """Whether stdout is wide enough for a wide table."""
    return console().width >= ROOMY


def screenful(limit: int | None) -> int | None:
    """The number of rows to show; `limit` 0 and a result of None mean all rows.

    Without a limit a terminal shows the first rows, which are the important ones; a pipe gets all.
    """
    if limit is None:
        return None if console().width >= WIDE else SCREENFUL
    return limit or None
