"""What every ledger does with gate intents: they are written with the record they belong to."""

import pytest

from builders import HOUR, NOON
from quota_enforcer.core.errors import Conflict, DeploymentClosed
from quota_enforcer.core.ledger import GateIntent, Record
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.enforce.ports.ledger import Ledger

ALICE = Principal.parse("sso/alice@example.com")
CI = Principal.parse("session/shared/ci-42")
ALL = frozenset({"*"})
NOTHING = frozenset[str]()
ROLES = frozenset(
    {"AWSReservedSSO_Developers_0123456789abcdef", "AWSReservedSSO_B_fedcba9876543210"}
)


@pytest.fixture
def ledger(either_ledger: Ledger) -> Ledger:
    return either_ledger


def an_intent(principal: Principal = ALICE, scopes: frozenset[str] = ALL) -> GateIntent:
    names = frozenset({"alice@example.com", "Alice@Example.com"})
    return GateIntent(principal, scopes, names, ROLES)


def test_a_new_ledger_has_no_gate_intents(ledger: Ledger) -> None:
    assert ledger.gate_intents() == []


def test_a_gate_intent_comes_with_its_record(ledger: Ledger) -> None:
    record = Record(ALICE, intended=ALL, version=1)
    ledger.put(record, gate=an_intent())
    assert ledger.gate_intents() == [an_intent()]
    assert ledger.records([ALICE]) == {ALICE: record}


def test_a_record_without_a_gate_leaves_the_intent_alone(ledger: Ledger) -> None:
    ledger.put(Record(ALICE, intended=ALL, version=1), gate=an_intent())
    ledger.put(Record(ALICE, version=2))
    assert ledger.gate_intents() == [an_intent()]


def test_a_gate_intent_is_replaced_whole(ledger: Ledger) -> None:
    ledger.put(Record(ALICE, intended=ALL, version=1), gate=an_intent())
    other = GateIntent(ALICE, frozenset({"a*", "b"}), frozenset({"alice"}), frozenset({"x"}))
    ledger.put(Record(ALICE, intended=other.scopes, version=2), gate=other)
    assert ledger.gate_intents() == [other]


def test_a_release_takes_the_gate_intent_out(ledger: Ledger) -> None:
    ledger.put(Record(ALICE, intended=ALL, version=1), gate=an_intent())
    ledger.put(Record(CI, intended=ALL, version=1), gate=an_intent(CI))
    ledger.put(Record(ALICE, intended=NOTHING, version=2), gate=an_intent(scopes=NOTHING))
    assert ledger.gate_intents() == [an_intent(CI)]


def test_a_release_of_whom_no_gate_denies_changes_nothing(ledger: Ledger) -> None:
    ledger.put(Record(ALICE, intended=NOTHING, version=1), gate=an_intent(scopes=NOTHING))
    assert ledger.gate_intents() == []
    assert ledger.records([ALICE])[ALICE].version == 1


def test_gate_intents_come_by_principal(ledger: Ledger) -> None:
    for principal in (ALICE, Principal.parse("sso/Zoe"), CI):
        ledger.put(Record(principal, intended=ALL, version=1), gate=an_intent(principal))
    listed = [str(intent.principal) for intent in ledger.gate_intents()]
    assert listed == ["session/shared/ci-42", "sso/alice@example.com", "sso/zoe"]


def test_a_lost_record_writes_no_gate_intent(ledger: Ledger) -> None:
    ledger.put(Record(ALICE, version=1))
    with pytest.raises(Conflict):
        ledger.put(Record(ALICE, intended=ALL, version=1), gate=an_intent())
    assert ledger.gate_intents() == []


def test_a_lost_release_leaves_the_gate_intent(ledger: Ledger) -> None:
    ledger.put(Record(ALICE, intended=ALL, version=1), gate=an_intent())
    with pytest.raises(Conflict):
        ledger.put(Record(ALICE, intended=NOTHING, version=3), gate=an_intent(scopes=NOTHING))
    assert ledger.gate_intents() == [an_intent()]


def test_after_closing_no_gate_intent_is_written_and_a_release_still_is(ledger: Ledger) -> None:
    ledger.put(Record(ALICE, intended=ALL, version=1), gate=an_intent())
    ledger.close()
    with pytest.raises(DeploymentClosed):
        ledger.put(Record(CI, intended=ALL, version=1), gate=an_intent(CI))
    assert ledger.gate_intents() == [an_intent()]
    ledger.put(Record(ALICE, intended=NOTHING, version=2), gate=an_intent(scopes=NOTHING))
    assert ledger.gate_intents() == []


def test_gate_intents_and_notices_go_together(ledger: Ledger) -> None:
    notices = [Notice(NoticeKind.BLOCKED, NOON, str(ALICE), f"q{n}", "reason") for n in range(48)]
    ledger.put(Record(ALICE, intended=ALL, version=1), notices, an_intent())
    assert len(ledger.outbox(NOON + HOUR)) == 48
    assert ledger.gate_intents() == [an_intent()]
