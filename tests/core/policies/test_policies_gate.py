"""The gate: who is in it, how it groups, and what it holds."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.boundary import Entry, deny_statements, fitting_gate, gate
from quota_enforcer.core.policies.deny import AGENT_CORE, BEDROCK
from quota_enforcer.core.policies.document import MANAGED_LIMIT, size

OPUS = "anthropic.claude-3-opus-20240229-v1:0"
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
NAMES = st.from_regex(r"[A-Za-z0-9_+=,.@-]{2,64}", fullmatch=True)
USER_IDS = st.builds("{}:{}".format, st.sampled_from(["*", "AROAX", "AROAY"]), NAMES)
SCOPES = st.frozensets(st.sampled_from(["*", OPUS, HAIKU, "amazon.nova-*"]), min_size=1)
DENIED = st.dictionaries(USER_IDS, SCOPES, max_size=12)


ROOT = Path(__file__).parents[3]


def people(count: int, form: str) -> list[Entry]:
    """So many people, denied for everything."""
    return [Entry(f"sso/{n}", (form.format(n=f"{n:03d}"),), frozenset({"*"})) for n in range(count)]


def listed(written: dict[str, object]) -> set[str]:
    """Every user id in a document."""
    statements: list[dict[str, object]] = written["Statement"]  # type: ignore[assignment]
    conditions = [json.dumps(each.get("Condition", {})) for each in statements]
    return {
        user_id
        for condition in conditions
        for user_id in json.loads(condition).get("StringLike", {}).get("aws:userid", [])
    }


def test_while_nobody_is_denied_it_is_only_the_allow() -> None:
    (statement,) = gate({})["Statement"]
    assert statement["Effect"] == "Allow"
    assert "Condition" not in statement


def test_who_is_denied_everything_is_in_one_statement() -> None:
    _, statement = gate({"*:bob": ["*"], "AROAX:alice": ["*"]})["Statement"]
    assert statement["Action"] == [*BEDROCK, *AGENT_CORE]
    assert statement["Resource"] == "*"
    assert statement["Condition"] == {"StringLike": {"aws:userid": ["*:bob", "AROAX:alice"]}}


def test_agent_core_can_be_left_open() -> None:
    _, statement = gate({"*:bob": ["*"]}, agent_core=False)["Statement"]
    assert statement["Action"] == list(BEDROCK)


def test_people_with_the_same_scopes_share_a_statement() -> None:
    denied = {"*:alice": [OPUS], "*:bob": [OPUS], "*:carol": [HAIKU, OPUS], "*:dan": [OPUS, HAIKU]}
    statements = {each["Sid"]: each for each in deny_statements(denied)}
    groups = {
        sid: each["Condition"]["StringLike"]["aws:userid"] for sid, each in statements.items()
    }
    assert groups == {
        "OverBedrockQuotaModels1": ["*:carol", "*:dan"],
        "OverBedrockQuotaModels2": ["*:alice", "*:bob"],
        "OverBedrockQuotaUnmetered": ["*:alice", "*:bob", "*:carol", "*:dan"],
    }


def test_everything_covers_single_models() -> None:
    assert deny_statements({"*:bob": ["*", OPUS]}) == deny_statements({"*:bob": ["*"]})


def test_who_is_denied_nothing_is_not_in_it() -> None:
    assert gate({"*:bob": []}) == gate({})


@given(DENIED)
def test_every_deny_has_a_list_that_is_not_empty(denied: dict[str, frozenset[str]]) -> None:
    statements = deny_statements(denied)
    for statement in statements:
        assert statement["Effect"] == "Deny"
        assert statement["Condition"]["StringLike"]["aws:userid"]
    assert len({statement["Sid"] for statement in statements}) == len(statements)


@given(DENIED, st.randoms())
def test_it_lists_exactly_the_denied_in_an_order_of_its_own(
    denied: dict[str, frozenset[str]], random: object
) -> None:
    shuffled = list(denied.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    written = gate(dict(shuffled))
    assert listed(written) == set(denied)
    assert json.dumps(written) == json.dumps(gate(denied))


@pytest.mark.parametrize(
    ("form", "at_least"),
    [
        ("*:first.last{n}@example.com", 140),
        ("*:firstname.last{n}@example.com", 140),
        ("AROAXXXXXXXXXXXXXXXXX:first.{n}@example.com", 100),
        ("AROAXXXXXXXXXXXXXXXXX:" + "s" * 61 + "{n}", 55),
    ],
)
def test_so_many_people_denied_for_everything_fit(form: str, at_least: int) -> None:
    made = fitting_gate(people(at_least, form))
    assert not made.left_out
    assert size(made.document) <= MANAGED_LIMIT


@pytest.mark.parametrize(
    ("form", "own_model", "fit"),
    [
        ("*:first.last{n}@example.com", False, 160),
        ("*:" + "p" * 61 + "{n}", False, 70),
        ("*:first.last{n}@example.com", True, 9),
    ],
)
def test_as_many_fit_as_the_manual_says(form: str, *, own_model: bool, fit: int) -> None:
    entries = [
        Entry(
            entry.name,
            entry.user_ids,
            frozenset([f"anthropic.claude-{n}-20240229-v1:0"]) if own_model else entry.scopes,
        )
        for n, entry in enumerate(people(300, form))
    ]
    assert fit <= len(entries) - len(fitting_gate(entries).left_out) <= fit + 4
    assert f"{fit} " in (ROOT / "docs" / "reference" / "deploying.md").read_text(encoding="utf-8")


def test_who_does_not_fit_is_named_and_the_first_stay_in() -> None:
    entries = people(400, "*:first.last{n}@example.com")
    made = fitting_gate(entries)
    assert size(made.document) <= MANAGED_LIMIT
    fit = [entry for entry in entries if entry.name not in made.left_out]
    assert entries[: len(fit)] == fit
    assert listed(made.document) == {user_id for entry in fit for user_id in entry.user_ids}
    assert made.left_out["sso/399"] == (
        f"the gate is full: {len(fit)} user ids fill {made.percent} % of its 6144 characters"
    )
    assert made.percent >= 99


def test_somebody_with_several_user_ids_is_in_with_all_of_them_or_not_at_all() -> None:
    nearly_full = people(160, "*:first.last{n}@example.com")
    many = Entry("sso/late", tuple(f"*:late{n:02d}@example.com" for n in range(40)), frozenset("*"))
    made = fitting_gate([*nearly_full, many])
    assert set(made.left_out) == {"sso/late"}
    assert not [user_id for user_id in listed(made.document) if "late" in user_id]


def test_a_name_that_cannot_be_written_stops_nobody_else() -> None:
    bad = Entry("sso/bad", ("*:b*d",), frozenset({"*"}))
    made = fitting_gate([bad, Entry("sso/bob", ("*:bob",), frozenset({"*"}))])
    assert "'b*d'" in made.left_out["sso/bad"]
    assert listed(made.document) == {"*:bob"}


def test_scopes_of_two_entries_for_one_user_id_add_up() -> None:
    entries = [
        Entry("a", ("*:bob",), frozenset({OPUS})),
        Entry("b", ("*:bob",), frozenset({HAIKU})),
    ]
    assert fitting_gate(entries).document == gate({"*:bob": [OPUS, HAIKU]}, only_sso=True)


@given(st.lists(st.builds(Entry, NAMES, st.tuples(USER_IDS), SCOPES), max_size=8))
def test_it_never_exceeds_what_iam_takes(entries: list[Entry]) -> None:
    made = fitting_gate([*people(150, "*:first.last{n}@example.com"), *entries])
    assert size(made.document) <= MANAGED_LIMIT


def test_many_more_than_fit_are_all_named() -> None:
    made = fitting_gate(people(500, "*:first.last{n}@example.com"))
    assert len(listed(made.document)) + len(made.left_out) == 500


def test_a_gate_for_an_invalid_name_is_refused() -> None:
    with pytest.raises(InvalidPolicyInput, match="the session"):
        gate({"*:b?b": ["*"]})
