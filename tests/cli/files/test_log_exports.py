"""Logs in the forms in which people have them on the first day: all read as what Bedrock wrote."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_records import ACCOUNT, NOISE, PUBLISHED, a_record
from quota_enforcer.cli.files.exports import readings
from quota_enforcer.cli.files.log_summary import LogSummary
from quota_enforcer.cli.files.logs import UnreadableLog, log_readings
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.meter.log.record import Counted, Quarantined, Skipped, read

Record = dict[str, Any]
ARN = f"arn:aws:iam::{ACCOUNT}:user/alice"
MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
PROMPT = 'a "prompt", with\nlines; and {"identity": {"arn": "arn:aws:iam::1:user/mallory"}}'
RECORDS = [
    a_record(input__cacheReadInputTokenCount=7, input__inputBodyJson={"prompt": PROMPT}),
    a_record(identity__arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/run-1", requestId="2"),
    {**a_record(requestId="3"), "errorCode": "ThrottlingException"},
]
EXPECTED = [
    ("user/alice", Counts(1, 100, 20, 7)),
    ("role/ci", Counts(1, 100, 20)),
    "failed call: ThrottlingException",
]
MS = 1_795_947_320_000


def told(folder: Path, content: str | bytes) -> list[Any]:
    file = folder / "export"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    found: list[Any] = []
    for reading in log_readings(file):
        if isinstance(reading, Counted):
            found.append((str(reading.identity.principal), reading.counts))
        else:
            found.append(reading.reason)
    return found


def table(head: Sequence[str], rows: Sequence[Sequence[Any]], delimiter: str = ",") -> str:
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter)
    writer.writerow(head)
    writer.writerows(rows)
    return written.getvalue()


def flat(record: Record, names: Callable[[str], str] = str) -> Record:
    """As `fields identity.arn, input.inputTokenCount, ...` gives it, numbers as texts."""
    found: Record = {"@timestamp": "2026-11-30 10:15:20.000"}
    for name, value in record.items():
        inside = value.items() if isinstance(value, dict) else [("", value)]
        for inner, each in inside:
            if not isinstance(each, dict):
                path = f"{name}.{inner}" if inner else name
                found[names(path)] = str(each)
    return found


def cells(record: Record) -> list[Record]:
    return [{"field": name, "value": value} for name, value in record.items()]


def in_event(record: Record) -> Record:
    return {"id": "1", "timestamp": MS, "ingestionTime": MS, "message": json.dumps(record)}


def flat_table(names: Callable[[str], str], delimiter: str = ",") -> str:
    rows = [flat(record, names) for record in RECORDS]
    head = list(dict.fromkeys(name for row in rows for name in row))
    return table(head, [[row.get(name, "") for name in head] for row in rows], delimiter)


def athena(path: str) -> str:
    """`SELECT identity.arn, input.inputtokencount` names a column by the end of its path."""
    return path.rpartition(".")[2].lower()


def lowered(value: Any) -> Any:
    """Athena keeps no capitals in names, and writes null for what is absent."""
    if not isinstance(value, dict):
        return value
    return {name.lower(): lowered(each) for name, each in value.items()} | {"status": None}


LINES = [json.dumps(record) for record in RECORDS]
INSIGHTS = [{"@timestamp": "2026-11-30 10:15:20.000", "@message": line} for line in LINES]
FORMS: dict[str, str | bytes] = {
    "as Bedrock writes": "\n".join(LINES),
    "an object of S3": gzip.compress("\n".join(LINES).encode()),
    "one list": json.dumps(RECORDS),
    "one list over many lines": json.dumps(RECORDS, indent=2),
    "objects over many lines": "\n".join(json.dumps(each, indent=4) for each in RECORDS),
    "objects without line breaks": "".join(LINES),
    "filter-log-events": json.dumps({"events": [in_event(each) for each in RECORDS]}, indent=4),
    "filter-log-events on one line": json.dumps({"events": [in_event(each) for each in RECORDS]}),
    "filter-log-events as text": "".join(
        f"EVENTS\t37{n}\t{MS}\taws/bedrock/modelinvocations\t{line}\t{MS}\n"
        for n, line in enumerate(LINES)
    ),
    "events, one a line": "\n".join(json.dumps(in_event(each)) for each in RECORDS),
    "logs tail": "".join(
        f"2026-11-30T10:15:20.000000+00:00 aws/bedrock/modelinvocations {line}\n" for line in LINES
    ),
    "an export task": gzip.compress(
        "".join(f"2026-11-30T10:15:20.000Z {line}\n" for line in LINES).encode()
    ),
    "Firehose": "".join(
        json.dumps({"messageType": "DATA_MESSAGE", "logEvents": [in_event(each)]})
        for each in RECORDS
    ),
    "get-query-results": json.dumps(
        {"results": [cells(row) for row in INSIGHTS], "status": "Complete"}, indent=4
    ),
    "get-query-results of fields": json.dumps({"results": [cells(flat(r)) for r in RECORDS]}),
    "its results alone": json.dumps([cells(row) for row in INSIGHTS]),
    "Logs Insights JSON": json.dumps(INSIGHTS),
    "Logs Insights JSON, parsed": json.dumps(
        [{"@timestamp": "x", "@message": record} for record in RECORDS], indent=2
    ),
    "Logs Insights CSV": table(
        ["@timestamp", "@message"], [[row["@timestamp"], row["@message"]] for row in INSIGHTS]
    ),
    "Logs Insights CSV of fields": flat_table(str),
    "Logs Insights JSON of fields": json.dumps([flat(record) for record in RECORDS]),
    "the console's CSV": table(["timestamp", "message"], [[MS, line] for line in LINES]),
    "Athena's CSV": flat_table(athena),
    "Athena's JSON": "\n".join(json.dumps(lowered(each)) for each in RECORDS),
    "a spreadsheet's CSV": flat_table(lambda path: path.replace(".", "_"), ";"),
    "a spreadsheet's TSV": flat_table(str, "\t"),
    "PowerShell": "\r\n".join(LINES).encode("utf-16"),
    "a spreadsheet's CSV with a byte order mark": b"\xef\xbb\xbf" + flat_table(str).encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_export_reads_as_what_bedrock_wrote(form: str, tmp_path: Path) -> None:
    assert told(tmp_path, FORMS[form]) == EXPECTED


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_the_meter_reads_reads_the_same_here(name: str) -> None:
    line = json.dumps(PUBLISHED[name])
    assert list(readings(line)) == [read(line)]


NATIVE = [
    NOISE,
    "",
    "{",
    "[{}]",
    '"text"',
    json.dumps(a_record())[:-20],
    json.dumps(a_record())[9:],
]


@pytest.mark.parametrize("line", NATIVE)
def test_what_is_no_export_reads_as_the_meter_reads_it(line: str) -> None:
    [reading] = readings(line)
    assert isinstance(reading, Skipped | Quarantined)


def test_of_half_a_record_no_part_is_taken_for_a_whole_one() -> None:
    """A body may hold what looks like a record of somebody else."""
    forged = a_record(identity__arn=f"arn:aws:iam::{ACCOUNT}:user/mallory")
    line = json.dumps(a_record(input__inputBodyJson=forged))[9:]
    assert list(readings(line)) == [read(line)]
    assert list(readings(json.dumps(a_record(input__inputBodyJson=forged, modelId=None)))) == [
        Quarantined("modelId is missing")
    ]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("4512", 4512), ("25.0", 25), (" 7 ", 7), (25.0, 25), ("4.512e3", 4512), (0, 0), ("0", 0),
        ("25.5", None), ("-1", None), ("1,234", None), ("many", None), (True, None), ("1e99", None),
        ([], None),
    ],
)  # fmt: skip
def test_a_number_may_be_written_as_a_text_but_must_be_whole(written: Any, number: Any) -> None:
    [reading] = readings(json.dumps(a_record(input__inputTokenCount=written)))
    if number is None:
        assert isinstance(reading, Quarantined)
        assert reading.reason.startswith("input.inputTokenCount is ")
    else:
        assert isinstance(reading, Counted)
        assert reading.counts == Counts(1, number, 20)


@pytest.mark.parametrize("written", ["", "null", "None", "NaN", "-", None])
def test_what_a_table_leaves_empty_is_absent(written: Any) -> None:
    absent = {"errorCode": written, "output.outputTokenCount": written}
    row = {name: each for name, each in flat(a_record()).items() if name not in absent}
    [reading] = readings(row | absent)
    assert isinstance(reading, Counted)
    assert reading.counts == Counts(1, 100, 0, incomplete_requests=1)


@pytest.mark.parametrize(
    "moment",
    [
        "2026-11-30T10:15:20Z", "2026-11-30 10:15:20.000", "2026-11-30 10:15:20.000 UTC",
        "1796033720000", "1796033720", 1796033720000, 1796033720.0,
    ],
)  # fmt: skip
def test_moments_are_read_as_exports_write_them(moment: Any) -> None:
    [reading] = readings({**flat(a_record()), "timestamp": moment})
    assert isinstance(reading, Counted)
    assert f"{reading.at:%Y-%m-%dT%H:%M:%S}" == "2026-11-30T10:15:20"


def test_athenas_text_of_a_section_is_taken_apart() -> None:
    row = {
        "timestamp": "2026-11-30T10:15:20Z", "modelid": MODEL, "operation": "Converse",
        "identity": f"{{arn={ARN}}}",
        "input": "{inputcontenttype=application/json, inputtokencount=5}",
        "output": '{"outputTokenCount": 2}',
    }  # fmt: skip
    [reading] = readings(row)
    assert isinstance(reading, Counted)
    assert (reading.arn, reading.counts) == (ARN, Counts(1, 5, 2))


def test_a_prompt_in_athenas_text_counts_for_nothing() -> None:
    """Two fields of one name: nobody can tell which of them is the prompt's."""
    prompt = "{inputbody=hello, inputtokencount=9, inputtokencount=5}"
    row = {"timestamp": "2026-11-30T10:15:20Z", "modelid": MODEL, "input": prompt}
    [reading] = readings(row | {"identity": f"{{arn={ARN}}}"})
    assert isinstance(reading, Quarantined)
    assert reading.reason.startswith("input is ")


