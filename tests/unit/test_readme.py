"""The README is true: its commands run, its tables say what the code and the template say."""

import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest

from builders import HOUR, NOON, a_quota
from cli_world import Shell, a_shell
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.item import ATTRIBUTES
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.usage.window import DAY
from template_source import PARAMETERS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def commands() -> list[str]:
    """Every command of the product in the README's shell blocks, each once, in their order."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = (line for block in blocks for line in block.splitlines())
    return list(dict.fromkeys(line for line in lines if line.startswith("quota-enforcer ")))


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading or sentence."""
    table = README.partition(heading)[2].partition("|---")[2].partition("\n\n")[0]
    lines = table.splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names(cells: list[str]) -> list[str]:
    """What stands in backquotes."""
    return re.findall(r"`([^`]+)`", cells[0])


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    monkeypatch.chdir(tmp_path)  # some commands write files
    shell = a_shell(monkeypatch)
    shell.now = NOW
    shell.used("alice", 3_000_000)
    shell.sweep()
    return shell


def test_every_command_runs_in_the_order_shown(shell: Shell) -> None:
    assert len(commands()) >= 10
    for command in commands():
        result = shell.run(*shlex.split(command)[1:])
        assert result.exit_code == 0, f"{command}\n{result.output}"


def shown(command: str) -> list[str]:
    """What a text block of the README shows below a command, each line without its margins."""
    _, _, after = README.partition(f"$ {command}\n")
    assert after, command
    return [line.strip() for line in after.partition("```")[0].splitlines() if line.strip()]


def test_what_explain_shows_is_shown(shell: Shell) -> None:
    for line in (
        "quota set default daily --measure total_tokens --limit 2_000_000 --window day",
        "quota set user/alice daily --measure total_tokens --limit 5_000_000 --window day",
        "quota raise user/alice daily 6_000_000 --until 1d",
    ):
        assert shell.run(*line.split()).exit_code == 0
    shell.sweep()
    said = shell.run("explain", "user/alice").output
    assert set(shown("quota-enforcer explain user/alice")) <= {
        line.strip() for line in said.splitlines()
    }


@pytest.fixture
def week(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A week in observe mode, of four principals."""
    shell = a_shell(monkeypatch, Mode.OBSERVE)
    team = ["user/alice", "user/bob"]
    shell.world.quota(principal="default", limit=100_000)
    shell.world.quota(principal="team/research", members=team, limit=300_000, warn_at=[50, 80])
    shell.world.quota(
        principal="role/*", quota="hourly", measure="requests", limit=50, window="hour"
    )
    for days in range(7, 0, -1):
        for hour in (9, 11, 14, 16):
            shell.now = NOON - days * DAY + (hour - 12) * HOUR
            shell.used("alice", 90_000 if days in {6, 4} else 60_000)
            shell.used("bob", 20_000)
            shell.used("carol", 30_000 if days == 2 else 8_000)
            shell.used("role:reporting/nightly", 4_000)
            shell.sweep()
        shell.now = NOON - (days - 1) * DAY - 12 * HOUR
        shell.sweep()
    for hour, tokens in ((9, 150_000), (10, 80_000), (11, 95_000)):
        shell.now = NOON + (hour - 12) * HOUR
        shell.used("alice", tokens)
        shell.used("bob", 45_000)
        shell.sweep()
    shell.now = NOON
    shell.sweep()
    return shell


@pytest.mark.parametrize("command", ["status", "usage --month 2026-11 --csv --by principal,month"])
def test_what_a_week_of_observing_shows_is_shown(week: Shell, command: str) -> None:
    said = week.run(*command.split()).output
    assert set(shown(f"quota-enforcer {command}")) <= {line.strip() for line in said.splitlines()}


def test_what_simulate_shows_is_shown(shell: Shell, tmp_path: Path) -> None:
    """On the published records that the tests have, cut to the two people in them."""
    [quotas] = re.findall(r"\$ cat quotas.yaml\n(.*)\n", README)
    (tmp_path / "quotas.yaml").write_text(f"{quotas}\n", encoding="utf-8")
    records = (ROOT / "tests/data/logs/invocation_records.jsonl").read_text(encoding="utf-8")
    lines = (json.dumps(json.loads(line)["record"]) for line in records.splitlines())
    (tmp_path / "calls.jsonl").write_text("\n".join(lines), encoding="utf-8")
    command = "quota-enforcer simulate --log calls.jsonl --quotas quotas.yaml"
    said = shell.run(*command.split()[1:]).output
    assert {" ".join(line.split()) for line in shown(command)} <= {
        " ".join(line.split()) for line in said.splitlines()
    }


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_attribute_table_lists_what_an_item_may_have() -> None:
    listed = [
        each.partition(":")[0] for row in rows("A **quota** is one rule") for each in names(row)
    ]
    assert sorted(listed) == sorted(set(ATTRIBUTES) - {"note", "edited_by", "edited_at"})


def test_the_parameter_table_lists_the_templates_parameters_and_defaults() -> None:
    table = rows("Deleting the stack stops the triggers")
    assert sorted(name for row in table for name in names(row)) == sorted(PARAMETERS)
    for row in table:
        defaults = [str(PARAMETERS[name]["Default"]) or "none" for name in names(row)]
        assert row[2].strip("`") == ", ".join(dict.fromkeys(defaults))


@pytest.mark.parametrize("level", range(4))
def test_the_precedence_table_says_which_rule_wins(level: int) -> None:
    """Of the rules at this level and all below, the one the table puts first applies."""
    table = rows("For each quota name the nearest rule wins")
    assert [row[0] for row in table] == ["1", "2", "3", "4"]
    order = [re.findall(r"`([^`]+)`", row[2])[0] for row in table]
    rules = [
        a_quota(subject=subject, members=("user/alice",) if subject.startswith("team/") else ())
        for subject in order
    ]
    applicable = QuotaBook(rules[level:]).of(Principal.parse("user/alice"), NOW)
    assert [quota.subject for quota in applicable.quotas] == [order[level]]


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
