"""`usage`: who used what, exact, for chargeback."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from rich.console import Console

from builders import HAIKU, NOON
from cli_world import Shell, a_shell
from quota_enforcer.cli.terminal import output
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket

HEADER = (
    "principal,team,model,month,requests,input_tokens,output_tokens,cache_read_tokens,"
    "cache_write_tokens,incomplete_requests,cost_usd,assumed_usd,saved_usd"
)
COST = "0.000000123456"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A call of alice, of bob and of a session each, today and four weeks ago."""
    shell = a_shell(monkeypatch)
    shell.world.quota(principal="team/a", members=["user/alice"])
    for days in (0, 28):
        for who, tokens in (("alice", 1000), ("bob", 20), ("role:ci/42", 3)):
            shell.world.stream(who, NOON - timedelta(days=days), tokens, COST)
    shell.world.wake(NOON, "user/alice", "user/bob", "role/ci")
    return shell


def read(printed: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(printed)))


def test_csv_has_a_header_and_exact_dollars(shell: Shell) -> None:
    printed = shell.out("usage", "--month", "2026-11", "--csv")
    assert printed.splitlines() == [
        HEADER,
        f"role/ci,,{HAIKU},2026-11,1,3,0,0,0,0,{COST},0,0",
        f"user/alice,team/a,{HAIKU},2026-11,1,1000,0,0,0,0,{COST},0,0",
        f"user/bob,,{HAIKU},2026-11,1,20,0,0,0,0,{COST},0,0",
    ]


def test_the_present_month_is_the_default(shell: Shell) -> None:
    assert shell.out("usage", "--csv") == shell.out("usage", "--csv", "--month", "2026-11")


@pytest.mark.parametrize(
    ("span", "requests"),
    [
        (("--month", "2026-10"), 3),
        (("--from", "2026-10-01"), 6),
        (("--from", "2026-10-27", "--to", "2026-10-27"), 3),
        (("--from", "2026-10-28", "--to", "2026-11-23"), 0),
        (("--to", "2026-11-24"), 3),
    ],
)
def test_the_days_asked_for(shell: Shell, span: tuple[str, ...], requests: int) -> None:
    assert shell.json("usage", *span)["total"]["requests"] == requests


def test_rows_are_told_apart_by_what_is_asked(shell: Shell) -> None:
    printed = shell.out("usage", "--by", "team,day", "--from", "2026-10-01", "--csv")
    assert [row[:4] for row in read(printed)] == [
        ["team", "day", "requests", "input_tokens"],
        ["", "2026-10-27", "2", "23"],
        ["", "2026-11-24", "2", "23"],
        ["team/a", "2026-10-27", "1", "1000"],
        ["team/a", "2026-11-24", "1", "1000"],
    ]


@pytest.mark.parametrize(
    ("who", "tokens"),
    [("user/bob", [20]), ("team/a", [1000]), ("role/ci", [3]), ("session/ci/42", [3])],
)
def test_of_one_principal_or_a_teams_members(shell: Shell, who: str, tokens: list[int]) -> None:
    document = shell.json("usage", who)
    assert [row["input_tokens"] for row in document["rows"]] == tokens


def test_as_json_with_a_total(shell: Shell) -> None:
    document = shell.json("usage", "user/alice", "--by", "principal")
    counted = {
        "requests": 1, "input_tokens": 1000, "output_tokens": 0, "cache_read_tokens": 0,
        "cache_write_tokens": 0, "incomplete_requests": 0, "cost_usd": COST, "assumed_usd": "0",
        "saved_usd": "0",
    }  # fmt: skip
    assert document == {
        "from": "2026-11-01",
        "to": "2026-11-30",
        "by": ["principal"],
        "rows": [{"principal": "user/alice", **counted}],
        "total": counted,
    }


def test_the_table_leaves_to_its_heading_what_is_the_same_in_every_row(shell: Shell) -> None:
    result = shell.run("usage")
    heading, head, _, *rows = result.stdout.splitlines()
    assert heading == f"Usage 2026-11-01 to 2026-11-30, UTC, model {HAIKU}"
    assert head.split() == [
        "Principal", "Team", "Requests", "Input", "Output", "Cache", "read", "Cache", "write",
        "Incomplete", "Cost", "Assumed",
    ]  # fmt: skip
    assert [row.split()[0] for row in rows] == ["role/ci", "user/alice", "user/bob", "Total"]
    assert rows[-1].split()[1:3] == ["3", "1,023"]
    assert "Teams are as of today's membership." in result.stderr


