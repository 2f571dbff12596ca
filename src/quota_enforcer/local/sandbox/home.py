"""Where the sandbox that runs is written down, for the commands that use it.

The folder is the user's own, and a lock in it is held as long as the sandbox runs: the system lets
go of it however the sandbox ends.
"""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final, Self

from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.local.process import FOLDER

_MINE: Final = 0o700
_BESIDE: Final = "quota-enforcer/sandbox"


class NoSandbox(EnforcerError):
    """None runs; the message says how to start one."""


class SandboxRuns(EnforcerError):
    """One runs already; the message says where."""


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """One that runs.

    Attributes:
        pid: the process to end.
        since: when it was started, in real time.
        endpoint: the address of all its services of AWS.
        clock_file: its clock.
        folder: its temporary files.
        environment: what points a process to it, as its admin.
        outputs: what the stack says where things are.
        notices: the queue with all notices.
        keys: the access key of each user, its id and its secret.
        console: the address of its console; empty if it has none.
    """

    pid: int
    since: str
    endpoint: str
    clock_file: str
    folder: str
    environment: dict[str, str]
    notices: str
    keys: dict[str, list[str]] = field(default_factory=dict)
    console: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        return cls(**json.loads(text))

    @property
    def where(self) -> str:
        since = datetime.fromisoformat(self.since).astimezone()
        return f"process {self.pid}, {self.endpoint}, since {since:%H:%M}"


class Home:
    """The folder of the one sandbox that a user may have."""

    def __init__(self, folder: Path | None = None) -> None:
        """By default below XDG_RUNTIME_DIR, which nobody else can read, or the user's cache."""
        self.folder = folder or _default()
        self._lock = self.folder / "lock"
        self._state = self.folder / "running.json"

    @property
    def letters(self) -> Path:
        """What was read of the notices so far."""
        return self.folder / "notices.jsonl"

    def running(self) -> RunningSandbox:
        """The sandbox that runs; raises NoSandbox."""
        if not self._is_locked():
            raise NoSandbox("no sandbox runs: start one with `quota-enforcer sandbox`")
        if not self._state.is_file():
            raise NoSandbox("the sandbox is still starting: try again in some seconds")
        return RunningSandbox.read(self._state.read_text(encoding="utf-8"))

    @contextmanager
    def occupied(self) -> Iterator[None]:
        """Have it for one's own; what a killed one has left is removed, and all in the end.

        Raises SandboxRuns.
        """
        self.folder.mkdir(mode=_MINE, parents=True, exist_ok=True)
        with self._lock.open("w", encoding="ascii") as lock:
            if not _locked(lock):
                raise SandboxRuns(self._taken())
            self._clean()
            try:
                yield
            finally:
                shutil.rmtree(self.folder, ignore_errors=True)

    def publish(self, running: RunningSandbox) -> None:
        """Let other commands find it: whole or not at all, and for this user only."""
        draft = self.folder / "draft.json"
        draft.touch(0o600)
        draft.write_text(json.dumps(asdict(running)), encoding="utf-8")
        draft.replace(self._state)

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """While nobody else does `what`, in any process."""
        with (self.folder / f"{what}.lock").open("w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _taken(self) -> str:
        try:
            where = RunningSandbox.read(self._state.read_text(encoding="utf-8")).where
        except FileNotFoundError:
            where = "it is still starting"
        return (
            f"a sandbox runs already ({where}): use it with "
            '`eval "$(quota-enforcer sandbox env)"`, or end it with `quota-enforcer sandbox stop`'
        )

    def _is_locked(self) -> bool:
        try:
            with self._lock.open("r", encoding="ascii") as lock:
                return not _locked(lock)
        except FileNotFoundError:
            return False

    def _clean(self) -> None:
        """Remove what a killed sandbox could not: its server ended with it, its files did not."""
        if self._state.is_file():
            left: dict[str, Any] = json.loads(self._state.read_text(encoding="utf-8"))
            folder = Path(left.get("folder", ""))
            if folder.name.startswith(FOLDER) and folder.parent == Path(tempfile.gettempdir()):
                shutil.rmtree(folder, ignore_errors=True)
        for each in self.folder.iterdir():
            if each != self._lock:
                each.unlink()


def _default() -> Path:
    given = os.environ.get("XDG_RUNTIME_DIR") or os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / _BESIDE


def _locked(file: IO[str]) -> bool:
    """Whether we have the lock now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
