"""`quota-enforcer simulate`: what it prints for small logs, and what it refuses."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from builders import an_item
from log_records import ACCOUNT, NOISE, REMOVED, a_record
from quota_enforcer.cli.main import app

SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"


def a_line(number: int, at: str, **changes: Any) -> str:
    record = a_record(timestamp=f"2026-11-30T{at}Z", requestId=f"r{number}", **changes)
    return json.dumps(record)


LINES = [
    a_line(1, "10:15:20", input__inputTokenCount=880),
    "",
    a_line(2, "10:15:40"),
    NOISE.strip(),
    a_line(3, "10:15:50"),
    a_line(4, "10:15:30", identity__arn=f"arn:aws:iam::{ACCOUNT}:user/bob"),
]
MESSAGES = {
    "warning": {
        "at": "2026-11-30T10:15:20Z", "kind": "warning", "quota": "daily", "used": 900,
        "limit": 1000, "until": "2026-12-01T00:00:00Z",
    },
    "blocked": {
        "at": "2026-11-30T10:15:40Z", "kind": "blocked", "quota": "daily", "used": 1020,
        "limit": 1000, "until": "2026-12-01T00:00:00Z",
    },
}  # fmt: skip


class Files:
    """A log and a quotas file, and the command on them."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "calls.jsonl"
        self.quotas = folder / "quotas.json"
        self.lines(*LINES)
        self.items(an_item())

    def lines(self, *lines: str) -> None:
        self.log.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def items(self, *items: Any) -> None:
        self.quotas.write_text(json.dumps(items), encoding="utf-8")

    def written(self, text: str, name: str = "quotas.yaml") -> None:
        self.quotas = self.quotas.with_name(name)
        self.quotas.write_text(text, encoding="utf-8")

    def run(self, *args: str, log: str | None = None, stdin: bytes | None = None) -> Result:
        files = ["--log", log or str(self.log), "--quotas", str(self.quotas)]
        return CliRunner().invoke(app, ["simulate", *files, *args], input=stdin)

    def principals(self, *args: str) -> dict[str, Any]:
        result = self.run("--json", *args)
        assert result.exit_code == 0, result.output
        document: dict[str, Any] = json.loads(result.stdout)
        assert list(document) == ["principals", "coverage"]
        principals: dict[str, Any] = document["principals"]
        return principals


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_everybody_with_usage_has_usage_events_and_refusals(files: Files) -> None:
    principals = files.principals()
    assert list(principals) == ["user/alice", "user/bob"]
    assert principals["user/alice"] == {
        "usage": {
            "requests": 2, "input_tokens": 980, "output_tokens": 40, "cache_read_tokens": 0,
            "cache_write_tokens": 0, "incomplete_requests": 0, "total_tokens": 1020,
            "cost_usd": "0.003894", "assumed_usd": "0",
        },
        "events": [MESSAGES["warning"], MESSAGES["blocked"]],
        "refused_requests": 1,
        "refused_tokens": 120,
        "refused_cost_usd": "0.00066",
        "refused_assumed_usd": "0",
    }  # fmt: skip
    assert principals["user/bob"]["events"] == []
    assert principals["user/bob"]["usage"]["requests"] == 1


def test_a_gzip_and_stdin_read_alike(files: Files) -> None:
    expected = files.run("--json").stdout
    packed = gzip.compress(files.log.read_bytes())
    assert files.run("--json", log="-", stdin=packed).stdout == expected
    files.log.write_bytes(packed)
    assert files.run("--json").stdout == expected


