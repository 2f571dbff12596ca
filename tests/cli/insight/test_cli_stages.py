"""A quota that closes in stages, as commands show it."""

from pathlib import Path

import pytest

from cli_world import Shell, a_shell
from quota_enforcer.core.deployment import Mode

OPUS = "anthropic.claude-3-opus*"
SET = (
    "quota", "set", "user/alice", "daily", "--measure", "tokens", "--limit", "1000", "--window",
    "day", "--closes", f"80={OPUS}", "--yes",
)  # fmt: skip
STAGE = f"from 80 % on it closes {OPUS}"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Alice has used 850 of 1,000 tokens; the dear model is closed from 800 on."""
    shell = a_shell(monkeypatch)
    shell.world.install(OPUS)
    assert shell.run(*SET).exit_code == 0
    shell.used("alice", 850)
    shell.sweep()
    return shell


def line(text: str, begin: str) -> str:
    """The first line that begins so, with single blanks."""
    lines = (" ".join(each.split()) for each in text.splitlines())
    return next(each for each in lines if each.startswith(begin))


def test_set_says_that_nobody_is_warned_before_the_stage(shell: Shell) -> None:
    said = shell.run(*SET, "--warn-at", "80", "--limit", "1001").output
    assert f"it closes {OPUS} at 80 %, and warns of nothing before: set warn_at below 80" in said
    assert "warns of nothing" not in shell.run(*SET, "--warn-at", "50").output


def test_status_shows_one_row_with_the_stage_that_acts(shell: Shell) -> None:
    printed = shell.out("status")
    assert printed.count("daily") == 2  # its row, and the note below
    assert line(printed, "user/alice daily:") == f"user/alice daily: {STAGE}."
    [row] = shell.json("status")["standings"]
    assert (row["limit"], row["percent"], row["state"], row["why"]) == (1000, 85, "blocked", STAGE)
    assert row["until"] == "2026-11-25T00:00:00Z"


def test_explain_shows_the_stages_and_what_is_left_until_the_limit(shell: Shell) -> None:
    printed = shell.out("explain", "user/alice")
    assert line(printed, "Closes") == (
        f"Closes {OPUS} at 80 % (800): reached; everything at the limit: not reached"
    )
    assert line(printed, "Result") == (
        f"Result 80 % of the limit is reached, so it denies {OPUS}; 150 total tokens left until "
        "the limit"
    )
    assert line(printed, "Opens again").startswith("Opens again 2026-11-25 00:00 UTC")
    [quota] = shell.json("explain", "user/alice")["names"][0]["applies"]
    assert (quota["denies"], quota["closes"]) == (True, ["*"])
    assert quota["stages"] == [
        {"percent": 80, "amount": 800, "closes": [OPUS], "reached": True, "denies": True}
    ]


def test_me_says_what_closes_when_before_and_after(shell: Shell) -> None:
    printed = shell.out("me")
    assert line(printed, "Blocked:").startswith(f"Blocked: {OPUS}, since")
    assert line(printed, "What works:").startswith(f"What works: every model but {OPUS}")
    assert line(printed, "daily: closes") == f"daily: closes {OPUS} at 80 %, everything at 100 %."


def test_forecast_and_report_show_the_quota_once(shell: Shell) -> None:
    assert shell.out("forecast").count("daily") == 1
    assert len(shell.json("forecast")["forecasts"]) == 1


def test_release_lifts_all_of_it_with_one_exemption(shell: Shell) -> None:
    printed = shell.out("release", "user/alice")
    assert printed.count("No limit daily until 2026-11-25 00:00 UTC") == 1
    assert "again daily of user/alice: 1,000 total tokens per day." in printed
    assert shell.item()["raise_to"] == "unlimited"
    assert shell.world.denied == set()


def test_a_raise_names_the_whole_quota(shell: Shell) -> None:
    """Of a kind's quota a copy is made, with its stages."""
    shell.run("quota", "remove", "user/alice", "daily", "--yes")
    shell.run(*(each if each != "user/alice" else "user/*" for each in SET))
    shell.run("quota", "raise", "user/alice", "daily", "2000", "--until", "1d", "--yes")
    item = shell.item()
    assert (item["limit"], item["closes"]) == (2000, {"80": [OPUS]})


def test_an_export_is_imported_as_it_is(shell: Shell, tmp_path: Path) -> None:
    for name in ("quotas.yaml", "quotas.json"):
        file = str(tmp_path / name)
        shell.out("quota", "export", file)
        assert "0 added, 0 changed" in shell.out("quota", "import", file, "--yes")


def test_the_history_says_what_was_closed_and_what_was_edited(shell: Shell) -> None:
    printed = shell.out("history", "user/alice")
    assert STAGE in printed
    assert f"closes 80 %: {OPUS}" in printed


def test_observe_mode_tells_of_each_stage_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = a_shell(monkeypatch, Mode.OBSERVE)
    shell.world.install(OPUS)
    shell.run(*SET)
    shell.used("alice", 850)
    shell.sweep()
    printed = shell.out("status")
    assert "daily at 80 %" in printed
    shell.used("alice", 400)
    shell.sweep()
    found = shell.out("status", "user/alice")
    assert "quota daily would have blocked it once" in found
    assert "quota daily at 80 % would have blocked it once" in found


def test_a_release_from_a_stage_of_a_rolling_window_lasts_until_the_clock_frees_it(
    shell: Shell,
) -> None:
    shell.run(*SET, "--window", "rolling 24 hours")
    shell.sweep()
    assert "No limit daily until 2026-11-25 11:00 UTC" in shell.out("release", "user/alice")
