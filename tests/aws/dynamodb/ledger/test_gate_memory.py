"""The author's part of the ledger: intents as the enforcer wrote them, its lease, its digests."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from builders import LEDGER_TABLE, NOON
from quota_enforcer.aws.dynamodb.ledger.ledger import DynamoLedger
from quota_enforcer.aws.dynamodb.ledger.memory.gates import DynamoGateMemory
from quota_enforcer.aws.dynamodb.satellites import DynamoSatellites
from quota_enforcer.aws.dynamodb.table import Table
from quota_enforcer.core.ledger import GateIntent, Record
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.place import Place
from quota_enforcer.satellites.registry import Satellite

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from quota_enforcer.gates.ports import Memory

SECOND = timedelta(seconds=1)
UNTIL = NOON + 60 * SECOND
GATE = "arn:aws:iam::123456789012:policy/bedrock-quota/q/gate-1"


@pytest.fixture
def memory(dynamodb: "DynamoDBClient") -> DynamoGateMemory:
    return DynamoGateMemory(dynamodb, "ledger")


def a_large_intent(number: int) -> GateIntent:
    """Twelve of them are more than one page of an answer."""
    return GateIntent(
        Principal.parse(f"sso/person{number:02}@example.com"),
        frozenset({"*", "anthropic.claude-3-opus*"}),
        frozenset({f"person{number:02}@example.com", f"Person{number:02}@example.com"}),
        frozenset({"AWSReservedSSO_Developers_0123456789abcdef", "x" * 100_000}),
    )


def test_the_author_reads_what_the_enforcer_wrote(
    memory: DynamoGateMemory, ledger: DynamoLedger
) -> None:
    port: Memory = memory
    assert port.intents() == []
    several = [a_large_intent(number) for number in range(12)]
    for intent in several:
        ledger.put(Record(intent.principal, intended=intent.scopes, version=1), gate=intent)
    assert port.intents() == ledger.gate_intents() == several


def test_the_author_sees_that_the_ledger_was_closed(
    memory: DynamoGateMemory, ledger: DynamoLedger
) -> None:
    assert not memory.closed()
    ledger.begin(NOON)
    assert not memory.closed()
    ledger.close()
    assert memory.closed()


def test_the_lease_is_one_authors_at_a_time(memory: DynamoGateMemory) -> None:
    assert memory.take_lease("first", NOON, UNTIL)
    assert not memory.take_lease("second", NOON, UNTIL)
    assert memory.take_lease("first", NOON, UNTIL)
    memory.leave_lease("first")
    assert memory.take_lease("second", NOON, UNTIL)


def test_a_lease_runs_out_and_not_before(memory: DynamoGateMemory) -> None:
    memory.take_lease("first", NOON, UNTIL)
    assert not memory.take_lease("second", UNTIL - SECOND, UNTIL + SECOND)
    assert memory.take_lease("second", UNTIL, UNTIL + SECOND)


def test_nobody_gives_back_the_lease_of_another(memory: DynamoGateMemory) -> None:
    memory.take_lease("first", NOON, UNTIL)
    memory.leave_lease("second")
    assert not memory.take_lease("second", NOON, UNTIL)


def test_digests_are_kept_for_each_gate_until_others_come(memory: DynamoGateMemory) -> None:
    assert memory.digests(GATE) == frozenset()
    memory.remember(GATE, {"a", "b"})
    memory.remember(f"{GATE}2", {"c"})
    memory.remember(GATE, {"b"})
    assert memory.digests(GATE) == {"b"}
    assert memory.digests(f"{GATE}2") == {"c"}


def test_the_authors_items_are_no_part_of_the_sweeps_memory(
    memory: DynamoGateMemory, ledger: DynamoLedger
) -> None:
    before = ledger.state()
    memory.take_lease("first", NOON, UNTIL)
    memory.remember(GATE, {"a"})
    assert ledger.state() == before
    assert ledger.history() == []


def test_what_others_did_to_a_gate_comes_with_the_digests_until_it_is_told(
    memory: DynamoGateMemory, ledger: DynamoLedger
) -> None:
    words = [f"{GATE} had been deleted", f"{GATE}2 held another document"]
    memory.remember(GATE, {"a"}, words[0])
    memory.remember(f"{GATE}2", {"c"}, words[1])
    memory.remember(f"{GATE}2", {"d"}, words[1])
    memory.remember(f"{GATE}2", {"e"})
    assert memory.digests(GATE) == {"a"}
    assert ledger.gate_findings() == words
    notice = Notice(NoticeKind.TAMPERED, NOON, "", "gates", "; ".join(words))
    assert ledger.tell_findings(words, notice)
    assert ledger.gate_findings() == []
    assert ledger.outbox(NOON + SECOND) == [notice]


def test_what_another_run_has_told_is_not_told_again(
    memory: DynamoGateMemory, ledger: DynamoLedger
) -> None:
    memory.remember(GATE, {"a"}, "one")
    memory.remember(GATE, {"a"}, "other")
    one, both = (
        Notice(NoticeKind.TAMPERED, NOON, "", "gates", why) for why in ("one", "one; other")
    )
    assert ledger.tell_findings(["one"], one)
    assert not ledger.tell_findings(["one", "other"], both)
    assert ledger.gate_findings() == ["other"]
    assert ledger.outbox(NOON + SECOND) == [one]


def test_what_is_kept_of_every_gate_is_one_read(memory: DynamoGateMemory) -> None:
    gates = [f"arn:aws:iam::44445555666{n}:policy/{'x' * 900}-{n}" for n in range(9)]
    for gate in gates:
        memory.remember(gate, {f"of {gate}"})
    assert memory.all_digests() == {gate: {f"of {gate}"} for gate in gates}


def test_the_accounts_with_gates_are_those_where_a_satellite_stands(
    dynamodb: "DynamoDBClient", memory: DynamoGateMemory
) -> None:
    registry = DynamoSatellites(Table(dynamodb, LEDGER_TABLE))
    home, there, gone = "111122223333", "444455556666", "555566667777"
    for account, region in ((home, "eu-west-1"), (there, "eu-west-1"), (there, "us-east-1")):
        registry.announce(Satellite(Place(account, region), 1, "/log", "stack", NOON))
    registry.announce(Satellite(Place(gone, "eu-west-1"), 1, "/log", "stack", NOON))
    assert registry.leave(Place(gone, "eu-west-1"), "stack")
    assert DynamoGateMemory(dynamodb, LEDGER_TABLE, home).accounts() == [there]
    assert memory.accounts() == []
