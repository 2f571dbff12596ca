"""Suggestions are slips of the fingers, and never another person."""

import pytest

from quota_enforcer.core.errors import near_names


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("user/alcie", "user/alice"),
        ("user/alce", "user/alice"),
        ("user/allice", "user/alice"),
        ("user/Alice", "user/alice"),
        ("role/reportimg", "role/reporting"),
        ("role/reportin", "role/reporting"),
        ("sso/ann@exmaple.com", "sso/ann@example.com"),
        ("session/ci/biuld", "session/ci/build"),
        ("team/reserach", "team/research"),
    ],
)
def test_a_slip_is_found(written: str, known: str) -> None:
    assert near_names(written, [known, "user/zoe", "role/alice"]) == [known]


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("user/alice", ["444455556666/user/alice", "555566667777/user/alice"]),
        ("444455556666/user/alcie", ["444455556666/user/alice"]),
        ("555566667777/user/alcie", ["555566667777/user/alice"]),
        ("666677778888/user/alice", ["444455556666/user/alice", "555566667777/user/alice"]),
        ("role/alice", []),
        ("444455556666/role/ci", ["role/ci"]),
    ],
)
def test_the_same_name_in_another_account_may_be_meant(written: str, near: list[str]) -> None:
    known = ["444455556666/user/alice", "555566667777/user/alice", "role/ci"]
    assert near_names(written, known) == near


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("user/bob", "user/rob"),
        ("user/anna", "user/anne"),
        ("user/marie", "user/maria"),
        ("user/paul", "user/paula"),
        ("user/dan", "user/daniel"),
        ("user/dev-01", "user/dev-02"),
        ("session/ci/42", "session/ci/43"),
        ("session/ci/build", "session/cd/build"),
        ("role/alice", "user/alice"),
        ("user/alice", "sso/alice@example.com"),
        ("sso/a.smith@example.com", "sso/b.jones@example.com"),
        ("user/ab", "user/ba"),
        ("user/", "user/a"),
    ],
)
def test_another_person_is_never_suggested(written: str, known: str) -> None:
    assert near_names(written, [known]) == []


def test_at_most_three_are_named() -> None:
    known = [f"role/reporting-alic{letter}" for letter in "abcd"]
    assert near_names("role/reporting-alicx", known) == known[:3]
