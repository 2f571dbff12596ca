"""docs/operating.md is true: each alarm of the template has its paragraph, its parameters exist."""

import re
from pathlib import Path

import pytest

from template_source import PARAMETERS, SATELLITE, of_type, properties

PAGE = (Path(__file__).parents[2] / "docs/operating.md").read_text(encoding="utf-8")


ALARMS = of_type("AWS::CloudWatch::Alarm")


def test_every_alarm_has_a_paragraph_of_its_own_that_says_what_to_do() -> None:
    runbook = PAGE.partition("## When an alarm comes")[2].partition("\n## ")[0]
    paragraphs = dict(part.split("\n", 1) for part in runbook.split("\n### ")[1:])
    assert list(paragraphs) == ALARMS
    assert all(re.search(r"^Do: .{20}", each, re.MULTILINE) for each in paragraphs.values())


@pytest.mark.parametrize("alarm", ALARMS)
def test_every_alarm_names_its_paragraph(alarm: str) -> None:
    words = properties(alarm)["AlarmDescription"]["Fn::Sub"]
    assert words.endswith(f"Runbook: docs/operating.md, heading {alarm}.")


def test_a_satellites_alarms_have_theirs() -> None:
    resources = SATELLITE["Resources"].items()
    alarms = [name for name, each in resources if each["Type"] == "AWS::CloudWatch::Alarm"]
    runbook = PAGE.partition("## When a satellite's alarm comes")[2].partition("\n## ")[0]
    paragraphs = dict(part.split("\n", 1) for part in runbook.split("\n### ")[1:])
    assert list(paragraphs) == alarms
    for name in alarms:
        words = SATELLITE["Resources"][name]["Properties"]["AlarmDescription"]["Fn::Sub"]
        assert words.endswith(f"Runbook: docs/operating.md, heading {name}.")
        assert re.search(r"^Do: .{20}", paragraphs[name], re.MULTILINE)


def test_every_parameter_is_one_of_the_templates() -> None:
    overrides = re.findall(r"--parameter-overrides (\w+)=", PAGE)
    named = {*overrides, *re.findall(r"`(\w+)=\w+`", PAGE), "NoticeEmail", "ExistingLogGroup"}
    assert len(named) >= 4
    assert named <= PARAMETERS.keys()
