"""Gates over accounts: a person is denied in all of them, a session in its own, and none waits."""

from datetime import timedelta
from typing import Any

import pytest

from builders import NOON
from gate_fakes import DEVELOPERS, GATE, GATE_2, Gatehouse, an_intent
from quota_enforcer.core.policies.names import in_account
from quota_enforcer.core.principal import Principal
from quota_enforcer.gates.result import GateResult

THERE, FAR = "444455556666", "555566667777"
ANN = Principal.parse("sso/ann@example.com")
THERE_ROLE = f"{THERE}/AWSReservedSSO_Developers_fedcba9876543210"
MINUTE = timedelta(minutes=1)
LOST = "AssumeRole: AccessDenied"


@pytest.fixture
def house() -> Gatehouse:
    """Home and two accounts with a satellite, each with two gates that are there."""
    house = Gatehouse()
    house.memory.members = [THERE, FAR]
    house.role(DEVELOPERS)
    house.role(THERE_ROLE, boundary=in_account(GATE, THERE))
    render(house)
    house.iam.calls.clear()
    house.iam.asked.clear()
    house.memory.digest_reads = 0
    return house


def render(house: Gatehouse, *, everywhere: bool = True) -> GateResult:
    return house.author.render(NOON, "run", everywhere=everywhere)


def listed(house: Gatehouse, account: str = "", gate: str = GATE) -> list[str]:
    return house.user_ids(in_account(gate, account) if account else gate)


def test_the_author_makes_the_gates_of_every_account(house: Gatehouse) -> None:
    assert house.iam.documents.keys() == {
        each if not account else in_account(each, account)
        for account in ("", THERE, FAR)
        for each in (GATE, GATE_2)
    }


@pytest.mark.parametrize("role", [DEVELOPERS, THERE_ROLE])
def test_a_person_is_denied_in_all_accounts_wherever_they_were_seen(
    house: Gatehouse, role: str
) -> None:
    house.memory.put(an_intent(str(ANN), role))
    result = render(house, everywhere=False)
    for account in ("", THERE, FAR):
        assert listed(house, account) == ["*:ann@example.com"]
        assert listed(house, account, GATE_2) == []
    assert result.of(ANN).scopes == {"*"}
    assert result.of(ANN).trouble == ""
    house.memory.put(an_intent(str(ANN), role, scopes=()))
    render(house, everywhere=False)
    assert not any(listed(house, account) for account in ("", THERE, FAR))


def test_a_session_of_a_member_account_is_denied_there_alone(house: Gatehouse) -> None:
    """Its namesake at home is somebody else."""
    house.role("ci", id_="AROAHOME")
    house.role(f"{THERE}/ci", id_="AROATHERE", boundary=in_account(GATE, THERE))
    who = f"{THERE}/session/ci/42"
    house.memory.put(an_intent(who, f"{THERE}/ci"))
    result = render(house, everywhere=False)
    assert listed(house, THERE) == ["AROATHERE:42"]
    assert listed(house) == listed(house, FAR) == []
    assert result.denied == {Principal.parse(who): frozenset({"*"})}
    assert not result.trouble


def test_an_account_out_of_reach_stops_no_other_and_is_named_to_whom_it_matters(
    house: Gatehouse,
) -> None:
    house.role("ci")
    house.role(f"{THERE}/ci", boundary=in_account(GATE, THERE))
    run, there = "session/ci/42", f"{THERE}/session/ci/42"
    house.memory.put(an_intent(str(ANN), DEVELOPERS, THERE_ROLE), an_intent(run, "ci"))
    house.memory.put(an_intent(there, f"{THERE}/ci"))
    house.iam.lost[THERE] = LOST
    result = render(house, everywhere=False)
    assert result.unreachable == {THERE: LOST}
    assert result.failures == ()
    assert listed(house) == ["AROAAAAAAAAAAAAAAAAA1:42", "*:ann@example.com"][::-1]
    assert listed(house, FAR) == ["*:ann@example.com"]
    assert result.trouble == {
        ANN: f"account {THERE} cannot be reached: {LOST}",
        Principal.parse(there): f"account {THERE} cannot be reached: {LOST}",
    }
    assert result.of(ANN).scopes == {"*"}
    house.iam.lost.clear()
    result = render(house, everywhere=False)
    assert not result.trouble
    assert not result.unreachable
    assert "*:ann@example.com" in listed(house, THERE)


