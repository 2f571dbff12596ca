"""Made-up session names push nobody out of a gate."""

import json
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON
from gate_fakes import ALL, DEVELOPERS, GATE, Gatehouse, an_intent
from iam_decisions import ACCOUNT, foundation, with_boundary
from quota_enforcer.core.ledger import GateIntent
from quota_enforcer.core.policies import boundary
from quota_enforcer.core.policies.boundary import Entry, fitting_gate
from quota_enforcer.core.policies.document import MANAGED_LIMIT, Document, size
from quota_enforcer.core.principal import Principal
from quota_enforcer.gates.result import GateDenial, GateResult
from quota_enforcer.gates.room import fill


def rendered(house: Gatehouse) -> GateResult:
    return house.author.render(NOON, "a run")


def sessions(number: int, role: str = "shared") -> Iterable[GateIntent]:
    return [an_intent(f"session/{role}/made-up-{n:04d}") for n in range(number)]


def people(number: int) -> Iterable[GateIntent]:
    return [an_intent(f"sso/first.last{n:03d}@example.com", DEVELOPERS) for n in range(number)]


def a_house() -> Gatehouse:
    house = Gatehouse()
    house.role(DEVELOPERS)
    house.role("shared", id_="AROASHARED1")
    house.role("small", id_="AROASMALL1")
    return house


def test_a_role_whose_sessions_do_not_fit_is_denied_as_a_whole_and_people_stay() -> None:
    house = a_house()
    house.memory.put(*sessions(1_000), *people(100), an_intent("session/small/ci"))
    answer = rendered(house)
    assert answer.trouble == {}
    assert all(answer.of(each.principal).scopes == ALL for each in house.memory.intents())
    assert answer.whole == {GATE: ("shared",)}
    ids = house.user_ids()
    assert "AROASHARED1:*" in ids
    assert "AROASMALL1:ci" in ids
    assert len(ids) == 102


def test_people_come_before_sessions_that_were_denied_first() -> None:
    house = a_house()
    house.memory.put(*sessions(60), *sessions(60, "small"))
    rendered(house)
    house.memory.put(*people(140))
    answer = rendered(house)
    assert all(answer.of(each.principal) == GateDenial(ALL) for each in people(140))


def test_sessions_that_fit_are_denied_one_by_one() -> None:
    house = a_house()
    house.memory.put(*sessions(50))
    answer = rendered(house)
    assert answer.whole == {}
    assert len(house.user_ids()) == 50


def test_a_role_is_released_as_a_whole_once_its_sessions_fit() -> None:
    house = a_house()
    house.memory.put(*sessions(1_000))
    rendered(house)
    house.memory.put(*(an_intent(str(each.principal), scopes=()) for each in sessions(999)))
    answer = rendered(house)
    assert answer.whole == {}
    assert house.user_ids() == ["AROASHARED1:made-up-0999"]


def test_where_people_alone_fill_the_gate_no_role_is_denied_as_a_whole() -> None:
    house = a_house()
    house.memory.put(*people(400), *sessions(10))
    answer = rendered(house)
    assert answer.whole == {}
    assert not [each for each in house.user_ids() if each.endswith(":*")]
    assert all(answer.of(each.principal).trouble for each in sessions(10))


def test_a_name_that_cannot_be_written_makes_no_role_whole() -> None:
    entries = [Entry(each, (f"AROAX:{each}",), frozenset("*")) for each in ("a b", "bb")]
    filled = fill(entries, fitting_gate)
    assert filled.whole == frozenset()
    assert set(filled.gate.left_out) == {"a b"}


def test_one_session_that_does_not_fit_makes_no_role_whole() -> None:
    """All sessions of the role might fit where its one long name does not."""
    full = [Entry(f"p{n:03d}", (f"*:person-{n:03d}@example.com",), ALL) for n in range(180)]
    short, lone = (Entry(name, (f"AROAX:{name}",), ALL) for name in ("*", "s" * 64))
    room = bisect_left(
        range(len(full)), 1, key=lambda many: fitting_gate([*full[:many], short]).is_full
    )
    people_there = full[: room - 1]
    filled = fill([*people_there, lone], fitting_gate)
    assert filled.whole == frozenset()
    assert set(filled.gate.left_out) == {lone.name}


