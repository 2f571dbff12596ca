"""A log's entries as they read: of a file, a folder or stdin, plain or gzip, in whichever form."""

import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import IO, Final, cast

import typer

from quota_enforcer.cli.files.exports import documents, is_table, readings, records_of
from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.meter.log.record import Reading

STDIN = Path("-")
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""PowerShell writes so."""
_OTHER_FORMATS: Final = {
    b"PK\x03\x04": "a zip file or an Excel workbook",
    b"PAR1": "a Parquet file",
    b"ORC": "an ORC file",
    b"BZh": "a bzip2 file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"\xfd7zXZ": "an xz file",
}
"""By how they begin."""
RIGHT_FORM: Final = (
    "this gives the right form: aws logs filter-log-events --log-group-name GROUP "
    "--log-stream-names aws/bedrock/modelinvocations --output json > calls.json; "
    "of Logs Insights: fields @timestamp, @message"
)
_DELIMITERS: Final = ",;\t"
_NO_RECORDS: Final = ("data", "amazon-bedrock-logs-permission-check")
"""Of a bucket that Bedrock logs to: the folder of large bodies, and the file of its first try."""


class UnreadableLog(EnforcerError):
    """The file cannot be opened, or it ends too early; all lines before that were read."""


def log_file(file: Path) -> Path:
    """A file that a command is to read; raises BadParameter if it is missing."""
    if file != STDIN and (file.is_dir() or not file.exists()):
        raise typer.BadParameter(f"there is no file {str(file)!r}: name one, or - for stdin")
    return file


def log_source(file: Path) -> Path:
    """A log that a command is to read: a file, or a folder of files as S3 has them."""
    if str(file).startswith("s3:"):
        address = str(file).replace("s3:/", "s3://", 1)
        raise typer.BadParameter(f"fetch it first: aws s3 sync {address} logs, then name logs")
    return file if file.is_dir() else log_file(file)


def log_readings(source: Path, home: str = "") -> Iterator[Reading]:
    """How every entry of a log reads: of its lines, of its objects, or of its rows.

    With `home`, the number of the home account, callers of other accounts have theirs.
    Raises UnreadableLog after the last that could be read.
    """
    if not source.is_dir():
        yield from _of_file(source, home)
        return
    for file in sorted(source.rglob("*")):
        if file.is_file() and not {*file.relative_to(source).parts} & {*_NO_RECORDS}:
            yield from _of_file(file, home)


def _of_file(file: Path, home: str) -> Iterator[Reading]:
    lines = log_lines(file)
    head = list(_head(lines))
    first = head[-1] if head else b""
    for magic, what in _OTHER_FORMATS.items():
        if first.startswith(magic):
            raise UnreadableLog(f"{_named(file)} is {what}: {RIGHT_FORM}")
    several = chain(head, lines)
    text = first.decode("utf-8", "replace").strip()
    if delimiter := _delimiter(text):
        yield from _of_table(file, several, delimiter, home)
    elif text.startswith("[") or (text.startswith("{") and not _is_json(text)):
        yield from _of_documents(list(several), home)
    else:
        for line in several:
            yield from readings(line, home)


def _head(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The lines up to the first that is not empty."""
    for line in lines:
        yield line
        if line.strip():
            return


def _delimiter(head: str) -> str:
    """What is between the cells of a table's head; empty if it is none."""
    if head.startswith(("{", "[")):
        return ""
    fits = (each for each in _DELIMITERS if is_table(next(csv.reader([head], delimiter=each), [])))
    return next(fits, "")


def _of_table(file: Path, lines: Iterator[bytes], delimiter: str, home: str) -> Iterator[Reading]:
    csv.field_size_limit(2**31 - 1)  # a cell may hold a whole prompt
    decoded = (line.decode("utf-8", "replace") for line in lines)
    rows = csv.DictReader(decoded, delimiter=delimiter)
    try:
        for row in rows:
            named = {name: cell for name, cell in row.items() if isinstance(name, str)}
            yield from readings(named, home)
    except csv.Error as error:
        raise UnreadableLog(f"{_named(file)} is no whole CSV: {error}; {RIGHT_FORM}") from error


def _of_documents(lines: list[bytes], home: str) -> Iterator[Reading]:
    """Objects that go over several lines, or lists of them; else the lines for themselves."""
    found = list(documents(b"".join(lines).decode("utf-8", "replace")))
    if found and isinstance(found[0], str):
        for line in lines:
            yield from readings(line, home)
        return
    for record in chain.from_iterable(map(records_of, found)):
        yield from readings(record if isinstance(record, str | dict) else json.dumps(record), home)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def log_lines(file: Path) -> Iterator[bytes]:
    """Every line of the file in order, also empty lines; `-` is stdin.

    Raises UnreadableLog after the last whole line, if a gzip file is cut off or damaged.
    """
    number = 0
    with ExitStack() as opened:
        raw = sys.stdin.buffer if file == STDIN else opened.enter_context(_opened(file))
        stream = io.BufferedReader(cast("io.RawIOBase", raw))
        opened.callback(stream.detach)  # whoever opened it closes it
        content: Iterator[bytes] = stream
        if stream.peek(len(_GZIP)).startswith(_GZIP):
            content = opened.enter_context(gzip.GzipFile(fileobj=stream))
        if stream.peek(len(_GZIP)).startswith(_UTF_16):
            decoded = io.TextIOWrapper(stream, "utf-16")
            opened.callback(decoded.detach)
            content = (line.encode() for line in decoded)
        try:
            for number, line in enumerate(content, start=1):
                yield line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise UnreadableLog(
                f"{_named(file)} is not a whole gzip file ({error}): it breaks after line "
                f"{number}, which is the last that was read; fetch the file again"
            ) from error


def _opened(file: Path) -> IO[bytes]:
    try:
        return file.open("rb")
    except OSError as error:
        raise UnreadableLog(f"cannot read {_named(file)}: {error.strerror}") from error


def _named(file: Path) -> str:
    return "stdin" if file == STDIN else f"{str(file)!r}"