def test_a_gzip_that_breaks_off_gives_no_result(files: Files) -> None:
    files.log.write_bytes(gzip.compress(files.log.read_bytes())[:-9])
    result = files.run("--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "not a whole gzip file" in result.stderr


def test_the_lines_that_are_no_calls_are_counted_on_stderr(files: Files) -> None:
    files.lines(*LINES, json.dumps(a_record(timestamp="yesterday")))
    result = files.run("--json")
    assert "7 lines: 4 counted, 2 skipped, 1 quarantined" in result.stderr
    assert "1 skipped: empty line" in result.stderr
    assert "quarantined: timestamp is 'yesterday'" in result.stderr


def test_a_line_that_repeats_another_counts_once_and_is_said(files: Files) -> None:
    expected = files.run("--json").stdout
    files.lines(*LINES, LINES[0])
    result = files.run("--json")
    assert result.stdout == expected
    assert "1 counted line repeats another" in result.stderr


def test_an_empty_log_is_nobody(files: Files) -> None:
    files.lines()
    assert files.principals() == {}
    result = files.run()
    assert result.exit_code == 0
    assert "No call was counted" in result.stdout


def test_no_quotas_show_the_usage(files: Files) -> None:
    files.items()
    assert files.principals()["user/alice"]["usage"]["requests"] == 3


def test_what_no_quota_counts_is_said_with_the_rule_that_would(files: Files) -> None:
    """Everybody behind one federated role, and a default, which is for people."""
    role = f"arn:aws:sts::{ACCOUNT}:assumed-role/dev"
    files.lines(
        a_line(1, "10:15:20", identity__arn=f"{role}/ann"),
        a_line(2, "10:15:40", identity__arn=f"{role}/bob"),
    )
    files.items(an_item(principal="default"))
    last = files.run().stdout.splitlines()[-1]
    assert last.startswith("Under no quota: 2 calls of 2 (100 %) and $0.00")
    assert "2 session names share role/dev: one for session/dev/* limits each" in last
    found = json.loads(files.run("--json").stdout)["coverage"]
    assert (found["requests"], found["of_requests"], found["rules"]) == (2, 2, ["role/dev"])
    files.items(an_item(principal="session/dev/*"))
    assert files.run().stdout.splitlines()[-1] == "Every call is under a quota."


def test_a_lag_lets_more_through_and_comes_later(files: Files) -> None:
    alice = files.principals("--lag", "15.5")["user/alice"]
    assert alice["usage"]["requests"] == 3
    assert [event["at"] for event in alice["events"]] == ["2026-11-30T10:15:35Z"]


def test_the_windows_are_those_of_the_time_zone(files: Files) -> None:
    events = files.principals("--time-zone", "Asia/Kolkata")["user/alice"]["events"]
    assert {event["until"] for event in events} == {"2026-11-30T18:30:00Z"}


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "../etc", "Europe"])
def test_an_unknown_time_zone_is_refused(files: Files, zone: str) -> None:
    result = files.run("--time-zone", zone)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no IANA time" in result.stderr


@pytest.mark.parametrize("lag", ["-1", "nan", "1e9", "soon"])
def test_a_lag_is_a_number_of_seconds(files: Files, lag: str) -> None:
    result = files.run("--lag", lag)
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_quota_in_dollars_blocks_by_the_price_of_each_call(files: Files) -> None:
    files.items(an_item(measure="cost_usd", limit="0.003"))
    alice = files.principals()["user/alice"]
    assert [(each["kind"], each["used"], each["limit"]) for each in alice["events"]] == [
        ("blocked", "0.003234", "0.003"),
    ]  # fmt: skip
    assert alice["refused_requests"] == 2


def test_price_items_in_the_file_set_the_price(files: Files) -> None:
    price = {"principal": f"price/eu.{SONNET}", "quota": "price", "input": 1000, "output": 2000}
    files.items(price)
    assert files.principals()["user/alice"]["usage"]["cost_usd"] == "1.2"


def test_an_unknown_price_is_said(files: Files) -> None:
    files.lines(a_line(1, "10:15:20", modelId="acme.new-model-v1"))
    result = files.run("--json")
    assert "Prices are assumed, in part at least, for acme.new-model-v1:" in result.stderr
    used = json.loads(result.stdout)["principals"]["user/alice"]["usage"]
    assert used["cost_usd"] == used["assumed_usd"] != "0"
    assert json.loads(result.stdout)["principals"]["user/alice"]["usage"]["cost_usd"] != "0"


