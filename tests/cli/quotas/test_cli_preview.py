"""An edit says whom it would block before it is written, and asks."""

import json
from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli_world import AdminTable, Shell, a_shell
from quota_enforcer.core.deployment import Metering, Mode
from world import World

LIMIT = ("--measure", "total_tokens", "--window", "day", "--limit")
NOBODY = "Nobody can be asked here, so nothing was done: add --yes to go on"
PEOPLE = {"alice": 500, "bob": 50, "carol": 900, "dave": 10}


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = a_shell(monkeypatch)
    for who, tokens in PEOPLE.items():
        shell.used(who, tokens)
    shell.sweep()
    return shell


def test_whom_an_edit_would_block_is_said_and_asked_before_it_is_written(shell: Shell) -> None:
    typed = shell.run("quota", "set", "default", "daily", *LIMIT, "400", typed="n\n")
    question = "This would block 2 of 4 people now: user/alice, user/carol; go on? [y/N]:"
    assert question in typed.stderr
    assert (typed.exit_code, shell.world.quotas.table) == (1, {})
    assert shell.run("quota", "set", "default", "daily", *LIMIT, "400", typed="y\n").exit_code == 0
    shell.sweep()
    assert shell.world.denied == {"user/alice", "user/carol"}


def test_without_a_terminal_it_needs_the_word_that_goes_on(shell: Shell) -> None:
    result = shell.run("quota", "set", "user/alice", "daily", *LIMIT, "400")
    assert result.exit_code == 2
    assert result.stderr == f"error: This would block user/alice now; go on? {NOBODY}\n"
    assert shell.world.quotas.table == {}
    done = shell.run("quota", "set", "user/alice", "daily", *LIMIT, "400", "--yes")
    assert done.exit_code == 0
    assert "This would block user/alice now." in done.stderr
    assert shell.item()["limit"] == 400


def test_what_blocks_nobody_goes_on_without_a_word(shell: Shell) -> None:
    result = shell.run("quota", "set", "user/bob", "daily", *LIMIT, "400")
    assert result.exit_code == 0
    assert "block" not in result.output


def test_a_dry_run_says_it_all_and_writes_nothing(shell: Shell) -> None:
    printed = shell.out("quota", "set", "default", "daily", *LIMIT, "400", "--dry-run")
    lines = printed.splitlines()
    assert lines[0] == "This would block 2 of 4 people now: user/alice, user/carol."
    assert lines[1] == "Would add quota daily of default:"
    assert lines[-1] == "Dry run: nothing was written."
    assert shell.world.quotas.table == {}


def test_machines_are_told_whom_it_would_block(shell: Shell) -> None:
    document = shell.json("quota", "set", "default", "daily", *LIMIT, "400", "--dry-run")
    assert document["would_block"] == ["user/alice", "user/carol"]
    assert document["would_release"] == []
    assert document["written"] is False


def test_whom_it_would_release_is_said_and_not_asked(shell: Shell) -> None:
    shell.world.quota(limit=400)
    shell.sweep()
    result = shell.run("quota", "set", "user/alice", "daily", "--limit", "2k")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[0] == "This would release user/alice now."


def test_removing_a_quota_may_block_by_the_next_one(shell: Shell) -> None:
    shell.world.quota(limit=1000)
    shell.world.quota(principal="user/*", limit=400)
    shell.world.quota(principal="user/carol", limit=1000)
    shell.sweep()
    for command in ("remove", "delete"):
        result = shell.run("quota", command, "user/alice", "daily")
        assert result.exit_code == 2
        assert "This would block user/alice now; go on?" in result.stderr
    dry = shell.out("quota", "remove", "user/alice", "daily", "--dry-run")
    assert "Would remove quota daily of user/alice:" in dry
    assert shell.item()["limit"] == 1000
    shell.out("quota", "delete", "user/alice", "daily", "--yes")
    assert ("user/alice", "daily") not in shell.world.quotas.table


