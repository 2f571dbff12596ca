"""Lambda functions in the emulator: their errors, their way home, and who may start them.

- A handler's exception is answered with its class as errorType and with the request's id
  (https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html); the emulator says
  Runtime.HandlerError.
- A custom resource answers CloudFormation over https; the emulator listens to http only, so a
  worker's https connection to the emulator itself is made without TLS.
- A function's archive is unpacked once, for all workers that ever run it; the emulator unpacks it
  for each, which takes as long as the function's first invocation. On Lambda /var/task cannot be
  written to, so nothing is lost where workers share it; they do write the bytecode of its modules.
- Schedules fire on real time in the emulator; here time is simulated, so they never fire by
  themselves: the client fires them (`quota_enforcer.local.schedules`).
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

import hashlib
import os
import threading
import zipfile
from pathlib import Path
from tempfile import gettempdir
from types import SimpleNamespace
from typing import Any, Final, Self

from ministack.core import lambda_runtime
from ministack.services import eventbridge, lambda_svc, scheduler
from ministack.services.cloudformation import custom_resource

from quota_enforcer.local.patches.functions.tracebacks import raised

_WITHOUT_TLS: Final = """
import http.client


def _connect(connection, with_tls=http.client.HTTPSConnection.connect):
    if (connection.host, connection.port) == ("127.0.0.1", {port}):
        http.client.HTTPConnection.connect(connection)
    else:
        with_tls(connection)


http.client.HTTPSConnection.connect = _connect
"""
"""Runs in each worker before the function's code is imported."""

_CODE: Final = "code.zip"
"""How the emulator calls a function's archive in a worker's folder."""

_one_at_a_time = threading.Lock()


def install() -> None:
    """Prepare the workers and silence the schedulers."""
    lambda_runtime.zipfile = SimpleNamespace(**vars(zipfile) | {"ZipFile": _opened})
    port = int(os.environ["GATEWAY_PORT"])
    lambda_runtime._PYTHON_WORKER_SCRIPT = (
        _WITHOUT_TLS.format(port=port) + lambda_runtime._PYTHON_WORKER_SCRIPT
    )
    custom_resource._HOST = "127.0.0.1"  # "localhost" may mean ::1, where nobody listens
    plain = lambda_svc._execute_function_warm

    def execute(function: Any, event: Any, request_id: str) -> Any:
        result = plain(function, event, request_id)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict):
            body["requestId"] = request_id
            if body.get("errorType") == "Runtime.HandlerError":
                body["errorType"] = raised(result.get("log", "")) or body["errorType"]
        return result

    lambda_svc._execute_function_warm = execute
    scheduler.start_scheduler = lambda: None
    eventbridge.start_scheduler = lambda: None


class Archive:
    """A function's code, which is unpacked into one folder, to which all others link.

    What is in it is read only if it is unpacked: that takes as long as a request.
    """

    def __init__(self, file: str) -> None:
        self._file = Path(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def extractall(self, path: str) -> None:
        """Make the folder, which is there and empty, a link to the one with the files."""
        content = self._file.read_bytes()
        shared = Path(gettempdir()) / f"code-{hashlib.sha256(content).hexdigest()[:16]}"
        with _one_at_a_time:
            if not shared.exists():
                with zipfile.ZipFile(self._file) as archive:
                    archive.extractall(shared)
        link = Path(path)
        link.rmdir()
        link.symlink_to(shared, target_is_directory=True)


def _opened(file: str, *how: Any) -> Archive | zipfile.ZipFile:
    """A layer is unpacked for each worker, as the emulator does it."""
    return Archive(file) if Path(file).name == _CODE else zipfile.ZipFile(file, *how)
