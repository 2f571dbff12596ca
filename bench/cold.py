"""How fast each function starts, how large its package is, and which imports it does not need.

The package is built by the Makefile that `sam build` calls and run by Lambda's own runtime client
against a small server of Lambda's runtime API, with what Lambda's Python has and nothing else, on a
whole processor. What is packaged is compiled at each start, since a function cannot write to where
its package is; AWS's own parts are compiled already.
"""

import base64
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.parts.figures import Figure, report
    from bench.parts.runtime import Lambda
else:  # a script finds what lies beside it
    from parts.figures import Figure, report
    from parts.runtime import Lambda

ROOT = Path(__file__).parents[1]
STARTS = 3
MOST_MB = 5
IMPORTS = 2
PATIENCE = 30
"""Seconds for any one step; then it is given up."""
HEAVIEST = 6
"""Packages that are named."""
IN_RUNTIME = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3")
CLIENT = ("awslambdaric", "simplejson", "snapshot_restore_py.py")
"""Lambda's runtime client, which is in its Python too."""
LAMBDAS = "quota_enforcer.lambdas"

FOREIGN = {
    "author": ("enforce", "meter", "decide.decision", "core.pricing.table"),
    "enforcer": (
        "gates.author",
        "meter.log.record",
        "core.policies.functions",
        "core.policies.deployed",
        "core.policies.guard",
    ),
    "self_service": ("gates.author", "core.policies", "meter.log.record", "meter.stream"),
    "meter": (
        "enforce",
        "gates",
        "decide.decision",
        "meter.cloudwatch",
        "core.policies.functions",
        "core.policies.deployed",
        "core.policies.guard",
    ),
    "setup": ("enforce", "meter", "gates", "decide.decision"),
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
    "self_service": json.loads((ROOT / "events" / "me.json").read_text(encoding="utf-8")),
    "meter": {
        "awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(_BATCH).encode())).decode()}
    },
}
"""Each function's first event; the set-up function's would answer to CloudFormation."""


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
        "PYTHONDONTWRITEBYTECODE": "1",
        "LAMBDA_TASK_ROOT": str(package), "PYTHONPATH": f"{package}{os.pathsep}{runtime}",
        "QUOTA_TABLE": "quotas", "STACK_NAME": "bench", "TIME_ZONE": "UTC",
    }  # fmt: skip


def started(handler: str, package: Path, runtime: Path) -> tuple[float, float | None]:
    """Milliseconds until the function asks for its first event and until it has answered it."""
    api = Lambda()
    server = api.serve()
    port = int(server.server_address[1])
    begin = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-S", "-m", "awslambdaric", f"{LAMBDAS}.{handler}.handler.handler"],
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
    """Milliseconds of import by package, tracing included, and all modules."""
    done = subprocess.run(  # noqa: S603
        [
            sys.executable,
            "-S",
            "-X",
            "importtime",
            "-c",
            f"import {LAMBDAS}.{handler}.handler",
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
    unneeded = 0
    for handler, others in FOREIGN.items():
        if client:
            found = [started(handler, package, runtime) for _ in range(STARTS)]
            init = min(each[0] for each in found)
            first = [each[1] for each in found if each[1] is not None]
            event = f", first event answered in {min(first):.0f} ms" if first else ""
            print(f"cold: {handler}: ready after {init:.0f} ms{event} (best of {STARTS})")
        several = [imported(handler, package, runtime) for _ in range(IMPORTS)]
        packages, modules = min(several, key=lambda each: sum(each[0].values()))
        heaviest = sorted(packages.items(), key=lambda item: -item[1])[:HEAVIEST]
        named = ", ".join(f"{name} {ms:.0f}" for name, ms in heaviest)
        took = sum(packages.values())
        print(f"cold: {handler}: imports {len(modules)} modules in {took:.0f} ms: {named} ms, ...")
        foreign = tuple(f"quota_enforcer.{each}" for each in others)
        needless = [name for name in modules if name.startswith(foreign)]
        print(f"cold: {handler}: not needed by it: {', '.join(needless) or 'none'}")
        unneeded += len(needless)
    report(
        [
            Figure("a function's package, zipped", small / 1e6, "MB", MOST_MB),
            Figure("imports of no use to who makes them", unneeded, "", 0),
        ]
    )


if __name__ == "__main__":
    main()