def test_every_model_that_a_quota_names_is_an_installed_scope(files: Files) -> None:
    files.items(an_item(models=[SONNET, "amazon.nova*"], limit=900))
    files.lines(LINES[0], a_line(2, "10:16:00", modelId="amazon.titan-text-lite-v1"), LINES[4])
    assert files.principals()["user/alice"]["usage"]["requests"] == 2


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ([f"eu.{SONNET}"], f"write '{SONNET}', which covers every Region"),
        ("any model", "'any model' is no model scope"),
    ],
)
def test_a_scope_that_no_deployment_can_install_is_refused(
    files: Files, models: object, words: str
) -> None:
    files.items(an_item(models=models))
    result = files.run()
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_people_of_several_accounts_are_pointed_out(files: Files) -> None:
    other = "444455556666"
    theirs = a_line(
        9, "10:15:20", accountId=other, identity__arn=f"arn:aws:iam::{other}:user/alice"
    )
    files.lines(*LINES, theirs)
    assert f"people of 2 accounts ({ACCOUNT}, {other})" in files.run("--json").stderr


def test_quotas_of_some_places_go_by_what_the_records_say(files: Files) -> None:
    """The limit is of home's Frankfurt, where its 1,000 tokens are used with the third call."""
    other = "444455556666"
    files.lines(
        a_line(1, "10:15:20", input__inputTokenCount=5000, region="us-east-1"),
        a_line(2, "10:15:30", input__inputTokenCount=5000, accountId=other,
               identity__arn=f"arn:aws:iam::{other}:user/alice"),
        a_line(3, "10:15:40", input__inputTokenCount=980),
        a_line(4, "10:15:50"),
    )  # fmt: skip
    frankfurt = an_item(principal="user/*", regions=["eu-central-1"], accounts=[ACCOUNT])
    files.items(frankfurt)
    found = files.principals("--account", ACCOUNT)
    assert set(found) == {f"{other}/user/alice", "user/alice"}
    assert found["user/alice"]["events"] == [
        MESSAGES["blocked"] | {"used": 1000},
    ]
    assert found["user/alice"]["refused_requests"] == 1
    assert found[f"{other}/user/alice"]["events"] == []
    said = files.run("--account", ACCOUNT).stdout
    assert "A quota for all models, Regions and accounts for user/*" in " ".join(said.split())


def test_those_of_other_accounts_are_blocked_as_with_a_satellite(files: Files) -> None:
    other = "444455556666"
    theirs = {"accountId": other, "identity__arn": f"arn:aws:iam::{other}:user/alice"}
    files.lines(a_line(1, "10:15:20", input__inputTokenCount=5000, **theirs), a_line(2, "10:15:30"))
    files.items(an_item(principal="user/*"))
    found = files.principals("--account", ACCOUNT)
    assert [each["kind"] for each in found[f"{other}/user/alice"]["events"]] == ["blocked"]
    assert found["user/alice"]["events"] == []


def test_a_record_that_tells_no_region_counts_everywhere(files: Files) -> None:
    files.lines(a_line(1, "10:15:20", input__inputTokenCount=5000, region=REMOVED))
    files.items(an_item(regions=["eu-west-1"]))
    assert [each["kind"] for each in files.principals()["user/alice"]["events"]] == ["blocked"]


def test_a_pool_of_one_region_counts_what_its_members_used_there(files: Files) -> None:
    bob = f"arn:aws:iam::{ACCOUNT}:user/bob"
    files.lines(
        a_line(1, "10:15:20", input__inputTokenCount=600),
        a_line(2, "10:15:30", input__inputTokenCount=600, region="us-east-1", identity__arn=bob),
        a_line(3, "10:15:40", input__inputTokenCount=300, identity__arn=bob),
        a_line(4, "10:15:50", input__inputTokenCount=300, identity__arn=bob),
        a_line(5, "10:15:55", region="us-east-1"),
    )
    files.items(
        an_item(principal="team/x", members=["user/alice", "user/bob"], share="pool",
                regions=["eu-central-1"])
    )  # fmt: skip
    found = files.principals()
    assert found["team/x"]["usage"]["total_tokens"] == 1880
    assert [each["used"] for each in found["team/x"]["events"]] == [940, 1260]
    assert found["user/alice"]["refused_requests"] == 1


def test_a_caller_from_another_account_is_somebody_else(files: Files) -> None:
    visitor = "arn:aws:iam::444455556666:user/alice"
    files.lines(LINES[0], a_line(9, "10:15:30", identity__arn=visitor))
    principals = files.principals()
    assert list(principals) == [f"other/{visitor}", "user/alice"]
    assert principals["user/alice"]["usage"]["requests"] == 1


def test_a_log_out_of_order_is_replayed_in_order(files: Files) -> None:
    expected = files.principals()
    files.lines(*reversed(LINES))
    assert files.principals() == expected


