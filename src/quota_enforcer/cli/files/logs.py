"""The lines of a log file, plain or gzip, from a file or stdin; and a summary of how they read."""

import gzip
import io
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

import typer

from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.core.notices.amounts import and_more, count
from quota_enforcer.core.principal import Kind
from quota_enforcer.meter.log.record import Counted, Quarantined, Reading, Skipped

STDIN = Path("-")
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class UnreadableLog(EnforcerError):
    """The file cannot be opened, or it ends too early; all lines before that were read."""


def log_file(file: Path) -> Path:
    """A file that a command is to read; raises BadParameter if it is missing."""
    if file != STDIN and (file.is_dir() or not file.exists()):
        raise typer.BadParameter(f"there is no file {str(file)!r}: name one, or - for stdin")
    return file


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


REASONS = 10
"""How many reasons are named; damaged values can make each line's reason its own."""
_ACCOUNT = 4
"""The place of the account in an ARN, which is split at its colons."""

STATUS: dict[type[Reading], str] = {
    Counted: "counted", Skipped: "skipped", Quarantined: "quarantined",
}  # fmt: skip


@dataclass(slots=True)
class LogSummary:
    """The lines read so far, by status and by reason, and the accounts whose people called."""

    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    accounts: set[str] = field(default_factory=set)

    def add(self, reading: Reading) -> None:
        status = STATUS[type(reading)]
        self.statuses[status] += 1
        if not isinstance(reading, Counted):
            self.reasons[status, reading.reason] += 1
        elif reading.identity.principal.kind is not Kind.OTHER:
            self.accounts.add(reading.arn.split(":")[_ACCOUNT])

    def lines(self) -> Iterator[str]:
        parts = ", ".join(f"{self.statuses[status]:,} {status}" for status in STATUS.values())
        total = self.statuses.total()
        yield f"{count(total, 'line')}: {parts}"
        for (status, reason), times in self.reasons.most_common(REASONS):
            yield f"{times:,} {status}: {reason}"
        if more := and_more(len(self.reasons), REASONS, "reasons"):
            yield f"{more}: `quota-enforcer read-log` names each with --json"
        if len(self.accounts) > 1:
            named = ", ".join(sorted(self.accounts))
            yield (
                f"It holds people of {len(self.accounts)} accounts ({named}): the same name counts "
                "as one here, while a deployment meters one account"
            )