def test_a_person_who_does_not_fit_makes_no_role_whole() -> None:
    many = Entry("many", tuple(f"*:spelling-{n:03d}@example.com" for n in range(400)), ALL)
    two = [Entry(f"s{n}", (f"AROAX:session-{n}",), ALL) for n in range(2)]
    filled = fill([many, *two], fitting_gate)
    assert filled.whole == frozenset()
    assert set(filled.gate.left_out) == {"many"}


def test_the_answer_says_so_and_an_older_author_is_understood() -> None:
    of_others = {"role/shared": GateDenial(ALL, "why"), "444455556666/role/x": GateDenial()}
    answer = GateResult(whole={GATE: ("shared",)}, sessions=of_others)
    assert GateResult.from_json(answer.to_json()) == answer
    older = answer.to_json()
    del older["whole"], older["sessions"]
    assert GateResult.from_json(older) == GateResult()


ENTRIES = st.lists(
    st.builds(
        lambda role, n, scopes: Entry(f"{role}{n}", (f"{role}:name-{n:04d}",), frozenset(scopes)),
        st.sampled_from(["*", "AROAA", "AROAB"]),
        st.integers(0, 400),
        st.sets(st.sampled_from(["*", "amazon.nova-lite-v1:0", "anthropic.*"]), min_size=1),
    ),
    max_size=400,
    unique_by=lambda entry: entry.name,
)


@given(ENTRIES)
def test_it_always_fits_and_everybody_is_in_it_or_named(entries: list[Entry]) -> None:
    filled = fill(sorted(entries, key=lambda each: each.user_ids[0] > "A"), fitting_gate)
    assert size(filled.gate.document) <= MANAGED_LIMIT
    text = str(filled.gate.document)
    for entry in entries:
        role = entry.user_ids[0].partition(":")[0]
        listed = entry.user_ids[0] in text or (role in filled.whole and f"{role}:*" in text)
        assert listed or entry.name in filled.gate.left_out


PATTERNS = ("*", "amazon.nova-lite-v1:0", "anthropic.*")
SCOPES = st.frozensets(st.sampled_from(PATTERNS), min_size=1)
PEOPLE = st.dictionaries(st.integers(0, 250), SCOPES, max_size=250)
SESSIONS = st.dictionaries(
    st.tuples(st.sampled_from(["shared", "small"]), st.integers(0, 400)), SCOPES, max_size=400
)


def intents(
    of_people: dict[int, frozenset[str]], of_sessions: dict[tuple[str, int], frozenset[str]]
) -> tuple[list[GateIntent], list[GateIntent]]:
    return (
        [
            an_intent(f"sso/first.last{n:03d}@example.com", DEVELOPERS, scopes=scopes)
            for n, scopes in of_people.items()
        ],
        [
            an_intent(f"session/{role}/made-up-{n:04d}", scopes=scopes)
            for (role, n), scopes in of_sessions.items()
        ],
    )


class TestOneGateForPeopleAndSessions:
    """Whatever sessions there are, and whoever was denied first."""

    @given(PEOPLE, SESSIONS, SESSIONS)
    def test_people_are_denied_exactly_as_without_any_session(
        self,
        of_people: dict[int, frozenset[str]],
        before: dict[tuple[str, int], frozenset[str]],
        then: dict[tuple[str, int], frozenset[str]],
    ) -> None:
        alone, together = a_house(), a_house()
        persons, first = intents(of_people, before)
        together.memory.put(*first)
        rendered(together)
        together.memory.put(*persons, *intents({}, then)[1])
        alone.memory.put(*persons)
        expected, answer = rendered(alone), rendered(together)
        for person in persons:
            assert answer.of(person.principal).scopes == expected.of(person.principal).scopes

    @given(PEOPLE, SESSIONS)
    def test_each_session_is_denied_by_iam_itself_or_named_with_the_reason(
        self,
        of_people: dict[int, frozenset[str]],
        of_sessions: dict[tuple[str, int], frozenset[str]],
    ) -> None:
        house = a_house()
        persons, those = intents(of_people, of_sessions)
        house.memory.put(*persons, *those)
        answer = rendered(house)
        document = house.iam.documents[GATE]
        assert size(document) <= MANAGED_LIMIT
        for each in those[:20]:
            role = house.iam.roles[each.principal.role]
            assert role is not None
            caller = with_boundary(document, f"{role.id}:{each.principal.session}")
            closed = not caller.may("bedrock:InvokeModel", foundation("amazon.nova-lite-v1:0"))
            found = answer.of(each.principal)
            said = bool(found.scopes & {"*", "amazon.nova-lite-v1:0"})
            assert closed is said
            assert found.scopes >= each.scopes or found.trouble

    @given(PEOPLE, st.dictionaries(st.integers(0, 400), SCOPES, min_size=2, max_size=400))
    def test_a_role_is_left_open_only_where_not_even_the_whole_of_it_has_room(
        self, of_people: dict[int, frozenset[str]], of_sessions: dict[int, frozenset[str]]
    ) -> None:
        house = a_house()
        numbered = {("shared", n): scopes for n, scopes in of_sessions.items()}
        persons, those = intents(of_people, numbered)
        house.memory.put(*persons, *those)
        answer = rendered(house)
        everything = frozenset[str]().union(*of_sessions.values())
        whole = Entry("all of it", ("AROASHARED1:*",), everything)
        rest = [
            Entry(str(each.principal), (f"*:{each.principal.name}",), each.scopes)
            for each in sorted(persons, key=lambda each: str(each.principal))
        ]
        left_open = any(answer.of(each.principal).trouble for each in those)
        assert left_open is ("all of it" in fitting_gate([*rest, whole]).left_out)


