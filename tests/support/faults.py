"""Faults of AWS and of Lambda, put between our code and any port: crash anywhere.

`Faults` counts the calls of all ports that it is put around, and lets the k-th one fail.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from threading import Lock
from typing import Any, Final

from quota_enforcer.core.errors import Conflict
from stream_fakes import Died


class Fault(StrEnum):
    """How a call goes wrong."""

    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    THROTTLED = "throttled"
    TIMED_OUT = "timed out after it took effect"
    DENIED = "denied"
    CONFLICT = "spurious conflict"


class Refused(Exception):
    """What AWS said instead of an answer."""


REFUSED_BY_FALSE: Final = frozenset(
    {
        "claim_edits",
        "forget_quota",
        "note_accounts",
        "note_gates",
        "note_pause",
        "note_request",
        "note_tiers",
        "put_meter_rules",
        "remember_price",
        "remember_quota",
        "take_lease",
        "turn_breaker",
    }
)
"""Conditional writes that say by False that somebody else was first."""
REFUSED_BY_CONFLICT: Final = frozenset({"forget", "put"})
"""Those that raise Conflict."""
TAKES_EFFECT: Final = frozenset({Fault.KILLED_AFTER, Fault.TIMED_OUT})


@dataclass
class Faults:
    """Which calls go wrong, and what was called.

    After a kill every call dies until `revive`, so that nothing of the dead process goes on.
    """

    at: Mapping[int, Fault] = field(default_factory=dict)
    between: tuple[int, Callable[[], object]] | None = None
    """Before the call of this number somebody else runs."""
    failing: Mapping[str, Fault] = field(default_factory=dict)
    """Calls that go wrong by their name, `times` times."""
    times: int = 1_000
    before: dict[str, Callable[[], object]] = field(default_factory=dict)
    """What somebody else does before the first call of a name."""
    calls: list[str] = field(default_factory=list)
    counting: bool = False
    dead: bool = False
    _lock: Lock = field(default_factory=Lock)

    def around(self, name: str, port: Any, only: Collection[str] = ()) -> Any:
        """The same port; its attributes are its own, its methods may fail."""
        return _Faulty(self, name, port, frozenset(only))

    def revive(self) -> None:
        """A new process begins."""
        self.dead = False

    def hit(self) -> list[str]:
        """The calls that went wrong, such as `ledger.put: denied`."""
        return [f"{self.calls[k]}: {fault}" for k, fault in self.at.items() if k < len(self.calls)]

    def call(self, name: str, method: Callable[..., Any], *args: Any, **more: Any) -> Any:
        """Make one call, as the plan says."""
        if not (self.counting or self.dead):
            return method(*args, **more)
        fault, other = self._next(name)
        if other is not None:
            self.counting = False
            other()
            self.counting = True
        if fault in {Fault.THROTTLED, Fault.DENIED, Fault.CONFLICT}:
            return _refuse(name, fault)
        answer = method(*args, **more)
        if fault is Fault.KILLED_AFTER:
            self.dead = True
            raise Died
        if fault is Fault.TIMED_OUT:
            raise Refused(f"{name}: {fault}")
        return answer

    def _next(self, name: str) -> tuple[Fault | None, Callable[[], object] | None]:
        """What goes wrong with this call, and who runs before it."""
        with self._lock:
            if self.dead:
                raise Died
            number = len(self.calls)
            self.calls.append(name)
            fault = self.at.get(number)
            if name in self.failing and self.times:
                fault, self.times = self.failing[name], self.times - 1
            if fault is Fault.KILLED_BEFORE:
                self.dead = True
                raise Died
            at, other = self.between or (-1, None)
            return fault, other if at == number else self.before.pop(name, None)


def _refuse(name: str, fault: Fault) -> bool:
    verb = name.rpartition(".")[2]
    if fault is Fault.CONFLICT and verb in REFUSED_BY_FALSE:
        return False
    if fault is Fault.CONFLICT and verb in REFUSED_BY_CONFLICT:
        raise Conflict(f"{name} met somebody else")
    raise Refused(f"{name}: {fault}")


class _Faulty:
    def __init__(self, faults: Faults, name: str, port: Any, only: frozenset[str]) -> None:
        self._faults = faults
        self._name = name
        self._port = port
        self._only = only

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):  # who copies it asks before it has a port
            raise AttributeError(attribute)
        found = getattr(self._port, attribute)
        if not callable(found) or (self._only and attribute not in self._only):
            return found

        return partial(self._faults.call, f"{self._name}.{attribute}", found)
