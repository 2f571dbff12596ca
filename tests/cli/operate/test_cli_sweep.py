"""`sweep` and `release`: what they ask the enforcer, write, and say."""

import json
from datetime import timedelta
from typing import Any

import pytest

from builders import NOON
from cli_world import ADMIN, Shell, a_shell
from quota_enforcer.aws.functions.functions import EnforcerRefused
from quota_enforcer.core.deployment import Mode


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return a_shell(monkeypatch)


@pytest.fixture
def blocked(shell: Shell) -> Shell:
    """Alice is blocked by the quota of all users."""
    shell.world.quota(principal="user/*")
    shell.used("alice", 1200)
    shell.sweep()
    assert shell.world.denied == {"user/alice"}
    shell.now = NOON + timedelta(minutes=5)
    return shell


@pytest.mark.parametrize(
    ("options", "event"),
    [
        ([], {"dry_run": False, "confirm_blocks": False}),
        (["--dry-run"], {"dry_run": True, "confirm_blocks": False}),
        (["--confirm-blocks"], {"dry_run": False, "confirm_blocks": True}),
    ],
)
def test_sweep_asks_the_enforcer(shell: Shell, options: list[str], event: dict[str, Any]) -> None:
    shell.out("sweep", *options)
    assert shell.asked == [{"action": "sweep", **event}]


def test_sweep_shows_events_with_their_reason(shell: Shell) -> None:
    shell.world.quota()
    shell.used("alice", 1200)
    printed = shell.out("sweep")
    assert printed.splitlines()[0] == (
        "Looked at 1 principal (enforce mode, newest usage 0 min old): 1 event."
    )
    assert "blocked  user/alice  daily  1,200 of 1,000 total tokens used today" in " ".join(
        printed.replace("   ", "  ").splitlines()
    )
    assert shell.world.denied == {"user/alice"}


def test_a_dry_run_says_that_it_is_one_and_blocks_nobody(shell: Shell) -> None:
    shell.world.quota()
    shell.used("alice", 1200)
    printed = shell.out("sweep", "--dry-run")
    assert printed.startswith("Dry run: nothing was changed. Looked at 1 principal")
    assert "blocked" in printed
    assert shell.world.denied == set()


def test_sweep_lists_the_held_drift_and_what_names_no_principal(shell: Shell) -> None:
    shell.report = {
        "mode": "enforce",
        "looked_at": 2,
        "events": [],
        "held": ["user/bob"],
        "drift": ["a: was detached"],
        "unattributed": ["nonsense"],
    }
    assert shell.out("sweep").splitlines() == [
        "Looked at 2 principals (enforce mode, no usage seen yet): no events.",
        "Held by the breaker or a pause, not blocked:",
        "  - user/bob",
        "Drift: changed by somebody else, and fixed:",
        "  - a: was detached",
        "Usage that names no principal:",
        "  - nonsense",
    ]


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_sweep_lists_the_accounts_that_cannot_be_reached_which_is_no_failure_of_it(
    shell: Shell, options: list[str]
) -> None:
    there = "444455556666"
    shell.world.member(there)
    shell.world.denies.lost[there] = "AssumeRole: AccessDenied"
    result = shell.run("sweep", *options)
    assert result.exit_code == 0
    assert "Member accounts that cannot be reached" in result.stdout
    assert f"- {there}" in result.stdout


def test_failures_in_a_report_end_in_error(shell: Shell) -> None:
    shell.report = {"mode": "enforce", "failures": ["user/bob: no"]}
    result = shell.run("sweep")
    assert (result.exit_code, result.stderr) == (1, "error: user/bob: no\n")
    assert shell.run("sweep", "--json").exit_code == 1


def test_sweep_as_json_is_the_enforcers_report(shell: Shell) -> None:
    shell.world.quota()
    shell.used("alice", 1200)
    report = shell.json("sweep")
    assert [event["kind"] for event in report["events"]] == ["blocked"]


