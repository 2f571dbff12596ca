"""`quota set`, `quota list` and `quota remove`."""

import json
from decimal import Decimal

import pytest
from boto3.dynamodb.types import Binary

from builders import an_item
from cli_world import ADMIN, Shell, a_shell
from quota_enforcer.core.deployment import Metering, Mode
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Measure
from world import ACCOUNT

A_QUOTA = ("--measure", "total_tokens", "--limit", "1_000", "--window", "day")


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return a_shell(monkeypatch)


def test_set_adds_an_item_with_numbers_and_its_author(shell: Shell) -> None:
    shell.out("quota", "set", "user/alice", "daily", *A_QUOTA, "--warn-at", "50", "--warn-at", "90")
    assert shell.item() == {
        "principal": "user/alice",
        "quota": "daily",
        "measure": "total_tokens",
        "limit": Decimal(1000),
        "window": "day",
        "warn_at": [Decimal(50), Decimal(90)],
        "edited_by": ADMIN,
    }


def test_set_understands_every_option(shell: Shell) -> None:
    shell.out(
        *("quota", "set", "team/research", "monthly", "--measure", "requests", "--limit", "10"),
        *("--window", "month", "--resets-on", "15", "--model", "*", "--action", "notify"),
        *("--until", "2027-01-01", "--raise-to", "unlimited", "--raise-until", "2026-12-01"),
        *("--member", "user/alice", "--member", "role/ci", "--share", "pool"),
        *("--note", "for the paper", "--disable", "--no-exempt"),
    )
    assert shell.item("team/research", "monthly") == {
        "principal": "team/research",
        "quota": "monthly",
        "measure": "requests",
        "limit": Decimal(10),
        "window": "month",
        "resets_on": Decimal(15),
        "models": ["*"],
        "action": "notify",
        "until": "2027-01-01",
        "raise_to": "unlimited",
        "raise_until": "2026-12-01",
        "members": ["user/alice", "role/ci"],
        "share": "pool",
        "note": "for the paper",
        "enabled": False,
        "exempt": False,
        "edited_by": ADMIN,
    }


def test_set_prints_what_it_added(shell: Shell) -> None:
    printed = shell.out("quota", "set", "user/alice", "daily", *A_QUOTA)
    assert printed.splitlines()[0] == "Added quota daily of user/alice:"
    assert [line.split() for line in printed.splitlines()[3:6]] == [
        ["measure", "total_tokens"],
        ["limit", "1,000"],
        ["window", "day"],
    ]


def test_set_on_an_item_that_is_there_changes_only_what_is_given(shell: Shell) -> None:
    shell.world.quota(note="first")
    printed = shell.out(
        "quota", "set", "user/alice", "daily", "--limit", "2_000", "--unset", "note"
    )
    assert shell.item() == an_item(limit=Decimal(2000), edited_by=ADMIN)
    assert [line.split() for line in printed.splitlines()[3:5]] == [
        ["limit", "1,000", "2,000"],
        ["note", "first", "-"],
    ]


def test_set_without_a_change_writes_nothing(shell: Shell) -> None:
    shell.world.quota()
    printed = shell.out("quota", "set", "user/alice", "daily", "--limit", "1000")
    assert printed == "No change: quota daily of user/alice is like that already.\n"
    assert shell.item() == an_item()


def test_set_as_json_has_the_changes_and_the_item(shell: Shell) -> None:
    shell.world.quota()
    assert shell.json("quota", "set", "user/alice", "daily", "--limit", "2000") == {
        "principal": "user/alice",
        "quota": "daily",
        "changes": [{"attribute": "limit", "old": 1000, "new": 2000}],
        "item": {**an_item(limit=2000), "edited_by": ADMIN},
        "written": True,
        "unknown_to_iam": [],
        "would_block": [],
        "would_release": [],
    }


