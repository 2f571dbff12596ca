"""The invocation log becomes one series for each counter, principal and model."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from log_records import REMOVED, a_record
from quota_enforcer.local.patches.metrics import filter_patterns
from quota_enforcer.meter.log.record import Counted, read
from template_source import properties

FILTERS = {
    "InvocationsFilter": ("Invocations", "1"),
    "InputTokensFilter": ("InputTokenCount", "$.input.inputTokenCount"),
    "OutputTokensFilter": ("OutputTokenCount", "$.output.outputTokenCount"),
    "CacheReadTokensFilter": ("CacheReadInputTokenCount", "$.input.cacheReadInputTokenCount"),
    "CacheWriteTokensFilter": ("CacheWriteInputTokenCount", "$.input.cacheWriteInputTokenCount"),
    "IncompleteInvocationsFilter": ("IncompleteInvocations", "1"),
}


RECORD: Mapping[str, Any] = {
    "schemaType": "ModelInvocationLog",
    "identity": {"arn": "arn:aws:iam::123456789012:user/alice"},
    "modelId": "amazon.nova-lite-v1:0",
    "input": {"inputTokenCount": 4, "cacheReadInputTokenCount": 9},
    "output": {"outputTokenCount": 0},
}


def matched(record: Mapping[str, Any]) -> set[str]:
    return {
        name
        for name in FILTERS
        if filter_patterns.matches(properties(name)["FilterPattern"], json.dumps(record))
    }


@pytest.mark.parametrize("name", FILTERS)
def test_a_counter_for_each_principal_and_model(name: str) -> None:
    (transformation,) = properties(name)["MetricTransformations"]
    assert (transformation["MetricName"], transformation["MetricValue"]) == FILTERS[name]
    assert transformation["MetricNamespace"] == {"Fn::Sub": "BedrockQuota/${AWS::StackName}"}
    assert transformation["Dimensions"] == [
        {"Key": "PrincipalArn", "Value": "$.identity.arn"},
        {"Key": "ModelId", "Value": "$.modelId"},
    ]


@pytest.mark.parametrize("name", FILTERS)
def test_a_dimension_needs_a_property_of_the_pattern_and_allows_no_default(name: str) -> None:
    (transformation,) = properties(name)["MetricTransformations"]
    for dimension in transformation["Dimensions"]:
        assert dimension["Value"] in properties(name)["FilterPattern"]
    assert "DefaultValue" not in transformation


def test_a_call_counts_in_every_counter_that_its_record_has() -> None:
    lacking = {"CacheWriteTokensFilter", "IncompleteInvocationsFilter"}
    assert matched(RECORD) == set(FILTERS) - lacking
    assert matched({**RECORD, "errorCode": None}) == set(FILTERS) - lacking


def test_a_failed_call_counts_in_none() -> None:
    assert matched({**RECORD, "errorCode": "ThrottlingException"}) == set()


def test_a_call_without_token_counts_is_an_invocation() -> None:
    record = {**RECORD, "input": {}, "output": {}}
    assert matched(record) == {"InvocationsFilter", "IncompleteInvocationsFilter"}


@pytest.mark.parametrize(
    "model_id",
    [
        "amazon.nova-lite-v1:0",
        "cohere.rerank-v3-5:0",
        "amazon.nova-reel-v1:1",
        "us.stability.stable-image-inpaint-v1:0",
    ],
)
@pytest.mark.parametrize("operation", ["InvokeModel", "Rerank", "ConverseStream", REMOVED])
@pytest.mark.parametrize("lacking", [(), ("input",), ("output",), ("input", "output")])
def test_both_meters_take_the_same_calls_for_incomplete(
    model_id: str, operation: Any, lacking: tuple[str, ...]
) -> None:
    sections = {f"{side}__{side}TokenCount": REMOVED for side in lacking}
    record = a_record(modelId=model_id, operation=operation, **sections)
    reading = read(json.dumps(record))
    assert isinstance(reading, Counted)
    incomplete = reading.counts.incomplete_requests == 1
    assert ("IncompleteInvocationsFilter" in matched(record)) is incomplete


def test_the_alarm_counts_the_same_calls_whosever_they_are() -> None:
    of_all, of_each = properties("AnyIncompleteFilter"), properties("IncompleteInvocationsFilter")
    assert of_all["FilterPattern"] == of_each["FilterPattern"]
    assert "Dimensions" not in of_all["MetricTransformations"][0]


@pytest.mark.parametrize("missing", ["identity", "modelId"])
def test_a_call_of_nobody_or_of_no_model_counts_in_none(missing: str) -> None:
    record = {key: value for key, value in RECORD.items() if key != missing}
    assert matched(record) == set()
