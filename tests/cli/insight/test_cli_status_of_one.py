"""`status PRINCIPAL`, and what `status` shows of observe mode."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import HOUR, NOON
from cli_world import Shell, a_shell
from quota_enforcer.core.deployment import Breaker, Mode
from quota_enforcer.core.errors import CannotDeny
from quota_enforcer.core.ledger import Record
from world import arn, principal

DAY = timedelta(days=1)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return a_shell(monkeypatch)


@pytest.fixture
def observing(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """For a week alice was over from 17:00 on every other day, and bob is now."""
    shell = a_shell(monkeypatch, Mode.OBSERVE)
    shell.world.quota(principal="default")
    for days in (9, 5, 3, 1):
        shell.now = NOON - days * DAY + 5 * HOUR
        shell.used("alice", 1200)
        shell.sweep()
        shell.now = NOON - (days - 1) * DAY - 11 * HOUR
        shell.sweep()
    shell.now = NOON
    shell.used("bob", 1200)
    shell.sweep()
    shell.now = NOON + HOUR
    return shell


def section(printed: str) -> list[list[str]]:
    """The rows of the table of would-be blocks."""
    table = printed.partition("Would have been blocked")[2].partition("─\n")[2]
    return [
        [cell.strip() for cell in line.split("  ") if cell.strip()] for line in table.splitlines()
    ]


class TestOfOne:
    def test_it_says_what_is_denied_since_when_until_when_and_why(self, shell: Shell) -> None:
        shell.world.quota()
        shell.used("alice", 1200)
        shell.sweep()
        lines = shell.out("status", "user/alice").splitlines()
        assert lines[0] == (
            "user/alice: blocked since 2026-11-24 12:00 UTC, until 2026-11-25 00:00 UTC"
        )
        facts = [line.partition("  ")[::2] for line in lines[3:6]]
        assert [(name, text.strip()) for name, text in facts] == [
            ("Denied", "every model"),
            ("Why", "1,200 of 1,000 total tokens used today (quota daily of user/alice)"),
            ("Until", "2026-11-25 00:00 UTC"),
        ]

    def test_only_its_own_quotas_are_listed(self, shell: Shell) -> None:
        shell.world.quota(principal="user/*")
        for who in ("alice", "bob"):
            shell.used(who, 100)
        shell.sweep()
        printed = shell.out("status", arn("bob"))
        assert "user/bob: ok" in printed
        assert "user/alice" not in printed

    def test_what_is_under_way_and_what_could_not_be_done(self, shell: Shell) -> None:
        shell.world.denies.refuse[principal("user/alice")] = CannotDeny("all slots are full")
        shell.world.quota()
        shell.used("alice", 1200)
        shell.sweep()
        assert shell.out("status", "user/alice").startswith(
            "user/alice: could not be blocked: all slots are full\n"
        )
        assert "Denied" not in shell.out("status", "user/alice")
        bob = principal("user/bob")
        shell.world.ledger.put(Record(bob, intended=frozenset({"*"}), version=1))
        assert shell.out("status", "user/bob").startswith("user/bob: a change is under way")

    def test_without_a_quota_it_shows_the_usage_of_today(self, shell: Shell) -> None:
        shell.used("alice", 70)
        shell.sweep()
        printed = shell.out("status", "user/alice")
        assert printed.startswith("user/alice: no quota\n")
        assert "70 total tokens" in printed

    def test_a_stranger_gets_a_hint(self, shell: Shell) -> None:
        shell.used("alice", 70)
        shell.sweep()
        result = shell.run("status", "user/alcie")
        assert result.exit_code == 0
        assert "did you mean user/alice?" in result.stderr

    def test_choosing_from_all_makes_no_sense_with_one(self, shell: Shell) -> None:
        for option in (["--over"], ["--all"], ["--kind", "user"]):
            result = shell.run("status", "user/alice", *option)
            assert result.exit_code == 2
            assert "leave PRINCIPAL out" in " ".join(result.stderr.replace("│", " ").split())

    def test_as_json(self, shell: Shell) -> None:
        shell.world.quota()
        shell.used("alice", 1200)
        shell.sweep()
        document = shell.json("status", "user/alice")
        told = ("principal", "known", "level", "denied", "until", "could_not", "under_way")
        assert [document[name] for name in told] == [
            "user/alice", True, "over", ["*"], "2026-11-25T00:00:00Z", None, False,
        ]  # fmt: skip
        assert [row["quota"] for row in document["standings"]] == ["daily"]


class TestOfMany:
    def test_what_matters_most_comes_first(self, shell: Shell) -> None:
        shell.world.quota(principal="default")
        shell.world.quota(principal="user/alice", quota="monthly", window="month", limit=10**6)
        shell.world.denies.refuse[principal("user/eve")] = CannotDeny("no slot")
        used = {"alice": 1200, "bob": 10, "carol": 900, "dan": 850, "eve": 3000}
        for who, tokens in used.items():
            shell.used(who, tokens)
        shell.used("role:ci/42", 5)
        shell.sweep()
        rows = shell.json("status")["standings"]
        assert [(row["principal"], row["quota"], row["state"]) for row in rows] == [
            ("user/alice", "daily", "blocked"),
            ("user/alice", "monthly", "ok"),
            ("user/eve", "daily", "could not be blocked"),
            ("user/carol", "daily", "warned"),
            ("user/dan", "daily", "warned"),
            ("user/bob", "daily", "ok"),
            ("role/ci", "", "no quota"),
        ]

    @pytest.mark.parametrize(
        ("options", "subject"),
        [
            (["--over"], ["role/ci", "user/alice"]),
            (["--kind", "role"], ["role/ci", "role/idle"]),
            (["--over", "--kind", "user"], ["user/alice"]),
            (["--kind", "sso"], []),
        ],
    )
    def test_filters(self, shell: Shell, options: list[str], subject: list[str]) -> None:
        shell.world.quota(principal="user/*")
        shell.world.quota(principal="role/*")
        for who, tokens in (("alice", 1200), ("bob", 10), ("role:ci/1", 1200), ("role:idle/1", 1)):
            shell.used(who, tokens)
        shell.sweep()
        rows = shell.json("status", *options)["standings"]
        assert [row["principal"] for row in rows] == subject
        assert shell.out("status", *options)

    def test_a_terminal_gets_a_screenful_and_a_word_on_the_rest(self, shell: Shell) -> None:
        shell.world.quota(principal="user/*")
        for number in range(5):
            shell.used(f"u{number}", 1200 if number == 3 else 10)
        shell.sweep()
        result = shell.run("status", "--limit", "2")
        assert "user/u3" in result.stdout
        assert "user/u1" not in result.stdout
        assert "3 more lines, all ok: --limit 0 shows all." in result.stderr
        assert "user/u1" in shell.out("status", "--limit", "0")


class TestObserveMode:
    def test_who_would_have_been_blocked_how_often_and_for_how_long(self, observing: Shell) -> None:
        printed = observing.out("status")
        assert "in the last 7 days, had the mode been enforce:" in printed
        assert section(printed) == [
            ["user/alice", "daily", "3", "Thu 2026-11-19 17:00 UTC", "21 h"],
            [
                "user/bob", "daily", "1", "Tue 2026-11-24 12:00 UTC", "1 h",
                "since Tue 2026-11-24 12:00 UTC",
            ],
        ]  # fmt: skip

    def test_as_many_days_as_are_asked_for(self, observing: Shell) -> None:
        assert [row[2] for row in section(observing.out("status", "--days", "30"))] == ["4", "1"]
        assert [row[0] for row in section(observing.out("status", "--days", "1"))] == [
            "user/alice",
            "user/bob",
        ]

    def test_of_one(self, observing: Shell) -> None:
        often = "quota daily would have blocked it 3 times in the last 7 days"
        assert f"{often}, first Thu 2026-11-19 17:00 UTC, for 21 h" in observing.out(
            "status", "user/alice"
        )
        assert (
            "quota daily would have blocked it once in the last 7 days, first Tue 2026-11-24 "
            "12:00 UTC, for 1 h, and would be now, since Tue 2026-11-24 12:00 UTC"
        ) in observing.out("status", "user/bob")

    def test_as_json(self, observing: Shell) -> None:
        found = observing.json("status")["would_have_been_blocked"]
        assert found["days"] == 7
        assert found["blocks"][1] == {
            "principal": "user/bob",
            "quota": "daily",
            "whom": "default",
            "times": 1,
            "first": "2026-11-24T12:00:00Z",
            "seconds": 3600,
            "since": "2026-11-24T12:00:00Z",
        }
        [one] = observing.json("status", "user/alice")["would_have_been_blocked"]["blocks"]
        assert (one["times"], one["seconds"]) == (3, 21 * 3600)

    def test_only_of_the_kind_asked_for(self, observing: Shell) -> None:
        observing.world.quota(principal="role/*")
        observing.used("role:ci/42", 1200)
        observing.sweep()
        assert [row[0] for row in section(observing.out("status", "--kind", "role"))] == ["role/ci"]

    def test_nobody_would_have_been(self, monkeypatch: pytest.MonkeyPatch) -> None:
        shell = a_shell(monkeypatch, Mode.OBSERVE)
        assert "Nobody would have been blocked in the last 7 days" in shell.out("status")
        assert "Would have" not in shell.out("status")

    def test_the_switch_is_told_with_how_many_it_would_block(self, observing: Shell) -> None:
        assert "which would block 1 at once." in observing.run("status").stderr

    def test_a_switch_that_would_trip_the_breaker_is_told(self, observing: Shell) -> None:
        world = observing.world
        world.settings = replace(world.settings, breaker=Breaker(0, 10))
        assert "So many trip the breaker (more than 0 and 10 % of all)" in (
            observing.run("status").stderr
        )

    def test_in_enforce_mode_none_of_this_is_asked(self, shell: Shell) -> None:
        assert "blocked" not in shell.out("status")
        assert shell.json("status")["would_have_been_blocked"] is None