def test_set_lists_everything_that_is_wrong_and_writes_nothing(shell: Shell) -> None:
    result = shell.run(
        *("quota", "set", "user/alice", "daily", "--measure", "tokns", "--limit", "-5"),
        *("--window", "fortnight", "--model", "claude"),
    )
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "error: quota 'daily' of 'user/alice' is not valid:",
        f"  - measure is 'tokns'; allowed: {', '.join(Measure)}",
        "  - limit is -5; allowed: a number, 0 or more, with at most 12 decimal places",
        (
            "  - window is 'fortnight'; allowed: hour, day, week, month, rolling N minutes, "
            "rolling N hours or rolling N days; the nearest is 'rolling 14 days'"
        ),
        (
            "  - models is ['claude']; allowed: installed model scopes: *; to install another, set "
            "one of the stack's parameters ModelScope1 to ModelScope5"
        ),
    ]
    assert shell.world.quotas.table == {}


def test_set_of_a_new_item_names_what_is_missing(shell: Shell) -> None:
    result = shell.run("quota", "set", "user/alice", "daily", "--limit", "5")
    assert result.exit_code == 2
    assert "measure is missing" in result.stderr
    assert "window is missing" in result.stderr


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("user/", "principal is 'user/'; allowed: user/NAME, role/NAME"),
        ("usr/alice", "principal is 'usr/alice'; allowed: user/NAME"),
        ("dora", "write user/dora, role/dora, sso/dora or team/dora"),
        (
            "dora@example.com",
            "'dora@example.com' is no principal that is known here: write sso/dora@",
        ),
        ("twin", "'twin' may be role/twin or user/twin: write which of them"),
        ("Alice", "(did you mean user/alice?): write user/Alice, role/Alice"),
        ("users", "write user/* for all of them"),
        ("group/devs", "make a team of its members"),
        ("everybody", "write default for all people (never roles), or user/*"),
        ("arn:aws:s3:::bucket", "'arn:aws:s3:::bucket' is no identity ARN"),
        ("arn:aws:iam::999999999999:root", "is the account's root user"),
        ("999999999999", "'999999999999' is an account: write 999999999999/* for all its users"),
        ("999999999999/dora", "write 999999999999/user/dora or 999999999999/role/dora"),
        ("999999999999/sso/ann", "principal is '999999999999/sso/ann'; allowed: user/NAME"),
        ("999999999999/sso/*", "principal is '999999999999/sso/*'; allowed: user/NAME"),
        (f"{ACCOUNT}/role/*", "is the account of this deployment: write role/*, which covers all"),
        (f"{ACCOUNT}/*", "is the account of this deployment: write user/* or role/*"),
        (f"arn:aws:iam::{ACCOUNT}:root", "is the account's root user, whom no IAM policy can deny"),
        (f"arn:aws:iam::{ACCOUNT}:group/devs", "make a team of its members"),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/x", "is a federated user"),
        (
            f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/AWSReservedSSO_Dev_0123456789abcdef",
            "whose people are limited each by name: write sso/NAME",
        ),
        (
            f"arn:aws:sts::{ACCOUNT}:assumed-role/reporting/ci-42",
            "role/reporting the role with all its sessions; write which of them is meant",
        ),
    ],
)
def test_set_for_nobody_says_who_can_be_meant(shell: Shell, subject: str, words: str) -> None:
    for who in ("alice", "twin", "role:twin/1"):
        shell.used(who, 5)
    shell.sweep()
    result = shell.run("quota", "set", subject, "daily", *A_QUOTA)
    assert result.exit_code == 2
    assert words in result.stderr
    assert shell.world.quotas.table == {}


