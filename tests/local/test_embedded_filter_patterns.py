import json

import pytest

from quota_enforcer.local.patches.metrics.filter_patterns import InvalidPatternError, matches

RECORD = json.dumps(
    {
        "modelId": "anthropic.claude-3-opus-20240229-v1:0",
        "identity": {"arn": "arn:aws:iam::123456789012:user/alice"},
        "input": {"inputTokenCount": 12, "cache": None},
        "stream": True,
        "text": "7",
        "dotted.name": "x",
        "list": [{"id": "a"}, {"id": "b"}],
    }
)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{ $.modelId = * }", True),
        ("{ $.absent = * }", False),
        ("{ $.input = * }", False),
        ('{ $.modelId = "anthropic.*" }', True),
        ("{ $.modelId = *opus* }", True),
        ('{ $.modelId = "Anthropic.*" }', False),
        ('{ $.modelId != "anthropic.*" }', False),
        ('{ $.modelId != "other" }', True),
        ('{ $.absent != "other" }', False),
        ("{ $.input.inputTokenCount = 12 }", True),
        ("{ $.input.inputTokenCount = 1.2e1 }", True),
        ("{ $.input.inputTokenCount > 11 }", True),
        ("{ $.input.inputTokenCount > 12 }", False),
        ("{ $.input.inputTokenCount >= 12 }", True),
        ("{ $.input.inputTokenCount < -1 }", False),
        ("{ $.input.inputTokenCount <= 12.0 }", True),
        ("{ $.modelId > 1 }", False),
        ("{ $.text = 7 }", True),
        ("{ $.absent NOT EXISTS }", True),
        ("{ $.modelId NOT EXISTS }", False),
        ("{ $.modelId EXISTS }", True),
        ("{ $.input.cache IS NULL }", True),
        ("{ $.absent IS NULL }", False),
        ("{ $.stream IS TRUE }", True),
        ("{ $.stream IS FALSE }", False),
        ('{ $["dotted.name"] = x }', True),
        ("{ $.list[1].id = b }", True),
        ("{ $.list[2].id = b }", False),
        ("{ ($.modelId = *) && ($.errorCode NOT EXISTS) }", True),
        ("{ $.modelId = * && $.errorCode NOT EXISTS }", True),
        ("{ $.text = 8 || $.text = 7 && $.stream IS TRUE }", True),
        ("{ ($.text = 7 || $.text = 8) && $.stream IS FALSE }", False),
        ("{$.text=7&&$.stream IS TRUE}", True),
    ],
)
def test_a_json_pattern_selects_events_as_cloudwatch_logs_does(
    pattern: str, *, expected: bool
) -> None:
    assert matches(pattern, RECORD) is expected


@pytest.mark.parametrize("message", ["Permissions are correctly set", "12", "", '"text"'])
def test_a_line_that_is_no_json_object_never_matches(message: str) -> None:
    assert not matches("{ $.errorCode NOT EXISTS }", message)


@pytest.mark.parametrize(
    "pattern",
    [
        "{ }",
        "{ $.a }",
        "{ $.a = }",
        "{ a = 1 }",
        "{ ($.a = 1 }",
        "{ $.a = 1 && }",
        "{ $.a = 1 $.b = 2 }",
        "{ $.a > b }",
        "{ $.a = %x% }",
        "$.a = 1",
    ],
)
def test_a_broken_pattern_is_refused_and_named(pattern: str) -> None:
    with pytest.raises(InvalidPatternError, match="expected"):
        matches(pattern, RECORD)
