"""A file of quota and price items, JSON or YAML: the items as they stand, and where.

Numbers stay exact and moments stay text, as DynamoDB has them.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from quota_enforcer.cli.files.json import entries as json_entries
from quota_enforcer.cli.files.logs import STDIN
from quota_enforcer.cli.files.values import unstorable
from quota_enforcer.core.quotas.item import Item

JSON_SUFFIX = ".json"
_NAMED = {JSON_SUFFIX: True, ".yaml": False, ".yml": False}
"""Whether a file of this suffix is JSON; of another one the text itself tells."""
_FORM = "expected a list of items as they stand in the quota table, each with principal and quota"


@dataclass(frozen=True, slots=True)
class FileItem:
    """An item, its place in the file (from 1) and its line, and what keeps it from being read.

    One of the table itself has no line.
    """

    item: Item
    place: int
    line: int
    problems: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Whom and name, as written."""
        return str(self.item.get("principal")), str(self.item.get("quota"))

    @property
    def where(self) -> str:
        """`item 3 (line 12): `; nothing of one in the table."""
        return f"item {self.place} (line {self.line}): " if self.line else ""


def read_items(file: Path) -> list[FileItem]:
    """Every item of a file, or of stdin; raises typer.BadParameter where it is no list of items."""
    named = "stdin" if file == STDIN else repr(str(file))
    text = _text(file, named)
    try:
        return list(_items(file, text, named))
    except (ValueError, RecursionError) as error:
        raise typer.BadParameter(f"cannot read {named}: {error}; {_FORM}") from error


def table_items(items: Iterable[Item]) -> list[FileItem]:
    """Those of the quota table, to be judged alike."""
    return [FileItem(item, place, 0) for place, item in enumerate(items, start=1)]


def _text(file: Path, named: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if file == STDIN else file.read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise typer.BadParameter(f"cannot read {named}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise typer.BadParameter(
            f"{named} is not UTF-8: {error.reason} at byte {error.start}"
        ) from error


def _items(file: Path, text: str, named: str) -> Iterator[FileItem]:
    for place, (entry, line, problems) in enumerate(_entries(file, text), start=1):
        if not line:
            raise typer.BadParameter(f"{named} holds no list of items: {_FORM}")
        if not isinstance(entry, dict):
            raise typer.BadParameter(
                f"{named} holds no list of items: entry {place} (line {line}) is "
                f"{str(entry)[:60]!r}; {_FORM}"
            )
        yield FileItem(entry, place, line, (*problems, *unstorable(entry)))


def _entries(file: Path, text: str) -> Iterator[tuple[Any, int, list[str]]]:
    if _NAMED.get(file.suffix.lower(), text.lstrip()[:1] in {"[", "{"}):
        return json_entries(text)
    from quota_enforcer.cli.files.yaml import entries  # noqa: PLC0415 - only YAML pays for it

    return entries(text)