def test_wrapped_records_are_quarantined(files: Files) -> None:
    files.lines(json.dumps({"id": "x", "record": a_record()}))
    result = files.run("--json")
    assert json.loads(result.stdout)["principals"] == {}
    assert "1 quarantined: timestamp is missing" in result.stderr


def test_assumed_prices_block_only_where_the_quota_says_so(files: Files) -> None:
    """120 tokens of nobody knows what cost $0.0055 at most, a cent after two calls."""
    budget = {"measure": "cost_usd", "limit": "0.01", "warn_at": None}
    files.items(an_item(**budget), an_item(principal="user/bob", unknown_prices="deny", **budget))
    bob = f"arn:aws:iam::{ACCOUNT}:user/bob"
    calls = [
        a_line(n, f"10:15:{n:02}", modelId="acme.big-v1", **who)
        for n in range(4)
        for who in ({}, {"identity__arn": bob})
    ]
    files.lines(*calls)
    principals = files.principals()
    told = {
        who: [each["kind"] for each in principals[who]["events"]]
        for who in ("user/alice", "user/bob")
    }
    assert told == {"user/alice": ["warning"], "user/bob": ["blocked"]}
    assert principals["user/alice"]["refused_requests"] == 0
    assert principals["user/bob"]["refused_requests"] == 2


def test_yaml_says_the_same_as_json(files: Files) -> None:
    expected = files.run("--json").stdout
    files.written(
        "# for the developers\n"
        "- principal: user/alice\n  quota: daily\n  measure: total_tokens\n"
        "  limit: 1_000\n  window: day\n  until: 2026-12-24\n"
    )
    assert files.run("--json").stdout == expected


def test_yaml_keeps_numbers_exact_and_moments_as_text(files: Files) -> None:
    files.written(
        "- {principal: user/alice, quota: money, measure: cost_usd, limit: 0.0033, window: day,\n"
        "   raise_to: 5.5, raise_until: 2026-11-30T10:15:45Z}\n"
    )
    alice = files.principals()["user/alice"]
    assert [(each["kind"], each["limit"]) for each in alice["events"]] == [
        ("blocked", "0.0033"),
    ]  # fmt: skip
    assert alice["events"][0]["at"] == "2026-11-30T10:15:45Z"


def test_yaml_that_repeats_another_place_is_refused(files: Files) -> None:
    """A few such lines can stand for billions."""
    files.written(
        "- &ours {principal: user/alice, quota: a, measure: requests, limit: 9, window: day}\n"
        "- <<: *ours\n  quota: b\n  limit: 2\n"
    )
    result = files.run()
    assert (result.exit_code, result.stdout) == (2, "")
    assert "line 2 repeats another place (*ours)" in " ".join(result.stderr.split())


@pytest.mark.parametrize("number", ["1:30", "0x10"])
def test_yaml_numbers_that_mean_others_are_refused(files: Files, number: str) -> None:
    files.written(
        f"- {{principal: default, quota: q, measure: requests, limit: {number}, window: day}}"
    )
    result = files.run()
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"limit is '{number}'" in " ".join(result.stderr.split())


def test_a_leading_zero_is_no_octal(files: Files) -> None:
    files.written(
        "- {principal: user/bob, quota: q, measure: input_tokens, limit: 0100, window: day}"
    )
    [*_, blocked] = files.principals()["user/bob"]["events"]
    assert (blocked["kind"], blocked["limit"]) == ("blocked", 100)


@pytest.mark.parametrize("name", ["5", "true", "2026-01-01", "~"])
def test_attributes_that_are_no_texts_are_named(files: Files, name: str) -> None:
    files.written(
        "- {principal: default, quota: q, measure: requests, limit: 1, window: day,"
        f" {name}: 1, limt: 2}}"
    )
    result = files.run()
    assert (result.exit_code, result.stdout) == (2, "")
    assert "attribute 'limt' is unknown" in result.stderr
    assert result.stderr.count("is unknown") == 2


def test_a_file_of_any_name_may_hold_yaml(files: Files) -> None:
    files.written("- {principal: default, quota: q, measure: requests, limit: 1, window: day}", "q")
    assert files.principals()["user/alice"]["refused_requests"] == 2


