"""What is logged while a test runs, kept for that test alone.

For one test that asks for pytest's own `caplog`, logs of all tests of a run would be kept.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Keeping(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def log_kept() -> Iterator[list[logging.LogRecord]]:
    keeping, root = _Keeping(), logging.getLogger()
    root.addHandler(keeping)
    try:
        yield keeping.records
    finally:
        root.removeHandler(keeping)
