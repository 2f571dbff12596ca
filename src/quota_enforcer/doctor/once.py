"""A reading that several checks share."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Memoised(Generic[T]):
    """Call it as often as you like, from whatever thread: it reads once, and fails the same way."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._lock = Lock()
        self._found: list[T] = []
        self._failed: Exception | None = None

    def __call__(self) -> T:
        """What was read; raises what reading raised."""
        with self._lock:
            if self._failed is not None:
                raise self._failed
            if not self._found:
                try:
                    self._found.append(self._read())
                except Exception as error:
                    self._failed = error
                    raise
            return self._found[0]