def test_every_invalid_item_is_named_with_its_problems(files: Files) -> None:
    files.items(
        an_item(limit="many", windw="day"),
        an_item(principal="user/bob"),
        an_item(principal="session/ci/*", measure="coins"),
        {"principal": "price/x", "quota": "price", "input": "free"},
    )
    result = files.run("--json")
    assert (result.exit_code, result.stdout) == (2, "")
    for words in (
        "item 1 (line 1): quota 'daily' of 'user/alice' is not valid",
        "limit is 'many'",
        "did you mean window?",
        "item 3 (line 1): quota 'daily' of 'session/ci/*' is not valid",
        "measure is 'coins'",
        "price/x",
        "input is 'free'",
    ):
        assert words in result.stderr
    assert "user/bob" not in result.stderr


def test_two_items_with_one_key_are_refused(files: Files) -> None:
    files.items(an_item(), an_item(limit=5))
    result = files.run()
    assert result.exit_code == 2
    assert "it is there 2 times" in result.stderr


NO_ITEMS = [
    ("json", "{}", "no list of items"),
    ("json", "[1]", "no list of items"),
    ("yaml", "", "no list of items"),
    ("yaml", "{}", "no list of items"),
    ("json", "", "cannot read"),
    ("json", "[{", "cannot read"),
    ("json", "- limit: 1", "cannot read"),
    ("json", '[{"limit": NaN}]', "NaN is not a number"),
    ("json", '[{"quota": "a", "quota": "b"}]', "'quota' is there twice"),
    ("json", "[" * 100_000, "cannot read"),
    ("yaml", "- limit: .inf", ".inf is not a number"),
    ("yaml", "- {quota: a, quota: b}", "'quota' is there twice"),
    ("yaml", "- !!python/object:os.system {}", "cannot read"),
    ("yaml", "a: [", "cannot read"),
    ("yaml", "[" * 100_000, "cannot read"),
]


@pytest.mark.parametrize(("suffix", "text", "words"), NO_ITEMS)
def test_a_file_that_is_no_list_of_items_is_refused(
    files: Files, suffix: str, text: str, words: str
) -> None:
    files.written(text, f"quotas.{suffix}")
    result = files.run()
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in " ".join(result.stderr.replace("│", " ").split())


def test_a_file_that_is_not_there_is_refused(files: Files) -> None:
    files.quotas.unlink()
    assert files.run().exit_code == 2


def test_people_see_who_was_blocked_when_and_by_what(files: Files) -> None:
    result = files.run("--time-zone", "Europe/Berlin")
    assert result.exit_code == 0
    shown = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert (
        "2026-11-30 11:15 CET user/alice blocked 1,020 of 1,000 total tokens used today "
        "(quota daily of user/alice) 2026-12-01 00:00 CET" in shown
    )
    assert "user/alice 2 1,020 $0.0038 1 1 1 120 $0.00066" in shown
    assert "Blocks would have refused 1 request: 120 tokens and $0.00066 saved" in result.stdout


def test_what_a_session_is_refused_is_saved_once(files: Files) -> None:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/1"
    files.items(an_item(principal="session/ci/*", measure="requests", limit=1))
    files.lines(*(a_line(n, f"10:15:0{n}", identity__arn=arn) for n in range(3)))
    result = files.run()
    assert "Blocks would have refused 2 requests: 240 tokens" in result.stdout


def test_without_any_event_only_the_usage_is_shown(files: Files) -> None:
    files.items(an_item(limit=10**9))
    result = files.run()
    assert "Nobody would have been warned or blocked." in result.stdout
    assert "saved" not in result.stdout.splitlines()[-1]


def test_a_record_without_identity_is_nobodys(files: Files) -> None:
    files.lines(a_line(1, "10:15:20", identity=REMOVED))
    assert files.principals() == {}


OPUS, HAIKU = "anthropic.claude-3-opus-20240229-v1:0", "anthropic.claude-3-haiku-20240307-v1:0"
STAGED = an_item(closes={"50": ["anthropic.claude-3-opus*"], "100": ["*"]}, warn_at=40)


