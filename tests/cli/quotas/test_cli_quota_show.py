"""`quota show`: all there is to know of one quota."""

from datetime import timedelta

import pytest

from builders import an_item
from cli_world import ADMIN, Shell, a_shell


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = a_shell(monkeypatch)
    for name in ("alice", "bob", "eve"):
        shell.used(name, 5)
    shell.sweep()
    return shell


def lines(shell: Shell, *key: str) -> list[str]:
    return [" ".join(line.split()) for line in shell.out("quota", "show", *key).splitlines()]


def test_it_says_what_the_item_says_and_means(shell: Shell) -> None:
    shell.world.quota(edited_by=ADMIN, note="for the paper", warn_at=[50, 90])
    said = lines(shell, "user/alice", "daily")
    for words in (
        "Quota daily of user/alice:",
        "State in force",
        "Reads 1,000 total tokens per day; warns at 50 %, 90 %, then denies",
        "Applies to user/alice",
        f"Edited by {ADMIN}",
        "limit 1,000",
        "note for the paper",
    ):
        assert words in said


@pytest.mark.parametrize(
    ("but", "reads"),
    [
        ({"exempt": True}, "no limit of this name"),
        ({"limit": 0}, "0 total tokens per day: a block"),
        ({"action": "notify"}, "1,000 total tokens per day; warns at 80 %, then only notifies"),
        (
            {"regions": ["eu-west-1"]},
            (
                "1,000 total tokens per day, used in eu-west-1; warns at "
                "80 %, then denies in every Region and account"
            ),
        ),
        (
            {
                "regions": ["eu-west-1", "us-east-1"],
                "accounts": ["444455556666"],
                "action": "notify",
            },
            (
                "1,000 total tokens per day, used in eu-west-1, us-east-1 of account 444455556666; "
                "warns at 80 %, then only notifies"
            ),
        ),
        (
            {"limit": 0, "accounts": ["444455556666"]},
            (
                "0 total tokens per day, used in account "
                "444455556666: a block in every Region and account"
            ),
        ),
        ({"warn_at": []}, "1,000 total tokens per day; denies"),
        (
            {"measure": "cost_usd", "limit": 10, "unknown_prices": "deny"},
            "$10.00 per day; warns at 80 %, then denies, at assumed prices too",
        ),
        (
            {"principal": "team/x", "members": ["user/alice"], "share": "pool"},
            "1,000 total tokens per day, pool of 1 members; warns at 80 %, then denies",
        ),
    ],
    ids=str,
)
def test_a_rule_reads_as_a_sentence(shell: Shell, but: dict[str, object], reads: str) -> None:
    shell.world.quota(**but)
    subject = str(but.get("principal", "user/alice"))
    assert shell.json("quota", "show", subject, "daily")["reads"] == reads


def test_it_says_whom_of_those_known_it_applies_to(shell: Shell) -> None:
    shell.world.quota(principal="user/*")
    shell.world.quota()
    assert (
        "Applies to 2 known principals (user/bob, user/eve); a nearer one of that name counts for "
        "user/alice" in lines(shell, "user/*", "daily")
    )
    assert shell.json("quota", "show", "user/*", "daily")["covers"] == {
        "applies": ["user/bob", "user/eve"], "nearer": ["user/alice"], "unseen": [],
    }  # fmt: skip


def test_an_exemption_applies_where_no_limit_of_its_name_is_left(shell: Shell) -> None:
    shell.world.quota(principal="user/*", exempt=True)
    shell.world.quota()
    covers = shell.json("quota", "show", "user/*", "daily")["covers"]
    assert (covers["applies"], covers["nearer"]) == (["user/bob", "user/eve"], ["user/alice"])


def test_of_a_team_it_names_members_who_were_not_seen_yet(shell: Shell) -> None:
    shell.world.quota(principal="team/x", members=["user/alice", "user/zoe"])
    assert "Applies to user/alice; not seen yet: user/zoe" in lines(shell, "team/x", "daily")


@pytest.mark.parametrize("subject", ["user/zoe", "sso/*"])
def test_nobody_yet_is_said_so(shell: Shell, subject: str) -> None:
    shell.world.quota(principal=subject)
    assert "Applies to nobody who has used Bedrock yet" in lines(shell, subject, "daily")


def test_of_one_that_is_not_valid_it_shows_what_is_in_force(shell: Shell) -> None:
    shell.world.quota(limit=700)
    shell.sweep()
    shell.world.quota(limit="lots")
    said = lines(shell, "user/alice", "daily")
    for words in (
        "State not valid; its last valid version stays in force",
        "Reads 700 total tokens per day; warns at 80 %, then denies",
        "- limit is 'lots'; allowed: a whole number, 0 or more",
        "limit lots",
        "The last valid version, which is in force:",
        "limit 700",
        "Edited by somebody without quota-enforcer: see CloudTrail",
    ):
        assert words in said
    document = shell.json("quota", "show", "user/alice", "daily")
    assert document["last_valid"] == an_item(limit=700)
    assert (document["valid"], document["edited_by"]) == (False, None)


def test_of_one_that_was_never_valid_nothing_is_in_force(shell: Shell) -> None:
    shell.world.quota(limit="lots")
    document = shell.json("quota", "show", "user/alice", "daily")
    assert (document["reads"], document["covers"], document["last_valid"]) == (None, None, None)
    assert "State not valid; the next quota in precedence applies instead" in lines(
        shell, "user/alice", "daily"
    )


def test_what_has_ended_or_is_disabled_applies_to_nobody(shell: Shell) -> None:
    shell.world.quota(until="2026-11-24T13:00")
    shell.world.quota(quota="off", enabled=False)
    shell.now += timedelta(hours=2)
    assert shell.json("quota", "show", "user/alice", "daily")["covers"] is None
    assert "State ended 2026-11-24 13:00 UTC" in lines(shell, "user/alice", "daily")
    assert "State disabled" in lines(shell, "user/alice", "off")


def test_what_is_not_there_is_told_what_is(shell: Shell) -> None:
    shell.world.quota()
    result = shell.run("quota", "show", "user/alice", "dayly")
    assert result.exit_code == 1
    assert result.stderr == (
        "error: there is no quota 'dayly' of 'user/alice' to show; they have: daily\n"
    )


def test_a_person_is_found_in_any_spelling(shell: Shell) -> None:
    shell.world.quota(principal="sso/Ann@Example.com")
    assert shell.json("quota", "show", "sso/ann@example.com", "daily")["valid"]


def test_a_price_is_shown_elsewhere(shell: Shell) -> None:
    shell.world.quotas.put({"principal": "price/x", "quota": "price", "input": 5})
    assert "prices list" in shell.run("quota", "show", "price/x", "price").stderr
