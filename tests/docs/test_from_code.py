"""Pages of the manual that the code writes."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import quota_enforcer
from quota_enforcer.core.quotas.item import ATTRIBUTES
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


LAMBDAS = Path(quota_enforcer.__file__).parent / "lambdas"


def measured(*files: str) -> set[str]:
    """The names of metrics that functions write, by their source."""
    texts = "\n".join((LAMBDAS / each).read_text(encoding="utf-8") for each in files)
    return {
        *re.findall(r'(?:add_metric|\bcount)\(\s*"([A-Z]\w+)"', texts),
        *re.findall(r'^\s+"([A-Z]\w+)": ', texts, re.MULTILINE),
    }


@pytest.mark.parametrize(
    ("service", "files"),
    [
        ("enforcer", ["enforcer/handler.py"]),
        ("meter", ["meter/deliveries.py", "meter/watching.py", "meter/recounts.py"]),
    ],
)
def test_every_metric_that_a_function_writes_has_its_words(
    from_code: ModuleType, service: str, files: list[str]
) -> None:
    assert measured(*files) == set(from_code.METRICS[service])


def test_no_other_function_writes_metrics() -> None:
    """So that the test before this one looks everywhere."""
    writing = {
        path.relative_to(LAMBDAS).as_posix()
        for path in LAMBDAS.rglob("*.py")
        if re.search(r'(?:add_metric|\bcount)\(\s*"[A-Z]', path.read_text(encoding="utf-8"))
    }
    assert writing <= {
        "enforcer/handler.py", "meter/deliveries.py", "meter/watching.py", "meter/recounts.py",
    }  # fmt: skip


def test_an_alarm_stands_beside_what_it_looks_at(from_code: ModuleType) -> None:
    page = from_code.metrics()
    assert (
        "| `Unmetered` | calls that Bedrock counted and the ledger has not | `MeteringGap` |"
        in page
    )
    ours = {
        metric
        for each in from_code.TEMPLATE["Resources"].values()
        if each["Type"] == "AWS::CloudWatch::Alarm"
        for namespace, metric in from_code._watched(each["Properties"])  # noqa: SLF001 - ours
        if namespace.endswith("/Enforcer")
    }
    assert ours
    assert ours <= {name for of in from_code.METRICS.values() for name in of}


def test_every_attribute_has_its_row_with_what_is_allowed(from_code: ModuleType) -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*) \|$", from_code.attributes(), re.MULTILINE
    )
    assert [name for name, *_ in rows] == list(ATTRIBUTES)
    assert all(words and allowed for _, _, words, allowed in rows)
    assert {name: option for name, option, *_ in rows}["weights"] == "`--weight`"
    assert {name: allowed for name, *_, allowed in rows}["share"] == "each, pool"
    assert "444455556666" in rows[0][3]


def test_a_star_in_a_cell_is_a_star(from_code: ModuleType) -> None:
    assert r"user/\*, sso/\*" in from_code.attributes()
    assert "`anthropic.*` \\| any\\_text" in from_code._cell("`anthropic.*` | any_text")  # noqa: SLF001 - ours


def test_a_list_of_commands_says_each_in_a_whole_sentence(from_code: ModuleType) -> None:
    listed = re.findall(r"^\* `(\w[\w-]*)`: (.+)$", from_code.commands(), re.MULTILINE)
    assert len(listed) > 60
    assert [name for name, words in listed if words.endswith("...")] == []


def test_a_policy_says_whose_it_is(from_code: ModuleType) -> None:
    assert "## viewer\n\nPrint the policy of somebody who sees everything" in from_code.policies()


def test_a_policy_that_is_not_printed_fails_the_page(
    from_code: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(from_code, "POLICIES", ("nobody",))
    with pytest.raises(ValueError, match="policy nobody"):
        from_code.policies()
