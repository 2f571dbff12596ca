"""`suggest`: a limit by what was really used, and the command that sets it."""

import shlex
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from builders import HAIKU, NOON
from cli_world import Shell, a_shell
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket
from world import principal

DAY = timedelta(days=1)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Five people who spend 1 to 5 dollars on each of the last ten days, and a role with 50."""
    shell = a_shell(monkeypatch, Mode.OBSERVE)
    for days in range(10):
        for dollars, who in enumerate(("ann", "bob", "carol", "dan", "erin"), start=1):
            shell.world.stream(who, NOON - days * DAY - timedelta(hours=1), 1000, f"{dollars}")
    shell.world.stream("role:ci/1", NOON - DAY, 1000, "50")
    shell.world.wake(NOON, "user/ann", "user/bob", "user/carol", "user/dan", "user/erin", "role/ci")
    return shell


def test_a_limit_with_its_neighbours_and_the_command_that_sets_it(shell: Shell) -> None:
    result = shell.run("suggest", "daily", "--blocks-at-most", "2")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == (
        "Limits of US dollars a day for default, by 10 days with usage from 2026-10-26 to "
        "2026-11-24, UTC"
    )
    rows = [[cell for cell in line.split("  ") if cell] for line in lines[3:-2]]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["$2.50", "3 of 5", "30", "30.0 %", "user/carol 10, user/dan 10, user/erin 10"],
        ["$3.00", "3 of 5", "30", "20.0 %", "user/carol 10, user/dan 10, user/erin 10"],
        ["$4.00", "2 of 5", "20", "6.6 %", "user/dan 10, user/erin 10"],
        ["$5.00", "1 of 5", "10", "0.0 %", "user/erin 10"],
        ["$6.00", "0 of 5", "0", "0.0 %", "nobody"],
    ]
    assert lines[-2].startswith("Suggested: $4.00. Of 5 principals it would have blocked 2, once")
    assert lines[-1] == (
        "quota-enforcer quota set default daily --measure cost_usd --window day --limit 4"
    )
    assert "The first usage is of 2026-11-15; what was not recorded before is no zero." in (
        result.stderr
    )
    assert "1 other known, not covered by this quota" in result.stderr


@pytest.mark.parametrize(
    "asked",
    [
        ["daily", "--blocks-at-most", "2"],
        ["weekly", "--blocks-at-most", "1", "--for", "user/*"],
        ["any", "--blocks-at-most", "0", "--for", "role/*", "--window", "month"],
        ["hourly", "--blocks-at-most", "3", "--measure", "dollars"],
        ["daily", "--blocks-at-most", "0", "--measure", "requests", "--days", "1"],
    ],
)
def test_its_command_sets_the_limit_that_it_suggests(shell: Shell, asked: list[str]) -> None:
    document = shell.json("suggest", *asked)
    assert len(document["candidates"]) > 1
    shell.out(*shlex.split(document["command"])[1:], "--yes")
    item = shell.item(document["for"], document["quota"])
    assert str(item["limit"]) == str(document["suggested"])
    assert (item["measure"], item["window"]) == (document["measure"], document["window"])


def test_a_stored_quota_gives_measure_window_and_the_rest(shell: Shell) -> None:
    shell.world.quota(principal="default", measure="requests", window="month", limit=7)
    document = shell.json("suggest", "daily", "--blocks-at-most", "0")
    assert (document["measure"], document["window"]) == ("requests", "month")
    assert (document["from"], document["suggested"]) == ("2026-10-01", 12)
    assert document["command"] == "quota-enforcer quota set default daily --limit 12"


def test_who_has_a_nearer_quota_of_that_name_is_left_out(shell: Shell) -> None:
    shell.world.quota(principal="user/erin", limit=1)
    document = shell.json("suggest", "daily", "--blocks-at-most", "0")
    assert (document["principals"], document["others"], document["suggested"]) == (4, 2, 5)


def test_as_json(shell: Shell) -> None:
    document = shell.json("suggest", "daily", "--blocks-at-most", "4", "--days", "3")
    assert document["days_with_usage"] == 3
    assert document["first_usage"] == "2026-11-22"
    assert document["suggested"] == "1.2"
    [below] = [each for each in document["candidates"] if each["limit"] == 1]
    assert below == {
        "limit": 1,
        "principals_blocked": 5,
        "times": 15,
        "percent_above": "66.6",
        "blocked": {f"user/{who}": 3 for who in ("ann", "bob", "carol", "dan", "erin")},
    }


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        (["daily", "--blocks-at-most", "5"], 1, "even $0.01 would have blocked no more than 5"),
        (["daily", "--blocks-at-most", "1", "--for", "sso/*"], 1, "there is nothing to go by"),
        (["daily", "--blocks-at-most", "1", "--window", "rolling 7 days"], 2,
         "allowed: --window hour, day, week or month"),
        (["daily", "--blocks-at-most", "1", "--measure", "euros"], 2, "measure"),
        (["daily", "--blocks-at-most", "-1"], 2, "--blocks-at-most"),
        (["daily", "--blocks-at-most", "1", "--days", "0"], 2, "--days"),
        (["daily"], 2, "--blocks-at-most"),
        (["daily", "--blocks-at-most", "1", "--for", "team/none"], 2, "members"),
    ],
)  # fmt: skip
def test_what_cannot_be_suggested_says_why(
    shell: Shell, asked: list[str], code: int, words: str
) -> None:
    result = shell.run("suggest", *asked)
    assert result.exit_code == code
    assert words in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"exempt": True, "limit": None, "measure": None, "window": None}, "it is no limit"),
        ({"window": "hour", "unusual": "5x"}, "goes by what is usual"),
        ({"principal": "team/x", "members": ["user/ann"], "share": "pool"}, "share is 'pool'"),
    ],
)
def test_quotas_without_a_limit_of_ones_own_are_refused(
    shell: Shell, item: dict[str, object], words: str
) -> None:
    shell.world.quota(**{"principal": "user/ann", **item})
    subject = str(item.get("principal", "user/ann"))
    result = shell.run("suggest", "daily", "--blocks-at-most", "1", "--for", subject)
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_team_takes_the_members_of_its_own_item(shell: Shell) -> None:
    shell.world.quotas.put({"principal": "team/x", "quota": "members",
                            "members": ["user/ann", "user/bob"]})  # fmt: skip
    document = shell.json("suggest", "daily", "--blocks-at-most", "1", "--for", "team/x")
    assert (document["principals"], document["suggested"]) == (2, "1.2")


def test_without_usage_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    result = a_shell(monkeypatch).run("suggest", "daily", "--blocks-at-most", "0")
    assert result.exit_code == 1
    assert "the ledger has no usage since 2026-10-26" in result.stderr
    assert "`quota-enforcer doctor` says whether usage arrives" in result.stderr


def test_what_is_at_assumed_prices_blocks_nobody_and_is_told(shell: Shell) -> None:
    bucket = Bucket(principal("user/ann"), HAIKU, NOON.date())
    counts = Counts(1, cost_usd=Decimal(90), assumed_usd=Decimal(80))
    shell.world.ledger.add(bucket, NOON - timedelta(hours=2), counts)
    result = shell.run("suggest", "daily", "--blocks-at-most", "0")
    assert "Suggested: $12.00." in result.stdout  # the sure 10 and 1 dollars of ann
    assert "$80.00 is at assumed prices, which only warn." in result.stderr


def test_in_enforce_mode_it_reminds_of_the_blocks_of_those_days(
    shell: Shell,
) -> None:
    asked = ("suggest", "daily", "--blocks-at-most", "0")
    assert "Where today's quotas blocked" not in shell.run(*asked).stderr
    shell.world.settings = replace(shell.world.settings, mode=Mode.ENFORCE)
    assert "Where today's quotas blocked" in shell.run(*asked).stderr


def test_a_quota_that_only_notifies_is_said_to_block_nobody(shell: Shell) -> None:
    shell.world.quota(principal="default", measure="cost_usd", limit=7, action="notify")
    printed = shell.out("suggest", "daily", "--blocks-at-most", "1")
    assert "would have warned of (it only notifies) 1, once or more often" in printed