@pytest.mark.parametrize(
    ("subject", "taken"),
    [
        ("alice", "user/alice"),
        (" user/alice ", "user/alice"),
        ("users/alice", "user/alice"),
        ("user:alice", "user/alice"),
        ("User/alice", "user/alice"),
        ("ci", "role/ci"),
        ("Ann@Example.com", "sso/ann@example.com"),
        ("research", "team/research"),
        (f"arn:aws:iam::{ACCOUNT}:user/staff/alice", "user/alice"),
        (f"{ACCOUNT}/user/alice", "user/alice"),
        (f"{ACCOUNT}/alice", "user/alice"),
        ("arn:aws:iam::999999999999:user/staff/zoe", "999999999999/user/zoe"),
        ("999999999999/user/zoe", "999999999999/user/zoe"),
        ("999999999999:roles/etl", "999999999999/role/etl"),
        ("999999999999/etl", "999999999999/role/etl"),
        ("etl", "999999999999/role/etl"),
        ("999999999999/role/*", "999999999999/role/*"),
        ("999999999999/*", "999999999999/*"),
        ("999999999999/session/etl/*", "999999999999/session/etl/*"),
    ],
)
def test_set_takes_a_name_that_only_one_has(shell: Shell, subject: str, taken: str) -> None:
    for who in ("alice", "role:ci/1", "sso:Ann@Example.com"):
        shell.used(who, 5)
    shell.world.ledger.put(Record(Principal.parse("999999999999/role/etl"), version=1))
    shell.world.quota(principal="team/research", quota="other", members=["user/alice"])
    shell.sweep()
    members = ("--members", "alice") if taken.startswith("team/") else ()
    shell.out("quota", "set", subject, "daily", *A_QUOTA, *members)
    assert (taken, "daily") in shell.world.quotas.table
    assert shell.out("quota", "show", subject, "daily").startswith(f"Quota daily of {taken}")


@pytest.mark.parametrize(
    ("answer", "taken"), [("session", "session/reporting/ci-42"), ("role", "role/reporting")]
)
def test_of_a_sessions_arn_it_asks_whether_the_session_or_the_role_is_meant(
    shell: Shell, answer: str, taken: str
) -> None:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/reporting/ci-42"
    result = shell.run("quota", "set", arn, "daily", *A_QUOTA, typed=f"{answer}\n")
    assert result.exit_code == 0, result.output
    assert "Which is meant (session or role)?" in result.stderr
    assert list(shell.world.quotas.table) == [(taken, "daily")]


def test_members_are_taken_like_subjects(shell: Shell) -> None:
    shell.used("alice", 5)
    shell.sweep()
    arn = f"arn:aws:iam::{ACCOUNT}:role/ci"
    shell.out("quota", "set", "team/x", "daily", *A_QUOTA, "--members", f"user/bob,{arn}",
              "--member", "alice")  # fmt: skip
    assert shell.item("team/x")["members"] == ["user/bob", "role/ci", "user/alice"]


def test_set_takes_values_as_people_write_them(shell: Shell) -> None:
    shell.out(
        *("quota", "set", "user/alice", "spend", "--limit", "$50", "--window", "monthly"),
        *("--warn-at", "50,80%", "--resets-on", "1st"),
    )
    assert shell.item(name="spend") == {
        "principal": "user/alice",
        "quota": "spend",
        "measure": "cost_usd",
        "limit": Decimal(50),
        "window": "month",
        "resets_on": Decimal(1),
        "warn_at": [Decimal(50), Decimal(80)],
        "edited_by": ADMIN,
    }
    shell.out(
        *("quota", "set", "user/alice", "daily", "--measure", "tokens", "--limit", "5 000 000"),
        *("--window", "rolling 24h", "--model", "all"),
    )
    assert shell.item()["measure"] == "total_tokens"
    assert shell.item()["limit"] == 5_000_000
    assert shell.item()["window"] == "rolling 24 hours"
    assert shell.item()["models"] == ["*"]


def test_set_refuses_money_as_a_limit_on_tokens(shell: Shell) -> None:
    shell.world.quota()
    result = shell.run("quota", "set", "user/alice", "daily", "--limit", "$50")
    assert result.exit_code == 2
    assert "for US dollars the measure is cost_usd" in result.stderr