def test_who_is_blocked_already_is_not_counted(shell: Shell) -> None:
    shell.world.quota(limit=400)
    shell.sweep()
    result = shell.run("quota", "set", "user/alice", "daily", "--limit", "300")
    assert result.exit_code == 0
    assert "would" not in result.stderr


def test_a_block_of_one_is_what_was_asked_for(shell: Shell) -> None:
    result = shell.run("quota", "block", "user/bob", "--until", "2d")
    assert result.exit_code == 0
    assert "This would block user/bob now." in result.stderr


def test_a_block_of_many_is_asked(shell: Shell) -> None:
    shell.world.quota(principal="team/x", members=["user/alice", "user/bob"], limit=10**9)
    for whom, many in (("team/x", "2 of 2"), ("default", "4 of 4")):
        result = shell.run("quota", "block", whom)
        assert result.exit_code == 2
        assert f"This would block {many} people now" in result.stderr
    dry = shell.out("quota", "block", "team/x", "--dry-run")
    assert "Dry run: nothing was written." in dry
    assert ("team/x", "blocked-by-hand") not in shell.world.quotas.table


def test_a_block_is_ended_only_in_earnest(shell: Shell) -> None:
    shell.out("quota", "block", "user/bob")
    shell.sweep()
    dry = shell.out("quota", "unblock", "user/bob", "--dry-run")
    assert dry.splitlines() == ["This would release user/bob now.", "Dry run: nothing was written."]
    assert shell.json("quota", "unblock", "user/bob")["would_release"] == ["user/bob"]


def test_a_raise_may_be_tried(shell: Shell) -> None:
    shell.world.quota(limit=400)
    shell.sweep()
    tried = shell.out("quota", "raise", "user/alice", "daily", "2k", "--until", "1d", "--dry-run")
    assert "This would release user/alice now." in tried
    assert "raise_to" not in shell.item()


def test_an_import_says_whom_all_of_it_together_would_block(shell: Shell, tmp_path: object) -> None:
    file = f"{tmp_path}/quotas.yaml"
    with open(file, "w", encoding="utf-8") as opened:  # noqa: PTH123 - a path of pytest
        opened.write(
            "- {principal: default, quota: daily, limit: 400 tokens, window: day}\n"
            "- {principal: user/carol, quota: daily, limit: 2000 tokens, window: day}\n"
        )
    dry = shell.out("quota", "import", file, "--dry-run")
    assert "This would block 1 of 4 people now: user/alice." in dry
    result = shell.run("quota", "import", file)
    assert result.exit_code == 2
    assert NOBODY in result.stderr


def test_a_pool_blocks_all_who_share_it(shell: Shell) -> None:
    members = ("--members", "user/alice,user/bob,user/dave", "--share", "pool")
    result = shell.run("quota", "set", "team/x", "daily", *LIMIT, "555", *members)
    assert "This would block 3 of 3 people now: user/alice, user/bob, user/dave" in result.stderr
    assert shell.run("quota", "set", "team/x", "daily", *LIMIT, "600", *members).exit_code == 0


def test_roles_are_no_people(shell: Shell) -> None:
    shell.used("role:ci/42", 1000)
    shell.sweep()
    members = ("--members", "user/alice,role/ci")
    result = shell.run("quota", "set", "team/x", "daily", *LIMIT, "600", *members)
    assert "This would block 1 of 2 principals now: role/ci" in result.stderr


def test_observe_mode_asks_nothing_and_says_what_enforce_mode_would_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shell = a_shell(monkeypatch, Mode.OBSERVE)
    shell.used("alice", 500)
    shell.sweep()
    result = shell.run("quota", "set", "user/alice", "daily", *LIMIT, "400")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[0] == (
        "Observe mode blocks nobody; in enforce mode this would block user/alice now."
    )