def test_stages_are_shown_beside_a_plain_quota(files: Files) -> None:
    """Twelve calls of 120 tokens, by turns of an expensive model and a cheap one; limit 1,000.

    The expensive one closes at 500, so three of its calls are refused and the cheap one goes on;
    the plain quota lets all through until 1,000 are passed, and then nothing.
    """
    files.items(STAGED)
    files.lines(
        *(a_line(n, f"10:{n:02}:00", modelId=OPUS if n % 2 else HAIKU) for n in range(1, 13))
    )
    document = json.loads(files.run("--json").stdout)
    told = [(each["at"][11:16], each["kind"]) for each in
            document["principals"]["user/alice"]["events"]]  # fmt: skip
    assert told == [("10:04", "warning"), ("10:05", "blocked"), ("10:12", "blocked")]
    plain = Decimal(document["without_closes"]["refused_cost_usd"])
    assert document["with_closes"] == {
        "refused_requests": 3, "refused_tokens": 360, "refused_cost_usd": "0.009",
    }  # fmt: skip
    assert document["without_closes"]["refused_requests"] == 3
    assert plain < Decimal("0.009")  # one dear call and two cheap ones
    shown = files.run().stdout
    rows = [line.split() for line in shown.splitlines() if "closes" in line or "as they" in line]
    assert rows[-2:] == [
        ["as", "they", "are", "3", "360", "$0.009", "1"],
        ["without", "closes", "3", "360", f"${plain.normalize():.4f}", "1"],
    ]


def test_a_quotas_file_without_stages_is_compared_with_nothing(files: Files) -> None:
    assert "without closes" not in files.run().stdout
    assert "without_closes" not in files.run("--json").stdout


def test_a_scope_that_a_stage_closes_counts_as_installed(files: Files) -> None:
    files.items(an_item(closes={"50": "anthropic.claude-3-opus*"}, models="anthropic.*"))
    assert files.run().exit_code == 0
    files.items(an_item(closes="us.anthropic.claude-3-opus*"))
    refused = files.run()
    assert (refused.exit_code, "closes: " in refused.output) == (2, True)


def test_all_of_another_account_share_one_limit_and_an_arn_is_whom_it_names(files: Files) -> None:
    other = "444455556666"
    theirs = [
        a_line(number, f"10:15:{number}0", accountId=other, input__inputTokenCount=600,
               identity__arn=f"arn:aws:iam::{other}:user/{who}")
        for number, who in enumerate(("ann", "ben", "cy"), start=1)
    ]  # fmt: skip
    alice = f"arn:aws:iam::{ACCOUNT}:user/alice"
    files.lines(*theirs, a_line(4, "10:16:10", identity__arn=alice))
    files.items(an_item(principal="team/x", members=[f"{other}/*", alice], share="pool"))
    found = files.principals("--account", ACCOUNT)
    refused = {who: each["refused_requests"] for who, each in found.items()}
    assert refused == {
        f"{other}/user/ann": 0, f"{other}/user/ben": 0, f"{other}/user/cy": 1, "user/alice": 1,
        "team/x": 2,
    }  # fmt: skip


def test_a_picture_is_a_page_or_a_drawing_by_its_ending(files: Files, tmp_path: Path) -> None:
    page, drawing = tmp_path / "limits.html", tmp_path / "limits.svg"
    result = files.run("--picture", str(page))
    assert result.exit_code == 0, result.output
    assert f"{page}: " in result.stderr
    assert "1 call of 1 principal refused" in page.read_text(encoding="utf-8")
    assert files.principals("--picture", str(drawing))
    assert drawing.read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize("name", ["limits", "limits.png", "limits.pdf"])
def test_a_picture_of_another_ending_is_refused(files: Files, name: str) -> None:
    result = files.run("--picture", name)
    assert result.exit_code == 2
    assert "ends in neither .html" in " ".join(result.stderr.replace("│", " ").split())


def test_a_picture_that_cannot_be_written_fails(files: Files, tmp_path: Path) -> None:
    result = files.run("--picture", str(tmp_path / "nowhere" / "limits.svg"))
    assert result.exit_code == 1
    assert "name another file with --picture" in result.stderr


def test_no_call_makes_no_picture(files: Files, tmp_path: Path) -> None:
    files.lines()
    result = files.run("--picture", str(tmp_path / "limits.svg"))
    assert result.exit_code == 0
    assert not (tmp_path / "limits.svg").exists()