def test_set_refuses_an_empty_name(shell: Shell) -> None:
    result = shell.run("quota", "set", "user/alice", "", *A_QUOTA)
    assert result.exit_code == 2
    assert "it is empty" in result.stderr


def test_set_takes_an_arn_and_knows_an_identity_center_person_in_any_spelling(shell: Shell) -> None:
    shell.out("quota", "set", f"arn:aws:iam::{ACCOUNT}:user/alice", "daily", *A_QUOTA)
    shell.out("quota", "set", "sso/Ann@Example.com", "daily", *A_QUOTA)
    assert set(shell.world.quotas.table) == {
        ("user/alice", "daily"),
        ("sso/ann@example.com", "daily"),
    }


def test_set_checks_a_disabled_item_too(shell: Shell) -> None:
    result = shell.run("quota", "set", "user/alice", "daily", *A_QUOTA, "--disable", "--share", "x")
    assert result.exit_code == 2
    assert "share is 'x'; allowed: only where principal is team/NAME" in result.stderr


def test_set_refuses_to_unset_what_is_not_there(shell: Shell) -> None:
    shell.world.quota()
    result = shell.run("quota", "set", "user/alice", "daily", "--unset", "raise-until")
    assert result.exit_code == 2
    assert "no attribute 'raise_until'" in result.stderr


def test_set_loses_to_whoever_writes_first(shell: Shell) -> None:
    shell.table.overtaken = True
    result = shell.run("quota", "set", "user/alice", "daily", *A_QUOTA)
    assert result.exit_code == 1
    assert result.stderr == "error: the quota was changed by somebody else\n"


def test_set_takes_members_one_by_one_or_with_commas(shell: Shell) -> None:
    members = ("--members", "user/a,user/b, role/c", "--member", "user/last,first")
    shell.out("quota", "set", "team/研究", "daily", *A_QUOTA, *members, "--share", "pool")
    item = shell.item("team/研究")
    assert item["members"] == ["user/a", "user/b", "role/c", "user/last,first"]
    assert item["share"] == "pool"


def test_set_refuses_a_team_in_a_team(shell: Shell) -> None:
    members = ("--members", "user/a,team/y")
    result = shell.run("quota", "set", "team/x", "daily", *A_QUOTA, *members)
    assert result.exit_code == 2
    assert (
        "members is ['user/a', 'team/y']; allowed: a list of principals and kinds, and of no "
        "teams: instead of team/y name the members, one by one" in result.stderr
    )


def test_set_refuses_members_and_share_of_who_is_no_team(shell: Shell) -> None:
    result = shell.run("quota", "set", "user/x", "daily", *A_QUOTA, "--member", "user/a")
    assert result.exit_code == 2
    assert "members is ['user/a']; allowed: only where principal is team/NAME" in result.stderr


def test_set_names_members_whom_nobody_has_seen(shell: Shell) -> None:
    shell.used("alice", 5)
    shell.sweep()
    members = ("--members", "user/alice,user/alcie")
    result = shell.run("quota", "set", "team/x", "daily", *A_QUOTA, *members)
    assert result.stderr.splitlines()[1:] == [
        "Note: it has the member user/alcie, who has not used Bedrock yet; did you mean user/alice?"
    ]


@pytest.mark.parametrize(
    ("metering", "note"),
    [
        (
            Metering.STREAM,
            (
                "its usage is counted by the minute from about now on; "
                "what was used before is not in it"
            ),
        ),
        (Metering.CLOUDWATCH, "it counts nothing: only Metering=stream counts by the minute"),
    ],
)
def test_set_says_what_a_window_of_minutes_counts(
    shell: Shell, metering: Metering, note: str
) -> None:
    shell.world.metering(metering)
    said = ("--measure", "requests", "--limit", "5", "--window", "rolling 15min")
    result = shell.run("quota", "set", "user/alice", "burst", *said)
    assert f"Note: {note}" in result.stderr.splitlines()


