"""Logs Insights of the embedded AWS: fields of a record by their paths, as AWS finds them."""

import json
from datetime import UTC, datetime

from ministack.services import cloudwatch_logs

from log_records import a_record
from quota_enforcer.aws.cloudwatch.logs.calls_without_bodies import FIELDS
from quota_enforcer.local.patches.logs.log_reads import row


def test_a_row_has_the_fields_that_the_record_has() -> None:
    record = cloudwatch_logs._build_log_record(  # noqa: SLF001 - as it keeps an event
        ptr="p1",
        timestamp_ms=int(datetime(2026, 11, 30, tzinfo=UTC).timestamp() * 1000),
        message=json.dumps(a_record(output__outputBodyJson={"text": "a secret"})),
        log_group="calls",
        log_stream="aws/bedrock/modelinvocations",
    )
    found = {each["field"]: each["value"] for each in row(record, [*FIELDS, "@ptr"])}
    assert found["identity.arn"].endswith("user/alice")
    assert (found["input.inputTokenCount"], found["output.outputTokenCount"]) == ("100", "20")
    assert found["@ptr"]
    assert "errorCode" not in found
    assert "secret" not in str(found)


def test_a_line_that_is_no_record_has_none() -> None:
    record = cloudwatch_logs._build_log_record(  # noqa: SLF001 - as above
        ptr="p2", timestamp_ms=1, message="a plain line", log_group="calls", log_stream="x"
    )
    assert [each["field"] for each in row(record, [*FIELDS, "@ptr"])] == ["@ptr"]
