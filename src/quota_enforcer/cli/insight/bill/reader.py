"""Cost and Usage Reports, read by DuckDB: Python sees sums, however many rows there are."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, cast

from quota_enforcer.cli.insight.bill.columns import NET, PRINCIPAL, Columns
from quota_enforcer.cli.insight.bill.sums import CHARGED, KEYS, TABLE, summed
from quota_enforcer.cli.terminal.errors import InvalidBill, needing
from quota_enforcer.insight.bill.line import BadRows, BillFacts, BillLine, Charged

if TYPE_CHECKING:
    import duckdb


_SETTINGS: Final = (
    "SET TimeZone = 'UTC'",
    "SET memory_limit = '512MB'",
    "SET preserve_insertion_order = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET enable_progress_bar = false",
)
"""Nothing is fetched from anywhere; what does not fit into memory goes to disk."""
_GZIP: Final = b"\x1f\x8b"
_PARQUET: Final = b"PAR1"
_ZIP: Final = b"PK\x03\x04"
_MANY: Final = 10_000
_LONGEST_LINE: Final = 1_000_000
_BUFFER: Final = 8_000_000
"""Bytes of CSV in memory for each thread; without a number DuckDB takes a multiple of the line."""


class BillReader:
    """Reads the files of one export into sums. Raises MissingExtra without the extra `bill`."""

    def __init__(self, *, net: bool = True) -> None:
        """With `net` costs are those after discounts, where the report has them."""
        with needing("bill", "reading a bill"):
            import duckdb  # noqa: PLC0415 - an extra of its own, and slow to load

        self._connection = duckdb.connect(":memory:")
        for setting in _SETTINGS:
            self._connection.execute(setting)
        self._connection.execute(TABLE)
        self._error: type[Exception] = duckdb.Error
        self._net = net
        self._has_net = False
        self._by_principal = False
        self._legacy = False
        self._rejected: list[BadRows] = []

    def read(self, file: Path, name: str) -> None:
        """Add one file; `name` is what messages call it. Raises InvalidBill."""
        try:
            source = _opened(self._connection, file, name)
            columns = Columns.of(name, source.types)
            self._has_net |= self._net and columns.has(NET)
            self._by_principal |= columns.has(PRINCIPAL)
            self._legacy |= columns.legacy
            statement = f"INSERT INTO lines {summed(source.relation, columns, net=self._net)}"
            self._connection.execute(statement, [str(file)])
        except self._error as error:
            problem = str(error).partition("\n")[0]
            raise InvalidBill(
                f"{name!r} cannot be read ({problem}): fetch the file again, or name another"
            ) from error
        if not source.is_parquet:
            self._note_rejected(name)

    def _note_rejected(self, name: str) -> None:
        [(count, line, problem)] = self._connection.execute(
            "SELECT count(DISTINCT line), min(line), arg_min(error_message, line) "
            "FROM reject_errors"
        ).fetchall()
        if count:
            first = f"line {line} of {name!r}: {problem}".replace("\n", " ")
            self._rejected.append(BadRows(count, first[:300]))
        for table in ("reject_errors", "reject_scans"):
            self._connection.execute(f"DROP TABLE IF EXISTS {table}")

    def facts(self) -> BillFacts:
        """What the files say of themselves, once all were read."""
        [(rows, first, newest, estimated)] = self._connection.execute(
            "SELECT coalesce(sum(rows), 0), min(first), max(newest), "
            "coalesce(sum(estimated), 0) FROM lines"
        ).fetchall()
        faults = self._connection.execute(
            "SELECT fault, sum(rows), min(seen) FROM lines WHERE fault NOT IN ('', '-') "
            "GROUP BY fault ORDER BY fault"
        ).fetchall()
        bad = (BadRows(int(count), f"{fault}: {seen!r}") for fault, count, seen in faults)
        return BillFacts(
            int(rows),
            first,
            newest,
            by_principal=self._by_principal,
            net=self._has_net,
            estimated=int(estimated),
            bad=(*self._rejected, *bad),
            legacy=self._legacy,
        )

    def lines(self) -> Iterator[BillLine]:
        """The sums of what could be read, one by one."""
        keys = ", ".join(KEYS)
        self._connection.execute(
            f"SELECT {keys}, sum(amount), sum(cost), sum(rows) FROM lines "  # noqa: S608 - our own names
            f"WHERE fault = '' GROUP BY {keys}"
        )
        known: dict[Charged, Charged] = {}
        while rows := self._connection.fetchmany(_MANY):
            for day, account, region, principal, *rest in rows:
                charged = Charged(*rest[: len(CHARGED)])
                charged = known.setdefault(charged, charged)
                amount, cost, count = rest[len(CHARGED) :]
                yield BillLine(day, account, region, principal, charged, amount, cost, int(count))

    def close(self) -> None:
        """Let go of the memory and of what is on disk."""
        with suppress(self._error):
            self._connection.close()


@dataclass(frozen=True, slots=True)
class _Source:
    """How one file is read."""

    relation: str
    """What an SQL statement reads from, the file being its one parameter."""
    types: dict[str, str]
    is_parquet: bool


def _opened(connection: "duckdb.DuckDBPyConnection", file: Path, name: str) -> _Source:
    head = _beginning(file, name)
    if head.startswith(_PARQUET):
        relation = "read_parquet(?)"
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}", [str(file)])  # noqa: S608 - our own
        return _Source(relation, {row[0]: row[1] for row in described.fetchall()}, is_parquet=True)
    if head.startswith(_ZIP):
        raise InvalidBill(f"{name!r} is a zip file: unpack it and name the CSV in it")
    types = dict.fromkeys(_header(file, name), "VARCHAR")
    quoted = (column.replace("'", "''") for column in types)
    columns = ", ".join(f"'{column}': 'VARCHAR'" for column in quoted)
    compression = "gzip" if head.startswith(_GZIP) else "none"
    relation = (
        f"read_csv(?, columns = {{{columns}}}, auto_detect = false, header = true, "
        f"delim = ',', quote = '\"', escape = '\"', compression = '{compression}', "
        f"max_line_size = {_LONGEST_LINE}, buffer_size = {_BUFFER}, store_rejects = true)"
    )
    return _Source(relation, types, is_parquet=False)


def _beginning(file: Path, name: str) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(len(_PARQUET))
    except OSError as error:
        raise InvalidBill(f"cannot read {name!r}: {error.strerror}") from error


def _header(file: Path, name: str) -> list[str]:
    packed = _beginning(file, name).startswith(_GZIP)
    try:
        with file.open("rb") as raw, gzip.GzipFile(fileobj=raw) if packed else raw as unpacked:
            text = io.TextIOWrapper(cast("IO[bytes]", unpacked), encoding="utf-8-sig", newline="")
            header = next(csv.reader(text), [])
            text.detach()
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise InvalidBill(
            f"{name!r} is no CSV, gzip or Parquet file that is whole ({error}): fetch it again, "
            "or name another"
        ) from error
    twice = {each for each in header if header.count(each) > 1}
    if not header or twice:
        what = f"the column {min(twice)!r} twice" if twice else "no header line"
        raise InvalidBill(f"{name!r} has {what}: give the file as AWS delivered it")
    return header


def read_files(files: Sequence[tuple[Path, str]], *, net: bool) -> BillReader:
    """A reader of all these files, each with what messages call it."""
    reader = BillReader(net=net)
    for file, name in files:
        reader.read(file, name)
    return reader
