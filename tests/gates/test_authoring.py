"""The author: what a run writes into the gates, and what it answers."""

import json
import re
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON
from gate_fakes import ALL, ANALYSTS, DEVELOPERS, GATE, GATE_2, Gatehouse, an_intent
from quota_enforcer.core.ledger import GateIntent
from quota_enforcer.core.policies.boundary import fitting_gate, gate
from quota_enforcer.core.principal import Principal
from quota_enforcer.gates.author import LEASE, AuthorBusy
from quota_enforcer.gates.result import GateResult

OPUS = "anthropic.claude-3-opus*"
NOVA = "amazon.nova-lite-v1:0"
ALICE = Principal.parse("sso/alice@example.com")
CI = Principal.parse("session/shared/ci-42")
NOBODY = gate({})


@pytest.fixture
def house() -> Gatehouse:
    """Gates that are there, empty; Developers and the role `shared` name the first."""
    house = Gatehouse()
    house.role(DEVELOPERS)
    house.role("shared", id_="AROASHARED1")
    rendered(house)
    house.iam.calls.clear()
    return house


def refuse(*_: object) -> None:
    raise ConnectionError("throttled")


def rendered(house: Gatehouse) -> GateResult:
    return house.author.render(NOON, "a run")


# Whom the gates list


def test_a_missing_gate_is_made_and_allows_everything() -> None:
    house = Gatehouse()
    answer = rendered(house)
    assert house.iam.documents == {GATE: NOBODY, GATE_2: NOBODY}
    assert answer.written == (GATE, GATE_2)
    assert answer.righted == answer.tampered == answer.failures == ()


def test_a_person_is_listed_in_every_spelling_seen(house: Gatehouse) -> None:
    names = ("alice@example.com", "Alice@Example.com")
    house.memory.put(an_intent("sso/alice@example.com", DEVELOPERS, names=names))
    answer = rendered(house)
    assert house.user_ids() == ["*:Alice@Example.com", "*:alice@example.com"]
    assert (answer.denied, answer.trouble, answer.written) == ({ALICE: ALL}, {}, (GATE,))


def test_a_session_is_listed_under_the_id_of_its_role(house: Gatehouse) -> None:
    house.memory.put(an_intent("session/shared/ci-42"))
    assert rendered(house).denied == {CI: ALL}
    assert house.user_ids() == ["AROASHARED1:ci-42"]


def test_a_role_made_anew_never_opens_its_gate(house: Gatehouse) -> None:
    house.memory.put(an_intent("session/shared/ci-42"))
    rendered(house)
    house.role("shared", id_="AROASHARED2")
    answer = rendered(house)
    assert house.user_ids() == ["AROASHARED2:ci-42"]
    assert (answer.denied, answer.written) == ({CI: ALL}, (GATE,))


def test_a_person_of_two_permission_sets_is_denied_in_the_gates_of_both(house: Gatehouse) -> None:
    house.role(ANALYSTS, boundary=GATE_2)
    house.memory.put(an_intent("sso/alice@example.com", DEVELOPERS, ANALYSTS))
    answer = rendered(house)
    assert house.user_ids(GATE) == house.user_ids(GATE_2) == ["*:alice@example.com"]
    assert (answer.denied, answer.trouble) == ({ALICE: ALL}, {})


def test_one_permission_set_without_a_gate_leaves_a_person_half_open(house: Gatehouse) -> None:
    house.role(ANALYSTS, boundary="")
    house.memory.put(an_intent("sso/alice@example.com", DEVELOPERS, ANALYSTS))
    answer = rendered(house)
    assert answer.denied == {ALICE: ALL}
    assert answer.trouble == {
        ALICE: f"the permission set Data_Analysts (role {ANALYSTS}) names no gate as its "
        "permissions boundary: run `quota-enforcer gates setup`"
    }


@pytest.mark.parametrize(
    ("boundary", "why"),
    [
        ("", "the role open names no gate as its permissions boundary: run `quota-enforcer gates"),
        ("arn:aws:iam::1:policy/other", "the role open has the .*other, which is no gate of this"),
    ],
)
def test_who_has_a_role_without_our_gate_is_not_denied(
    house: Gatehouse, boundary: str, why: str
) -> None:
    house.role("open", boundary=boundary)
    house.memory.put(an_intent("session/open/ci"), an_intent("session/shared/ci-42"))
    answer = rendered(house)
    assert answer.denied == {CI: ALL}
    (trouble,) = answer.trouble.items()
    assert trouble[0] == Principal.parse("session/open/ci")
    assert re.match(why, trouble[1])


