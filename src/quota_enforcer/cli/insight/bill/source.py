"""Where a report lies: a file, a folder, or a prefix of a bucket, whose files are fetched first."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol

from quota_enforcer.cli.terminal.errors import InvalidBill
from quota_enforcer.core.notices.amounts import count
from quota_enforcer.insight.bill.delivery import ExportFiles, delivered, format_of

_S3: Final = "s3://"
BillFile = tuple[Path, str]
"""A file, and what messages call it."""


class ExportBucket(Protocol):
    """The buckets in which exports lie."""

    def names(self, bucket: str, prefix: str) -> Sequence[str]:
        """The keys below a prefix."""

    def fetch(self, bucket: str, key: str, file: Path) -> None:
        """Write an object to a file."""


@contextmanager
def bill_files(
    source: str, bucket: Callable[[], ExportBucket], told: Callable[[str], None]
) -> Iterator[list[BillFile]]:
    """The files of a report, each of its rows once; those of a bucket while the context lasts.

    `told` hears what is fetched and what is left out. Raises InvalidBill if there are none.
    """
    if source.startswith(_S3):
        if not source.removeprefix(_S3).partition("/")[0]:
            raise InvalidBill(f"{source!r} names no bucket: write s3://BUCKET/PREFIX")
        with TemporaryDirectory(prefix="quota-enforcer-bill-") as folder:
            yield _fetched(source, bucket(), Path(folder), told)
        return
    path = Path(source)
    if path.is_dir():
        names = [str(each.relative_to(path)) for each in path.rglob("*") if each.is_file()]
        chosen = _chosen(source, names, told)
        yield [(path / name, str(path / name)) for name in chosen.names]
    elif path.is_file():
        yield [(path, source)]
    else:
        raise InvalidBill(
            f"there is no file or folder {source!r}: name one, or s3://BUCKET/PREFIX of an export"
        )


def _fetched(
    source: str, exports: ExportBucket, folder: Path, told: Callable[[str], None]
) -> list[BillFile]:
    bucket, _, prefix = source.removeprefix(_S3).partition("/")
    chosen = _chosen(source, exports.names(bucket, prefix), told)
    files: list[BillFile] = []
    for number, key in enumerate(chosen.names, start=1):
        told(f"Fetching {number} of {len(chosen.names)}: {_S3}{bucket}/{key}")
        file = folder / str(number)
        exports.fetch(bucket, key, file)
        files.append((file, f"{_S3}{bucket}/{key}"))
    return files


def _chosen(source: str, names: Sequence[str], told: Callable[[str], None]) -> ExportFiles:
    found = delivered(names)
    if len(found.formats) > 1:
        raise InvalidBill(
            f"{source!r} holds reports as {' and as '.join(found.formats)}, so rows may be there "
            "twice: name the folder of one export"
        )
    if not found.names:
        other = sum(format_of(name) is None for name in names)
        raise InvalidBill(
            f"{source!r} holds no report: none of its {other:,} files ends with .parquet, .csv or "
            ".csv.gz; name the folder or prefix of an export, such as s3://BUCKET/PREFIX/EXPORT"
        )
    if found.replaced:
        old = count(found.replaced, "file")
        told(f"{old} of earlier refreshes left out: newer ones replace them.")
    return found
