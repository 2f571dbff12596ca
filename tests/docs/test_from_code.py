"""Pages of the manual that the code writes."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from template_source import PARAMETERS, of_type

SCRIPT = Path(__file__).parents[2] / "docs/from_code.py"


@pytest.fixture(scope="module")
def from_code() -> ModuleType:
    spec = importlib.util.spec_from_file_location("from_code", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["from_code"] = module
    spec.loader.exec_module(module)
    return module


def test_every_parameter_stands_in_one_group(from_code: ModuleType) -> None:
    named = re.findall(r"^\| `(\w+)` \|", from_code.parameters(), re.MULTILINE)
    assert sorted(named) == sorted(PARAMETERS)


def test_every_alarm_says_something(from_code: ModuleType) -> None:
    said = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", from_code.alarms(), re.MULTILINE))
    assert {*said} == {*of_type("AWS::CloudWatch::Alarm")}
    assert all(len(text) > 40 for text in said.values())


def test_every_command_has_its_usage(from_code: ModuleType) -> None:
    used = set(re.findall(r"^\$ quota-enforcer ([\w -]+?) \[", from_code.commands(), re.MULTILINE))
    assert used >= {"status", "quota set", "policy gate", "sandbox call", "satellites plan"}


def test_a_policy_that_is_not_printed_fails_the_page(
    from_code: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(from_code, "POLICIES", ("nobody",))
    with pytest.raises(ValueError, match="policy nobody"):
        from_code.policies()
