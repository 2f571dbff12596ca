"""The record reader: what each shape of the invocation log's lines is read as."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_records import ACCOUNT, NOISE, PUBLISHED, REMOVED, a_record
from quota_enforcer.core.pricing.rate import CacheWrites
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.meter.log.fields import MOST_TOKENS
from quota_enforcer.meter.log.record import Counted, Quarantined, Skipped, read

ARN = f"arn:aws:iam::{ACCOUNT}:user/alice"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role"


def counted(record: Any, account: str | None = None) -> Counted:
    reading = read(json.dumps(record), account)
    assert isinstance(reading, Counted), reading
    return reading


def quarantined(record: Any) -> str:
    reading = read(json.dumps(record))
    assert isinstance(reading, Quarantined), reading
    return reading.reason


def test_a_call_is_counted_with_all_that_metering_needs() -> None:
    record = a_record(input__cacheReadInputTokenCount=7, input__cacheWriteInputTokenCount=3)
    reading = counted(record)
    assert reading.at == datetime(2026, 11, 30, 10, 15, 20, tzinfo=UTC)
    assert (reading.arn, str(reading.identity.principal)) == (ARN, "user/alice")
    assert reading.model_id == "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
    assert reading.region == "eu-central-1"
    assert reading.counts == Counts(1, 100, 20, 7, 3)
    assert reading.cache_writes is None
    assert reading.request_id == "8d8903c3-e948-4c21-b4d9-6029f785f196"


def test_of_the_published_records_each_is_what_its_note_says() -> None:
    readings = {name: read(json.dumps(record)) for name, record in PUBLISHED.items()}
    failed = [
        one for one in readings.values() if one == Skipped("failed call: ThrottlingException")
    ]
    calls = {name: one.counts for name, one in readings.items() if isinstance(one, Counted)}
    assert len(failed) == 23
    assert calls == {
        "vectadb-00": Counts(1, 1023, 89),
        "vectadb-01": Counts(1, 1140, 103),
        "vectadb-02": Counts(1, 1271, 142),
        "vectadb-11": Counts(1, 1427, 80),
        "vectadb-21": Counts(1, 1535, 123),
        "vectadb-28": Counts(1, 1670, 84),
        "panther-guardrail-invoke": Counts(1, incomplete_requests=1),
        "panther-guardrail-converse": Counts(1),
        "panther-totaltokens-inconsistent": Counts(1),
    }


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "empty line"),
        (" \r\n", "empty line"),
        (b"\n", "empty line"),
        (NOISE, "no record: a plain line"),
        ('"text"', "no record: a plain line"),
        ("42", "no record: a plain line"),
    ],
)
def test_lines_that_are_no_records_are_skipped(line: str | bytes, reason: str) -> None:
    assert read(line) == Skipped(reason)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "broken JSON: Expecting property name"),
        (json.dumps(a_record())[:-20], "broken JSON"),
        (json.dumps(a_record()) * 2, "broken JSON: Extra data"),
        (b'{"a": "\xff"}', "not UTF-8: invalid start byte at byte 8"),
        ("[" * 1_000_000, "broken JSON: nested too deeply"),
        ('{"a": ' + "1" * 5_000 + "}", "broken JSON: a number of thousands of digits"),
        ("[{}]", "no record: a JSON list"),
        (f"2026-11-30T10:15:20.000Z {json.dumps(a_record())}", "no record: text before a JSON"),
        (json.dumps(a_record())[9:], "no record: text before a JSON object"),
        ("{}", "timestamp is missing"),
    ],
    ids=["brace", "cut", "two", "encoding", "deep", "digits", "list", "export", "half", "empty"],
)
def test_a_broken_record_is_quarantined(line: str | bytes, reason: str) -> None:
    reading = read(line)
    assert isinstance(reading, Quarantined)
    assert reading.reason.startswith(reason)


def test_a_failed_call_is_skipped_whatever_else_it_lacks() -> None:
    record = {"errorCode": "ThrottlingException", "schemaType": "ModelInvocationLog"}
    assert read(json.dumps(record)) == Skipped("failed call: ThrottlingException")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"errorCode": 0}, "errorCode is 0"),
        ({"errorCode": False}, "errorCode is false"),
        ({"errorCode": {}}, "errorCode is an object"),
        ({"schemaType": "Other"}, "schemaType is 'Other': expected 'ModelInvocationLog'"),
        ({"timestamp": REMOVED}, "timestamp is missing"),
        ({"timestamp": None}, "timestamp is null"),
        ({"timestamp": 1764497720}, "timestamp is 1764497720: expected a moment such as"),
        ({"timestamp": "2025-04-99T10:00:00Z"}, "timestamp is '2025-04-99T10:00:00Z'"),
        ({"timestamp": "[timestamp]"}, "timestamp is '[timestamp]'"),
        ({"timestamp": "2025-04-01"}, "timestamp is '2025-04-01'"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, "timestamp is '0001-01-01"),
        ({"timestamp": "٢٠٢٥-04-01T10:00:00Z"}, "timestamp is "),
        ({"identity": REMOVED}, "identity is missing"),
        ({"identity": None}, "identity is missing"),
        ({"identity": ARN}, f"identity is '{ARN}': expected an object"),
        ({"identity": {}}, "identity.arn is missing"),
        ({"identity__arn": "[redacted] "}, "identity.arn is '[redacted] '"),
        ({"identity__arn": "alice"}, "identity.arn: 'alice' is no identity ARN"),
        ({"identity__arn": [ARN]}, "identity.arn is a list"),
        ({"identity__arn": "arn:aws:iam::11112222333344:user/alice"}, "identity.arn: "),
        ({"identity__arn": f"arn:aws:iam::{ACCOUNT}:user/*"}, "identity.arn: "),
        ({"modelId": REMOVED}, "modelId is missing"),
        ({"modelId": ""}, "modelId is ''"),
        ({"modelId": "a\ud800b"}, "modelId is 'a\\ud800b': expected printable ASCII"),
        ({"input": "5"}, "input is '5': expected an object"),
        ({"output": []}, "output is a list: expected an object"),
    ],
)
def test_what_does_not_fit_is_quarantined_by_name_and_value(
    changes: dict[str, Any], reason: str
) -> None:
    assert quarantined(a_record(**changes)).startswith(reason)


@pytest.mark.parametrize("place", ["input__", ""])
@pytest.mark.parametrize(
    ("read", "write"),
    [
        ("cacheReadInputTokenCount", "cacheWriteInputTokenCount"),
        ("cacheReadInputTokens", "cacheWriteInputTokens"),
        ("cacheReadInputTokensCount", "cacheWriteInputTokensCount"),
        ("cache_read_input_tokens", "cache_creation_input_tokens"),
    ],
)
def test_cache_counts_are_read_by_any_of_their_names(place: str, read: str, write: str) -> None:
    record = a_record(**{f"{place}{read}": 7, f"{place}{write}": 3})
    assert counted(record).counts == Counts(1, 100, 20, 7, 3)


def test_the_same_count_by_two_names_counts_once_and_two_counts_are_damage() -> None:
    def twice(other: object) -> dict[str, Any]:
        return a_record(input__cacheReadInputTokenCount=7, input__cacheReadInputTokens=other)

    assert counted(twice(7)).counts.cache_read_tokens == 7
    assert counted(twice(None)).counts.cache_read_tokens == 7
    assert quarantined(twice(8)) == (
        "input.cacheReadInputTokenCount is 7 and input.cacheReadInputTokens is 8: "
        "expected the same number"
    )
    assert quarantined(twice("7")).startswith("input.cacheReadInputTokens is '7': expected a whole")


@pytest.mark.parametrize(
    "value", ["100", 1.0, 1.5, -1, True, [], {}, MOST_TOKENS + 1, 10**12, float("nan")]
)
@pytest.mark.parametrize(
    "path",
    [
        "input__inputTokenCount",
        "output__outputTokenCount",
        "input__cacheReadInputTokenCount",
        "input__cacheWriteInputTokenCount",
    ],
)
def test_a_count_that_is_no_whole_number_is_quarantined(path: str, value: Any) -> None:
    reason = quarantined(a_record(**{path: value}))
    assert reason.startswith(f"{path.replace('__', '.')} is ")
    assert reason.endswith(f"expected a whole number from 0 to {MOST_TOKENS}")


@pytest.mark.parametrize("code", [None, ""])
def test_without_an_error_code_a_call_succeeded(code: Any) -> None:
    assert counted(a_record(errorCode=code)).counts == Counts(1, 100, 20)


WHOLE = Counts(1, 100, 20)
LACKING_INPUT = Counts(1, 0, 20, incomplete_requests=1)
LACKING_OUTPUT = Counts(1, 100, incomplete_requests=1)
NOTHING_KNOWN = Counts(1, incomplete_requests=1)


@pytest.mark.parametrize("absent", [REMOVED, None])
@pytest.mark.parametrize(
    ("operation", "lacking", "counts"),
    [
        ("InvokeModelWithResponseStream", ("output",), LACKING_OUTPUT),
        ("ConverseStream", ("output",), LACKING_OUTPUT),
        ("Responses", ("output",), LACKING_OUTPUT),
        ("ChatCompletions", ("output",), LACKING_OUTPUT),
        (REMOVED, ("output",), LACKING_OUTPUT),
        ("InvokeModel", ("input",), LACKING_INPUT),
        ("Converse", ("input",), LACKING_INPUT),
        ("InvokeModel", ("input", "output"), NOTHING_KNOWN),
        ("Converse", ("input", "output"), NOTHING_KNOWN),
        ("SomethingNew", ("input", "output"), NOTHING_KNOWN),
        ("InvokeModel", ("output",), Counts(1, 100)),
        ("Responses", (), WHOLE),
        ("ChatCompletions", (), WHOLE),
        ("SomethingNew", (), WHOLE),
    ],
)
def test_what_a_record_tells_counts_and_what_it_lacks_is_said(
    operation: Any, lacking: tuple[str, ...], counts: Counts, absent: Any
) -> None:
    """An embedding alone has no output to count; anything else that lacks a count is incomplete."""
    sections = {f"{side}__{side}TokenCount": absent for side in lacking}
    assert counted(a_record(operation=operation, **sections)).counts == counts


@pytest.mark.parametrize("absent", [{}, None, REMOVED])
def test_a_stream_that_broke_off_before_any_section_is_a_request_of_unknown_tokens(
    absent: Any,
) -> None:
    assert counted(a_record(input=absent, output=absent)).counts == NOTHING_KNOWN


@pytest.mark.parametrize(
    ("operation", "model_id"),
    [
        ("Rerank", "cohere.rerank-v3-5:0"),
        ("InvokeModel", "arn:aws:bedrock:us-west-2::foundation-model/amazon.rerank-v1:0"),
        ("InvokeModel", "us.stability.stable-image-inpaint-v1:0"),
        ("StartAsyncInvoke", "amazon.nova-reel-v1:1"),
    ],
)
def test_what_is_not_charged_by_the_token_lacks_no_count(operation: str, model_id: str) -> None:
    record = a_record(operation=operation, modelId=model_id, input={}, output={})
    assert counted(record).counts == Counts(1)


def test_counts_at_the_records_top_are_counted_too() -> None:
    record = a_record(cacheReadInputTokenCount=7, cacheWriteInputTokenCount=3)
    assert counted(record).counts == Counts(1, 100, 20, 7, 3)
    assert counted(a_record(outputTokenCount=20)).counts == WHOLE
    bare = a_record(input=REMOVED, output=REMOVED, inputTokenCount=100, outputTokenCount=20)
    assert counted(bare).counts == WHOLE


def test_two_counts_of_the_same_that_differ_are_quarantined() -> None:
    record = a_record(input__cacheReadInputTokenCount=7, cacheReadInputTokenCount=8)
    assert quarantined(record) == (
        "input.cacheReadInputTokenCount is 7 and cacheReadInputTokenCount is 8: "
        "expected the same number"
    )


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-11-30T10:15:20Z",
        "2026-11-30 10:15:20.000000000",
        "2026-11-30T10:15:20.123456789Z",
        "2026-11-30T11:15:20+01:00",
    ],
)
def test_moments_are_read_with_every_precision_that_exports_write(stamp: str) -> None:
    at = counted(a_record(timestamp=stamp)).at
    assert at.replace(microsecond=0) == datetime(2026, 11, 30, 10, 15, 20, tzinfo=UTC)
    assert at.tzinfo is UTC


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        (f"arn:aws:iam::{ACCOUNT}:user/team/bob", "user/bob"),
        (f"{ROLE}/ci/botocore-session-1", "role/ci"),
        (f"{ROLE}/AWSReservedSSO_Dev_0123456789abcdef/Ann", "sso/ann"),
        (f"{ROLE}/kb/BKB-Retrieve-ABC-7d1", "role/kb"),
        (f"arn:aws:iam::{ACCOUNT}:root", f"other/arn:aws:iam::{ACCOUNT}:root"),
        ("arn:aws:iam::999988887777:user/bob", "other/arn:aws:iam::999988887777:user/bob"),
    ],
)
def test_the_identity_names_the_principal(arn: str, principal: str) -> None:
    assert str(counted(a_record(identity__arn=arn)).identity.principal) == principal


@pytest.mark.parametrize(
    "arn",
    [
        f"{ROLE}/AWSReservedSSO_Dev_0123456789abcdef/{'*' * 15}",
        f"arn:aws:iam::{'*' * 12}:user/alice",
        "*" * 60,
    ],
)
def test_a_masked_identity_is_quarantined_with_words_that_say_so(arn: str) -> None:
    """A data protection policy of the log group hides e-mail addresses in subscriptions too."""
    reason = quarantined(a_record(identity__arn=arn))
    assert reason.startswith("identity.arn")
    assert "masked, as by a data protection policy of the log group" in reason
    assert "`quota-enforcer doctor` looks for such a policy" in reason


def test_a_masked_count_is_quarantined_with_the_same_words() -> None:
    line = json.dumps(a_record(input__inputTokenCount=123456)).replace("123456", "******")
    reading = read(line)
    assert isinstance(reading, Quarantined)
    assert "masked, as by a data protection policy" in reading.reason


@pytest.mark.parametrize("account", [REMOVED, "11112222333344", "[redacted]", 111122223333, None])
def test_without_an_account_the_arns_own_counts(account: Any) -> None:
    """Only `identity.arn` names a principal, so a redacted account changes nothing."""
    assert str(counted(a_record(accountId=account)).identity.principal) == "user/alice"


def test_the_account_of_the_log_goes_before_the_records() -> None:
    assert str(counted(a_record(), "999988887777").identity.principal) == f"other/{ARN}"


def test_nothing_but_the_identity_names_a_principal() -> None:
    """Neither metadata nor text that looks like a record inside a prompt."""
    forged = json.dumps(a_record(identity__arn=f"arn:aws:iam::{ACCOUNT}:user/mallory"))
    record = a_record(
        requestMetadata={"userId": "mallory", "identity": {"arn": "x"}},
        input__inputBodyJson={"messages": [{"role": "user", "content": forged}]},
        input__identity={"arn": "x"},
    )
    assert str(counted(record).identity.principal) == "user/alice"


def test_the_order_of_the_keys_does_not_matter() -> None:
    assert counted(dict(reversed(a_record().items()))) == counted(a_record())


def test_counts_in_bodies_are_not_the_records() -> None:
    body = [{"type": "message_start", "message": {"usage": {"output_tokens": 3}}}, "[DONE]"]
    assert counted(a_record(output__outputBodyJson=body)).counts == Counts(1, 100, 20)


ANTHROPIC = {"cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 5}}
CONVERSE = {"cacheDetails": [{"ttl": "1h", "inputTokens": 5}, {"ttl": "5m", "inputTokens": 10}]}


@pytest.mark.parametrize(
    ("body", "split"),
    [
        ({"usage": ANTHROPIC}, CacheWrites(10, 5)),
        (
            [
                {"type": "message_start", "message": {"usage": ANTHROPIC}},
                {"type": "message_delta", "usage": {"output_tokens": 20}},
                "[DONE]",
            ],
            CacheWrites(10, 5),
        ),
        ({"usage": CONVERSE}, CacheWrites(10, 5)),
        ({"usage": {"cache_creation": {"ephemeral_1h_input_tokens": 15}}}, CacheWrites(0, 15)),
        ({"usage": {"cache_creation": {"ephemeral_1h_input_tokens": 5}}}, None),
        ({"usage": {"cache_creation": {"ephemeral_1h_input_tokens": "15"}}}, None),
        ({"usage": {"cache_creation": 15}}, None),
        ({"usage": {"cacheDetails": [{"ttl": "2h", "inputTokens": 15}]}}, None),
        ({"usage": {"cacheDetails": [{"ttl": [], "inputTokens": 15}]}}, None),
        ({"usage": {"cacheDetails": [15]}}, None),
        ({"message": "x", "usage": []}, None),
        (["[DONE]", 1, None], None),
        ("text", None),
        (None, None),
    ],
)
def test_cache_writes_are_split_where_the_answer_tells(
    body: Any, split: CacheWrites | None
) -> None:
    record = a_record(input__cacheWriteInputTokenCount=15, output__outputBodyJson=body)
    assert counted(record).cache_writes == split


def test_a_missing_request_id_or_region_does_not_cost_the_record() -> None:
    reading = counted(a_record(requestId=REMOVED, region=["x"]))
    assert (reading.request_id, reading.region) == (None, None)


def test_a_reason_stays_short_and_tells_nothing_of_a_section() -> None:
    secret = {"prompt": "secret" * 1000}
    assert "secret" not in quarantined(a_record(modelId=secret))
    assert len(quarantined(a_record(modelId="x y" * 100_000))) < 200


def test_a_record_of_a_megabyte_is_read() -> None:
    body = {"messages": [{"role": "user", "content": "x" * 1_000_000}]}
    assert counted(a_record(input__inputBodyJson=body)).counts == Counts(1, 100, 20)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_no_json_value_is_taken_for_a_call(value: Any) -> None:
    assert not isinstance(read(json.dumps(value)), Counted)


@given(st.text() | st.binary())
def test_no_line_makes_the_reader_fail(line: str | bytes) -> None:
    assert not isinstance(read(line), Counted)


NEEDED = ("timestamp", "identity", "identity__arn", "modelId", "input__inputTokenCount")


@given(st.sampled_from(NEEDED), JSON)
def test_a_needed_field_is_counted_as_it_stands_or_not_at_all(path: str, value: Any) -> None:
    reading = read(json.dumps(a_record(**{path: value})))
    if isinstance(reading, Counted):
        assert path == "input__inputTokenCount" or isinstance(value, str)
        assert reading.counts.input_tokens == (value or 0 if path.startswith("input") else 100)
    else:
        assert reading.reason


@given(JSON)
def test_whatever_a_body_holds_the_counts_are_the_records(body: Any) -> None:
    record = a_record(
        input__inputBodyJson=body,
        output__outputBodyJson=body,
        input__cacheWriteInputTokenCount=5,
    )
    assert counted(record).counts == Counts(1, 100, 20, 0, 5)