def test_whatever_fails_in_a_member_account_stops_no_other(house: Gatehouse) -> None:
    house.memory.put(an_intent(str(ANN), DEVELOPERS))
    house.iam.fails[in_account(GATE, THERE)] = RuntimeError("throttled")
    result = render(house)
    assert result.unreachable == {THERE: "RuntimeError: throttled"}
    assert result.failures == ()
    assert listed(house, FAR) == ["*:ann@example.com"]


def test_a_role_there_without_a_gate_is_named_with_its_account(house: Gatehouse) -> None:
    house.role(THERE_ROLE, boundary="")
    house.memory.put(an_intent(str(ANN), DEVELOPERS, THERE_ROLE))
    why = render(house).of(ANN).trouble
    assert f"the permission set Developers (role {THERE_ROLE[13:]}) of account {THERE}" in why


def test_a_role_of_an_account_without_a_satellite_is_nobodys_trouble(house: Gatehouse) -> None:
    house.memory.put(an_intent(str(ANN), DEVELOPERS, "999999999999/AWSReservedSSO_x"))
    result = render(house)
    assert not result.trouble
    assert listed(house) == ["*:ann@example.com"]


@pytest.mark.parametrize("accounts", [1, 50])
def test_many_accounts_cost_an_idle_run_nothing(accounts: int) -> None:
    """What was written last is known by one read; once an hour all are looked at."""
    house = Gatehouse()
    house.memory.members = [f"4444555566{number:02}" for number in range(accounts)]
    render(house)
    house.iam.asked.clear()
    house.iam.calls.clear()
    house.memory.digest_reads = 0
    result = render(house, everywhere=False)
    assert [each for each in house.iam.asked if any(m in each for m in house.memory.members)] == []
    assert (house.iam.calls, house.memory.digest_reads) == ([], 1)
    assert not result.unreachable
    house.iam.asked.clear()
    render(house)
    assert len([each for each in house.iam.asked if "4444555566" in each]) == accounts * 2 * 2


def test_a_gate_there_that_somebody_rewrote_is_put_right_at_the_hourly_look(
    house: Gatehouse,
) -> None:
    right = house.iam.documents[in_account(GATE, THERE)]
    other: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
    house.iam.documents[in_account(GATE, THERE)] = other
    assert not render(house, everywhere=False).righted
    (words,) = render(house).righted
    assert THERE in words
    assert house.iam.documents[in_account(GATE, THERE)] == right


def test_a_gate_there_that_is_attached_as_a_policy_is_told(house: Gatehouse) -> None:
    house.iam.attached[in_account(GATE, THERE)] = ["role/x"]
    assert [THERE in each for each in render(house).tampered] == [True]


def test_the_end_empties_all_and_says_which_account_it_could_not_reach(house: Gatehouse) -> None:
    house.memory.put(an_intent(str(ANN), DEVELOPERS))
    render(house)
    house.iam.lost[FAR] = LOST
    result = house.author.empty(NOON, "end")
    assert listed(house) == listed(house, THERE) == []
    assert listed(house, FAR) == ["*:ann@example.com"]
    assert result.unreachable == {FAR: LOST}
    assert result.failures == ()


def test_an_answer_with_accounts_travels_from_function_to_function() -> None:
    result = GateResult(unreachable={THERE: LOST})
    assert GateResult.from_json(result.to_json()) == result
    before = result.to_json()
    del before["unreachable"]
    assert GateResult.from_json(before) == GateResult()