def test_set_takes_ends_as_a_while_from_now(shell: Shell) -> None:
    ends = ("--until", "3d", "--raise-to", "5000", "--raise-until", "2h")
    shell.out("quota", "set", "user/alice", "daily", *A_QUOTA, *ends)
    assert shell.item()["until"] == "2026-11-27T12:00:00+00:00"
    assert shell.item()["raise_until"] == "2026-11-24T14:00:00+00:00"


@pytest.mark.parametrize("subject", ["sso/ann@example.com", "session/ci/build"])
def test_set_says_whom_it_cannot_block_without_a_gate(shell: Shell, subject: str) -> None:
    assert "blocked without a gate" in shell.run("quota", "set", subject, "daily", *A_QUOTA).stderr


@pytest.mark.parametrize("subject", ["user/alice", "user/*", "default", "session/ci/*"])
def test_set_says_when_it_takes_effect(shell: Shell, subject: str) -> None:
    result = shell.run("quota", "set", subject, "daily", *A_QUOTA)
    assert result.stderr == "It takes effect in seconds.\n"


def test_list_shows_each_item_with_its_state_sorted(shell: Shell) -> None:
    shell.world.quota(principal="user/*")
    shell.world.quota(enabled=False)
    shell.world.quota(quota="raised", raise_to=5000, raise_until="2026-12-01", action="notify")
    shell.world.quota(quota="past", until="2026-11-01", warn_at=[50, 90])
    shell.world.quota(quota="free", exempt=True, until="2027-01-01")
    shell.world.quota(principal="team/t", members=["user/a", "user/b"], share="pool")
    listed = shell.json("quota", "list")["quotas"]
    assert [(each["principal"], each["quota"], each["state"]) for each in listed] == [
        ("team/t", "daily", "in force"),
        ("user/*", "daily", "in force"),
        ("user/alice", "daily", "disabled"),
        ("user/alice", "free", "in force until 2027-01-01 00:00 UTC"),
        ("user/alice", "past", "ended 2026-11-01 00:00 UTC"),
        ("user/alice", "raised", "in force, raised to 5,000 until 2026-12-01 00:00 UTC"),
    ]
    printed = shell.out("quota", "list")
    for words in (
        "1,000 total tokens per day, pool of 2 members",
        "no limit",
        "50 %, 90 %",
        "80 %; never denies",
    ):
        assert words in printed


def test_a_version_that_was_disabled_does_not_hold_instead(shell: Shell) -> None:
    """Of an item that is not valid, list and mail say the same."""
    shell.world.quota(enabled=False)
    shell.sweep()
    shell.world.quota(limit="lots")
    shell.sweep()
    [(told, _)] = shell.world.topic.sent
    assert "the next quota in precedence applies" in told.reason
    printed = shell.out("quota", "list")
    assert "daily of user/alice is not valid; the next quota in precedence applies" in printed


def test_list_shows_what_is_wrong_and_what_holds_instead(shell: Shell) -> None:
    shell.world.quota()
    shell.sweep()
    shell.world.quota(limit="lots", windw="day")
    shell.world.quota(quota="new", measure="x")
    printed = shell.out("quota", "list")
    assert "daily of user/alice is not valid; its last valid version stays in force:" in printed
    assert "  - attribute 'windw' is unknown; did you mean window?\n" in printed
    assert "  - limit is 'lots'; allowed: a whole number, 0 or more\n" in printed
    assert "new of user/alice is not valid; the next quota in precedence applies" in printed
    daily, new = shell.json("quota", "list")["quotas"]
    assert (daily["valid"], daily["in_force"], len(daily["problems"])) == (False, False, 2)
    assert new["item"] == an_item(quota="new", measure="x")