def test_that_the_breaker_would_hold_it_is_said(shell: Shell) -> None:
    for number in range(20):
        shell.used(f"u{number:02}", 500)
    shell.sweep()
    dry = shell.out("quota", "set", "default", "daily", *LIMIT, "400", "--dry-run")
    assert "This would block 22 of 24 people now: user/alice, user/carol, user/u00, " in dry
    assert "and 12 more." in dry
    assert "The breaker would hold that: it is more than 10 and more than 20 % of all" in dry


def test_a_price_blocks_nobody(shell: Shell, tmp_path: object) -> None:
    file = f"{tmp_path}/prices.json"
    with open(file, "w", encoding="utf-8") as opened:  # noqa: PTH123 - a path of pytest
        json.dump([{"principal": "price/acme.x-v1", "quota": "price", "input": 1}], opened)
    assert "would" not in shell.out("quota", "import", file, "--dry-run")


SUBJECTS = ["user/alice", "user/bob", "user/*", "default", "team/x"]
EDITS = st.lists(
    st.tuples(st.sampled_from(SUBJECTS), st.sampled_from([None, 0, 20, 100, 600, 10_000])),
    min_size=1,
    max_size=4,
)


def written(world: World, edits: Iterable[tuple[str, int | None]]) -> None:
    """All but the last edit, and the sweep after them."""
    for subject, limit in edits:
        world.quotas.table.pop((subject, "daily"), None)
        if limit is not None:
            team = {"members": ["user/alice", "user/dave"], "share": "pool"}
            world.quota(principal=subject, limit=limit, **(team if subject == "team/x" else {}))


@given(EDITS)
def test_what_is_said_is_what_the_next_sweep_does(edits: list[tuple[str, int | None]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        shell = a_shell(patch)
        for who, tokens in PEOPLE.items():
            shell.used(who, tokens)
        *first, (subject, limit) = edits
        written(shell.world, first)
        shell.sweep()
        before = shell.world.denied
        if limit is None:
            if (subject, "daily") not in shell.world.quotas.table:
                return
            edit = ("quota", "remove", subject, "daily", "--yes")
        else:
            members = ("--members", "user/alice,user/dave", "--share", "pool")
            team = members if subject == "team/x" else ()
            edit = ("quota", "set", subject, "daily", *LIMIT, str(limit), *team, "--yes")
        said = shell.json(*edit)
        shell.now += timedelta(minutes=5)
        shell.sweep()
        assert set(said["would_block"]) == shell.world.denied - before
        assert set(said["would_release"]) == before - shell.world.denied


def test_somebody_else_may_write_while_it_asks(shell: Shell) -> None:
    shell.table = AdminTable(shell.world.quotas, overtaken=True)
    result = shell.run("quota", "set", "user/alice", "daily", *LIMIT, "400", typed="y\n")
    assert result.exit_code == 1
    assert "changed by somebody else" in result.stderr


def test_a_pool_of_a_kind_blocks_whoever_is_known_of_it(shell: Shell) -> None:
    pool = ("quota", "set", "team/all", "daily", *LIMIT, "1400", "--share", "pool")
    asked = shell.run(*pool, "--members", "user/*", "--yes")
    assert "This would block 4 of 4 people now" in asked.stderr
    shell.sweep()
    assert shell.world.denied == {f"user/{who}" for who in PEOPLE}
    higher = shell.run("quota", "set", "team/all", "daily", "--limit", "2000")
    assert "This would release 4 of 4 people now" in higher.stderr


def test_an_edit_that_avoids_overshoot_is_previewed_at_the_present_pace(shell: Shell) -> None:
    """Carol has used 2,100 of 2,500, and at two calls a second the rest is gone in a moment."""
    shell.world.metering(Metering.STREAM)
    for number in range(120):
        shell.world.stream("carol", shell.now - timedelta(seconds=number / 2), 10)
    limit = ("quota", "set", "user/carol", "daily", *LIMIT, "2500", "--dry-run")
    assert "block" not in shell.out(*limit)
    assert "This would block user/carol now." in shell.out(*limit, "--overshoot", "avoid")
