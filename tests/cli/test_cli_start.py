"""What the command line loads before it does anything: nobody waits for what they do not use."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from builders import an_item
from log_records import a_record

ROOT = Path(__file__).parents[2]
SCRIPT = """
import json, sys
import quota_enforcer.cli.main
from quota_enforcer.cli.__main__ import run

def told(code):
    print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)

told(0)
for words in json.loads(sys.argv[1]):
    sys.argv = ["quota-enforcer", *words]
    try:
        run()
    except SystemExit as end:
        told(end.code)
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """What is there after the import, and after each of some commands in the same process.

    Nothing is in its environment, such as credentials.
    """
    folder = tmp_path_factory.mktemp("start")
    log, quotas = str(folder / "calls.jsonl"), str(folder / "quotas.json")
    Path(log).write_text(f"{json.dumps(a_record())}\n", encoding="utf-8")
    Path(quotas).write_text(json.dumps([an_item()]), encoding="utf-8")
    commands = [
        ["read-log", log, "--json"],
        ["simulate", "--json", "--log", log, "--quotas", quotas],
    ]
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", SCRIPT, json.dumps(commands)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "src")},
    )
    told: list[tuple[int, list[str]]] = [
        json.loads(line) for line in done.stderr.splitlines() if line.startswith("[")
    ]
    assert [code for code, _ in told] == [0, 0, 0]
    assert done.stdout.startswith('{"line": 1, "status": "counted"')
    names = ("nothing", "read-log", "simulate")
    return {name: set(modules) for name, (_, modules) in zip(names, told, strict=True)}


def test_help_waits_neither_for_boto3_nor_for_the_embedded_aws(loaded: dict[str, set[str]]) -> None:
    heavy = {"boto3", "ministack", "quota_enforcer.lambdas.enforcer.wiring"}
    assert "quota_enforcer.cli.main" in loaded["nothing"]
    assert not heavy & loaded["nothing"]


def test_read_log_needs_neither_boto3_nor_credentials_nor_other_commands(
    loaded: dict[str, set[str]],
) -> None:
    """Nor what finds deployments, examines them or completes words."""
    others = {
        "boto3", "botocore", "quota_enforcer.aws.errors", "quota_enforcer.cli.deployment.by_stack",
        "quota_enforcer.cli.quotas.commands", "quota_enforcer.cli.terminal.completion.values",
        "quota_enforcer.doctor.access",
    }  # fmt: skip
    assert "quota_enforcer.cli.offline.read_log" in loaded["read-log"]
    assert not others & loaded["read-log"]


def test_only_yaml_pays_for_the_yaml_reader(loaded: dict[str, set[str]]) -> None:
    assert "quota_enforcer.cli.offline.simulate.command" in loaded["simulate"]
    assert "yaml" not in loaded["simulate"]
