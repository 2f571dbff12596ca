"""Draws docs/pictures/limits.svg: what limits would have done to real conversations.

`make picture` runs it. The calls are those of the sandbox's three weeks, as lines of a log.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from typer.testing import CliRunner

from quota_enforcer.cli.main import app
from quota_enforcer.core.principal import Kind
from quota_enforcer.core.usage.counts import TOKEN_COUNTS
from quota_enforcer.local.demo.cast import Call
from quota_enforcer.local.sandbox.history import calls

PICTURE: Final = Path(__file__).with_name("limits.svg")
END: Final = datetime(2026, 11, 28, tzinfo=UTC)
ACCOUNT: Final = "111122223333"
QUOTAS: Final = """
- {principal: default, quota: daily, measure: cost_usd, limit: 1.5, window: day}
- {principal: "role/*", quota: weekly, measure: total_tokens, limit: 2000000, window: week}
"""


def records() -> Iterator[dict[str, Any]]:
    for number, call in enumerate(calls(END - timedelta(days=14), END)):
        sections: dict[str, dict[str, int]] = {"input": {}, "output": {}}
        numbers = call.counts._asdict()
        for name, field in TOKEN_COUNTS.items():
            sections[field.section][field.field] = numbers[name]
        yield {
            "timestamp": f"{call.at:%Y-%m-%dT%H:%M:%SZ}",
            "accountId": ACCOUNT,
            "region": "us-east-1",
            "requestId": f"00000000-0000-4000-8000-{number:012d}",
            "operation": "InvokeModel",
            "modelId": call.model,
            "identity": {"arn": arn(call)},
            **sections,
            "schemaType": "ModelInvocationLog",
            "schemaVersion": "1.0",
        }


def arn(call: Call) -> str:
    who = call.principal
    if who.kind is Kind.USER:
        return f"arn:aws:iam::{ACCOUNT}:user/{who.name}"
    role, name = who.name, call.session or who.name.rpartition("/")[2]
    if who.kind is Kind.SSO:
        role = "AWSReservedSSO_Developers_0123456789abcdef"
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.partition('/')[0]}/{name}"


def main(file: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log, quotas = Path(folder, "calls.jsonl"), Path(folder, "quotas.yaml")
        log.write_text("".join(f"{json.dumps(each)}\n" for each in records()), encoding="utf-8")
        quotas.write_text(QUOTAS, encoding="utf-8")
        line = ["simulate", "--log", str(log), "--quotas", str(quotas), "--picture", str(file)]
        done = CliRunner().invoke(app, line)
    sys.stderr.write(done.stderr)
    if done.exit_code:
        raise SystemExit(done.output)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE)