def test_a_role_that_is_gone_is_a_reason_only_where_none_is_left(house: Gatehouse) -> None:
    house.memory.put(
        an_intent("sso/alice@example.com", DEVELOPERS, ANALYSTS), an_intent("session/gone/ci")
    )
    answer = rendered(house)
    assert answer.denied == {ALICE: ALL}
    assert answer.trouble == {Principal.parse("session/gone/ci"): "the role gone no longer exists"}


def test_who_was_seen_in_no_role_is_in_no_gate(house: Gatehouse) -> None:
    house.memory.put(GateIntent(ALICE, ALL, frozenset({"alice@example.com"}), frozenset()))
    assert rendered(house).trouble == {ALICE: "no role of theirs is known, so no gate either"}


def test_people_with_the_same_scopes_share_a_statement(house: Gatehouse) -> None:
    for name in ("alice", "bob"):
        house.memory.put(an_intent(f"sso/{name}@x.com", DEVELOPERS, scopes={OPUS}))
    rendered(house)
    denied = {"*:alice@x.com": {OPUS}, "*:bob@x.com": {OPUS}}
    assert house.iam.documents[GATE] == gate(denied, only_sso=True)


def test_a_name_that_cannot_be_written_stops_nobody_else(house: Gatehouse) -> None:
    odd = an_intent("sso/odd", DEVELOPERS, names={"o*d"})
    house.memory.put(odd, an_intent("sso/alice@example.com", DEVELOPERS))
    answer = rendered(house)
    assert answer.denied == {ALICE: ALL}
    assert "'o*d'" in answer.trouble[odd.principal]


# Releasing


def test_who_is_released_is_no_longer_listed(house: Gatehouse) -> None:
    house.memory.put(an_intent("session/shared/ci-42"))
    rendered(house)
    house.memory.put(an_intent("session/shared/ci-42", scopes=()))
    answer = rendered(house)
    assert house.iam.documents[GATE] == NOBODY
    assert (answer.denied, answer.trouble) == ({}, {})


def test_emptying_releases_everybody_whatever_the_ledger_says(house: Gatehouse) -> None:
    house.memory.put(an_intent("session/shared/ci-42"))
    rendered(house)
    answer = house.author.empty(NOON, "the end")
    assert house.iam.documents == {GATE: NOBODY, GATE_2: NOBODY}
    assert (answer.denied, answer.written, answer.righted) == ({}, (GATE,), ())


def test_a_late_sweep_does_not_fill_what_the_end_emptied(house: Gatehouse) -> None:
    house.memory.put(an_intent("session/shared/ci-42"))
    rendered(house)
    house.memory.is_closed = True
    answer = rendered(house)
    assert house.iam.documents[GATE] == NOBODY
    assert answer.denied == {}


def test_emptying_makes_no_gate() -> None:
    house = Gatehouse()
    assert house.author.empty(NOON, "the end") == GateResult()
    assert house.iam.calls == []


def test_a_gate_left_behind_empty_by_an_earlier_deployment_was_not_tampered_with() -> None:
    house = Gatehouse((GATE,))
    house.role("shared")
    house.iam.documents[GATE] = NOBODY
    house.memory.put(an_intent("session/shared/ci-42"))
    assert rendered(house).righted == ()


# How often it writes


def test_what_is_in_force_already_is_not_written_again(house: Gatehouse) -> None:
    house.memory.put(an_intent("session/shared/ci-42"))
    rendered(house)
    again = rendered(house)
    assert (again.denied, again.written) == ({CI: ALL}, ())
    assert house.iam.calls == [("replace", GATE)]


def test_a_hundred_people_are_one_version(house: Gatehouse) -> None:
    several = [an_intent(f"sso/person.{number}@x.com", DEVELOPERS) for number in range(100)]
    house.memory.put(*several)
    assert rendered(house).denied.keys() == {each.principal for each in several}
    assert house.iam.calls == [("replace", GATE)]