def test_the_meter_takes_no_export() -> None:
    row = flat(a_record())
    assert isinstance(read(json.dumps(row)), Quarantined)
    assert isinstance(read(json.dumps(a_record(input__inputTokenCount="4512"))), Quarantined)
    assert isinstance(read(f"2026-11-30T10:15:20.000Z {json.dumps(a_record())}"), Quarantined)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04...", "an Excel workbook"), (b"PAR1...", "a Parquet file"),
        (b"ORC...", "an ORC file"), (b"BZh9...", "a bzip2 file"),
        (b"\x28\xb5\x2f\xfd...", "a zstd file"), (b"\xfd7zXZ\x00", "an xz file"),
    ],
)  # fmt: skip
def test_a_file_of_another_kind_is_told_which_command_gives_the_right_form(
    tmp_path: Path, content: bytes, what: str
) -> None:
    with pytest.raises(UnreadableLog, match=what) as refused:
        told(tmp_path, content)
    assert "aws logs filter-log-events --log-group-name GROUP" in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        table(["identity.arn", "count()"], [[ARN, 5]]),
        table(["day", "dollars"], [["2026-11-30", 5]]),
        json.dumps({"Records": [{"eventSource": "bedrock.amazonaws.com"}]}, indent=2),
        json.dumps({"results": [], "statistics": {}}, indent=2) + "\n{}",
        "some words\n",
    ],
)
def test_what_has_no_records_says_in_one_line_which_command_gives_the_right_form(
    tmp_path: Path, content: str
) -> None:
    file = tmp_path / "export"
    file.write_text(content, encoding="utf-8")
    summary = LogSummary()
    for reading in log_readings(file):
        summary.add(reading)
    assert [line for line in summary.lines() if "this gives the right form: aws logs" in line]


@pytest.mark.parametrize("lines", [LINES, LINES[:1], LINES[2:], ["", ""], []])
def test_a_right_log_gets_no_such_line(lines: list[str]) -> None:
    summary = LogSummary()
    for line in lines:
        for reading in readings(line):
            summary.add(reading)
    assert not [line for line in summary.lines() if "right form" in line]


def test_calls_that_lack_a_count_are_said() -> None:
    summary = LogSummary()
    for reading in readings(json.dumps(a_record(output={}))):
        summary.add(reading)
    assert "1 of the counted lack a count of tokens, as where a stream broke off" in " ".join(
        summary.lines()
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.text() | st.binary() | st.dictionaries(st.sampled_from([*flat(a_record())]), JSON))
def test_no_entry_makes_the_reader_fail(entry: Any) -> None:
    for reading in readings(entry):
        assert reading
