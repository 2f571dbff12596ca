"""A session of boto3 whose clients are made when an event first needs them.

To make one takes as long as two queries, and an event of the meter needs two of nine.
"""

from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Callable


class LazySession(boto3.Session):
    """For the settings of Lambda's environment."""

    def __init__(self) -> None:
        super().__init__()
        self._one_at_a_time = RLock()

    def client(self, *arguments: Any, **options: Any) -> Any:  # type: ignore[override, unused-ignore]
        """What becomes the client as soon as it is used."""
        make = partial(super().client, *arguments, **options)
        return LazyClient(self._one_at_a_time, make)


class LazyClient:
    """Threads may use it as they use a client: a session makes clients for one thread at a time."""

    def __init__(self, one_at_a_time: "RLock", make: "Callable[[], Any]") -> None:
        self._one_at_a_time = one_at_a_time
        self._make = make

    def __getattr__(self, name: str) -> Any:
        """Of the client; what was asked for once is found without coming here."""
        with self._one_at_a_time:
            if (client := self.__dict__.get("_client")) is None:
                client = self.__dict__["_client"] = self._make()
        found = getattr(client, name)
        self.__dict__[name] = found
        return found