@pytest.mark.parametrize("command", ["list", "check", "export", "show"])
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["for people", "for machines"])
def test_garbage_of_the_console_stops_no_command(
    shell: Shell, command: str, options: list[str]
) -> None:
    garbage = [None, {"a", "b"}, {Decimal(1)}, Binary(b"\x00\xff"), {"": [{"x": None}]}, "\x1b[31m"]
    for number, value in enumerate(garbage):
        shell.world.quota(quota=f"q{number}", limit=[value], note=value, window={"": value})
    key = ["user/alice", "q3"] if command == "show" else []
    result = shell.run("quota", command, *key, *options)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.exit_code == (2 if command == "check" else 0)
    assert "window is" in result.output


def test_list_of_an_empty_table_says_how_to_begin(shell: Shell) -> None:
    result = shell.run("quota", "list")
    assert result.stdout == "There are no quotas.\n"
    assert "quota-enforcer quota set default daily" in result.stderr
    assert shell.json("quota", "list") == {"quotas": []}


def test_remove_prints_what_went_and_what_applies_instead(shell: Shell) -> None:
    shell.world.quota()
    shell.world.quota(principal="user/*", limit=50)
    printed = shell.out("quota", "remove", "user/alice", "daily")
    assert ("user/alice", "daily") not in shell.world.quotas.table
    assert "Removed quota daily of user/alice:" in printed
    assert "To user/alice applies instead: daily of user/*: 50 total tokens per day." in printed


def test_remove_leaves_what_somebody_else_has_just_changed(shell: Shell) -> None:
    shell.world.quota()
    shell.table.overtaken = True
    assert shell.run("quota", "remove", "user/alice", "daily").exit_code == 1
    assert shell.item() == an_item()


def test_remove_of_the_last_quota_says_that_none_applies(shell: Shell) -> None:
    shell.world.quota()
    printed = shell.out("quota", "remove", "user/alice", "daily")
    assert "No quota of that name applies to user/alice any more." in printed


def test_remove_of_a_kind_says_nothing_about_single_principals(shell: Shell) -> None:
    shell.world.quota(principal="user/*")
    document = shell.json("quota", "remove", "user/*", "daily")
    assert document["removed"] == an_item(principal="user/*")
    assert document["applies_instead"] is None


def test_remove_finds_an_item_that_the_console_spelled_otherwise(shell: Shell) -> None:
    shell.world.quota(principal="sso/Ann@Example.com")
    shell.out("quota", "remove", "sso/Ann@Example.com", "daily")
    assert shell.world.quotas.table == {}


def test_remove_of_what_is_not_there_names_what_is(shell: Shell) -> None:
    shell.world.quota()
    result = shell.run("quota", "remove", "user/alice", "dayly")
    assert result.exit_code == 1
    assert result.stderr == (
        "error: there is no quota 'dayly' of 'user/alice' to remove; they have: daily\n"
    )
    assert "none of their own" in shell.run("quota", "remove", "user/bob", "daily").stderr


def test_quotas_are_edited_alike_in_observe_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = a_shell(monkeypatch, Mode.OBSERVE)
    document = json.loads(shell.out("quota", "set", "user/alice", "daily", *A_QUOTA, "--json"))
    assert document["item"]["limit"] == 1000


@pytest.mark.parametrize("limit", ["5.000", "1.000.000", " 12.000 "])
def test_an_amount_of_two_meanings_is_refused_with_both(shell: Shell, limit: str) -> None:
    """Who means five thousand must not get a limit of five, which blocks at the sixth token."""
    said = ("quota", "set", "user/alice", "daily", "--limit", limit, "--window", "day", "--yes")
    result = shell.run(*said, "--measure", "total_tokens")
    assert result.exit_code == 2
    whole = limit.strip().replace(".", "")
    words = " ".join(result.stderr.replace("│", " ").split())
    assert f"can be read in two ways: write {whole} or" in words
    assert shell.world.quotas.table == {}
