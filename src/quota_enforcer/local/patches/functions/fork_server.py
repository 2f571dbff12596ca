"""The process that Lambda workers are forked from; a script that imports nothing of ours.

Lambda's runtime and the packages that functions bring along are imported here, once: importing
them is most of what a cold start costs. What is left of it, functions of one archive share: for
each archive there is a process of its own, forked from this one, that has imported what the
archive's handlers import. The handlers themselves, and what lies beside them, each worker imports
in its own environment: a logger or its metrics take their names from there when they are made.
"""

import ast
import contextlib
import gc
import json
import os
import runpy
import signal
import socket
import ssl
import sys
import traceback
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NoReturn

_LIBRARIES: Final = ("boto3", "aws_lambda_powertools", "aws_xray_sdk.core", "crhelper", "tenacity")
_SERVICES: Final = (
    "account", "bedrock", "cloudformation", "cloudwatch", "dynamodb", "events", "iam", "lambda",
    "logs", "sns", "sqs",
)  # fmt: skip
"""Whose models are read here, once: that takes longer than all else that makes a client."""
_SIZE: Final = 4
"""Bytes that say how long a request is, or which process the answer is about."""


def serve(requests: socket.socket) -> None:
    """Fork a worker for each request, and answer its process id, until the emulator is gone.

    A request comes with four files: the worker's stdin, stdout and stderr, and one that it only
    holds, so that the emulator sees the worker's end as the end of that file.
    """
    sys.dont_write_bytecode = False  # workers of one archive share what they compile
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system collects workers that ended
    os.environ["LAMBDA_TASK_ROOT"] = "/var/task"  # the X-Ray SDK asks for it while imported
    for name in _LIBRARIES:
        with contextlib.suppress(ImportError):
            import_module(name)
    runpy.run_path(str(Path(__file__).with_name("boto_once.py")))["install"]()
    with contextlib.suppress(ImportError):
        _share_models()
    # For each answer to CloudFormation all of the system's certificates would be read again.
    certificates: Any = ssl
    certificates.create_default_context = cache(ssl.create_default_context)
    ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    archives: dict[Path, socket.socket] = {}
    for request, files in _received(requests):
        code = Path(json.loads(request)["folder"]).resolve()
        if code not in archives:
            ours, theirs = socket.socketpair()
            if os.fork() == 0:
                for other in (requests, ours, *archives.values()):
                    other.close()
                for file in files:
                    os.close(file)
                _serve_archive(theirs, code)
            theirs.close()
            archives[code] = ours
        socket.send_fds(archives[code], [len(request).to_bytes(_SIZE, "big")], files)
        archives[code].sendall(request)
        for file in files:
            os.close(file)
        requests.sendall(archives[code].recv(_SIZE, socket.MSG_WAITALL))


def _share_models() -> None:
    """Read the models of _SERVICES now, for all that is forked from here."""
    import boto3  # noqa: PLC0415 - a function's package, not ours

    session = boto3.Session("nobody", "nothing", region_name="us-east-1")
    for service in _SERVICES:
        client = session.client(service)
        client.can_paginate(next(iter(client.meta.method_to_api_mapping)))


def _serve_archive(requests: socket.socket, code: Path) -> NoReturn:
    """Be the process that an archive's workers are forked from."""
    sys.path.insert(0, str(code))
    for name in _imported_by_handlers(code):
        # Some are names in a module; and what fails here fails in the worker, which says so.
        with contextlib.suppress(Exception):
            import_module(name)
    sys.path.pop(0)
    _forget_beside_handlers(code)
    gc.freeze()  # what is here stays; looking through it would copy it into each worker
    for request, files in _received(requests):
        if (worker := os.fork()) == 0:
            requests.close()
            _work(json.loads(request), files)
        for file in files:
            os.close(file)
        requests.sendall(worker.to_bytes(_SIZE, "big"))
    os._exit(0)


def _imported_by_handlers(code: Path) -> Iterator[str]:
    """The names that each handler.py imports when it is imported, whether modules or not."""
    for handler in sorted(code.rglob("handler.py")):
        with contextlib.suppress(SyntaxError):
            for statement in ast.parse(handler.read_bytes()).body:
                if isinstance(statement, ast.ImportFrom) and statement.module:
                    yield statement.module
                    yield from (f"{statement.module}.{name.name}" for name in statement.names)


def _forget_beside_handlers(code: Path) -> None:
    folders = {str(handler.parent) for handler in code.rglob("handler.py")}
    for name, module in list(sys.modules.items()):
        if str(Path(getattr(module, "__file__", None) or "").parent) in folders:
            del sys.modules[name]


def _received(requests: socket.socket) -> Iterator[tuple[bytes, list[int]]]:
    """Each request with its files, until there is nobody to send one."""
    while True:
        size, files, _, _ = socket.recv_fds(requests, _SIZE, 4)
        if not size:
            return
        yield requests.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL), files


def _work(request: dict[str, Any], files: list[int]) -> NoReturn:
    """Be the worker."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for standard, file in enumerate(files[:3]):
        os.dup2(file, standard)
        os.close(file)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    script: str = request["script"]
    sys.argv = [script]
    sys.path.insert(0, str(Path(script).parent))
    try:
        runpy.run_path(script, run_name="__main__")
    except BaseException:  # noqa: BLE001 - the emulator reads it; and a worker never becomes a second server
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
