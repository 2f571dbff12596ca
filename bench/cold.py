"""How fast each function starts, how large its package is, and which imports it does not need.

The package is built by the Makefile that `sam build` calls and run by Lambda's own runtime client
against a small server of Lambda's runtime API, with what Lambda's Python has and nothing else. In
AWS the same takes longer or shorter by the memory's share of a processor and the version of Python.
"""

import base64
import gzip
import json
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HANDLERS = ROOT / "src" / "quota_enforcer" / "handlers"
STARTS = 5
PATIENCE = 30
"""Seconds for any one step; then it is given up."""
SLOW = 5
"""Milliseconds of import from which on a package is named."""
IN_RUNTIME = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3")
CLIENT = ("awslambdaric", "simplejson", "snapshot_restore_py.py")
"""Lambda's runtime client, which is in its Python too."""
FOREIGN = {
    "author": ("sweep", "metering", "core.decision", "core.records", "core.price_table"),
    "enforcer": ("authoring.author", "core.records", "core.policies"),
    "me": ("authoring.author", "core.policies", "core.records", "metering.stream"),
    "meter": ("sweep", "authoring", "core.decision", "core.policies", "metering.cloudwatch"),
    "setup": ("sweep", "metering", "authoring", "core.decision", "core.records"),
}
"""What of ours belongs to other functions."""
_RECORD = {
    "timestamp": "2026-11-24T12:00:00Z", "accountId": "111122223333", "region": "us-east-1",
    "identity": {"arn": "arn:aws:iam::111122223333:user/alice"}, "requestId": "r",
    "operation": "Converse", "modelId": "amazon.nova-lite-v1:0",
    "input": {"inputTokenCount": 1}, "output": {"outputTokenCount": 1},
}  # fmt: skip
_BATCH = {
    "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "log",
    "logStream": "aws/bedrock/modelinvocations", "subscriptionFilters": ["meter"],
    "logEvents": [{"id": "1", "timestamp": 1795521600000, "message": json.dumps(_RECORD)}],
}  # fmt: skip
EVENTS: dict[str, dict[str, Any]] = {
    "author": {"action": "render"},
    "enforcer": {"action": "sweep"},
    "me": json.loads((ROOT / "events" / "me.json").read_text(encoding="utf-8")),
    "meter": {
        "awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(_BATCH).encode())).decode()}
    },
}
"""Each function's first event; the set-up function's would answer to CloudFormation."""


class Quiet(ThreadingHTTPServer):
    """A server that does not mind a client that is killed."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing."""