def test_who_comes_while_a_gate_is_written_is_not_claimed_to_be_denied(house: Gatehouse) -> None:
    late = an_intent("sso/alice@example.com", DEVELOPERS)
    house.memory.put(an_intent("session/shared/ci-42"))
    house.memory.at_read = [int, lambda: house.memory.put(late)]
    answer = rendered(house)
    assert house.iam.calls == [("replace", GATE)]
    assert answer.denied == {CI: ALL}
    assert answer.trouble == {
        ALICE: "it changed while the gate was being written; the next sweep puts it in force"
    }
    assert rendered(house).denied == {CI: ALL, ALICE: ALL}


def test_who_comes_meanwhile_reaches_a_gate_that_was_not_written_yet(house: Gatehouse) -> None:
    house.role(ANALYSTS, boundary=GATE_2)
    late = an_intent("sso/alice@example.com", ANALYSTS)
    house.memory.put(an_intent("session/shared/ci-42"))
    house.memory.at_read = [int, lambda: house.memory.put(late)]
    answer = rendered(house)
    assert house.iam.calls == [("replace", GATE), ("replace", GATE_2)]
    assert (answer.denied, answer.trouble) == ({CI: ALL, ALICE: ALL}, {})


def test_who_is_released_while_a_gate_is_written_is_still_said_to_be_denied(
    house: Gatehouse,
) -> None:
    house.memory.put(an_intent("session/shared/ci-42"))
    released = an_intent("session/shared/ci-42", scopes=())
    house.memory.at_read = [int, lambda: house.memory.put(released)]
    answer = rendered(house)
    assert (answer.denied, answer.trouble) == ({CI: ALL}, {})
    assert rendered(house).denied == {}


# Full gates


def people(number: int) -> list[GateIntent]:
    return [an_intent(f"sso/first.last{each:03}@example.com", DEVELOPERS) for each in range(number)]


def test_who_does_not_fit_a_full_gate_is_named(house: Gatehouse) -> None:
    house.memory.put(*people(400))
    answer = rendered(house)
    assert len(answer.denied) >= 140
    assert len(answer.denied) + len(answer.trouble) == 400
    assert not answer.denied.keys() & answer.trouble.keys()
    assert all("BOUNDARY-ONLY: the gate is full" in why for why in answer.trouble.values())
    assert answer.fill[GATE] >= 98


def test_who_is_denied_stays_so_when_a_full_gate_must_leave_somebody_out(
    house: Gatehouse,
) -> None:
    house.memory.put(*people(400))
    before = rendered(house).denied
    newcomer = an_intent("sso/a.first@example.com", DEVELOPERS)
    house.memory.put(newcomer)
    answer = rendered(house)
    assert answer.denied == before
    assert newcomer.principal in answer.trouble


def test_a_place_that_becomes_free_in_a_full_gate_is_given_away(house: Gatehouse) -> None:
    several = people(400)
    house.memory.put(*several)
    before = rendered(house)
    first = an_intent(str(several[0].principal), DEVELOPERS, scopes=())
    house.memory.put(first)
    after = rendered(house)
    assert len(after.denied) == len(before.denied)
    assert first.principal not in after.denied


def test_a_gate_is_nearly_full_from_80_percent_on(house: Gatehouse) -> None:
    house.memory.put(*people(50))
    assert rendered(house).nearly_full == {}
    house.memory.put(*people(145))
    answer = rendered(house)
    assert answer.nearly_full == {GATE: answer.fill[GATE]}
    assert 80 <= answer.fill[GATE] < 100
    assert answer.trouble == {}


# What goes wrong


def test_two_authors_never_write_at_once(house: Gatehouse) -> None:
    house.memory.take_lease("another", NOON, NOON + LEASE)
    with pytest.raises(AuthorBusy, match="another run of the author is writing"):
        rendered(house)
    with pytest.raises(AuthorBusy):
        house.author.empty(NOON, "the end")
    assert house.iam.calls == []


def test_a_lease_that_a_crash_left_behind_runs_out(house: Gatehouse) -> None:
    house.memory.take_lease("crashed", NOON, NOON + LEASE)
    house.author.render(NOON + LEASE, "a run")
    assert house.memory.holder == ""


def test_the_lease_is_given_back_after_a_failure(house: Gatehouse) -> None:
    house.memory.put(an_intent("session/shared/ci-42"))
    house.iam.fails["shared"] = ConnectionError("down")
    with pytest.raises(ConnectionError):
        rendered(house)
    assert house.memory.holder == ""


