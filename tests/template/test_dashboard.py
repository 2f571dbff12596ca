"""The dashboard shows what the functions really emit and log, and nothing else."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import quota_enforcer
from builders import NOON
from log_records import a_record
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.enforce.report import Report
from quota_enforcer.meter.stream import BEDROCK_STREAM
from template_source import of_type
from template_values import LEAST, MOST, Deployed

HANDLERS = Path(quota_enforcer.__file__).parent / "lambdas"
NAMESPACE = "BedrockQuota/bedrock-quota/Enforcer"
WIDE = 24
"""Columns of a dashboard."""
EITHER = pytest.mark.parametrize("deployed", [LEAST, MOST], ids=["stream", "cloudwatch"])


def widgets(deployed: Deployed, kind: str = "") -> list[dict[str, Any]]:
    body = json.loads(deployed.properties("DashboardOfQuotas")["DashboardBody"])
    return [each for each in body["widgets"] if kind in {"", each["type"]}]


def shown(deployed: Deployed) -> set[tuple[str, str]]:
    """Which metric of which function is drawn."""
    found = set()
    for widget in widgets(deployed, "metric"):
        for namespace, name, dimension, service, *_ in widget["properties"]["metrics"]:
            assert (namespace, dimension) == (NAMESPACE, "service")
            found.add((service, name))
    return found


def emitted(function: str) -> set[str]:
    """The metrics of a function, as its source names them: by themselves, or with their counts."""
    return {
        name
        for path in (HANDLERS / function).glob("*.py")
        for name in _named(ast.parse(path.read_text(encoding="utf-8")))
    }


def _named(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="add_metric"), args=[ast.Constant(value=str(name)), *_]
            ):
                yield name
            case ast.Assign(targets=[ast.Name(id="counts")], value=ast.Dict(keys=keys)):
                yield from (str(key.value) for key in keys if isinstance(key, ast.Constant))


def queries(deployed: Deployed, group: str) -> list[str]:
    """The queries on a log group."""
    found = [each["properties"]["query"] for each in widgets(deployed, "log")]
    return [each for each in found if each.startswith(f"SOURCE '{group}' | ")]


@EITHER
def test_every_metric_it_shows_is_one_that_the_function_emits(deployed: Deployed) -> None:
    for function in ("enforcer", "meter"):
        names = {name for service, name in shown(deployed) if service == function}
        assert names <= emitted(function)
        assert (
            deployed.environment(f"{function.capitalize()}Function")["POWERTOOLS_SERVICE_NAME"]
            == function
        )


def test_it_shows_blocks_lag_and_money() -> None:
    assert shown(LEAST) >= {
        ("enforcer", "Blocked"), ("enforcer", "Restored"), ("enforcer", "Held"),
        ("enforcer", "Failed"), ("enforcer", "LookedAt"), ("enforcer", "Duration"),
        ("meter", "Lag"), ("meter", "CostUsd"),
    }  # fmt: skip


def test_the_age_of_the_newest_usage_is_shown_where_the_metrics_meter() -> None:
    """The stream has its deliveries."""
    assert ("enforcer", "DataAge") in shown(MOST)
    assert ("enforcer", "DataAge") not in shown(LEAST)


def test_what_only_the_stream_meter_emits_is_shown_only_with_it() -> None:
    assert {service for service, _ in shown(MOST)} == {"enforcer"}


@EITHER
def test_every_alarm_is_on_it(deployed: Deployed) -> None:
    (status,) = widgets(deployed, "alarm")
    assert status["properties"]["alarms"] == [
        f"{alarm}.Arn" for alarm in of_type("AWS::CloudWatch::Alarm") if deployed.has(alarm)
    ]


@EITHER
def test_no_two_widgets_overlap_and_none_sticks_out(deployed: Deployed) -> None:
    taken: set[tuple[int, int]] = set()
    for each in widgets(deployed):
        cells = {
            (x, y)
            for x in range(each["x"], each["x"] + each["width"])
            for y in range(each["y"], each["y"] + each["height"])
        }
        assert not cells & taken, each
        assert max(x for x, _ in cells) < WIDE
        taken |= cells


@EITHER
def test_every_widget_says_what_it_is_and_of_which_region(deployed: Deployed) -> None:
    for each in [*widgets(deployed, "metric"), *widgets(deployed, "log")]:
        assert each["properties"]["title"]
        assert each["properties"]["region"] == "us-east-1"


@pytest.mark.parametrize(
    ("given", "group"), [({}, "InvocationLogGroup"), ({"ExistingLogGroup": "/x/y"}, "/x/y")]
)
def test_usage_is_counted_from_the_stream_that_bedrock_writes(
    given: dict[str, str], group: str
) -> None:
    found = queries(Deployed(**given), group)
    assert [re.findall(r"by ([\w.]+) \|", each) for each in found] == [
        ["identity.arn"],
        ["modelId"],
    ]
    for query in found:
        assert f"@logStream = '{BEDROCK_STREAM}' and not ispresent(errorCode)" in query


def test_usage_is_counted_by_the_fields_that_a_record_has() -> None:
    record = a_record()
    record["input"] |= {"cacheReadInputTokenCount": 1, "cacheWriteInputTokenCount": 1}
    for query in queries(LEAST, "InvocationLogGroup"):
        for path in [*re.findall(r"sum\(([\w.]+)\)", query), *re.findall(r"by ([\w.]+) \|", query)]:
            value: Any = record
            for name in path.split("."):
                value = value[name]
            assert value is not None


def test_what_happened_is_read_from_what_the_enforcer_logs() -> None:
    (query,) = queries(LEAST, "EnforcerLogGroup")
    report = Report(NOON, "enforce")
    report.notices.append(Notice(NoticeKind.BLOCKED, NOON, "user/alice", "daily", "why"))
    (event,) = report.to_json()["events"]
    assert set(re.findall(r"event\.(\w+)", query)) <= set(event)
    source = (HANDLERS / "enforcer" / "handler.py").read_text(encoding="utf-8")
    for word in re.findall(r"'(\w+)'", query.partition("filter")[2]):
        assert f'_told("{word}", ' in source


def test_two_regions_have_one_each_since_dashboards_know_no_region() -> None:
    assert LEAST.properties("DashboardOfQuotas")["DashboardName"] == "bedrock-quota-us-east-1"


def test_it_can_be_left_out() -> None:
    assert not Deployed(Dashboard="false").has("DashboardOfQuotas")
