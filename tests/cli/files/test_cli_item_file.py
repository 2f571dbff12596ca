"""Files of items: exact values, the line of each, and everything that can be wrong with one."""

import json
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

import pytest
import typer
from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from quota_enforcer.cli.files import json as item_json
from quota_enforcer.cli.files import yaml as item_yaml
from quota_enforcer.cli.files.items import FileItem, read_items
from quota_enforcer.cli.files.values import exact, unstorable
from quota_enforcer.core.quotas.diff import changes
from quota_enforcer.core.quotas.form.values import plain

DYNAMO_NUMBERS = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**20)),
    st.integers(-(10**37), 10**37).map(Decimal),
    st.sampled_from(["1E+125", "9.99E+125", "1E-130", "-1E-130", "0", "12.5", "1E+40"]).map(
        Decimal
    ),
).filter(lambda number: len(number.normalize(Context(prec=99)).as_tuple().digits) <= 38)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SCALARS = st.one_of(TEXTS, DYNAMO_NUMBERS, st.booleans(), st.none())
SETS = st.one_of(
    st.sets(TEXTS, min_size=1, max_size=3), st.sets(DYNAMO_NUMBERS, min_size=1, max_size=3)
)
VALUES = st.recursive(
    SCALARS | SETS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ITEMS = st.lists(st.dictionaries(TEXTS.filter(bool), VALUES, max_size=6), max_size=4)
TRICKY = [
    "2026-12-01", "12.50", "1_000", "010", "0x1F", "yes", "No", "on", "true", "null", "~", "", " ",
    "1:30", ".inf", "1e6", "=", "<<", "- a", "a: b", "# c", "'", '"', "\\", "a\nb", "a\r\n b", "\t",
    "\x00", "\x85", "\u2028", "\ufeff", "für die Forschung", "研究", "אלף", "😀", "é",
    "!!int 3", "&a *b",
]  # fmt: skip


def in_file(folder: Path, text: str, name: str = "quotas.yaml") -> list[FileItem]:
    file = folder / name
    file.write_bytes(text.encode())
    return read_items(file)


def the_item(folder: Path, text: str, name: str = "quotas.yaml") -> dict[str, Any]:
    [found] = in_file(folder, text, name)
    assert found.problems == ()
    return dict(found.item)


def as_yaml(items: list[dict[str, Any]]) -> str:
    return "".join(item_yaml.written((plain(item), ()) for item in items)) or "[]"


def as_json(items: list[dict[str, Any]]) -> str:
    return item_json.written(plain(item) for item in items)


def read_back(text: str, form: Any) -> list[dict[str, Any]]:
    found = list(form.entries(text))
    assert [problems for *_, problems in found] == [[]] * len(found)
    return [entry for entry, *_ in found]


def in_table(item: dict[str, Any]) -> dict[str, Any]:
    """As DynamoDB gives it back."""
    to_wire, from_wire = TypeSerializer(), TypeDeserializer()
    return {name: from_wire.deserialize(to_wire.serialize(value)) for name, value in item.items()}


@given(ITEMS)
def test_what_is_written_as_yaml_reads_as_the_same(items: list[dict[str, Any]]) -> None:
    again = read_back(as_yaml(items), item_yaml)
    assert [changes(old, new) for old, new in zip(items, again, strict=True)] == [[]] * len(items)


@given(ITEMS)
def test_what_is_written_as_json_reads_as_the_same(items: list[dict[str, Any]]) -> None:
    text = as_json(items)
    again = read_back(text, item_json)
    assert [changes(old, new) for old, new in zip(items, again, strict=True)] == [[]] * len(items)
    assert len(json.loads(text)) == len(items)


@given(DYNAMO_NUMBERS)
def test_a_number_of_the_table_is_one_for_the_table_again(number: Decimal) -> None:
    [item] = read_back(as_yaml([{"n": number}]), item_yaml)
    assert in_table(item) == {"n": number}


@pytest.mark.parametrize("form", [item_yaml, item_json], ids=["yaml", "json"])
@pytest.mark.parametrize("text", TRICKY, ids=ascii)
def test_any_text_stays_text(text: str, form: Any) -> None:
    write = as_yaml if form is item_yaml else as_json
    items = [{"note": text, text or "-": [text]}]
    assert read_back(write(items), form) == items


def test_what_only_the_table_has_is_written_too() -> None:
    item = in_table({"b": Binary(b"\x00\xff"), "s": {Decimal(5), Decimal(10)}})
    assert read_back(as_yaml([item]), item_yaml) == [{"b": b"\x00\xff", "s": [10, 5]}]
    assert changes(item, read_back(as_yaml([item]), item_yaml)[0]) == []
    assert read_back(as_json([item]), item_json) == [{"b": "AP8=", "s": [10, 5]}]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1_000_000", Decimal(1_000_000)),
        ("12.50", Decimal("12.50")),
        ("0.1", Decimal("0.1")),
        ("1.0e+3", Decimal(1000)),
        ("123456789012345678901234567890.12", Decimal("123456789012345678901234567890.12")),
        ("2026-12-01", "2026-12-01"),
        ("2026-12-01T09:00:00Z", "2026-12-01T09:00:00Z"),
        ("010", Decimal(10)),
        ("'010'", "010"),
        ("1e6", "1e6"),
        ("no", "no"),
        ("On", "On"),
        ("true", True),
        ("False", False),
        ("unlimited", "unlimited"),
        ("'12'", "12"),
        ("~", None),
        ("[50, 90]", [Decimal(50), Decimal(90)]),
        ("!!set {a, b}", {"a", "b"}),
    ],
)
def test_yaml_means_what_the_table_means(written: str, value: Any, tmp_path: Path) -> None:
    found = the_item(tmp_path, f"- note: {written}\n")["note"]
    assert found == value
    assert type(found) is type(value)