def test_a_role_that_cannot_be_read_releases_nobody(house: Gatehouse) -> None:
    house.memory.put(an_intent("session/shared/ci-42"))
    rendered(house)
    house.iam.fails["shared"] = ConnectionError("down")
    with pytest.raises(ConnectionError):
        rendered(house)
    assert house.user_ids() == ["AROASHARED1:ci-42"]


def test_a_gate_that_cannot_be_written_does_not_stop_the_other(house: Gatehouse) -> None:
    house.role(ANALYSTS, boundary=GATE_2)
    house.memory.put(an_intent("session/shared/ci-42"), an_intent("sso/alice@x.com", ANALYSTS))
    house.iam.fails[GATE] = ConnectionError("down")
    answer = rendered(house)
    assert answer.denied == {Principal.parse("sso/alice@x.com"): ALL}
    words = "q-gate-1-BOUNDARY-ONLY could not be written: ConnectionError: down"
    assert answer.trouble == {CI: words}
    assert answer.failures == (words,)


def test_a_crash_between_the_new_version_and_the_answer_is_healed(house: Gatehouse) -> None:
    house.memory.put(an_intent("session/shared/ci-42"))
    house.iam.crash = SystemExit()
    with pytest.raises(SystemExit):
        rendered(house)
    house.iam.crash = None
    answer = rendered(house)
    assert (answer.denied, answer.written, answer.righted) == ({CI: ALL}, (), ())


def test_a_crash_never_looks_like_tampering(house: Gatehouse) -> None:
    """Whether the version before or the one just written is found, both are the author's."""
    for intent in (an_intent("session/shared/a1"), an_intent("session/shared/b2")):
        house.memory.put(intent)
        before = house.iam.documents[GATE]
        house.iam.crash = SystemExit()
        with pytest.raises(SystemExit):
            rendered(house)
        house.iam.crash = None
        house.memory.put(an_intent("session/shared/more"))
        if intent.principal.name.endswith("b2"):
            house.iam.documents[GATE] = before
        assert rendered(house).righted == ()


# What others do


def test_a_document_that_the_author_did_not_write_is_told_and_put_right(house: Gatehouse) -> None:
    house.memory.put(an_intent("session/shared/ci-42"))
    rendered(house)
    house.iam.documents[GATE] = NOBODY
    answer = rendered(house)
    assert answer.righted == (
        f"{GATE} held a document that the author did not write; the right one is back",
    )
    assert (answer.denied, answer.written) == ({CI: ALL}, (GATE,))
    assert rendered(house).righted == ()


def test_what_others_did_is_kept_for_admins_once_however_often_the_run_is_killed(
    house: Gatehouse,
) -> None:
    house.memory.put(an_intent("session/shared/ci-42"))
    rendered(house)
    for _ in range(2):
        house.iam.documents[GATE] = NOBODY
        house.iam.crash = SystemExit()
        with pytest.raises(SystemExit):
            rendered(house)
        house.iam.crash = None
        assert list(house.memory.found) == [
            f"{GATE} held a document that the author did not write; the right one is back"
        ]
        house.memory.found.clear()
        assert rendered(house).righted == ()
        assert house.memory.found == {}


