"""What holds for every command: examples in its help, JSON for machines, and completion."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from builders import NOON
from cli_world import Shell, a_shell
from quota_enforcer import clock
from quota_enforcer.cli import main
from quota_enforcer.cli.deployment import by_stack
from quota_enforcer.cli.main import app
from quota_enforcer.cli.terminal.completion import values
from quota_enforcer.core.ledger import Record
from world import principal

ROOT = Path(__file__).parents[2]
PRINTS_JSON_ANYWAY = {"policy allow", "policy author", "policy deny", "policy doctor",
                      "policy enforcer", "policy gate", "policy guard", "policy lock", "policy me",
                      "policy meter", "policy self-service", "policy setup", "policy admin",
                      "policy viewer", "policy team-lead", "policy teams", "policy teams-reader",
                      "policy webhook", "report", "console", "sandbox stop"}  # fmt: skip
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

    monkeypatch.setattr(by_stack, "find", find)
    assert completed("quota-enforcer explain s") == ["sso/", "session/"]


FREE = {
    "a number": {"--account", "--accounts", "--cache-read", "--cache-write", "--cache-write-1h",
                 "--image", "--input", "--lag", "--leads-raise-to", "--limit",
                 "--long-cache-read", "--long-over",
                 "--long-cache-write", "--long-cache-write-1h", "--long-input", "--long-output",
                 "--output", "--request", "--tolerance", "limit", "percent", "to", "tokens"},
    "words of one's own": {"--note", "--why", "--ask-whom", "--email", "words"},
    "known only outside": {"--admin-role", "--except", "--kms-key", "--lead-role", "--log-group",
                           "--log-role", "--place", "--reader", "--role-path", "--secret",
                           "--source-role", "--trail", "--url", "--user-id", "--without", "hours",
                           "name", "pattern", "place", "quota", "source", "team", "what"},
}  # fmt: skip
"""What no list can offer, and why."""


def offers(parameter: Any) -> bool:
    """Whether a shell has something for it: a set of words, a file, or what the table says."""
    kind = str(parameter.type_descriptor.annotation)
    by_itself = any(each in kind for each in ("enum", "Literal", "Path", "int", "File"))
    return by_itself or getattr(parameter, "is_flag", False)


def test_a_shell_offers_values_for_every_option() -> None:
    """But for those that no list can offer."""
    bare = {
        (words, parameter.opts[0])
        for words, command in COMMANDS.items()
        for parameter in command.params
        if not offers(parameter)
        and getattr(parameter, "_custom_shell_complete", None) is None
        and parameter.opts[0] not in values.VALUES
    }
    assert {name for _, name in bare} <= set().union(*FREE.values())


@pytest.mark.parametrize(
    ("option", "typed", "offered"),
    [
        ("--measure", "co", ["cost_usd"]),
        ("--action", "N", ["notify"]),
        ("--by", "principal,mo", ["principal,model", "principal,month"]),
        ("--by", "principal,p", []),
        ("--month", "2026-1", ["2026-11", "2026-10"]),
        ("--partition", "aws-c", ["aws-cn"]),
        ("--until", "1", ["1h", "1d", "1w"]),
        ("--time-zone", "Europe/Berl", ["Europe/Berlin"]),
        ("--model", "deepseek.r1", ["deepseek.r1-v1:0"]),
        ("--warn-at", "50,9", ["50,90", "50,95"]),
    ],
)
def test_what_an_option_takes(
    option: str, typed: str, offered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)
    assert values.VALUES[option](typed) == offered


def test_a_command_that_is_asked_to_complete_knows_the_values() -> None:
    """As a shell runs it; any other loads none of them."""
    asked = {
        "_QUOTA_ENFORCER_COMPLETE": "complete_bash",
        "COMP_WORDS": "quota-enforcer policy me --partition aws-c",
        "COMP_CWORD": "4",
        "PYTHONPATH": str(ROOT / "src"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "quota_enforcer.cli"],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.split(), done.stderr) == (["aws-cn"], "")


def test_help_groups_the_commands_as_people_think() -> None:
    printed = CliRunner().invoke(app, ["--help"]).stdout
    panels = re.findall(r"^╭─ (.+?) ─", printed, re.MULTILINE)
    assert panels == ["Options", "See", "Quotas", "Act", "Money", "Set up"]


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        (["status", "user/alice"], {"status"}),
        (["--debug", "quota", "list"], {"quota"}),
        (["status", "--help"], {"status"}),
        (["--help"], set(main.COMMANDS)),
        (["--help", "status"], set(main.COMMANDS)),
        (["statsu"], set(main.COMMANDS)),
        ([], set(main.COMMANDS)),
    ],
)
def test_a_command_loads_itself_alone(words: list[str], loaded: set[str]) -> None:
    """Help, and words that name none, are told of all."""
    assert set(main.meant(words)) == loaded


LINES = [
    ("quota-enforcer status --ki", {"status"}),
    ("quota-enforcer --debug quota set --json ", {"quota"}),
    ("quota-enforcer status ", {"status"}),
    ("quota-enforcer status", set(main.COMMANDS)),
    ("quota-enforcer statsu --ki", set(main.COMMANDS)),
    ("quota-enforcer ", set(main.COMMANDS)),
    ("quota-enforcer", set(main.COMMANDS)),
]


@pytest.mark.parametrize(("line", "loaded"), LINES)
def test_a_shell_that_asks_how_it_goes_on_is_told_of_all_until_a_command_is_finished(
    monkeypatch: pytest.MonkeyPatch, line: str, loaded: set[str]
) -> None:
    monkeypatch.setenv(main.COMPLETES, "complete_zsh")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
    assert set(main.meant(["status"])) == loaded


@pytest.mark.parametrize(
    ("line", "place", "loaded"),
    [
        *((line, line.count(" "), loaded) for line, loaded in LINES),
        ("quota-enforcer status user/alice", 1, set(main.COMMANDS)),
    ],
)
def test_bash_says_at_which_word_it_is(
    monkeypatch: pytest.MonkeyPatch, line: str, place: int, loaded: set[str]
) -> None:
    """People go back in a line too."""
    monkeypatch.setenv(main.COMPLETES, "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(place))
    assert set(main.meant(["status"])) == loaded


@pytest.mark.parametrize("name", main.COMMANDS)
def test_alone_a_command_says_the_same_of_itself(name: str) -> None:
    said = [
        CliRunner().invoke(made, [name, "--help"], prog_name="quota-enforcer").stdout
        for made in (app, main.build([name]))
    ]
    assert said[0] == said[1]
    assert f"Usage: quota-enforcer {name}" in said[0]