def test_every_item_has_its_place_and_line(tmp_path: Path) -> None:
    text = "# quotas\n\n- quota: a\n  limit: 1\n- quota: b\n\n- {quota: c}\n"
    assert [(each.place, each.line) for each in in_file(tmp_path, text)] == [(1, 3), (2, 5), (3, 7)]
    text = '[\n  {"quota": "a",\n "limit": 1},\n\n {"quota": "b"}, {"quota": "c"}]\n'
    found = in_file(tmp_path, text, "quotas.json")
    assert [(each.place, each.line) for each in found] == [(1, 2), (2, 5), (3, 5)]


def test_a_byte_order_mark_is_no_part_of_an_item(tmp_path: Path) -> None:
    assert the_item(tmp_path, "\ufeff- quota: a\n") == {"quota": "a"}


def test_the_text_tells_the_form_where_the_name_does_not(tmp_path: Path) -> None:
    assert the_item(tmp_path, '[{"quota": "a"}]', "quotas") == {"quota": "a"}
    assert the_item(tmp_path, "- quota: a", "quotas.txt") == {"quota": "a"}


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("q.yaml", "- {quota: a, quota: b}", "attribute 'quota' is there twice in one item"),
        (
            "q.json",
            '[{"quota": "a", "quota": "b"}]',
            "attribute 'quota' is there twice in one item",
        ),
        ("q.yaml", "- {weights: {x: 1, x: 2}}", "attribute 'x' is there twice"),
        ("q.yaml", "- {1: a}", "the name of attribute 1 is no text: quote it"),
        ("q.yaml", "- {limit: .nan}", ".nan is not a number"),
        ("q.yaml", "- {note: 0x1F}", "0x1F is not a number; if it is meant as text, quote it"),
        ("q.yaml", "- {note: 1:30}", "1:30 is not a number; if it is meant as text, quote it"),
        ("q.json", '[{"limit": -Infinity}]', "-Infinity is not a number"),
        ("q.yaml", f"- limit: {'1' * 39}", "at most 38 digits"),
        ("q.json", f'[{{"limit": {"1" * 39}}}]', "at most 38 digits"),
        ("q.json", f'[{{"limit": {"9" * 5000}}}]', "at most 38 digits"),
        ("q.json", '[{"limit": 1E+126}]', "is not a number that the table can hold"),
        ("q.yaml", "- note: !!python/name:os.system", "could not determine a constructor"),
        ("q.yaml", "- {? [a] : b}", "cannot read it: unhashable type"),
        ("q.yaml", "- note: !!set {}", "note is a set that is empty or mixed; write a list"),
        ("q.yaml", "- note: !!set {a, 1}", "note is a set that is empty or mixed; write a list"),
        ("q.yaml", "- note: !!omap [a: 1]", "note is a tuple; write a text, a number"),
        ("q.json", '[{"note": "\\ud800"}]', "half of a surrogate pair"),
        ("q.json", '[{"weights": {"a": ["\\udfff"]}}]', "half of a surrogate pair"),
        ("q.yaml", f"- note: {'x' * 400_001}", "the item is larger than 400,000 bytes"),
        ("q.yaml", f"- principal: team/{'é' * 1025}", "principal is longer than 2048 bytes"),
    ],
    ids=lambda text: text[:30],
)
def test_what_cannot_be_read_or_stored_is_a_problem_of_its_item(
    name: str, text: str, problem: str, tmp_path: Path
) -> None:
    [found] = in_file(tmp_path, text, name)
    assert any(problem in each for each in found.problems), found.problems


