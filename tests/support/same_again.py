"""A state of the fakes as often as it is asked for: what led to it is played once.

All that changes is copied, and nothing else: values are shared, since nobody changes them.
"""

import pickle
from collections.abc import Callable
from datetime import date, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from io import BytesIO
from threading import Lock
from types import FunctionType
from typing import Any, Final, TypeVar

CORE: Final = "quota_enforcer.core."
"""What all else is made of: values and rules."""
VALUES: Final = (Decimal, Enum, date, timedelta, type, tzinfo)
LOCK: Final = type(Lock())
"""Nobody holds one between two steps, so it may be anybody's."""

State = TypeVar("State")


def same_again(state: State) -> Callable[[], State]:
    """Makes a copy of the state as it is now, at each call another one.

    Raises TypeError for a function that knows variables of another: it would go on with the
    original's.
    """
    written, shared = BytesIO(), list[object]()
    _Writer(written, shared).dump(state)
    return lambda: _Reader(BytesIO(written.getvalue()), shared).load()


class _Writer(pickle.Pickler):
    def __init__(self, file: BytesIO, shared: list[object]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._shared = shared

    def persistent_id(self, found: object) -> int | None:
        """The number of a value among those that are shared; None for what is copied."""
        if isinstance(found, FunctionType):
            if found.__closure__:
                raise TypeError(f"{found.__qualname__} cannot be copied: it has a closure")
        elif not (isinstance(found, (*VALUES, LOCK)) or type(found).__module__.startswith(CORE)):
            return None
        self._shared.append(found)
        return len(self._shared) - 1


class _Reader(pickle.Unpickler):
    def __init__(self, file: BytesIO, shared: list[object]) -> None:
        super().__init__(file)
        self._shared = shared

    def persistent_load(self, number: int) -> Any:
        return self._shared[number]
