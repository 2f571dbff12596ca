"""Which files of a folder or prefix are one export, each of its rows once.

Data Exports delivers to `.../EXPORT/data/BILLING_PERIOD=2026-11/`, where it replaces the files or
adds a folder `2026-11-20T13:14:37.728Z-UUID` for each refresh, the newest of which replaces all.
https://docs.aws.amazon.com/cur/latest/userguide/dataexports-export-delivery.html
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final


class FileFormat(StrEnum):
    """How the rows of a report are written."""

    PARQUET = "parquet"
    CSV = "csv"


_ENDINGS: Final = {
    ".parquet": FileFormat.PARQUET,
    ".csv": FileFormat.CSV,
    ".csv.gz": FileFormat.CSV,
}
_PERIOD: Final = re.compile(r"BILLING_PERIOD=\d{4}-\d{2}", re.IGNORECASE)
_REFRESH: Final = re.compile(r"\d{4}-\d{2}-\d{2}T[\d:.]+Z-[\da-f-]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ExportFiles:
    """The files to read."""

    names: tuple[str, ...]
    format: FileFormat | None
    """None if there are no files, or of both formats."""
    formats: tuple[FileFormat, ...]
    replaced: int
    """Files of earlier refreshes, which are left out."""


def format_of(name: str) -> FileFormat | None:
    """By its ending; None for manifests and the like."""
    lower = name.lower()
    return next((each for end, each in _ENDINGS.items() if lower.endswith(end)), None)


def delivered(names: Iterable[str]) -> ExportFiles:
    """The files of an export among those of a folder, by their names with `/`."""
    reports = sorted(name for name in names if format_of(name) is not None)
    newest: dict[str, str] = {}
    for name in reports:
        period, refresh = _refresh_of(name)
        if refresh:
            newest[period] = max(newest.get(period, ""), refresh)
    kept = [name for name in reports if _is_newest(name, newest)]
    formats = tuple(sorted({found for name in kept if (found := format_of(name)) is not None}))
    only = formats[0] if len(formats) == 1 else None
    return ExportFiles(tuple(kept), only, formats, len(reports) - len(kept))


def _is_newest(name: str, newest: dict[str, str]) -> bool:
    period, refresh = _refresh_of(name)
    return not refresh or newest[period] == refresh


def _refresh_of(name: str) -> tuple[str, str]:
    """The folder of a billing period and that of a refresh in it; empty if there is none."""
    parts = PurePosixPath(name).parts[:-1]
    for place, part in enumerate(parts):
        if _REFRESH.fullmatch(part):
            return "/".join(parts[:place]), part
    place = next((at for at, part in enumerate(parts) if _PERIOD.fullmatch(part)), len(parts) - 1)
    return "/".join(parts[: place + 1]), ""