@dataclass(slots=True)
class Lambda:
    """Lambda's runtime API for one process, and an AWS that refuses everything.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
    """

    ready: threading.Event = field(default_factory=threading.Event)
    events: "queue.Queue[bytes]" = field(default_factory=queue.Queue)
    answers: "queue.Queue[tuple[str, bytes]]" = field(default_factory=queue.Queue)

    def serve(self) -> ThreadingHTTPServer:
        """Start on a free port."""
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_: object) -> None:
                """Nothing."""

            def do_GET(self) -> None:
                api.ready.set()
                event = api.events.get()
                deadline = str(int((time.time() + PATIENCE) * 1000))
                self._answer(200, event, {
                    "Lambda-Runtime-Aws-Request-Id": "1", "Lambda-Runtime-Deadline-Ms": deadline,
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:1:function:f",
                    "Lambda-Runtime-Trace-Id": "Root=1-0-0", "Content-Type": "application/json",
                })  # fmt: skip

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if "/runtime/" not in self.path:
                    self._answer(400, b'{"__type": "AccessDeniedException"}', {})
                    return
                self._answer(202, b"{}", {})
                if self.path.endswith(("/response", "/error")):
                    api.answers.put((self.path.rpartition("/")[2], body))
                    api.ready.set()

            def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        server = Quiet(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


def environment(package: Path, runtime: Path, port: int) -> dict[str, str]:
    """What a function's process finds."""
    here = f"127.0.0.1:{port}"
    return {
        "ACCOUNT_ID": "111122223333", "AUTHOR_FUNCTION": "author", "AWS_ACCESS_KEY_ID": "x",
        "AWS_ENDPOINT_URL": f"http://{here}", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_RUNTIME_API": here, "AWS_MAX_ATTEMPTS": "1", "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_SECRET_ACCESS_KEY": "x", "BREAKER_NUMBER": "10",
        "BREAKER_PERCENT": "20", "CONTACT": "us", "DEAD_LETTERS": f"http://{here}/q",
        "DENY_POLICIES": '{"*": "arn:aws:iam::111122223333:policy/p"}',
        "ENFORCER_FUNCTION": "enforcer", "DENY_AGENT_CORE": "true", "LEDGER_TABLE": "ledger",
        "GATES": '["arn:aws:iam::111122223333:policy/bedrock-quota/b/b-BOUNDARY-ONLY"]',
        "GATED": "true", "LOG_GROUP": "log", "METERING": "stream", "METRIC_NAMESPACE": "n",
        "MODE": "enforce", "MODEL_SCOPES": '["*"]',
        "NOTICE_TOPIC": "arn:aws:sns:us-east-1:111122223333:t", "PATH": os.environ["PATH"],
        "POWERTOOLS_METRICS_NAMESPACE": "n", "POWERTOOLS_SERVICE_NAME": "f",
        "POWERTOOLS_TRACE_DISABLED": "true", "PYTHONPATH": f"{package}{os.pathsep}{runtime}",
        "QUOTA_TABLE": "quotas", "STACK_NAME": "bench", "TIME_ZONE": "UTC",
    }  # fmt: skip


def started(handler: str, package: Path, runtime: Path) -> tuple[float, float | None]:
    """Milliseconds until the function asks for its first event and until it has answered it."""
    api = Lambda()
    server = api.serve()
    port = int(server.server_address[1])
    begin = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-S", "-m", "awslambdaric", f"quota_enforcer.handlers.{handler}.handler"],
        cwd=package,
        env=environment(package, runtime, port),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        if not api.ready.wait(PATIENCE) or not api.answers.empty():
            why = "" if api.answers.empty() else api.answers.get()[1].decode()
            raise SystemExit(f"cold: {handler} did not start: {why}")
        init = (time.perf_counter() - begin) * 1000
        if handler not in EVENTS:
            return init, None
        begin = time.perf_counter()
        api.events.put(json.dumps(EVENTS[handler]).encode())
        kind, body = api.answers.get(timeout=PATIENCE)
        if kind == "error" and b"AccessDenied" not in body:
            raise SystemExit(f"cold: {handler} answered {body.decode()}")
        return init, (time.perf_counter() - begin) * 1000
    finally:
        process.kill()
        process.wait(PATIENCE)
        server.shutdown()
        server.server_close()


def imported(handler: str, package: Path, runtime: Path) -> tuple[dict[str, float], list[str]]:
    """Milliseconds of import by package, and all modules, in an interpreter of its own."""
    done = subprocess.run(  # noqa: S603
        [
            sys.executable,
            "-S",
            "-X",
            "importtime",
            "-c",
            f"import quota_enforcer.handlers.{handler}",
        ],
        env=environment(package, runtime, 1),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    packages: defaultdict[str, float] = defaultdict(float)
    modules = []
    for line in done.stderr.splitlines()[1:]:
        own, _, name = line.removeprefix("import time:").split("|")
        modules.append(name.strip())
        packages[name.strip().partition(".")[0]] += int(own) / 1000
    return packages, modules


def main() -> None:
    """Build, start each function a few times, and name what it imports."""
    with tempfile.TemporaryDirectory() as folder:
        package, runtime = Path(folder, "package"), Path(folder, "runtime")
        for made in (package, runtime):
            made.mkdir()
        command = ["make", "--silent", "-C", str(ROOT / "src"), "build-EnforcerFunction"]
        command += [f"ARTIFACTS_DIR={package}", f"PYTHON={sys.executable}"]
        subprocess.run(command, check=True, timeout=120, capture_output=True)  # noqa: S603
        installed = Path(str(find_spec("boto3").origin)).parents[1]  # type: ignore[union-attr]
        native = [each.name for each in installed.glob("runtime_client*.so")]
        for name in (*IN_RUNTIME, *CLIENT, *native):
            if (installed / name).exists():
                (runtime / name).symlink_to(installed / name)
        measure(package, runtime, client=bool(native))


def measure(package: Path, runtime: Path, *, client: bool) -> None:
    """Print the figures; without the runtime client only those of the imports."""
    files = [path for path in package.rglob("*") if path.is_file()]
    with (
        tempfile.TemporaryFile() as archive,
        zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped,
    ):
        for path in files:
            zipped.write(path, path.relative_to(package))
        zipped.close()
        small = archive.tell()
    version = ".".join(map(str, sys.version_info[:3]))
    total = sum(path.stat().st_size for path in files)
    print(f"cold: every function's package is {total:,} B, {small:,} B zipped; Python {version}")
    if not client:
        print("cold: no runtime client for this machine (awslambdaric): imports only")
    for handler in ("author", "enforcer", "me", "meter", "setup"):
        if client:
            found = [started(handler, package, runtime) for _ in range(STARTS)]
            init = statistics.median(each[0] for each in found)
            first = [each[1] for each in found if each[1] is not None]
            event = f", first event {statistics.median(first):.0f} ms" if first else ""
            print(f"cold: {handler}: ready after {init:.0f} ms{event} (median of {STARTS})")
        packages, modules = imported(handler, package, runtime)
        slow = sorted(packages.items(), key=lambda item: -item[1])
        named = ", ".join(f"{name} {ms:.0f}" for name, ms in slow if ms >= SLOW)
        print(f"  {len(modules)} modules in {sum(packages.values()):.0f} ms: {named} ms")
        foreign = tuple(f"quota_enforcer.{each}" for each in FOREIGN[handler])
        needless = [name for name in modules if name.startswith(foreign)]
        print(f"  not needed by it: {', '.join(needless) or 'none'}")


if __name__ == "__main__":
    main()