def test_where_the_enforcer_fails_its_message_is_shown(shell: Shell) -> None:
    shell.enforcer_fails = EnforcerRefused("enforcer failed: SweepFailed: 1 failure(s)")
    result = shell.run("sweep")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.endswith("error: enforcer failed: SweepFailed: 1 failure(s)\n")


def test_a_stack_that_goes_is_not_swept(shell: Shell) -> None:
    shell.world.ledger.close()
    assert "The deployment is closed" in shell.out("sweep")


def test_release_exempts_from_a_quota_of_others_until_the_window_ends(blocked: Shell) -> None:
    printed = blocked.out("release", "user/alice")
    assert blocked.item() == {
        "principal": "user/alice",
        "quota": "daily",
        "exempt": True,
        "until": "2026-11-25T00:00:00+00:00",
        "note": "released with quota-enforcer",
        "edited_by": ADMIN,
    }
    assert blocked.world.denied == set()
    assert printed.splitlines() == [
        "user/alice is free.",
        (
            "  No limit daily until 2026-11-25 00:00 UTC; "
            "then again daily of user/*: 1,000 total tokens per day."
        ),
    ]


def test_after_the_window_the_limit_holds_again(blocked: Shell) -> None:
    blocked.out("release", "user/alice")
    tomorrow = NOON + timedelta(days=1)
    blocked.now = tomorrow
    blocked.used("alice", 5000)
    blocked.sweep()
    assert blocked.world.denied == {"user/alice"}


def test_release_raises_the_principals_own_quota(shell: Shell) -> None:
    shell.world.quota(note="keep me")
    shell.used("alice", 1200)
    shell.sweep()
    shell.out("release", "user/alice", "--until", "2026-11-30")
    item = shell.item()
    assert (item["raise_to"], item["raise_until"]) == ("unlimited", "2026-11-30T00:00:00+00:00")
    assert (item["limit"], item["note"]) == (1000, "keep me")
    assert shell.world.denied == set()


def test_release_from_a_block_by_hand(shell: Shell) -> None:
    shell.world.quota(limit=0)
    shell.sweep()
    shell.out("release", "user/alice")
    assert shell.world.denied == set()


def test_release_in_a_rolling_window_lasts_until_the_clock_frees(shell: Shell) -> None:
    shell.world.quota(window="rolling 24 hours")
    shell.used("alice", 1200)
    shell.sweep()
    shell.out("release", "user/alice")
    assert shell.item()["raise_until"] == "2026-11-25T11:00:00+00:00"


def test_release_keeps_a_disabled_item_of_the_principal(blocked: Shell) -> None:
    blocked.world.quota(enabled=False, limit=7)
    blocked.out("release", "user/alice")
    item = blocked.item()
    assert (item["exempt"], item["limit"]) == (True, 7)
    assert blocked.world.denied == set()


def test_release_refuses_to_build_on_an_item_that_is_not_valid(shell: Shell) -> None:
    shell.world.quota()
    shell.used("alice", 1200)
    shell.sweep()
    shell.world.quota(measure="nonsense")
    result = shell.run("release", "user/alice")
    assert result.exit_code == 1
    assert "error: user/alice: quota 'daily' of 'user/alice' is not valid:" in result.stderr
    assert "raise_to" not in shell.item()


def test_after_a_raise_release_only_needs_the_sweep(blocked: Shell) -> None:
    blocked.world.quota(principal="user/*", limit=5000)
    assert blocked.out("release", "user/alice") == "user/alice is free.\n"
    assert ("user/alice", "daily") not in blocked.world.quotas.table


def test_release_of_who_is_not_blocked_says_so(blocked: Shell) -> None:
    blocked.used("bob", 5)
    blocked.sweep()
    assert blocked.out("release", "user/bob") == (
        "Nothing to release for user/bob: it is not blocked.\n"
    )
    assert blocked.asked == []


def test_release_of_whom_iam_cannot_block_says_why(shell: Shell) -> None:
    shell.world.quota(principal="default")
    shell.used("sso:ann", 1200)
    shell.sweep()
    assert "it is not blocked: Identity Center" in shell.out("release", "sso/ann")


