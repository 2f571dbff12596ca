"""What the doctor takes for granted of the template is there."""

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from quota_enforcer.core.policies.names import PROTECTED_PATHS
from quota_enforcer.doctor.checks import machinery
from quota_enforcer.doctor.deployment import DeploymentUnderCheck
from template_source import RESOURCES, TEXT, of_type, properties
from template_values import MOST, Deployed

SOURCES = Path(__file__).parents[2] / "src/quota_enforcer/doctor"


def parts_named() -> set[str]:
    """The resources that the doctor's checks name."""
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py"))
    return set(re.findall(r'(?:part|role)\("(\w+)"\)', text))


def test_every_part_that_is_named_is_a_resource() -> None:
    assert len(parts_named()) >= 5
    assert parts_named() <= RESOURCES.keys()


@pytest.mark.parametrize("whose", ["Enforcer", "Meter"])
def test_schedules_are_made_again_as_they_are(whose: str) -> None:
    deployed = Deployed(SweepMinutes="10")
    found = deployed.properties(f"{whose}Schedule")
    expected = {"Enforcer": ("cron(0/10 * * * ? *)", machinery.TICK),
                "Meter": (machinery.ON_THE_HOUR, machinery.RECOUNT)}[whose]  # fmt: skip
    assert (found["ScheduleExpression"], found["Target"]["Input"]) == expected
    assert found["Target"]["Arn"] == f"{whose}Function.Arn"
    assert found["Target"]["RoleArn"] == f"{whose}ScheduleRole.Arn"
    assert "Name" not in properties(f"{whose}Schedule")


def test_a_minute_pattern_says_every_so_many_minutes_for_all_that_are_allowed() -> None:
    for minutes in ("1", "2", "5", "10", "15", "30"):
        expression = Deployed(SweepMinutes=minutes).properties("EnforcerSchedule")
        assert expression["ScheduleExpression"] == f"cron(0/{minutes} * * * ? *)"


def test_the_paths_that_are_said_to_be_protected_are() -> None:
    (statement,) = (
        each
        for each in Deployed().policy("EnforcerRole")["Statement"]
        if each["Sid"] == "NeverTheseReservedOrBreakGlass"
    )
    denied = {
        each.partition(":role")[2] or each.partition(":user")[2] for each in statement["Resource"]
    }
    assert denied == {f"{path}*" for path in PROTECTED_PATHS}


def test_every_alarm_has_a_word_on_what_to_do() -> None:
    """Which the doctor gives as the fix."""
    for name in of_type(machinery.ALARM):
        assert len(MOST.properties(name)["AlarmDescription"]) > 100


def test_roles_are_where_the_doctor_thinks() -> None:
    for name in ("InvocationLogRole", "EnforcerScheduleRole", "MeterScheduleRole"):
        assert Deployed().properties(name)["Path"] == "/bedrock-quota/bedrock-quota/"


@pytest.mark.parametrize("path", ["/", "/platform/"])
def test_a_role_is_named_where_the_parameter_says(path: str) -> None:
    given: dict[str, str] = {"RolePath": path} if path != "/" else {}
    probe = SimpleNamespace(
        parameters=lambda: given,
        parts=dict,
        region="us-east-1",
        meter=None,
        author=None,
        identities=None,
        satellites=None,
    )
    settings = SimpleNamespace(
        stack="q", account="123456789012", denies={"*": "arn:aws:iam::123456789012:policy/p"},
        zone=UTC,
    )  # fmt: skip
    ledger: Any = SimpleNamespace(state=None, everybody=None)
    quotas: Any = SimpleNamespace(items=None)
    now = datetime(2026, 11, 24, tzinfo=UTC)
    of = DeploymentUnderCheck(*cast("Any", (settings, ledger, quotas, None, probe, now)))
    assert of.role("X") == f"arn:aws:iam::123456789012:role{path}bedrock-quota/q/"


def test_functions_log_where_the_doctor_says() -> None:
    for function in ("meter", "enforcer"):
        assert f"/bedrock-quota/${{AWS::StackName}}/{function}" in TEXT
