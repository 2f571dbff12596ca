"""The server of the embedded AWS as a child process that leaves nothing behind."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Final

import quota_enforcer
from quota_enforcer.clock import SIMULATED

FOLDER: Final = "quota-enforcer-aws-"
"""How the names of the folders for temporary files begin."""
_PATIENCE: Final = 120.0
"""Seconds that the server may take to start: one is usual, a busy and cold machine needs many."""
_GRACE: Final = 1.0
"""Seconds that it may take to stop before it is killed."""
_PAUSE: Final = 0.01
"""Seconds between two looks at processes that end."""
_INHERITED: Final = ("HOME", "LANG", "LC_ALL", "PATH", "TZ", "VIRTUAL_ENV")
"""All that the server sees of our environment: no AWS profile or key of the user's."""


class ServerError(RuntimeError):
    """The server did not start or did not stop; the message ends with its log."""


class RunningServer:
    """A server that somebody has started: where it answers, and the file with its clock."""

    def __init__(self, endpoint: str, clock_file: Path) -> None:
        self.endpoint = endpoint
        self.clock_file = clock_file

    def get(self, path: str, method: str = "GET", patience: float = 10) -> bytes:
        """The answer to a plain request to the server itself, within so many seconds."""
        request = urllib.request.Request(self.endpoint + path, method=method)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=patience) as answer:  # noqa: S310 - loopback
            body: bytes = answer.read()
            return body


class Server(RunningServer):
    """A server of our own, and its folder for temporary files."""

    def __init__(self, account_id: str, region: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=FOLDER))
        self._log = self.folder / "server.log"
        # We listen before the server starts and hand the socket over: no race for a free port.
        with socket.create_server(("127.0.0.1", 0)) as listener:
            endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
            super().__init__(endpoint, self.folder / "clock")
            self._process = self._started(listener, account_id, region)

    def log(self) -> str:
        """What the server has said so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_until_healthy(self) -> None:
        """Return once the server answers.

        Raises:
            ServerError: it ended, or did not answer in time.
        """
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self.get("/_ministack/health")
            except OSError:
                continue  # each try waits for an answer, so this is no busy loop
            return
        raise ServerError(f"the embedded AWS did not start:\n{self.log()}")

    def stop(self) -> None:
        """End the server and its workers, and remove the folder.

        Raises:
            ServerError: something of it is still there.
        """
        process = self._process
        if process.stdin:
            process.stdin.close()
        process.terminate()
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._end_workers(process.pid)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.folder.exists():
            raise ServerError(f"could not remove {self.folder}")

    def _end_workers(self, group: int) -> None:
        """Kill the workers that are still on their way out, and wait until they are gone."""
        deadline = time.monotonic() + _GRACE
        with contextlib.suppress(ProcessLookupError):
            while time.monotonic() < deadline:
                os.killpg(group, signal.SIGKILL)
                time.sleep(_PAUSE)

    def _started(
        self, listener: socket.socket, account_id: str, region: str
    ) -> "subprocess.Popen[bytes]":
        temporary = self.folder / "tmp"
        temporary.mkdir()
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        environment |= {
            "AWS_ACCESS_KEY_ID": account_id,
            "AWS_SECRET_ACCESS_KEY": "root",
            "AWS_DEFAULT_REGION": region,
            "GATEWAY_PORT": str(listener.getsockname()[1]),
            "MINISTACK_ACCOUNT_ID": account_id,
            "MINISTACK_REGION": region,
            "PYTHONPATH": str(Path(quota_enforcer.__file__).parents[1]),
            "QUOTA_ENFORCER_LISTENER": str(listener.fileno()),
            "QUOTA_ENFORCER_STOP_AT_EOF": "1",
            "S3_DATA_DIR": str(temporary / "s3"),
            "STATE_DIR": str(temporary / "state"),
            "TMPDIR": str(temporary),
            SIMULATED: str(self.clock_file),
        }
        if sys.dont_write_bytecode:
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "quota_enforcer.local.server"],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