def test_in_observe_mode_there_is_nobody_to_release(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = a_shell(monkeypatch, Mode.OBSERVE)
    shell.world.quota()
    shell.used("alice", 1200)
    shell.sweep()
    assert "in observe mode nobody is" in shell.out("release", "user/alice")
    assert shell.out("release", "--all") == "Nobody is blocked.\n"


def test_release_of_a_stranger_asks_who_is_meant(blocked: Shell) -> None:
    result = blocked.run("release", "user/alcie")
    assert result.exit_code == 1
    assert "user/alcie has not used Bedrock and is not blocked; did you mean user/alice?" in (
        result.stderr
    )


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "Usage"),
        (["user/alice", "--all"], "name one PRINCIPAL, or give --all"),
        (["alcie"], "'alcie' is no principal that is known here (did you mean user/alice?): write"),
        (
            ["user/alice", "--until", "tomorrow"],
            "'tomorrow' is not an end; write a while such as 2h",
        ),
        (["user/alice", "--until", "2026-11-01"], "2026-11-01 00:00 UTC is past"),
    ],
)
def test_release_refuses_wrong_usage(blocked: Shell, args: list[str], words: str) -> None:
    result = blocked.run("release", *args)
    assert result.exit_code == 2
    assert words in " ".join(result.output.replace("│", " ").split())
    assert blocked.world.denied == {"user/alice"}


def test_release_may_be_tried(blocked: Shell) -> None:
    before = dict(blocked.world.quotas.table)
    printed = blocked.out("release", "--all", "--dry-run").splitlines()
    assert printed[0] == "Would release user/alice:"
    assert printed[1].startswith("  No limit daily until ")
    assert printed[-1] == "Dry run: nothing was written."
    assert blocked.json("release", "user/alice", "--dry-run")["dry_run"] is True
    assert blocked.world.quotas.table == before
    assert blocked.asked == []


def test_release_all_asks_first(blocked: Shell) -> None:
    result = blocked.run("release", "--all", typed="n\n")
    assert result.exit_code == 1
    assert "Release 1 principal (user/alice)?" in result.stderr
    assert blocked.world.denied == {"user/alice"}
    assert blocked.run("release", "--all", typed="y\n").exit_code == 0
    assert blocked.world.denied == set()


def test_release_exempts_a_member_from_a_spent_pool(shell: Shell) -> None:
    members = ["user/alice", "user/bob"]
    shell.world.quota(principal="team/t", members=members, share="pool")
    shell.used("alice", 1200)
    shell.sweep()
    assert shell.out("release", "user/bob").startswith("user/bob is free.\n")
    assert shell.world.denied == {"user/alice"}
    answer = shell.json("release", "--all", "--yes")
    assert [each["principal"] for each in answer["released"]] == ["user/alice"]
    assert shell.world.denied == set()


def test_release_all_with_yes_asks_nothing(blocked: Shell) -> None:
    document = json.loads(blocked.out("release", "--all", "--yes", "--json"))
    assert document["released"] == [
        {
            "principal": "user/alice",
            "free": True,
            "still_blocked": [],
            "pardoned": [{"quota": "daily", "of": "user/*", "until": "2026-11-25T00:00:00Z"}],
            "why_not": None,
            "error": None,
        },
    ]
    assert document["sweep"]["events"][0]["kind"] == "restored"


def test_where_the_sweep_fails_what_was_written_stays_and_is_said(blocked: Shell) -> None:
    blocked.enforcer_fails = EnforcerRefused("enforcer failed")
    result = blocked.run("release", "user/alice")
    assert result.exit_code == 1
    assert (
        "what was written stays, and the next sweep that gets through applies it" in result.stderr
    )
    assert "user/alice is still blocked." in result.stdout
    assert blocked.item()["exempt"] is True


def test_where_the_sweep_fails_for_others_only_the_release_has_succeeded(blocked: Shell) -> None:
    blocked.also_fails = EnforcerRefused("enforcer failed: 1 failure(s): user/bob")
    result = blocked.run("release", "user/alice")
    assert result.exit_code == 0
    assert "user/bob" in result.stderr
    assert "user/alice is free." in result.stdout
