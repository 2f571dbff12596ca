"""What holds for every command: examples in its help, JSON for machines, and completion."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from builders import NOON
from cli_world import Shell, a_shell
from quota_enforcer.cli import deployment
from quota_enforcer.cli.main import app
from quota_enforcer.core.ledger import Record
from world import principal

PRINTS_JSON_ANYWAY = {"policy allow", "policy author", "policy deny", "policy doctor",
                      "policy enforcer", "policy gate", "policy guard", "policy lock", "policy me",
                      "policy meter", "policy self-service", "policy setup", "policy admin",
                      "policy viewer", "report", "console", "sandbox stop"}  # fmt: skip
"""Policy documents are JSON, the report and the console are pages: `status --json` is their
machine's; and who ends a sandbox wants to know nothing."""


def commands() -> Iterator[tuple[str, Any]]:
    """Every command by its words."""
    waiting = [("", get_command(app))]
    while waiting:
        words, command = waiting.pop()
        several = getattr(command, "commands", None)
        if several is None:
            yield words.strip(), command
        else:
            waiting += [(f"{words} {name}", each) for name, each in several.items()]


COMMANDS = dict(commands())


@pytest.mark.parametrize("words", sorted(COMMANDS))
def test_its_help_has_an_example_of_itself(words: str) -> None:
    text = COMMANDS[words].help or ""
    assert f"quota-enforcer {words}" in text.partition("Examples:")[2].replace("\\\n", "")


@pytest.mark.parametrize("words", sorted(COMMANDS.keys() - PRINTS_JSON_ANYWAY))
def test_machines_can_ask_for_json(words: str) -> None:
    options = {name for each in COMMANDS[words].params for name in each.opts}
    assert "--json" in options


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = a_shell(monkeypatch)
    for who in ("user/alice", "user/albert", "role/ci"):
        shell.world.ledger.put(Record(principal(who), version=1, due=NOON))
    return shell


def completed(line: str) -> list[str]:
    """What bash is offered at the end of a line."""
    words = line.split(" ")
    environment = {
        "_QUOTA_ENFORCER_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    return CliRunner().invoke(app, [], prog_name="quota-enforcer", env=environment).stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("quota-enforcer exp", ["explain"]),
        ("quota-enforcer status --ki", ["--kind"]),
        ("quota-enforcer status --kind s", ["sso", "session"]),
        ("quota-enforcer explain user/al", ["user/albert", "user/alice"]),
        ("quota-enforcer forecast r", ["role/ci"]),
    ],
)
@pytest.mark.usefixtures("shell")
def test_a_shell_completes_commands_options_and_principals(line: str, offered: list[str]) -> None:
    assert completed(line) == offered


def test_completion_takes_the_stack_that_was_named(shell: Shell) -> None:
    completed("quota-enforcer explain --stack other user/")
    assert shell.wanted[0] == "other"


def test_without_a_deployment_the_forms_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(*_: object) -> None:
        raise ConnectionError("no network")

    monkeypatch.setattr(deployment, "find", find)
    assert completed("quota-enforcer explain s") == ["sso/", "session/"]
