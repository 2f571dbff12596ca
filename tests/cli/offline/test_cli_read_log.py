"""`quota-enforcer read-log`: what it prints for plain, gzipped and broken logs."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from log_records import ACCOUNT, NOISE, PUBLISHED, a_record
from quota_enforcer.cli.main import app

SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/reporting/run-1"
LINES = [
    json.dumps(a_record()),
    "",
    NOISE.strip(),
    json.dumps({"errorCode": "ThrottlingException"}),
    json.dumps(a_record(input__inputTokenCount="many")),
    json.dumps(a_record(identity__arn=SESSION, input__cacheReadInputTokenCount=7)),
]
LOG = "".join(f"{line}\n" for line in LINES).encode()
KEYS = [
    "line", "status", "reason", "at", "principal", "account", "region", "model", "requests",
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
    "incomplete_requests", "cost_usd", "assumed_usd", "priced_as",
]  # fmt: skip


def run(*args: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["read-log", *args], input=stdin)


def rows(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "calls.jsonl"
    file.write_bytes(LOG)
    return file


def test_each_line_has_its_object_with_the_same_keys(log: Path) -> None:
    result = run(str(log), "--json")
    assert result.exit_code == 0
    read = rows(result)
    assert [row["line"] for row in read] == [1, 2, 3, 4, 5, 6]
    assert [row["status"] for row in read] == [
        "counted", "skipped", "skipped", "skipped", "quarantined", "counted",
    ]  # fmt: skip
    assert all(list(row) == KEYS for row in read)
    assert read[0] == {
        "line": 1, "status": "counted", "reason": None, "at": "2026-11-30T10:15:20Z",
        "principal": "user/alice", "account": ACCOUNT, "region": "eu-central-1",
        "model": "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "requests": 1, "input_tokens": 100, "output_tokens": 20, "cache_read_tokens": 0,
        "cache_write_tokens": 0, "incomplete_requests": 0, "cost_usd": "0.00066",
        "assumed_usd": "0",
        "priced_as": "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    }  # fmt: skip
    assert [row["reason"] for row in read[1:4]] == [
        "empty line", "no record: a plain line", "failed call: ThrottlingException",
    ]  # fmt: skip
    assert "inputTokenCount is a text" in read[4]["reason"]


def test_what_is_not_counted_has_no_numbers(log: Path) -> None:
    for row in rows(run(str(log), "--json"))[1:5]:
        assert {row[key] for key in ("at", "principal", "model", "cost_usd", "priced_as")} == {None}
        assert {row[key] for key in KEYS if key.endswith("tokens") or key == "requests"} == {0}


def test_a_session_is_shown_as_its_role(log: Path) -> None:
    assert rows(run(str(log), "--json"))[-1]["principal"] == "role/reporting"


def test_the_summary_is_on_stderr(log: Path) -> None:
    words = run(str(log), "--json").stderr
    assert "6 lines: 2 counted, 3 skipped, 1 quarantined" in words
    assert "1 skipped: failed call: ThrottlingException" in words


def test_people_get_a_table_by_principal_and_model(log: Path) -> None:
    result = run(str(log))
    head, _, *body = (line.split() for line in result.stdout.splitlines())
    assert head[:3] == ["Principal", "Model", "Requests"]
    assert [line[0] for line in body] == ["role/reporting", "user/alice"]
    assert body[0][2:] == ["1", "100", "20", "7", "0", "0", "0.00066231"]
    assert "6 lines" in result.stderr


def test_cache_writes_that_stay_an_hour_have_their_own_price() -> None:
    """100 input, 20 output, and of 1,000 written tokens 600 for an hour: 3.3, 16.5, 4.125, 6.6."""
    split = {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 600}
    body = {"usage": {"cache_creation": split}}
    told = a_record(input__cacheWriteInputTokenCount=1000, output__outputBodyJson=body)
    silent = a_record(input__cacheWriteInputTokenCount=1000)
    stdin = f"{json.dumps(told)}\n{json.dumps(silent)}\n".encode()
    costs = [(row["cost_usd"], row["assumed_usd"]) for row in rows(run("-", "--json", stdin=stdin))]
    assert costs == [("0.00627", "0"), ("0.00726", "0.002475")]


def test_the_service_tier_that_an_answer_names_is_priced() -> None:
    record = a_record(
        modelId="openai.gpt-oss-120b-1:0",
        input__inputTokenCount=1_000_000,
        output__outputTokenCount=1_000_000,
        output__outputBodyJson={"usage": {}, "serviceTier": {"type": "flex"}},
    )
    (row,) = rows(run("-", "--json", stdin=json.dumps(record).encode()))
    assert (row["cost_usd"], row["priced_as"]) == ("0.375", "openai.gpt-oss-120b-1:0@flex")


def test_a_price_that_is_not_known_is_marked_and_named() -> None:
    stdin = json.dumps(a_record(modelId="acme.big-v1")).encode()
    result = run("-", stdin=stdin)
    *_, cost, assumed = result.stdout.splitlines()[2].split()
    assert cost == assumed
    assert "Assumed: the dearest price that could apply" in result.stdout
    [row] = rows(run("-", "--json", stdin=stdin))
    assert row["priced_as"] == "dearest of all"
    assert row["cost_usd"] == row["assumed_usd"] == cost


def test_one_line_is_one_line() -> None:
    assert run("-", stdin=b"\n").stderr.startswith("1 line: 0 counted, 1 skipped")


def test_people_of_several_accounts_are_pointed_out() -> None:
    other = "444455556666"
    foreign = f"arn:aws:iam::{other}:user/alice"
    ours, visitor = a_record(), a_record(identity__arn=foreign)
    theirs = a_record(identity__arn=foreign, accountId=other)

    def words(*records: dict[str, Any]) -> str:
        return run("-", stdin="\n".join(map(json.dumps, records)).encode()).stderr

    assert "accounts" not in words(ours, visitor)
    assert f"people of 2 accounts ({ACCOUNT}, {other}): the same name" in words(ours, theirs)


@pytest.mark.parametrize(
    ("home", "principals"),
    [
        (ACCOUNT, ["user/alice", "444455556666/user/alice"]),
        ("444455556666", [f"{ACCOUNT}/user/alice", "user/alice"]),
    ],
)
def test_with_the_home_account_those_of_others_are_told_apart(
    home: str, principals: list[str]
) -> None:
    other = "444455556666"
    theirs = a_record(identity__arn=f"arn:aws:iam::{other}:user/alice", accountId=other, region="x")
    log = "\n".join(map(json.dumps, (a_record(), theirs))).encode()
    result = run("-", "--json", "--account", home, stdin=log)
    read = rows(result)
    assert [row["principal"] for row in read] == principals
    assert [(row["account"], row["region"]) for row in read] == [
        (ACCOUNT, "eu-central-1"), (other, "x"),
    ]  # fmt: skip
    assert "accounts" not in result.stderr


@pytest.mark.parametrize("number", ["11112222333", "home", "1111-2222-3333", "\u0661" * 12])
def test_what_is_no_account_number_is_refused(number: str) -> None:
    result = run("-", "--account", number, stdin=b"\n")
    assert result.exit_code == 2
    assert "is no AWS account: write its 12 digits" in " ".join(
        result.stderr.replace("│", "").split()
    )


def test_a_log_without_calls_says_so() -> None:
    assert run("-", stdin=b"\n").stdout == "No call was counted.\n"


def test_more_reasons_than_fit_are_counted() -> None:
    lines = "".join(f"{json.dumps(a_record(modelId=f'a {n}'))}\n" for n in range(12)).encode()
    more = "and 2 more reasons: `quota-enforcer read-log` names each with --json"
    assert more in run("-", "--json", stdin=lines).stderr


@pytest.mark.parametrize("content", [LOG, gzip.compress(LOG)], ids=["plain", "gzip"])
@pytest.mark.parametrize("source", ["file", "stdin"])
def test_plain_and_gzip_read_the_same_from_file_and_stdin(
    content: bytes, source: str, log: Path
) -> None:
    wanted = run(str(log), "--json").stdout
    log.write_bytes(content)
    result = run(str(log), "--json") if source == "file" else run("-", "--json", stdin=content)
    assert result.stdout == wanted


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("as_json", [("--json",), ()], ids=["json", "table"])
def test_half_a_gzip_fails_after_the_lines_that_could_be_read(
    share: float, as_json: tuple[str, ...], tmp_path: Path
) -> None:
    text = "".join(f"{json.dumps(record)}\n" for record in PUBLISHED.values()).encode()
    whole = gzip.compress(text)
    file = tmp_path / "half.gz"
    file.write_bytes(whole[: int(len(whole) * share)])
    result = run(str(file), *as_json)
    assert result.exit_code == 1
    error = result.stderr.splitlines()[-1]
    assert error.startswith(f"error: {str(file)!r} is not a whole gzip file")
    if as_json:
        assert f"it breaks after line {len(rows(result))}," in error
        assert share < 0.9 or len(rows(result)) > 15


def test_a_damaged_gzip_is_one_error_in_words() -> None:
    whole = bytearray(gzip.compress(LOG))
    whole[-6] ^= 0xFF  # the checksum
    result = run("-", "--json", stdin=bytes(whole))
    assert result.exit_code == 1
    assert len(rows(result)) == len(LINES)
    assert "error: stdin is not a whole gzip file (CRC check failed" in result.stderr


def test_two_gzips_in_one_file_are_both_read() -> None:
    assert len(rows(run("-", "--json", stdin=gzip.compress(LOG) * 2))) == 2 * len(LINES)


def test_a_byte_order_mark_is_no_part_of_the_first_record() -> None:
    assert rows(run("-", "--json", stdin=b"\xef\xbb\xbf" + LOG))[0]["status"] == "counted"


def test_an_empty_file_has_no_lines() -> None:
    result = run("-", "--json", stdin=b"")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "0 lines" in result.stderr


def test_one_bad_record_among_a_thousand_costs_no_other() -> None:
    lines = [json.dumps(a_record())] * 1_000
    lines[500] = lines[0][:-30]
    read = rows(run("-", "--json", stdin="\n".join(lines).encode()))
    assert len(read) == 1_000
    assert [row["line"] for row in read if row["status"] != "counted"] == [501]


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    result = run(str(tmp_path / "none"))
    assert result.exit_code == 2
    assert "there is no file" in result.stderr


def test_a_file_that_may_not_be_read_is_one_error_in_words(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    result = run(str(log), "--json")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == f"error: cannot read {str(log)!r}: Permission denied"


def test_a_folder_is_read_as_a_bucket_has_it(tmp_path: Path) -> None:
    """Without the bodies that were too large for a record, and the file of Bedrock's first try."""
    folder = tmp_path / "AWSLogs" / ACCOUNT / "BedrockModelInvocationLogs" / "us-east-1"
    (folder / "2026/11/30/10" / "data").mkdir(parents=True)
    (folder / "amazon-bedrock-logs-permission-check").write_bytes(b"")
    hour = folder / "2026/11/30/10"
    (hour / "20261130T101520000Z_1.json.gz").write_bytes(gzip.compress(LOG))
    (hour / "20261130T101620000Z_2.json.gz").write_bytes(gzip.compress(LOG))
    (hour / "data" / "8d8903c3_input.json.gz").write_bytes(gzip.compress(b"{}"))
    assert "12 lines: 4 counted" in run(str(tmp_path)).stderr


def test_an_address_in_s3_is_told_how_to_be_fetched() -> None:
    result = run("s3://logs/bedrock/")
    assert result.exit_code == 2
    told = " ".join(result.stderr.replace("│", " ").split())
    assert "aws s3 sync s3://logs/bedrock logs" in told


def test_help_has_an_example() -> None:
    assert "quota-enforcer read-log" in run("--help").stdout.partition("Examples:")[2]
