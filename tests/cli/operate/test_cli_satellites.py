"""`satellites plan`, `satellites list` and `satellites forget`."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import NOON
from cli_world import Shell, a_shell
from quota_enforcer.core.usage.place import Place
from quota_enforcer.satellites.following import digest, followed
from quota_enforcer.satellites.registry import Satellite

PARAMETERS = {"Satellites": "o-exampleorgid", "Gates": "0"}
ARN = "arn:aws:cloudformation:eu-west-1:444455556666:stack/StackSet-bedrock-quota-satellites-1/7d"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = a_shell(monkeypatch)
    shell.ailments["found"] = {"parameters": PARAMETERS, "satellites": []}
    return shell


def a_satellite(shell: Shell, **otherwise: Any) -> Satellite:
    """One that follows home."""
    check = shell.find().under_check(NOON)
    said = followed(PARAMETERS, shell.probe.outputs()["SatelliteUrl"], check.role)
    well = Satellite(
        Place("444455556666", "eu-west-1"),
        1,
        "/inv",
        ARN,
        NOON - timedelta(days=3),
        digest(said),
        newest_record=NOON - timedelta(minutes=10),
        last_delivery=NOON - timedelta(minutes=10) + timedelta(seconds=3),
    )
    return replace(well, **otherwise)


def test_the_plan_prints_calls_that_can_be_pasted(shell: Shell) -> None:
    printed = shell.out(
        "satellites", "plan", "--regions", "us-east-1,eu-west-1", "--units", "ou-ab12-11111111"
    )
    assert (
        "aws cloudformation create-stack-set --stack-set-name bedrock-quota-satellites" in printed
    )
    assert "ParameterKey=HomeUrl,ParameterValue=https://abc.lambda-url.us-east-1.on.aws/" in printed
    assert "--regions us-east-1 eu-west-1" in printed


@pytest.mark.parametrize(
    ("region", "words"),
    [
        ("eu-wst-1", "no Bedrock and no Lambda in eu-wst-1"),
        ("eu-wst-1", "Did you mean eu-west-1?"),
        ("cn-north-1", "no Bedrock and no Lambda in cn-north-1"),
    ],
)
def test_a_region_without_bedrock_or_lambda_is_doubted(
    shell: Shell, region: str, words: str
) -> None:
    """A stack of another partition could not trust home either."""
    asked = ("satellites", "plan", "--regions", f"eu-west-1,{region}")
    result = shell.run(*asked)
    assert result.exit_code == 0
    said = " ".join(result.stderr.split())
    assert words in said
    assert "a satellite there would fail and be rolled back, and the others stand" in said
    assert "eu-west-1:" not in said
    [warning] = shell.json(*asked, "--json")["warnings"]
    assert words in warning


def test_machines_get_each_call_with_its_reason(shell: Shell) -> None:
    said = shell.json("satellites", "plan", "--regions", "eu-west-1", "--json")
    [call] = said["calls"]
    assert call["command"].startswith("aws cloudformation create-stack --region eu-west-1")
    assert call["why"] == "home's own account, eu-west-1"


def test_without_regions_it_plans_the_update_of_those_that_do_not_follow(shell: Shell) -> None:
    shell.ailments["found"]["satellites"] = [a_satellite(shell)]
    assert shell.json("satellites", "plan", "--json") == {"calls": [], "warnings": []}
    shell.ailments["found"]["satellites"] = [a_satellite(shell, parameters="before")]
    [call] = shell.json("satellites", "plan", "--json")["calls"]
    assert call["command"].startswith("aws cloudformation update-stack-set")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--units", "ou-ab12-11111111"], "--regions REGION"),
        (["--regions", "moon"], "'moon' is no Region"),
    ],
)
def test_what_cannot_be_planned_is_wrong_usage(shell: Shell, words: list[str], said: str) -> None:
    result = shell.run("satellites", "plan", *words)
    assert result.exit_code == 2
    assert said in result.output


def test_the_list_shows_state_newest_call_and_lag(shell: Shell) -> None:
    shell.ailments["found"]["satellites"] = [a_satellite(shell)]
    printed = shell.out("satellites", "list")
    for word in ("444455556666", "eu-west-1", "ok", "2026", "3 s"):
        assert word in printed
    [said] = shell.json("satellites", "list", "--json")["satellites"]
    assert (said["states"], said["lag_seconds"]) == (["ok"], 3)


@pytest.mark.parametrize(
    ("otherwise", "state"),
    [({"version": 9}, "version differs"), ({"parameters": "old"}, "parameters differ")],
)
def test_one_that_does_not_follow_is_exit_code_1(
    shell: Shell, otherwise: dict[str, Any], state: str
) -> None:
    shell.ailments["found"]["satellites"] = [a_satellite(shell, **otherwise)]
    result = shell.run("satellites", "list")
    assert result.exit_code == 1
    assert state in result.output


def test_one_that_is_silent_may_just_not_be_used(shell: Shell) -> None:
    quiet = a_satellite(shell, last_delivery=NOON - timedelta(days=2))
    shell.ailments["found"]["satellites"] = [quiet]
    result = shell.run("satellites", "list")
    assert (result.exit_code, "silent" in result.output) == (0, True)


class TestDoctor:
    def test_says_which_satellites_do_not_follow_and_what_to_run(self, shell: Shell) -> None:
        shell.ailments["found"]["satellites"] = [a_satellite(shell, parameters="old")]
        result = shell.run("doctor")
        assert "1 satellites do not follow home" in result.output
        assert "quota-enforcer satellites plan" in result.output

    @pytest.mark.parametrize(
        ("parameter", "fix"), [("off", "Satellites=o-YOURS"), ("regions", "Satellites=o-YOURS")]
    )
    def test_says_that_home_refuses_satellites_that_there_are(
        self, shell: Shell, parameter: str, fix: str
    ) -> None:
        shell.ailments["found"] |= {
            "parameters": {**PARAMETERS, "Satellites": parameter},
            "satellites": [a_satellite(shell)],
        }
        result = shell.run("doctor")
        assert "home refuses their satellites" in result.output
        assert fix in result.output

    def test_has_nothing_to_say_where_all_follow(self, shell: Shell) -> None:
        shell.ailments["found"]["satellites"] = [a_satellite(shell)]
        assert "1 in 1 accounts follow home" in shell.run("doctor").output


def test_a_satellite_that_cannot_say_goodbye_is_forgotten_by_name(shell: Shell) -> None:
    """Of an account that has left the organisation: home takes nothing from it any more."""
    shell.ailments["found"]["satellites"] = [a_satellite(shell)]
    said = shell.out("satellites", "forget", "444455556666/eu-west-1")
    assert "what was used there stays counted" in said
    assert [str(each.place) for each in shell.forgotten] == ["444455556666/eu-west-1"]


@pytest.mark.parametrize("place", ["444455556666/eu-west-2", "eu-west-1", "444455556666", "x"])
def test_only_one_that_is_known_is_forgotten(shell: Shell, place: str) -> None:
    shell.ailments["found"]["satellites"] = [a_satellite(shell)]
    result = shell.run("satellites", "forget", place)
    assert (result.exit_code, shell.forgotten) == (1, [])
    assert f"there is no satellite {place!r}" in " ".join(result.stderr.split())


def test_one_that_was_built_again_meanwhile_is_not_forgotten(shell: Shell) -> None:
    shell.ailments["found"]["satellites"] = [a_satellite(shell)]
    shell.rebuilt = True
    result = shell.run("satellites", "forget", "444455556666/eu-west-1")
    assert result.exit_code == 1
    assert "another satellite stands in 444455556666/eu-west-1" in " ".join(result.stderr.split())
