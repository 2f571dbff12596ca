"""`history`: what happened when and why, of one principal and of everybody."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from builders import HOUR, NOON, Story, a_quota
from cli_world import Shell, a_shell
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.quotas.diff import ELSEWHERE


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Alice was warned and blocked at noon and freed by a raise an hour later."""
    shell = a_shell(monkeypatch)
    shell.now = NOON + HOUR
    story = Story(a_quota())
    noon = story.at(NOON, 1200)
    story.quotas = (a_quota(limit=Decimal(5000)),)
    later = story.at(shell.now, {NOON: 1200})
    record = Record(story.who, story.standing, version=1)
    shell.world.ledger.put(record, [*noon.notices, *later.notices])
    return shell


def rows(printed: str) -> list[list[str]]:
    """The table's cells."""
    lines = printed.partition("─\n")[2].splitlines()
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]


def post(shell: Shell, subject: str, kind: NoticeKind, at: timedelta = HOUR) -> None:
    """Something else that the ledger's history holds."""
    shell.world.ledger.post([Notice(kind, NOON + at, subject, "daily", f"{kind} of {subject}")])


def test_of_a_principal_newest_last_in_the_deployments_time(shell: Shell) -> None:
    used = "1,200 of 1,000 total tokens used today (quota daily of user/alice)"
    assert rows(shell.out("history", "user/alice")) == [
        [
            "2026-11-24 12:00 UTC",
            "blocked",
            "user/alice",
            "daily",
            f"{used}; until 2026-11-25 00:00 UTC",
        ],
        [
            "2026-11-24 13:00 UTC",
            "restored",
            "user/alice",
            "daily",
            "the limit is now 5,000; it was blocked for 1 h",
        ],
    ]


def test_of_everybody(shell: Shell) -> None:
    post(shell, "user/bob", NoticeKind.WARNING, -HOUR)
    post(shell, "", NoticeKind.BREAKER)
    assert [(row[1], row[2]) for row in rows(shell.out("history"))] == [
        ("warning", "user/bob"),
        ("blocked", "user/alice"),
        ("restored", "user/alice"),
        ("breaker", "-"),
    ]


def test_of_a_principal_also_what_concerned_its_teams_its_kind_and_the_default(
    shell: Shell,
) -> None:
    shell.world.quota(principal="team/x", members=["user/alice"], quota="weekly")
    for subject in ("default", "user/*", "team/x", "role/*", "team/y", "user/bob", ""):
        post(shell, subject, NoticeKind.INVALID_QUOTA)
    told = [row[2] for row in rows(shell.out("history", "user/alice"))]
    assert told[:2] == ["user/alice"] * 2
    assert sorted(told[2:]) == ["default", "team/x", "user/*"]


@pytest.mark.parametrize("kind", NoticeKind)
def test_whatever_kind_it_is_it_is_shown(shell: Shell, kind: NoticeKind) -> None:
    post(shell, "user/bob", kind)
    [row] = rows(shell.out("history", "user/bob"))
    assert row[1] == kind.replace("-", " ")
    assert row[4].startswith(f"{kind} of user/bob")


@pytest.mark.parametrize(
    ("since", "kinds"),
    [
        ("30m", ["restored"]),
        ("2h", ["blocked", "restored"]),
        ("2026-11-24T12:30", ["restored"]),
        ("2026-11-24", ["blocked", "restored"]),
    ],
)
def test_since_a_moment(shell: Shell, since: str, kinds: list[str]) -> None:
    for who in (["user/alice"], []):
        assert [row[1] for row in rows(shell.out("history", *who, "--since", since))] == kinds


def test_the_newest_and_a_hint_at_the_others(shell: Shell) -> None:
    for who in (["user/alice"], []):
        result = shell.run("history", *who, "--limit", "1")
        assert [row[1] for row in rows(result.stdout)] == ["restored"]
        assert "There are older entries" in result.stderr
        assert "older" not in shell.run("history", *who, "--limit", "2").stderr
        assert len(rows(shell.out("history", *who, "--limit", "0"))) == 2


def test_what_would_have_been_blocked_says_from_when_to_when(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shell = a_shell(monkeypatch, Mode.OBSERVE)
    shell.world.quota(window="rolling 2 hours")
    shell.used("alice", 1200)
    shell.sweep()
    shell.now = NOON + 2 * HOUR
    shell.sweep()
    *_, row = rows(shell.out("history", "user/alice"))
    assert row[1] == "would have blocked"
    assert row[4] == (
        "from 2026-11-24 12:00 UTC to 2026-11-24 13:00 UTC (1 h): the window has rolled over"
    )
    assert not [each for each in shell.world.told("user/alice") if each != "warning"]


def test_nothing_has_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = a_shell(monkeypatch)
    assert shell.out("history") == "Nothing has happened yet.\n"
    assert shell.out("history", "--since", "7d") == "Nothing has happened since then.\n"
    result = shell.run("history", "user/alice")
    assert result.stdout == "Nothing has happened yet.\n"
    assert "user/alice has not used Bedrock yet" in result.stderr


def test_a_moment_that_is_none_is_refused(shell: Shell) -> None:
    result = shell.run("history", "--since", "yesterday")
    assert result.exit_code == 2
    assert "'yesterday' is not a moment" in result.stderr


def test_as_json_with_moments_in_utc(shell: Shell) -> None:
    blocked, _ = shell.json("history", "user/alice")["history"]
    told = {
        "at": "2026-11-24T12:00:00Z",
        "kind": "blocked",
        "principal": "user/alice",
        "quota": "daily",
        "used": 1200,
        "limit": 1000,
        "until": "2026-11-25T00:00:00Z",
        "reason": "1,200 of 1,000 total tokens used today (quota daily of user/alice)",
        "measure": "total tokens",
        "window": "day",
        "whom": "user/alice",
        "percent": 120,
        "since": "2026-11-24T12:00:00Z",
    }
    assert told.items() <= blocked.items()


def test_an_edit_has_no_numbers_and_a_block_by_hand_has_zeros(shell: Shell) -> None:
    edit = Notice(NoticeKind.EDITED, NOON, "user/bob", "daily", "limit 1 -> 2", edit="1")
    block = replace(edit, kind=NoticeKind.BLOCKED, measure="requests", percent=0)
    shell.world.ledger.post([edit, block])
    numbers = [
        (each["used"], each["limit"], each["percent"])
        for each in shell.json("history", "user/bob")["history"]
    ]
    assert numbers == [(None, None, None), (0, 0, 0)]


def test_an_edit_is_told_with_who_made_it(shell: Shell) -> None:
    signed = Notice(NoticeKind.EDITED, NOON, "user/bob", "daily", "limit 1 -> 2", by="arn:admin")
    shell.world.ledger.post([signed, replace(signed, quota="other", by=ELSEWHERE)])
    assert [row[4] for row in rows(shell.out("history", "user/bob"))] == [
        "limit 1 -> 2; by arn:admin",
        "limit 1 -> 2; see CloudTrail",
    ]
