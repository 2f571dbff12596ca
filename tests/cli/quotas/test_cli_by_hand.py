"""`quota raise`, `quota block` and `quota unblock`, and `release` of what is blocked by hand."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from builders import NOON, an_item
from cli_world import ADMIN, Shell, a_shell
from world import ACCOUNT

DAY = timedelta(days=1)
LATER = "2026-11-26T12:00:00+00:00"
"""Two days from noon."""
RAISED = "raised with quota-enforcer"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = a_shell(monkeypatch)
    for name in ("alice", "bob"):
        shell.used(name, 1200)
    return shell


def refused(shell: Shell, *args: str) -> tuple[int, str]:
    result = shell.run(*args)
    assert result.stdout == ""
    return result.exit_code, " ".join(result.stderr.replace("│", " ").split())


class TestRaise:
    def test_their_own_quota_is_raised_for_a_while(self, shell: Shell) -> None:
        shell.world.quota(note="mine")
        printed = shell.run("quota", "raise", "user/alice", "daily", "5_000", "--until", "2d")
        assert shell.item() == an_item(
            note="mine", raise_to=Decimal(5000), raise_until=LATER, edited_by=ADMIN
        )
        assert [line.split() for line in printed.stdout.splitlines()[3:5]] == [
            ["raise_to", "-", "5,000"],
            ["raise_until", "-", LATER],
        ]
        assert printed.stderr.splitlines() == [
            "It takes effect in seconds.",
            (
                "After 2026-11-26 12:00 UTC applies again: daily of user/alice: "
                "1,000 total tokens per day."
            ),
        ]

    def test_a_quota_of_all_is_restated_as_one_of_their_own_that_ends(self, shell: Shell) -> None:
        shell.world.quota(principal="user/*", warn_at=[50, 90], note="all", window="week",
                          resets_on="friday")  # fmt: skip
        shell.out("quota", "raise", "user/alice", "daily", "5000", "--until", "2d")
        assert shell.item() == {
            "principal": "user/alice", "quota": "daily", "measure": "total_tokens",
            "limit": Decimal(5000), "window": "week", "resets_on": "friday", "warn_at": [50, 90],
            "until": LATER, "note": RAISED, "edited_by": ADMIN,
        }  # fmt: skip

    def test_it_frees_and_ends_by_itself(self, shell: Shell) -> None:
        shell.world.quota(principal="default")
        shell.sweep()
        assert shell.world.denied == {"user/alice", "user/bob"}
        shell.out("quota", "raise", "user/alice", "daily", "5000", "--until", "2h")
        shell.now = NOON + timedelta(minutes=5)
        shell.sweep()
        assert shell.world.denied == {"user/bob"}
        shell.now = NOON + timedelta(hours=2, minutes=1)
        shell.sweep()
        assert shell.world.denied == {"user/alice", "user/bob"}

    def test_without_limit_they_are_exempt(self, shell: Shell) -> None:
        shell.world.quota(principal="user/*")
        shell.out("quota", "raise", "user/alice", "daily", "unlimited", "--until", "2d")
        assert shell.item() == {
            "principal": "user/alice", "quota": "daily", "exempt": True, "until": LATER,
            "note": RAISED, "edited_by": ADMIN,
        }  # fmt: skip

    def test_of_several_teams_the_strictest_is_raised(self, shell: Shell) -> None:
        for team, limit in (("x", 700), ("y", 900)):
            shell.world.quota(principal=f"team/{team}", members=["user/alice"], limit=limit)
        shell.out("quota", "raise", "user/alice", "daily", "800", "--until", "2d")
        assert (shell.item()["limit"], "members" in shell.item()) == (800, False)

    def test_a_team_is_raised_itself(self, shell: Shell) -> None:
        team = {"principal": "team/x", "members": ["user/alice", "user/bob"]}
        shell.world.quota(**team)
        shell.out("quota", "raise", "team/x", "daily", "unlimited", "--until", "2d")
        assert shell.item("team/x") == an_item(
            **team, raise_to="unlimited", raise_until=LATER, edited_by=ADMIN
        )

    def test_a_second_raise_of_one_that_ends_with_the_first_moves_its_end(
        self, shell: Shell
    ) -> None:
        shell.world.quota(principal="user/*")
        shell.out("quota", "raise", "user/alice", "daily", "5000", "--until", "2h")
        shell.out("quota", "raise", "user/alice", "daily", "9000", "--until", "2d")
        item = shell.item()
        assert (item["limit"], item["until"], "raise_to" in item) == (9000, LATER, False)

    def test_a_shorter_one_within_it_leaves_its_limit_for_afterwards(self, shell: Shell) -> None:
        shell.world.quota(principal="user/*")
        shell.out("quota", "raise", "user/alice", "daily", "5000", "--until", "2d")
        shell.out("quota", "raise", "user/alice", "daily", "unlimited", "--until", "2h")
        item = shell.item()
        assert (item["limit"], item["until"], item["raise_to"]) == (5000, LATER, "unlimited")
        assert item["raise_until"] == "2026-11-24T14:00:00+00:00"

    def test_a_team_whose_quota_ends_before_keeps_its_members(self, shell: Shell) -> None:
        shell.world.quota(principal="team/x", members=["user/a"], until="2026-11-25")
        shell.out("quota", "raise", "team/x", "daily", "5000", "--until", "2d")
        item = shell.item("team/x")
        assert (item["limit"], item["until"], item["members"]) == (5000, LATER, ["user/a"])

    def test_a_raise_can_be_made_smaller(self, shell: Shell) -> None:
        shell.world.quota(raise_to=9000, raise_until="2026-12-01")
        shell.out("quota", "raise", "user/alice", "daily", "5000", "--until", "2d")
        assert (shell.item()["raise_to"], shell.item()["raise_until"]) == (5000, LATER)

    @pytest.mark.parametrize("to", ["5000", "unlimited"])
    @pytest.mark.parametrize("whose", ["user/*", "user/alice"])
    @pytest.mark.parametrize("again", [True, False], ids=["said again", "not said"])
    @pytest.mark.parametrize("until", ["2h", "7d"])
    def test_a_raise_gets_another_end(
        self, shell: Shell, whose: str, to: str, until: str, *, again: bool
    ) -> None:
        shell.world.quota(principal=whose)
        shell.out("quota", "raise", "user/alice", "daily", to, "--until", "2d")
        before = shell.item()
        same = [to] if again else []
        shell.out("quota", "raise", "user/alice", "daily", *same, "--until", until)
        end = "until" if whose == "user/*" else "raise_until"
        ends = {"2h": "2026-11-24T14:00:00+00:00", "7d": "2026-12-01T12:00:00+00:00"}[until]
        assert shell.item() == {**before, end: ends}

    @pytest.mark.parametrize("first", ["9000", "unlimited"])
    def test_a_raise_of_one_that_all_have_can_be_made_smaller(
        self, shell: Shell, first: str
    ) -> None:
        shell.world.quota(principal="user/*")
        shell.out("quota", "raise", "user/alice", "daily", first, "--until", "2d")
        printed = shell.run("quota", "raise", "user/alice", "daily", "5000", "--until", "7d")
        assert shell.item() == {
            "principal": "user/alice", "quota": "daily", "measure": "total_tokens",
            "limit": Decimal(5000), "window": "day", "until": "2026-12-01T12:00:00+00:00",
            "note": RAISED, "edited_by": ADMIN,
        }  # fmt: skip
        assert "applies again: daily of user/*: 1,000 total tokens per day." in printed.stderr
        assert refused(shell, "quota", "raise", "user/alice", "daily", "900", "--until=2d")[0] == 2

    def test_a_release_is_extended_like_a_raise(self, shell: Shell) -> None:
        shell.world.quota(principal="default")
        shell.sweep()
        shell.out("release", "user/alice")
        shell.out("quota", "raise", "user/alice", "daily", "--until", "7d")
        assert shell.item()["exempt"] is True
        assert shell.item()["until"] == "2026-12-01T12:00:00+00:00"

    def test_what_is_not_raised_has_no_limit_to_keep(self, shell: Shell) -> None:
        shell.world.quota(raise_to=5000, raise_until="2026-11-01")
        code, words = refused(shell, "quota", "raise", "user/alice", "daily", "--until", "2d")
        assert code == 2
        assert "quota daily of user/alice is not raised now" in words

    def test_one_of_their_own_is_above_what_all_have_now(self, shell: Shell) -> None:
        shell.world.quota(principal="user/*", raise_to=9000, raise_until="2026-12-01")
        code, words = refused(shell, "quota", "raise", "user/alice", "daily", "5000", "--until=2d")
        assert code == 2
        assert "5000 is not above 9,000 total tokens" in words

    def test_what_is_left_of_an_ended_raise_is_replaced(self, shell: Shell) -> None:
        shell.world.quota(principal="user/*")
        shell.world.quota(until="2026-11-01", exempt=True, note="old")
        shell.out("quota", "raise", "user/alice", "daily", "5000", "--until", "2d")
        assert "exempt" not in shell.item()
        assert shell.item()["limit"] == 5000

    def test_dollars_and_a_note(self, shell: Shell) -> None:
        shell.world.quota(principal="user/*", measure="cost_usd", limit=Decimal("12.50"))
        shell.out("quota", "raise", "user/alice", "daily", "20.75", "--until", "2d",
                  "--note", "für die Messe")  # fmt: skip
        assert (shell.item()["limit"], shell.item()["note"]) == (Decimal("20.75"), "für die Messe")

    def test_an_arn_is_who_it_names(self, shell: Shell) -> None:
        shell.world.quota(principal="user/*")
        arn = f"arn:aws:iam::{ACCOUNT}:user/staff/alice"
        document = shell.json("quota", "raise", arn, "daily", "5000", "--until", "2d")
        assert document["principal"] == "user/alice"
        assert document["changes"][1] == {"attribute": "limit", "old": None, "new": 5000}

    def test_a_person_keeps_the_spelling_that_the_console_has(self, shell: Shell) -> None:
        shell.world.quota(principal="sso/Ann@Example.com")
        shell.out("quota", "raise", "sso/ann@example.com", "daily", "5000", "--until", "2d")
        assert shell.item("sso/Ann@Example.com")["raise_to"] == 5000
        assert len(shell.world.quotas.table) == 1

    @pytest.mark.parametrize(
        ("item", "to", "code", "words"),
        [
            ({}, "1000", 2, "1000 is not above 1,000 total tokens (daily of user/alice: 1,000"),
            (
                {},
                "lots",
                2,
                "'lots' is not a limit; write a number such as 5_000_000, or unlimited",
            ),
            ({}, "5.000", 2, "5.000 is not above 1,000 total tokens"),
            ({}, "5.000.000", 2, "or unlimited; write 5000000"),
            ({}, "$50", 2, "'$50' is not a limit"),
            ({}, "1500.5", 2, "raise_to is 1500.5; allowed: a whole number"),
            ({"limit": "lots"}, "5", 2, "limit is 'lots'; allowed: a whole number"),
            ({"enabled": False}, "5000", 1, "is disabled, so there is nothing to raise: enable it"),
            ({"exempt": True}, "5000", 1, "user/alice has no limit daily, so there is nothing"),
            ({"quota": "other"}, "5000", 1, "no quota 'daily' limits user/alice; these do: other"),
            ({"principal": "user/bob"}, "5000", 1, "limits user/alice; these do: none"),
        ],
    )
    def test_what_cannot_be_raised_is_explained(
        self, shell: Shell, item: dict[str, Any], to: str, code: int, words: str
    ) -> None:
        shell.world.quota(**item)
        before = dict(shell.world.quotas.table)
        found = refused(shell, "quota", "raise", "user/alice", "daily", to, "--until", "2d")
        assert found[0] == code
        assert words in found[1]
        assert shell.world.quotas.table == before

    @pytest.mark.parametrize("subject", ["team/x", "user/*", "default"])
    def test_who_is_several_has_only_what_is_theirs(self, shell: Shell, subject: str) -> None:
        shell.world.quota(principal="role/*")
        code, words = refused(shell, "quota", "raise", subject, "daily", "5", "--until", "2d")
        assert code == 1
        assert f"there is no quota 'daily' of '{subject}' to raise" in words

    def test_quotas_that_count_differently_have_no_strictest(self, shell: Shell) -> None:
        shell.world.quota(principal="team/x", members=["user/alice"])
        shell.world.quota(principal="team/y", members=["user/alice"], window="week")
        code, words = refused(shell, "quota", "raise", "user/alice", "daily", "5000", "--until=2d")
        assert code == 2
        assert "several quotas daily limit user/alice and count differently" in words

    @pytest.mark.parametrize("until", ["2026-11-01", "soon"])
    def test_an_end_is_ahead(self, shell: Shell, until: str) -> None:
        shell.world.quota()
        assert refused(shell, "quota", "raise", "user/alice", "daily", "5000",
                       "--until", until)[0] == 2  # fmt: skip

    def test_it_loses_to_whoever_writes_first(self, shell: Shell) -> None:
        shell.world.quota()
        shell.table.overtaken = True
        result = shell.run("quota", "raise", "user/alice", "daily", "5000", "--until", "2d")
        assert (result.exit_code, shell.item()) == (1, an_item())


class TestBlock:
    def test_a_block_is_a_limit_of_0_with_an_end(self, shell: Shell) -> None:
        shell.out("quota", "block", "user/alice", "--until", "2d", "--note", "key leaked")
        assert shell.item("user/alice", "blocked-by-hand") == {
            "principal": "user/alice", "quota": "blocked-by-hand", "measure": "requests",
            "limit": Decimal(0), "window": "day", "until": LATER, "note": "key leaked",
            "edited_by": ADMIN,
        }  # fmt: skip

    def test_it_blocks_whatever_their_quotas_say_and_ends_by_itself(self, shell: Shell) -> None:
        shell.world.quota(limit=10**9)
        shell.out("quota", "block", "user/alice", "--until", "2d")
        shell.sweep()
        assert shell.world.denied == {"user/alice"}
        shell.now = NOON + 2 * DAY
        shell.sweep()
        assert shell.world.denied == set()

    def test_without_an_end_it_says_how_it_ends(self, shell: Shell) -> None:
        result = shell.run("quota", "block", "user/alice")
        assert "It holds until: quota-enforcer quota unblock user/alice" in result.stderr
        assert "until" not in shell.item("user/alice", "blocked-by-hand")

    def test_another_block_takes_its_place(self, shell: Shell) -> None:
        shell.out("quota", "block", "user/alice", "--until", "2d", "--note", "first")
        printed = shell.out("quota", "block", "user/alice", "--until", "2026-12-01")
        assert ["note", "first", "-"] in [line.split() for line in printed.splitlines()]
        assert shell.item("user/alice", "blocked-by-hand")["until"] == "2026-12-01T00:00:00+00:00"

    def test_of_a_team_it_blocks_who_is_in_it_now(self, shell: Shell) -> None:
        shell.world.quota(principal="team/x", members=["user/alice"])
        shell.world.quota(principal="team/x", quota="w", members=["user/bob"], share="pool")
        result = shell.run("quota", "block", "team/x", "--until", "2d", "--yes")
        assert shell.item("team/x", "blocked-by-hand")["members"] == ["user/alice", "user/bob"]
        assert "It holds for who is in team/x now: user/alice, user/bob." in result.stderr
        shell.world.quota(principal="team/x", members=["user/alice"], limit=10**9)
        shell.sweep()
        assert shell.world.denied == {"user/alice", "user/bob"}

    def test_who_is_in_a_team_must_be_known(self, shell: Shell) -> None:
        code, words = refused(shell, "quota", "block", "team/x")
        assert code == 1
        assert "there is no team/x with a quota that is valid; teams: none" in words

    def test_only_installed_models_can_be_blocked(self, shell: Shell) -> None:
        code, words = refused(shell, "quota", "block", "user/alice", "--models", "*,acme.big-v1")
        assert code == 2
        assert "models is ['*', 'acme.big-v1']; allowed: installed model scopes: *" in words
        shell.out("quota", "block", "user/alice", "--model", "*")
        assert shell.item("user/alice", "blocked-by-hand")["models"] == ["*"]

    def test_whom_no_deny_reaches_is_said(self, shell: Shell) -> None:
        result = shell.run("quota", "block", "sso/ann@example.com", "--until", "2d")
        assert "cannot be blocked without a gate" in result.stderr

    def test_as_json(self, shell: Shell) -> None:
        document = shell.json("quota", "block", "user/alice", "--until", "2d")
        assert (document["principal"], document["quota"]) == ("user/alice", "blocked-by-hand")
        assert {"attribute": "limit", "old": None, "new": 0} in document["changes"]


class TestUnblock:
    def test_it_ends_the_block(self, shell: Shell) -> None:
        shell.out("quota", "block", "user/alice")
        shell.sweep()
        result = shell.run("quota", "unblock", "user/alice")
        assert result.stdout == "The block by hand of user/alice is over.\n"
        assert "It takes effect" in result.stderr
        shell.now += timedelta(minutes=5)
        shell.sweep()
        assert shell.world.denied == set()

    def test_who_is_not_blocked_by_hand_is_told_who_is(self, shell: Shell) -> None:
        shell.world.quota(principal="team/x", members=["user/alice"])
        shell.out("quota", "block", "team/x", "--yes")
        code, words = refused(shell, "quota", "unblock", "user/alice")
        assert code == 1
        assert words.endswith("user/alice is not blocked by hand; blocked by hand: team/x")

    def test_as_json(self, shell: Shell) -> None:
        shell.out("quota", "block", "user/alice")
        assert shell.json("quota", "unblock", "user/alice")["removed"]["limit"] == 0

    def test_somebody_elses_newer_block_stays(self, shell: Shell) -> None:
        shell.out("quota", "block", "user/alice")
        shell.table.overtaken = True
        assert shell.run("quota", "unblock", "user/alice").exit_code == 1
        assert ("user/alice", "blocked-by-hand") in shell.world.quotas.table


class TestRelease:
    def test_their_own_block_by_hand_is_over(self, shell: Shell) -> None:
        shell.out("quota", "block", "user/alice", "--until", "2d")
        shell.sweep()
        shell.now += timedelta(minutes=5)
        printed = shell.out("release", "user/alice")
        assert printed.splitlines() == [
            "user/alice is free.",
            "  The block by hand is over: the item blocked-by-hand is removed.",
        ]
        assert shell.world.quotas.table == {}
        assert shell.world.denied == set()

    def test_until_then_it_holds_its_breath(self, shell: Shell) -> None:
        shell.out("quota", "block", "user/alice", "--until", "2d")
        shell.sweep()
        shell.now += timedelta(minutes=5)
        printed = shell.out("release", "user/alice", "--until", "2026-11-25")
        assert "No limit blocked-by-hand until 2026-11-25 00:00 UTC; then again" in printed
        assert shell.world.denied == set()
        shell.now = NOON + DAY
        shell.sweep()
        assert shell.world.denied == {"user/alice"}

    def test_until_after_its_end_it_is_over(self, shell: Shell) -> None:
        shell.out("quota", "block", "user/alice", "--until", "2d")
        shell.sweep()
        shell.out("release", "user/alice", "--until", "3d")
        assert shell.world.quotas.table == {}

    def test_who_was_never_seen_and_is_blocked_by_hand_is_let_go_too(self, shell: Shell) -> None:
        shell.out("quota", "block", "user/zoe")
        assert "The block by hand is over" in shell.out("release", "user/zoe")
        assert shell.world.quotas.table == {}

    def test_a_quota_that_is_used_up_too_is_pardoned_with_it(self, shell: Shell) -> None:
        shell.world.quota(principal="user/*")
        shell.out("quota", "block", "user/alice")
        shell.sweep()
        document = shell.json("release", "user/alice")
        assert [(each["quota"], each["until"]) for each in document["released"][0]["pardoned"]] == [
            ("blocked-by-hand", None),
            ("daily", "2026-11-25T00:00:00Z"),
        ]
        assert "user/alice" not in shell.world.denied

    def test_from_a_block_of_all_one_is_exempt_as_long_as_it_lasts(self, shell: Shell) -> None:
        shell.out("quota", "block", "user/*", "--until", "2d")
        shell.sweep()
        shell.out("release", "user/alice")
        item = shell.item("user/alice", "blocked-by-hand")
        assert (item["exempt"], item["until"]) == (True, LATER)
        assert shell.world.denied == {"user/bob"}

    def test_a_raise_that_is_used_up_holds_again_after_the_pardon(self, shell: Shell) -> None:
        shell.world.quota(principal="user/*")
        shell.out("quota", "raise", "user/alice", "daily", "1100", "--until", "2d")
        shell.sweep()
        assert "user/alice" in shell.world.denied
        shell.out("release", "user/alice")
        item = shell.item()
        assert (item["limit"], item["until"], item["raise_to"]) == (1100, LATER, "unlimited")
        assert item["raise_until"] == "2026-11-25T00:00:00+00:00"

    def test_a_team_is_released_as_a_whole(self, shell: Shell) -> None:
        shell.world.quota(principal="team/x", members=["user/alice", "user/bob"])
        shell.sweep()
        assert shell.world.denied == {"user/alice", "user/bob"}
        shell.now += timedelta(minutes=5)
        printed = shell.out("release", "team/x", "--until", "2d")
        assert printed.splitlines() == [
            "team/x is free.",
            (
                "  No limit daily until 2026-11-26 12:05 UTC; then again daily of team/x: "
                "1,000 total tokens per day."
            ),
        ]
        item = shell.item("team/x")
        assert (item["raise_to"], item["members"]) == ("unlimited", ["user/alice", "user/bob"])
        assert shell.world.denied == set()

    def test_a_teams_block_by_hand_is_over_for_all_of_it(self, shell: Shell) -> None:
        shell.world.quota(principal="team/x", members=["user/alice"], limit=10**9)
        shell.out("quota", "block", "team/x", "--yes")
        shell.sweep()
        shell.now += timedelta(minutes=5)
        assert "The block by hand is over" in shell.out("release", "team/x")
        assert shell.world.denied == set()

    def test_members_whom_something_else_blocks_are_named(self, shell: Shell) -> None:
        shell.world.quota(principal="team/x", members=["user/alice", "user/bob"])
        shell.out("quota", "block", "user/bob")
        shell.sweep()
        shell.now += timedelta(minutes=5)
        result = shell.run("release", "team/x")
        assert result.exit_code == 1
        assert result.stdout.splitlines()[0] == "team/x is still blocked: user/bob."
        assert "error" not in result.stderr
        assert set(shell.world.quotas.table) == {
            ("team/x", "daily"), ("user/bob", "blocked-by-hand"),
        }  # fmt: skip

    def test_a_team_that_blocks_nobody_has_nothing_to_release(self, shell: Shell) -> None:
        shell.world.quota(principal="team/x", members=["user/alice"], limit=10**9)
        assert shell.out("release", "team/x") == (
            "Nothing to release for team/x: none of its quotas blocks anybody.\n"
        )

    def test_a_team_that_is_not_there_is_told_which_are(self, shell: Shell) -> None:
        shell.world.quota(principal="team/x", members=["user/alice"])
        code, words = refused(shell, "release", "team/y")
        assert code == 1
        assert "there is no team/y with a quota that is valid; teams: team/x" in words
