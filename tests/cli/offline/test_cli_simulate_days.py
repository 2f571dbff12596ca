"""`simulate --days`: the deployment's own log in place of a file, without prompts."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from builders import NOON, an_item
from cli_world import Shell, a_shell
from log_records import ACCOUNT, REMOVED, a_record


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return a_shell(monkeypatch)


@pytest.fixture
def quotas(tmp_path: Path) -> str:
    file = tmp_path / "quotas.json"
    file.write_text(json.dumps([an_item()]), encoding="utf-8")
    return str(file)


def call(at: str, tokens: int = 600, **but: Any) -> dict[str, Any]:
    return a_record(timestamp=at, requestId=at, input__inputTokenCount=tokens, **but)


def test_it_replays_the_calls_of_these_days(shell: Shell, quotas: str) -> None:
    at = ("2026-11-10T12:00:00Z", "2026-11-23T08:00:00Z", "2026-11-23T09:00:00Z")
    shell.logged = [*map(call, at), call("2026-11-23T10:00:00Z")]
    result = shell.run("simulate", "--days", "7", "--quotas", quotas)
    assert result.exit_code == 0, result.output
    assert "2026-11-23 09:00 UTC  user/alice  blocked" in result.stdout
    assert "3 lines: 3 counted" in result.stderr
    assert "Calls from 2026-11-23 08:00 UTC to 2026-11-23 10:00 UTC" in result.stderr


def test_days_and_accounts_are_the_deployments(shell: Shell, quotas: str) -> None:
    """In New York the first call is of the day before; a role of home's account has no number."""
    zone = ZoneInfo("America/New_York")
    shell.world.settings = replace(shell.world.settings, zone=zone)
    shell.logged = [call("2026-11-23T04:00:00Z"), call("2026-11-23T06:00:00Z")]
    asked = ("simulate", "--days", "7", "--quotas", quotas)
    [alice] = shell.json(*asked)["principals"].items()
    assert alice[0] == "user/alice"
    assert not [each for each in alice[1]["events"] if each["kind"] == "blocked"]
    utc = shell.json(*asked, "--time-zone", "UTC")["principals"]["user/alice"]
    assert [each for each in utc["events"] if each["kind"] == "blocked"]


def test_callers_of_other_accounts_have_their_number(shell: Shell, quotas: str) -> None:
    theirs: dict[str, Any] = {
        "identity__arn": "arn:aws:iam::444455556666:user/bob",
        "accountId": "444455556666",
    }
    shell.logged = [call("2026-11-23T04:00:00Z", **theirs)]
    asked = ("simulate", "--days", "7", "--quotas", quotas)
    assert shell.world.settings.account == ACCOUNT
    assert list(shell.json(*asked)["principals"]) == ["444455556666/user/bob"]


def test_a_log_without_calls_is_not_taken_for_nobody(shell: Shell, quotas: str) -> None:
    result = shell.run("simulate", "--days", "1", "--quotas", quotas)
    assert result.exit_code == 1
    assert "the deployment's log has no calls of the last 1 day" in result.stderr


def test_counts_that_insights_did_not_find_are_told(shell: Shell, quotas: str) -> None:
    shell.logged = [call("2026-11-23T04:00:00Z", output__outputTokenCount=REMOVED)]
    result = shell.run("simulate", "--days", "7", "--quotas", quotas)
    assert "1 of the 1 call lack a count of tokens" in result.stderr


@pytest.mark.parametrize("given", [[], ["--days", "7", "--log", "-"]])
def test_it_is_either_a_file_or_days(shell: Shell, quotas: str, given: list[str]) -> None:
    result = shell.run("simulate", "--quotas", quotas, *given)
    assert result.exit_code == 2
    assert "--log FILE" in result.stderr


def test_satellites_have_logs_of_their_own(shell: Shell, quotas: str) -> None:
    shell.world.member("444455556666")
    shell.logged = [call(f"{NOON:%Y-%m-%d}T04:00:00Z")]
    result = shell.run("simulate", "--days", "7", "--quotas", quotas)
    assert "satellites are in their logs" in result.stderr


def test_without_a_file_it_replays_the_quotas_in_force(shell: Shell) -> None:
    shell.world.quota(principal="default", limit=500)
    shell.logged = [call("2026-11-23T04:00:00Z")]
    found = shell.json("simulate", "--days", "7")["principals"]["user/alice"]
    assert [each["kind"] for each in found["events"]][-1] == "blocked"


@pytest.mark.parametrize(("in_the_file", "cost"), [([], "0.02"), (["10000"], "0.2")])
def test_prices_of_the_quota_table_count_where_the_file_has_none(
    shell: Shell, tmp_path: Path, in_the_file: list[str], cost: str
) -> None:
    """Here of a model that no list has, at dollars for a million tokens."""
    model = "nobody.model-v1"
    shell.world.quotas.put(a_price(model, "1000"))
    file = tmp_path / "quotas.json"
    items = [an_item(), *(a_price(model, price) for price in in_the_file)]
    file.write_text(json.dumps(items), encoding="utf-8")
    shell.logged = [call("2026-11-23T04:00:00Z", 10, modelId=model, output__outputTokenCount=10)]
    found = shell.json("simulate", "--days", "7", "--quotas", str(file))
    assert found["principals"]["user/alice"]["usage"]["cost_usd"] == cost


def a_price(model: str, dollars: str) -> dict[str, str]:
    return {"principal": f"price/{model}", "quota": "price", "input": dollars, "output": dollars}


def test_a_file_of_the_log_needs_one_of_quotas(shell: Shell) -> None:
    result = shell.run("simulate", "--log", "-")
    assert result.exit_code == 2
    assert "--quotas FILE" in result.stderr
