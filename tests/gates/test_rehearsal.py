"""A rehearsal: what the author would do, found out without doing it."""

import pytest

from builders import NOON
from gate_fakes import DEVELOPERS, GATE, GATE_2, Gatehouse, an_intent
from quota_enforcer.core.policies.boundary import gate
from quota_enforcer.core.policies.document import MANAGED_LIMIT
from quota_enforcer.gates.dry_run import DryRun, dry_run_gates

EVIL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*"}]}
MANY = [f"person{number:03d}@example.com" for number in range(170)]


@pytest.fixture
def house() -> Gatehouse:
    """Two gates that the author has just written; ann behind Developers is denied."""
    house = Gatehouse()
    house.role(DEVELOPERS)
    house.memory.put(an_intent("sso/ann", DEVELOPERS))
    house.author.render(NOON, "a run")
    house.iam.calls.clear()
    return house


def rehearsed(house: Gatehouse) -> list[DryRun]:
    return dry_run_gates(house.memory, house.iam, house.gates, house.write)


def test_after_a_run_there_is_nothing_left_to_do(house: Gatehouse) -> None:
    assert [each.wanted for each in rehearsed(house)] == [None, None]


def test_who_is_missing_and_who_is_there_without_need(house: Gatehouse) -> None:
    house.memory.put(an_intent("sso/bob", DEVELOPERS), an_intent("sso/ann", scopes=()))
    first, second = rehearsed(house)
    assert (first.missing, first.idle) == (frozenset({"*:bob"}), frozenset({"*:ann"}))
    assert (second.missing, second.idle) == (frozenset(), frozenset())


def test_a_document_that_the_author_did_not_write_would_be_replaced(house: Gatehouse) -> None:
    house.iam.documents[GATE] = EVIL
    first, second = rehearsed(house)
    assert first.wanted == gate({"*:ann": ["*"]}, only_sso=True)
    assert second.wanted is None


def test_a_gate_that_is_gone_would_be_made(house: Gatehouse) -> None:
    del house.iam.documents[GATE_2]
    second = rehearsed(house)[1]
    assert second.current is None
    assert second.wanted is not None


def test_nothing_is_written_and_nothing_is_remembered(house: Gatehouse) -> None:
    house.iam.documents[GATE] = EVIL
    del house.iam.documents[GATE_2]
    before = dict(house.memory.kept), dict(house.iam.documents)
    rehearsed(house)
    assert (house.memory.kept, house.iam.documents) == before
    assert house.iam.calls == []


def test_it_needs_no_lease(house: Gatehouse) -> None:
    assert house.memory.take_lease("a run", NOON, NOON)
    rehearsed(house)
    assert house.memory.holder == "a run"


def test_how_full_a_gate_is_or_will_be(house: Gatehouse) -> None:
    house.memory.put(*(an_intent(f"sso/{name}", DEVELOPERS) for name in MANY))
    first, second = rehearsed(house)
    assert first.nearly_full
    assert first.percent > 80
    assert second.percent < 2
    assert MANAGED_LIMIT == 6144


def test_who_has_a_gate_as_an_ordinary_policy(house: Gatehouse) -> None:
    house.iam.attached[GATE] = ["user/mallory"]
    assert [each.holders for each in rehearsed(house)] == [("user/mallory",), ()]


@pytest.mark.parametrize("what", [GATE, f"entities of {GATE}", DEVELOPERS])
def test_what_cannot_be_read_is_not_taken_for_right(house: Gatehouse, what: str) -> None:
    house.iam.fails[what] = PermissionError(what)
    with pytest.raises(PermissionError, match=what):
        rehearsed(house)
