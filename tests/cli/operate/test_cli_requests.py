"""`me ask` and `requests`: from asking to the answer, as both sides see it."""

from datetime import timedelta

import pytest

from builders import NOON
from cli_world import Shell, a_shell
from quota_enforcer.core.notices.notice import NoticeKind
from world import arn

ASK = ("me", "ask", "daily", "5M", "--until", "1d", "--why", "release day")


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = a_shell(monkeypatch)
    shell.world.quota(principal="user/*")
    shell.sweep()
    return shell


def later(shell: Shell, minutes: int = 5) -> None:
    shell.now += timedelta(minutes=minutes)
    shell.sweep()


def told(shell: Shell) -> list[str]:
    kinds = {NoticeKind.ASKED, NoticeKind.GRANTED, NoticeKind.REFUSED}
    return [notice.kind for notice, _ in shell.world.topic.sent if notice.kind in kinds]


def in_me(shell: Shell) -> str:
    (line,) = (line for line in shell.out("me").splitlines() if line.startswith("You asked"))
    return line


def test_who_asks_hears_what_was_asked_and_where_to_look(shell: Shell) -> None:
    result = shell.run(*ASK)
    assert result.stdout == (
        "Asked for 5,000,000 total tokens of quota daily until 2026-11-25 12:00 UTC.\n"
    )
    assert "`quota-enforcer me` shows what becomes of it" in " ".join(result.stderr.split())
    assert in_me(shell) == (
        "You asked for 5,000,000 total tokens of daily until 2026-11-25 12:00 UTC, at 2026-11-24 "
        "12:00 UTC: no administrator has answered yet."
    )


def test_as_json_what_was_taken(shell: Shell) -> None:
    said = shell.json(*ASK)
    assert said["request"]["limit"] == 5_000_000
    assert shell.json("me")["request"] == said["request"]


def test_the_command_of_the_list_grants_it_and_who_asked_hears_so(shell: Shell) -> None:
    shell.out(*ASK)
    later(shell)
    printed = shell.out("requests", "list")
    assert "user/alice" in printed
    assert "release day" in printed
    (line,) = (line for line in printed.splitlines() if line.startswith("To grant"))
    command = line.partition(": quota-enforcer ")[2].split()
    assert command == [
        "quota", "raise", "user/alice", "daily", "5000000", "--until", "2026-11-25T12:00+00:00",
    ]  # fmt: skip
    shell.out(*command, "--yes")
    assert "granted, the limit was raised." in in_me(shell)
    later(shell)
    assert told(shell) == [NoticeKind.ASKED, NoticeKind.GRANTED]
    assert shell.out("requests", "list") == "Nobody waits for an answer.\n"


def test_what_is_refused_is_told_with_its_reason(shell: Shell) -> None:
    shell.out(*ASK)
    later(shell)
    printed = shell.run("requests", "deny", "user/alice", "--why", "use the cheaper model")
    assert printed.stdout == "Refused: 5,000,000 total tokens of quota daily for user/alice.\n"
    assert in_me(shell).endswith(': refused: "use the cheaper model".')
    later(shell)
    assert told(shell) == [NoticeKind.ASKED, NoticeKind.REFUSED]
    (notice,) = (each for each, _ in shell.world.topic.sent if each.kind is NoticeKind.REFUSED)
    assert notice.by == "user/admin"
    assert shell.item("user/*")["limit"] == 1000


@pytest.mark.parametrize("answered", [True, False])
def test_what_is_answered_or_never_asked_cannot_be_refused(shell: Shell, *, answered: bool) -> None:
    if answered:
        shell.out(*ASK)
        shell.out("requests", "deny", "user/alice")
    result = shell.run("requests", "deny", "user/alice")
    assert result.exit_code == 1
    words = "is answered already (refused)" if answered else "user/alice has asked for nothing"
    assert words in " ".join(result.stderr.split())


def test_a_refusal_says_no_more_than_plain_words(shell: Shell) -> None:
    shell.out(*ASK)
    shell.out("requests", "deny", "user/alice", "--why", "no\n<!channel> https://x")
    (request,) = shell.world.ledger.requests()
    assert request.refusal is not None
    assert request.refusal.why == "no!channel https x"


def test_all_lists_answered_ones_too(shell: Shell) -> None:
    shell.out(*ASK)
    shell.caller = arn("bob")
    shell.out(*ASK)
    shell.out("requests", "deny", "user/alice", "--why", "no")
    listed = shell.json("requests", "list", "--all")
    assert [(each["principal"], each["answer"]) for each in listed] == [
        ("user/alice", "refused"),
        ("user/bob", "waits"),
    ]
    assert [each["principal"] for each in shell.json("requests", "list")] == ["user/bob"]
    assert listed[0]["refused_why"] == "no"


def test_what_cannot_be_asked_is_told_in_the_functions_words(shell: Shell) -> None:
    result = shell.run("me", "ask", "weekly", "5M", "--until", "1d", "--why", "x")
    assert result.exit_code == 1
    assert "quota is 'weekly'; these limit you: daily" in " ".join(result.stderr.split())


@pytest.mark.parametrize("option", ["--profile=work", "--json", "--line", "--url=https://x"])
def test_options_before_ask_are_not_lost_silently(shell: Shell, option: str) -> None:
    result = shell.run("me", option, *ASK[1:])
    assert result.exit_code == 2
    assert f"write {option.partition('=')[0]} after `me ask`" in " ".join(result.stderr.split())


def test_its_end_is_told_where_nobody_answered(shell: Shell) -> None:
    shell.out(*ASK)
    shell.now = NOON + timedelta(days=1)
    assert in_me(shell).endswith("nobody answered before that.")
