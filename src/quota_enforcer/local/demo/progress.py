"""The run as it happens, on stderr: a live picture in a terminal, one line per event elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from quota_enforcer.local.demo.record import RunRecord, TimelineRow
from quota_enforcer.local.demo.traffic import conversations

_STYLES: Final = {
    "warned": "yellow",
    "blocked": "bold red",
    "restored": "green",
    "refused": "red",
    "goes through": "green",
}
"""How a row of the timeline looks, by a word in it."""
_SHOWN: Final = 12
"""Rows of the timeline in the live picture."""


class Progress:
    """Shows a record while it grows; `look` is to be called after every step."""

    def __init__(self, console: Console, record: RunRecord) -> None:
        self._console = console
        self._record = record
        self._calls = sum(map(len, conversations().values()))
        self._said = 0
        self._at: datetime | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show it until the end of the `with` statement."""
        if not self._console.is_terminal:
            self._console.print("Starting the embedded AWS and deploying template.yaml ...")
            yield
            return
        with Live(
            get_renderable=self._picture,
            console=self._console,
            transient=True,
            refresh_per_second=8,
        ):
            yield

    def look(self, at: datetime) -> None:
        """Take note of what is new."""
        self._at = at
        if self._console.is_terminal:
            return
        for row in self._record.rows[self._said :]:
            self._console.print(line(row), soft_wrap=True)
        self._said = len(self._record.rows)

    def _picture(self) -> RenderableType:
        if self._at is None:
            return Text("Starting the embedded AWS and deploying template.yaml ...", "bold")
        made = len(self._record.answers)
        counted = Table.grid(padding=(0, 2))
        counted.add_row(
            Text(f"{self._at:%a %H:%M}", "bold cyan"),
            ProgressBar(total=self._calls, completed=made, width=32),
            f"{made} calls, {self._record.refused} refused by IAM, {self._record.sweeps} sweeps",
        )
        return Group(counted, "", *map(line, self._record.rows[-_SHOWN:]))


def style(row: TimelineRow) -> str:
    """How a row of the timeline looks."""
    return next((style for word, style in _STYLES.items() if word in row.what), "")


def line(row: TimelineRow) -> Text:
    """One row of the timeline as a line."""
    figures = f"  {row.figures}" if row.figures else ""
    return Text.assemble(
        (f"{row.at:%a %H:%M}  ", "dim"), f"{row.who:<14}  ", (f"{row.what}{figures}", style(row))
    )
