"""What changed between two versions of an item, in words, and by whom."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import an_item
from quota_enforcer.core.quotas.diff import ELSEWHERE, author, changes, in_words, shown


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ({}, {"limit": 2000}, "limit 1,000 -> 2,000"),
        ({"warn_at": 80}, {"limit": 200, "warn_at": [50, 90]},
         "limit 1,000 -> 200, warn_at 80 -> 50,90"),
        ({}, {"enabled": False}, "enabled - -> false"),
        ({"exempt": True}, {}, "exempt true -> -"),
        ({"models": {"b", "a"}}, {"models": ["a", "b"]}, ""),
        ({"weights": {"input_tokens": 1}}, {"weights": {"input_tokens": Decimal("0.5")}},
         "weights input_tokens x 1 -> input_tokens x 0.5"),
        ({"members": ["user/a", "user/b"]}, {"members": ["user/b", "user/c"]},
         "members +user/c -user/a"),
        ({"members": ["user/a"]}, {"members": "user/b"}, "members +user/b -user/a"),
        ({}, {"members": ["user/a"], "share": "pool"}, "members - -> user/a, share - -> pool"),
        ({}, {"regions": ["eu-west-1", "us-east-1"]}, "regions - -> eu-west-1,us-east-1"),
        ({"regions": ["eu-west-1"]}, {"regions": ["eu-west-3"]}, "regions +eu-west-3 -eu-west-1"),
        ({"accounts": ["111122223333"]}, {"accounts": ["111122223333", "444455556666"]},
         "accounts +444455556666"),
        ({}, {"note": "for the paper"}, "note - -> for the paper"),
        ({"edited_by": "me"}, {"edited_by": "you", "edited_at": "now"}, ""),
    ],
)  # fmt: skip
def test_an_edit_in_words(old: dict[str, Any], new: dict[str, Any], words: str) -> None:
    assert in_words(an_item(**old), an_item(**new)) == words


@pytest.mark.parametrize("nothing", [0, Decimal(0), False, "", [], {}])
def test_a_zero_is_no_absent_value(nothing: object) -> None:
    item = {"limit": nothing}
    assert (in_words(None, item), in_words(item, None)) == (
        f"added: limit {shown(nothing)}", f"removed: limit {shown(nothing)}"
    )  # fmt: skip
    assert shown(nothing) != shown(None)


def test_a_new_item_and_a_removed_one_say_all_they_say() -> None:
    all_of_it = "measure total_tokens, limit 1,000, window day"
    assert in_words(None, an_item(edited_by="me")) == f"added: {all_of_it}"
    assert in_words(an_item(), None) == f"removed: {all_of_it}"


@pytest.mark.parametrize(
    ("old", "new", "by"),
    [
        (None, {"edited_by": "me"}, "me"),
        (None, {}, ELSEWHERE),
        ({"edited_by": "me"}, {"edited_by": "you"}, "you"),
        ({"edited_by": "me"}, {"edited_by": "me", "limit": 2}, ELSEWHERE),
        ({"edited_by": "me", "edited_at": "noon"}, {"edited_by": "me", "edited_at": "later"}, "me"),
        ({"edited_by": "me"}, {}, ELSEWHERE),
        ({"edited_by": "me"}, None, ELSEWHERE),
    ],
)
def test_who_says_that_they_made_it(
    old: dict[str, Any] | None, new: dict[str, Any] | None, by: str
) -> None:
    """An edit in the console leaves what the command line wrote as it was."""
    assert author(old, new) == by


VALUES = st.one_of(
    st.integers(0, 5),
    st.booleans(),
    st.none(),
    st.text("ab", max_size=2),
    st.lists(st.text("ab", min_size=1, max_size=2), max_size=3),
    st.dictionaries(st.text("ab", max_size=1), st.integers(0, 3), max_size=2),
)
ITEMS = st.dictionaries(st.sampled_from(["limit", "members", "note", "x"]), VALUES, max_size=4)


@given(ITEMS, ITEMS)
def test_words_for_whatever_stands_there(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Also garbage is told, and nothing is told where nothing has changed."""
    assert bool(in_words(old, new)) == bool(changes(old, new))
    assert in_words(old, old) == ""
