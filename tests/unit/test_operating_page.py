"""docs/operating.md is true: its commands are ours, its table has every alarm of the template."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from quota_enforcer.cli.main import app
from template_source import PARAMETERS, of_type

PAGE = (Path(__file__).parents[2] / "docs/operating.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines()]


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    table = PAGE.partition(heading)[2].partition("|---")[2].partition("\n\n")[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[1:]
    ]


def test_every_alarm_has_its_row() -> None:
    listed = [row[0].strip("`") for row in rows("## When an alarm comes")]
    assert listed == of_type("AWS::CloudWatch::Alarm")


@pytest.mark.parametrize(
    "line", dict.fromkeys(line for line in LINES if line.startswith("quota-enforcer"))
)
def test_every_command_is_one_that_we_have(line: str, tmp_path: Path) -> None:
    for name in ("calls.jsonl", "quotas.yaml"):
        (tmp_path / name).touch()
        line = line.replace(name, str(tmp_path / name))
    words = shlex.split(line)[1:]
    found = typer.main.get_command(app)
    while hasattr(found, "commands"):
        found = found.commands[words.pop(0)]
    found.make_context("x", words)


def test_every_parameter_is_one_of_the_templates() -> None:
    overrides = re.findall(r"--parameter-overrides (\w+)=", PAGE)
    named = {*overrides, *re.findall(r"`(\w+)=\w+`", PAGE), "NoticeEmail", "ExistingLogGroup"}
    assert len(named) >= 4
    assert named <= PARAMETERS.keys()
