"""`doctor --trail`: who used what the ledger, or the invocation log, does not have."""

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from builders import NOON
from cli_world import Shell, a_shell
from trail_events import an_event

GROUP = "aws-cloudtrail-logs-111122223333"
HOUR = timedelta(hours=1)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Alice called twice and a role once two hours ago, and CloudTrail has it."""
    shell = a_shell(monkeypatch)
    for who, tokens in (("alice", 1070), ("alice", 1070), ("role:ci/42", 50)):
        shell.world.stream(who, NOON - 2 * HOUR, tokens)
    shell.now = NOON + timedelta(minutes=10)
    shell.world.wake(shell.now, "user/alice", "role/ci")
    shell.world.sweep(shell.now)
    shell.ailments = {"found": {"trail": EVENTS}}
    return shell


EVENTS = [
    an_event("Converse", "alice", NOON - 2 * HOUR),
    an_event("ConverseStream", "alice", NOON - 2 * HOUR),
    an_event("InvokeModel", "ci/42", NOON - 2 * HOUR),
]


def witness(shell: Shell, *more: dict[str, Any]) -> dict[str, Any]:
    """The last check of `doctor --json`, with these events besides."""
    shell.ailments = {"found": {"trail": [*EVENTS, *more]}}
    result = shell.run("doctor", "--trail", GROUP, "--json")
    document: dict[str, Any] = json.loads(result.stdout)
    check: dict[str, Any] = document["checks"][-1]
    assert check["check"] == "second witness"
    return check


def test_without_a_trail_the_check_is_not_made(shell: Shell) -> None:
    assert "second witness" not in shell.run("doctor").stdout


def test_where_both_agree_it_says_how_many_calls_that_are(shell: Shell) -> None:
    check = witness(shell)
    assert check["fine"] == (
        "CloudTrail and the ledger have the same 3 calls of 2 principals from 2026-11-23 11:00Z "
        "to 2026-11-24 11:00Z"
    )
    assert {"logs:StartQuery", "logs:GetQueryResults"} < set(check["needs"])


def test_calls_that_the_ledger_lacks_are_named_with_the_recount(shell: Shell) -> None:
    [found] = witness(
        shell,
        *(an_event("InvokeModel", "bob", NOON - 3 * HOUR) for _ in range(2)),
        an_event("Converse", "ci/7", NOON - 2 * HOUR, region="eu-west-1"),
        an_event("Converse", "bob", NOON - 2 * HOUR, account="444455556666", region="eu-west-1"),
    )["findings"]
    assert found["what"] == (
        "CloudTrail has 4 calls that the ledger has not, so they count for nobody"
    )
    assert found["severity"] == "problem"
    assert found["about"] == [
        "user/bob: 2 (CloudTrail has 2) 2026-11-24 09:00Z",
        "role/ci in 111122223333/eu-west-1: 1 (CloudTrail has 1) 2026-11-24 10:00Z",
        "444455556666/user/bob in 444455556666/eu-west-1: 1 (CloudTrail has 1) 2026-11-24 10:00Z",
    ]
    assert found["fix"] == "quota-enforcer recount 2026-11-24T09Z..2026-11-24T11Z"


def test_use_that_no_log_has_is_named_by_whom(shell: Shell) -> None:
    mantle, batch = witness(
        shell,
        *(an_event("CreateInference", "alice", NOON - 2 * HOUR) for _ in range(5)),
        an_event("CreateInference", "ci/42", NOON - 5 * HOUR),
        an_event("CreateModelInvocationJob", "ci/42", NOON - 5 * HOUR),
    )["findings"]
    assert mantle["what"] == (
        "the bedrock-mantle endpoint: 6 calls that no invocation log has, so they count for nobody"
    )
    assert mantle["about"] == ["user/alice: 5", "role/ci: 1"]
    assert mantle["fix"] == "quota-enforcer policy lock --mantle"
    assert batch["about"] == ["role/ci: 1"]
    assert batch["fix"] == "quota-enforcer policy lock --batch"


def test_calls_that_only_the_ledger_has_are_a_doubt(shell: Shell) -> None:
    shell.world.stream("alice", NOON - 4 * HOUR, 5)
    [found] = witness(shell)["findings"]
    assert (found["severity"], found["about"]) == (
        "warning",
        ["user/alice: 1 (CloudTrail has 2) 2026-11-24 08:00Z"],
    )


def test_fewer_tokens_than_cloudtrail_counted_are_a_problem(shell: Shell) -> None:
    shell.world.stream("bob", NOON - 2 * HOUR, 7)
    shell.world.wake(shell.now, "user/bob")
    [found] = witness(shell, an_event("Converse", "bob", NOON - 2 * HOUR))["findings"]
    assert (found["severity"], found["about"]) == ("problem", ["user/bob: 7 of 1,070"])


def test_a_trail_without_a_call_of_bedrock_says_nothing_of_it(shell: Shell) -> None:
    calls = {"us-east-1": {NOON - 2 * HOUR: 7, NOON: 9}}
    shell.ailments = {"found": {"trail": []}, "calls_in": calls}
    result = shell.run("doctor", "--trail", f"{GROUP}:*")
    assert result.exit_code == 1
    assert f"{GROUP} holds no call of Bedrock" in result.stdout
    assert "and Bedrock counted 7" in result.stdout
    assert result.stdout.splitlines()[-4].startswith("unchecked  second witness")


def test_where_nobody_called_there_is_nothing_to_compare(shell: Shell) -> None:
    shell.now += timedelta(days=2)
    check = witness(shell)
    assert check["fine"].startswith("CloudTrail and the ledger have the same 0 calls")


def test_a_call_of_a_service_is_a_note(shell: Shell) -> None:
    service = {"type": "AWSService", "invokedBy": "bedrock.amazonaws.com"}
    check = witness(shell, an_event("InvokeModel", "x", NOON - 2 * HOUR, userIdentity=service))
    assert check["healthy"]
    assert [each["severity"] for each in check["findings"]] == ["note"]


def test_a_trail_that_cannot_be_read_stops_no_other_check(shell: Shell) -> None:
    shell.ailments = {"fails": {"trail": RuntimeError("no")}}
    result = shell.run("doctor", "--trail", GROUP)
    assert result.exit_code == 1
    assert "unchecked  second witness" in result.stdout
    assert "ok         prices" in result.stdout


def test_who_may_not_query_is_told_the_policy_and_its_option(shell: Shell) -> None:
    message = "User: arn:aws:iam::1:user/x is not authorized to perform: logs:StartQuery"
    refused: Any = {"Error": {"Code": "AccessDeniedException", "Message": message}}
    shell.ailments = {"fails": {"trail": ClientError(refused, "StartQuery")}}
    said = shell.run("doctor", "--trail", GROUP).stdout
    assert "could not check: needs logs:StartQuery" in said
    assert f"policy doctor --account 111122223333 --stack bedrock-quota --trail {GROUP}" in said


def test_it_is_of_a_deployment(shell: Shell) -> None:
    result = shell.run("doctor", "--trail", GROUP, "--before")
    assert result.exit_code == 2
    assert "leave --before out" in result.stderr
