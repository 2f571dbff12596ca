"""docs/operating.md is true: its table has every alarm of the template, its parameters exist."""

import re
from pathlib import Path

from template_source import PARAMETERS, of_type

PAGE = (Path(__file__).parents[2] / "docs/operating.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    table = PAGE.partition(heading)[2].partition("|---")[2].partition("\n\n")[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[1:]
    ]


def test_every_alarm_has_its_row() -> None:
    listed = [row[0].strip("`") for row in rows("## When an alarm comes")]
    assert listed == of_type("AWS::CloudWatch::Alarm")


def test_every_parameter_is_one_of_the_templates() -> None:
    overrides = re.findall(r"--parameter-overrides (\w+)=", PAGE)
    named = {*overrides, *re.findall(r"`(\w+)=\w+`", PAGE), "NoticeEmail", "ExistingLogGroup"}
    assert len(named) >= 4
    assert named <= PARAMETERS.keys()