def test_a_replacement_that_is_refused_finds_nothing_new(
    house: Gatehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.memory.put(an_intent("session/shared/ci-42"))
    rendered(house)
    house.iam.documents[GATE] = NOBODY
    with monkeypatch.context() as patched:
        patched.setattr(house.iam, "replace", refuse)
        assert len(rendered(house).righted) == 1
        assert rendered(house).righted == ()
    assert rendered(house).written == (GATE,)
    house.iam.documents[GATE] = NOBODY
    assert len(rendered(house).righted) == 1


def test_an_older_version_of_our_own_put_in_force_is_tampering_too(house: Gatehouse) -> None:
    house.memory.put(an_intent("session/shared/a1"))
    rendered(house)
    older = house.iam.documents[GATE]
    house.memory.put(an_intent("session/shared/b2"))
    rendered(house)
    house.iam.documents[GATE] = older
    assert len(rendered(house).righted) == 1


def test_a_release_is_written_even_where_iam_still_shows_the_version_before(
    house: Gatehouse,
) -> None:
    """IAM answers late: what it shows may be wanted, and yet not be what is in force."""
    house.memory.put(an_intent("session/shared/ci-42"))
    rendered(house)
    house.iam.documents[GATE] = NOBODY
    house.memory.put(an_intent("session/shared/ci-42", scopes=()))
    answer = rendered(house)
    assert (answer.written, answer.righted) == ((GATE,), ())
    assert rendered(house).written == ()


def test_another_form_of_gate_after_an_update_is_no_tampering(house: Gatehouse) -> None:
    house.memory.put(an_intent("session/shared/ci-42"))
    rendered(house)
    house.write = partial(fitting_gate, agent_core=False)
    answer = rendered(house)
    assert (answer.written, answer.righted) == ((GATE,), ())


def test_a_gate_that_somebody_deleted_is_made_anew_and_told(house: Gatehouse) -> None:
    del house.iam.documents[GATE_2]
    answer = rendered(house)
    assert house.iam.documents[GATE_2] == NOBODY
    assert answer.righted == (f"{GATE_2} had been deleted; the author created it again",)


@pytest.mark.parametrize(
    "planted",
    [
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*"}},
        {"Statement": [{"Condition": {"StringLike": {"aws:userid": "x"}}}, "odd"]},
        {"Statement": [{"Condition": {"StringLike": {"aws:userid": [1, {}]}}}]},
        {},
    ],
)
def test_whatever_was_planted_is_replaced(house: Gatehouse, planted: dict[str, object]) -> None:
    house.memory.put(an_intent("session/shared/ci-42"))
    house.iam.documents[GATE] = planted
    assert rendered(house).denied == {CI: ALL}
    assert house.user_ids() == ["AROASHARED1:ci-42"]


def test_a_gate_attached_as_an_ordinary_policy_is_told_in_every_run(house: Gatehouse) -> None:
    house.iam.attached[GATE] = ["role/admin", "user/eve"]
    for _ in range(2):
        (told,) = rendered(house).tampered
        assert told.startswith(f"{GATE} is attached to role/admin, user/eve as an ordinary policy")


def test_looking_who_has_a_gate_attached_may_fail(house: Gatehouse) -> None:
    house.memory.put(an_intent("session/shared/ci-42"))
    house.iam.fails[f"entities of {GATE}"] = ConnectionError("down")
    answer = rendered(house)
    assert answer.denied == {CI: ALL}
    assert answer.failures == (
        "q-gate-1-BOUNDARY-ONLY could not be inspected: ConnectionError: down",
    )


# Whatever comes


SESSIONS = st.builds(
    lambda name, scopes: an_intent(f"session/shared/{name}", scopes=scopes),
    st.sampled_from(["a1", "b2", "c3"]),
    st.sets(st.sampled_from(["*", OPUS, NOVA])),
)


@given(st.lists(st.lists(SESSIONS, max_size=3), max_size=6), st.integers(0, 6))
def test_any_sequence_of_intents_ends_with_the_document_of_the_last(
    steps: list[list[GateIntent]], crash_at: int
) -> None:
    house = Gatehouse((GATE,))
    house.role("shared", id_="AROASHARED1")
    for number, intents in enumerate(steps):
        house.memory.put(*intents)
        house.iam.calls.clear()
        house.iam.crash = SystemExit() if number == crash_at else None
        with suppress(SystemExit):
            assert rendered(house).righted == ()
        assert len(house.iam.calls) <= 1
    house.iam.crash = None
    answer = rendered(house)
    stored = house.memory.intents()
    assert house.iam.documents[GATE] == gate(
        {f"AROASHARED1:{each.principal.name.partition('/')[2]}": each.scopes for each in stored}
    )
    assert answer.denied == {each.principal: each.scopes for each in stored}
    assert answer.trouble == {}


@given(
    st.builds(
        GateResult,
        st.dictionaries(st.sampled_from([ALICE, CI]), st.frozensets(st.text())),
        st.dictionaries(st.sampled_from([ALICE, CI]), st.text()),
        st.tuples(st.text()),
        st.tuples(st.text()),
        st.dictionaries(st.text(), st.integers()),
        st.tuples(st.text()),
        st.dictionaries(st.text(), st.tuples(st.text())),
    )
)
def test_the_answer_travels_as_json(answer: GateResult) -> None:
    assert GateResult.from_json(json.loads(json.dumps(answer.to_json()))) == answer
