"""One sandbox for each user: a second is refused, and what a killed one has left is removed."""

import stat
import tempfile
from pathlib import Path

import pytest

from quota_enforcer.local.sandbox.home import Home, NoSandbox, RunningSandbox, SandboxRuns


def running(folder: Path, pid: int = 4711) -> RunningSandbox:
    return RunningSandbox(
        pid=pid,
        since="2026-12-01T09:00:00+00:00",
        endpoint="http://127.0.0.1:4566",
        clock_file=str(folder / "clock"),
        folder=str(folder),
        environment={"AWS_ACCESS_KEY_ID": "123456789012"},
        notices="http://127.0.0.1:4566/all",
        keys={"user/alice": ["id", "secret"]},
    )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "deep" / "sandbox")


def test_nobody_finds_one_where_none_runs(home: Home) -> None:
    with pytest.raises(NoSandbox, match="start one with `quota-enforcer sandbox`"):
        home.running()


def test_one_that_has_not_published_itself_yet_is_starting(home: Home) -> None:
    with home.occupied(), pytest.raises(NoSandbox, match="still starting"):
        home.running()


def test_what_was_published_is_found_while_it_runs_and_gone_afterwards(
    home: Home, tmp_path: Path
) -> None:
    with home.occupied():
        home.publish(running(tmp_path))
        assert home.running() == running(tmp_path)
    assert not home.folder.exists()
    with pytest.raises(NoSandbox):
        home.running()


def test_its_keys_are_for_the_user_alone(home: Home, tmp_path: Path) -> None:
    with home.occupied():
        home.publish(running(tmp_path))
        [state] = home.folder.glob("*.json")
        assert stat.S_IMODE(state.stat().st_mode) == 0o600
        assert stat.S_IMODE(home.folder.stat().st_mode) == 0o700


def test_a_second_one_is_refused_with_where_the_first_is(home: Home, tmp_path: Path) -> None:
    with home.occupied():
        with pytest.raises(SandboxRuns, match="still starting"), home.occupied():
            pass
        home.publish(running(tmp_path))
        with pytest.raises(SandboxRuns, match=r"process 4711, http://127\.0\.0\.1:4566"):  # noqa: SIM117
            with home.occupied():
                pass
        assert home.running() == running(tmp_path)  # the refused one has removed nothing


def left_behind(home: Home, folder: Path) -> None:
    """As of a sandbox that was killed: its files are there, and nobody holds the lock."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "server.log").write_text("killed")
    home.folder.mkdir(parents=True)
    (home.folder / "lock").touch()
    home.publish(running(folder))


def test_a_killed_one_is_told_from_a_running_one_and_cleaned_up(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "quota-enforcer-aws-1"
    left_behind(home, left)
    with pytest.raises(NoSandbox):
        home.running()
    with home.occupied():
        assert not left.exists()
        with pytest.raises(NoSandbox, match="still starting"):  # not the killed one's
            home.running()


@pytest.mark.parametrize("where", ["quota-enforcer-aws-1/deeper", "home", "."])
def test_only_a_folder_of_the_embedded_aws_is_ever_removed(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left_behind(home, tmp_path / where)
    with home.occupied():
        assert (tmp_path / where / "server.log").exists()