BILLIONS = "- &a0 [x]\n" + "".join(
    f"- &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(30)
)
"""The laughs: a kilobyte that stands for 9 to the 30th."""


def test_one_item_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    found = in_file(
        tmp_path, "- !!python/name:os.system\n- {limit: .inf, quota: a}\n- {quota: b}\n"
    )
    assert [bool(each.problems) for each in found] == [True, True, False]
    assert found[2].item == {"quota": "b"}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("q.yaml", "quotas: []", "holds no list of items: expected a list"),
        ("q.yaml", "", "holds no list of items"),
        ("q.yaml", "? [a]\n: b", "holds no list of items"),
        ("q.yaml", "- a: 1\n- just a text\n", "entry 2 (line 2) is 'just a text'"),
        ("q.json", '[{"a": 1},\n null]', "entry 2 (line 2) is 'None'"),
        ("q.json", '{"quotas": []}', "holds no list of items"),
        ("q.json", '[{"a": 1},]', "trailing comma"),
        ("q.json", '[{"a": 1} {"b": 2}]', "Expecting ',' delimiter: line 1 column 11"),
        ("q.json", '[{"a": 1}] x', "Extra data"),
        ("q.json", "[", "cannot read"),
        ("q.json", "", "cannot read"),
        ("q.yaml", "- a: 1\n b: 2\n", "line 2"),
        ("q.yaml", "- a: 1\n---\n- b: 2\n", "expected a single document"),
        ("q.yaml", "- {a: &b [*b]}", "line 1 repeats another place (*b)"),
        ("q.yaml", BILLIONS, "line 2 repeats another place (*a0)"),
        ("q.yaml", "[" * 100_000, "more than 30 levels deep"),
        ("q.yaml", "- " * 100_000, "more than 30 levels deep"),
        ("q.json", "[" * 100_000, "cannot read"),
        ("q.yaml", "\x07\x01\x02", "cannot read"),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_list_of_items_is_refused_with_the_place(
    name: str, text: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(typer.BadParameter) as refused:
        in_file(tmp_path, text, name)
    assert words in refused.value.message


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "quotas.yaml"
    file.write_bytes(b"- note: \xff\n")
    with pytest.raises(typer.BadParameter, match="is not UTF-8: invalid start byte at byte 8"):
        read_items(file)


def test_long_zeros_are_no_digits() -> None:
    assert exact("1" + "0" * 60) == Decimal("1E+60")
    assert list(unstorable({"limit": exact("1" + "0" * 60)})) == []
