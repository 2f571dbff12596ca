"""A page read as a test wants it: its text, its tables by caption, and its tags."""

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from markupsafe import Markup

from quota_enforcer.insight.report.charts import drawing

_VOID = {"br", "i", "input", "line", "link", "meta", "path", "rect"}
_UNREAD = {"script", "style"}


class PageReading(HTMLParser):
    """`tables` are rows of cells by caption, `tags` every tag with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.text = ""
        self._caption: str | None = None
        self._rows: list[list[str]] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self._open.append(tag)
        match tag:
            case "table":
                self._rows = []
            case "caption":
                self._caption = ""
            case "tr":
                self._rows.append([])
            case "th" | "td":
                self._rows[-1].append("")
            case "small" if self._rows and self._rows[-1]:
                self._rows[-1][-1] += " | "

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass
        if tag == "table" and self._caption is not None:
            self.tables[self._caption] = self._rows
            self._caption = None

    def handle_data(self, data: str) -> None:
        if _UNREAD.intersection(self._open):
            return
        self.text += data
        if "caption" in self._open and self._caption is not None:
            self._caption += data
        elif {"th", "td"}.intersection(self._open):
            self._rows[-1][-1] += data

    def of(self, tag: str) -> Iterator[dict[str, str]]:
        """The attributes of every tag of this name."""
        return (attributes for name, attributes in self.tags if name == tag)


def leave_undrawn(patch: pytest.MonkeyPatch) -> None:
    """Pages have all but their drawings, which take most of the time."""
    patch.setattr(drawing, "svg", lambda _: Markup("<svg></svg>"))