def test_thousands_of_sessions_of_many_roles_are_written_in_a_few_attempts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else made-up names make the author so slow that it denies nobody any more."""
    sized = 0

    def counted(written: Document) -> int:
        nonlocal sized
        sized += 1
        return size(written)

    monkeypatch.setattr(boundary, "size", counted)
    entries = [
        Entry(f"{role}/{n}", (f"AROA12345678901234{role}:made-up-{n:05d}",), ALL)
        for role in range(100, 150)
        for n in range(100)
    ]
    filled = fill(entries, fitting_gate)
    assert len(filled.whole) == 50
    assert not filled.gate.left_out
    assert sized < 2_000


@pytest.mark.parametrize("boundary_of_role", [GATE, ""])
def test_however_many_sessions_there_are_the_answer_is_one_that_lambda_carries(
    boundary_of_role: str,
) -> None:
    """Of a role that is denied as a whole, and of one that names no gate."""
    house = a_house()
    house.role("shared", id_="AROASHARED1", boundary=boundary_of_role)
    house.memory.put(*sessions(5_000), *people(5))
    answer = rendered(house)
    assert len(json.dumps(answer.to_json())) < 10_000
    again = GateResult.from_json(json.loads(json.dumps(answer.to_json())))
    for each in sessions(5_000):
        found = again.of(each.principal)
        assert found.scopes == (ALL if boundary_of_role else frozenset())
        assert bool(found.trouble) is not bool(boundary_of_role)


class TestOnlyAwsMakesPermissionSets:
    LOOKALIKE = "AWSReservedSSO_Developers_fedcba9876543210"

    def test_a_role_that_is_only_called_so_denies_nobody_and_is_told(self) -> None:
        house = a_house()
        house.role(self.LOOKALIKE, path="/")
        house.memory.put(an_intent("sso/alice@example.com", self.LOOKALIKE))
        answer = rendered(house)
        assert house.user_ids() == []
        (why,) = answer.trouble.values()
        assert "is called like one of a permission set and is none, as its path is /" in why

    def test_beside_a_permission_set_the_person_is_denied_there(self) -> None:
        house = a_house()
        house.role(self.LOOKALIKE, path="/mine/")
        alice = an_intent("sso/alice@example.com", self.LOOKALIKE, DEVELOPERS)
        house.memory.put(alice)
        answer = rendered(house)
        assert house.user_ids() == ["*:alice@example.com"]
        assert "delete it" in answer.trouble[Principal.parse("sso/alice@example.com")]

    def test_a_session_of_it_is_not_taken_for_the_person(self) -> None:
        written = fitting_gate([Entry("a", ("*:alice@example.com",), ALL)]).document
        for path, open_ in (("aws-reserved/sso.amazonaws.com/eu-west-1/", False), ("", True)):
            arn = f"arn:aws:iam::{ACCOUNT}:role/{path}{self.LOOKALIKE}"
            caller = replace(with_boundary(written), arn=arn)
            assert caller.may("bedrock:InvokeModel") is open_