def test_assumed_money_has_a_column(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    del monkeypatch
    shell.world.assumed("bob", NOON, "1.50")
    result = shell.run("usage", "user/bob", "--by", "principal")
    assert result.stdout.splitlines()[3].split()[-2:] == ["$1.50", "$1.50"]
    assert "$1.50 of the cost is at assumed prices: the dearest" in result.stderr
    [row] = shell.json("usage", "user/bob", "--by", "principal")["rows"]
    assert row["assumed_usd"] == "1.5"


def test_what_caching_saved_has_a_column_only_where_it_saved_anything(shell: Shell) -> None:
    assert "Saved" not in shell.run("usage", "user/bob").output
    saved = Counts(1, 1, 0, 1_000_000, saved_usd=Decimal("2.7"))
    shell.world.ledger.add(Bucket(Principal.parse("user/bob"), HAIKU, NOON.date()), NOON, saved)
    result = shell.run("usage", "user/bob", "--by", "principal")
    assert result.stdout.splitlines()[1].split()[-1] == "Saved"
    assert result.stdout.splitlines()[3].split()[-1] == "$2.70"
    assert "Saved by caching: $2.70." in result.stderr
    [row] = shell.json("usage", "user/bob", "--by", "principal")["rows"]
    assert row["saved_usd"] == "2.7"


def test_a_narrow_terminal_gets_fewer_numbers(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Console(file=io.StringIO(), width=80, markup=False)
    monkeypatch.setattr(output, "console", lambda **_: screen)
    shell.out("usage")
    printed = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "Tokens" in printed
    assert "Cache" not in printed
    assert "Assumed" in printed


def test_nobody_used_anything(shell: Shell) -> None:
    assert shell.out("usage", "--month", "2026-09") == (
        "Nobody used Bedrock: 2026-09-01 to 2026-09-30, UTC.\n"
    )


def test_what_is_older_than_the_ledger_keeps_is_said_to_be_gone(shell: Shell) -> None:
    result = shell.run("usage", "--month", "2025-01")
    assert "Usage is kept for 400 days" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--month", "2026-13"], "'2026-13' is not a month"),
        (["--month", "2026-11", "--from", "2026-11-01"], "give either --month or --from"),
        (["--from", "24.11."], "'24.11.' is not a day"),
        (["--from", "2026-11-02", "--to", "2026-11-01"], "is before --from"),
        (
            ["--by", "principal,colour"],
            "'colour' is none of principal, team, model, account, region, month, day",
        ),
        (["--csv", "--json"], "give either --csv or --json"),
    ],
)
def test_wrong_input_is_refused_with_what_is_allowed(
    shell: Shell, arguments: list[str], words: str
) -> None:
    result = shell.run("usage", *arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.replace("│", " ").split())


class TestPlaces:
    """Where it was used: the member account's Dublin has the same role as home."""

    @pytest.fixture(autouse=True)
    def elsewhere(self, shell: Shell) -> None:
        shell.world.stream("role:ci/42", NOON, 5, COST, place="444455556666/eu-west-1")
        shell.world.stream("alice", NOON, 7, COST, place="111122223333/eu-west-1")
        shell.world.wake(NOON, "444455556666/role/ci")

    def test_by_account_and_region(self, shell: Shell) -> None:
        printed = shell.out("usage", "--by", "account,region", "--csv")
        assert [row[:4] for row in read(printed)] == [
            ["account", "region", "requests", "input_tokens"],
            ["111122223333", "eu-west-1", "1", "7"],
            ["111122223333", "us-east-1", "3", "1023"],
            ["444455556666", "eu-west-1", "1", "5"],
        ]

    def test_with_everything_else_that_rows_are_told_apart_by(self, shell: Shell) -> None:
        rows = shell.json("usage", "--by", "region,principal,team,model,month,day,account")["rows"]
        assert [(row["region"], row["principal"], row["account"]) for row in rows] == [
            ("eu-west-1", "444455556666/role/ci", "444455556666"),
            ("eu-west-1", "user/alice", "111122223333"),
            ("us-east-1", "role/ci", "111122223333"),
            ("us-east-1", "user/alice", "111122223333"),
            ("us-east-1", "user/bob", "111122223333"),
        ]

    def test_of_one_principal_all_places_add_up(self, shell: Shell) -> None:
        assert shell.json("usage", "user/alice")["total"]["input_tokens"] == 1007
        [row] = shell.json("usage", "444455556666/role/ci", "--by", "account,region")["rows"]
        assert (row["account"], row["input_tokens"]) == ("444455556666", 5)

    def test_what_is_the_same_in_all_rows_is_in_the_heading(self, shell: Shell) -> None:
        printed = shell.out("usage", "user/alice", "--by", "region,account")
        assert "account 111122223333" in printed.splitlines()[0]
        assert [line.split()[0] for line in printed.splitlines()[3:]] == [
            "eu-west-1", "us-east-1", "Total",
        ]  # fmt: skip
