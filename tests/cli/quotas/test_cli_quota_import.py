"""`quota import`: a plan first, all or nothing of what is wrong, nobody's edit undone."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from builders import an_item
from cli_world import ADMIN, Shell, a_shell
from quota_enforcer.cli.files.json import written as as_json_text
from quota_enforcer.core.errors import Conflict
from quota_enforcer.core.quotas.item import Item

PRICE = {"principal": "price/acme.big-v1", "quota": "price", "input": Decimal("0.35")}


@dataclass
class Import:
    """A file of items, and the command on it."""

    shell: Shell
    file: Path

    def items(self, *items: dict[str, Any]) -> None:
        self.file.write_text(as_json_text(items), encoding="utf-8")

    def text(self, text: str, name: str = "quotas.yaml") -> None:
        self.file = self.file.with_name(name)
        self.file.write_text(text, encoding="utf-8")

    def run(self, *options: str, typed: str | None = None) -> Any:
        return self.shell.run("quota", "import", str(self.file), *options, typed=typed)

    def out(self, *options: str) -> list[str]:
        result = self.run("--yes", *options)
        assert result.exit_code == 0, result.output
        lines: list[str] = result.stdout.splitlines()
        return lines

    @property
    def table(self) -> dict[tuple[str, str], Item]:
        return self.shell.world.quotas.table


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Import:
    return Import(a_shell(monkeypatch), tmp_path / "quotas.json")


def test_values_as_people_write_them_are_written_as_the_table_has_them(imported: Import) -> None:
    imported.text("- {principal: user/alice, quota: daily, limit: 2M tokens, window: daily, "
                  "warn_at: '50,80'}\n")  # fmt: skip
    assert imported.out()[0] == "added daily of user/alice: 2,000,000 total tokens per day"
    assert imported.table["user/alice", "daily"] == {
        "principal": "user/alice",
        "quota": "daily",
        "measure": "total_tokens",
        "limit": 2_000_000,
        "window": "day",
        "warn_at": [50, 80],
        "edited_by": ADMIN,
    }
    assert imported.out()[0] == "0 added, 0 changed, 0 removed, 1 unchanged."


def test_what_is_valid_as_it_is_stays_as_it_is(imported: Import) -> None:
    imported.items(an_item(limit="2000", warn_at=["50"]))
    imported.out()
    assert imported.table["user/alice", "daily"]["limit"] == "2000"


def test_an_import_adds_changes_and_leaves_alone(imported: Import) -> None:
    imported.shell.world.quota(note="first")
    imported.shell.world.quota(principal="user/bob")
    imported.shell.world.quota(principal="user/eve")
    imported.items(an_item(limit=2000), an_item(principal="user/bob"), PRICE)
    assert imported.out() == [
        "added price of price/acme.big-v1: input 0.35",
        "changed daily of user/alice: limit 1,000 -> 2,000; note first -> -",
        "1 added, 1 changed, 0 removed, 1 unchanged.",
        "1 more in the table are not in the file and stay; --prune removes them.",
        "2 of 2 written.",
    ]
    assert imported.table["user/alice", "daily"] == an_item(limit=2000, edited_by=ADMIN)
    assert imported.table["price/acme.big-v1", "price"] == {**PRICE, "edited_by": ADMIN}
    assert imported.table["user/bob", "daily"] == an_item(principal="user/bob")


def test_only_prune_removes_and_it_says_what(imported: Import) -> None:
    imported.shell.world.quota()
    imported.shell.world.quota(principal="user/eve", enabled=False)
    imported.items(an_item())
    assert imported.out("--prune") == [
        ("removed daily of user/eve: measure total_tokens, limit 1,000, window day, enabled false"),
        "0 added, 0 changed, 1 removed, 1 unchanged.",
        "1 of 1 written.",
    ]
    assert set(imported.table) == {("user/alice", "daily")}


def test_a_second_import_has_nothing_to_write(imported: Import) -> None:
    team = an_item(principal="team/研究", members=["user/a", "role/b"], note="für alle 😀")
    imported.items(an_item(warn_at=[90, 50]), team, PRICE)
    imported.out()
    before = dict(imported.table)
    assert imported.out("--prune") == ["0 added, 0 changed, 0 removed, 3 unchanged."]
    assert imported.table == before


def test_the_plan_is_asked_for_and_no_means_no(imported: Import) -> None:
    imported.items(an_item())
    result = imported.run(typed="n\n")
    assert result.exit_code == 1
    assert "added daily of user/alice: 1,000 total tokens per day" in result.stdout
    question = "Write this (1 added, 0 changed, 0 removed, 0 unchanged)?"
    assert question in result.stderr
    assert imported.table == {}
    assert imported.run(typed="y\n").exit_code == 0
    assert len(imported.table) == 1


def test_a_dry_run_writes_nothing_and_asks_nothing(imported: Import) -> None:
    imported.items(an_item())
    result = imported.run("--dry-run")
    assert result.stdout.splitlines()[-1] == "Dry run: nothing was written."
    assert (result.exit_code, imported.table) == (0, {})


def test_an_import_says_when_it_takes_effect_only_where_it_wrote(imported: Import) -> None:
    imported.items(an_item())
    assert "It takes effect in seconds" in imported.run("--yes").stderr
    assert imported.run("--yes").stderr == ""


def test_as_json_the_whole_plan_and_what_became_of_it(imported: Import) -> None:
    imported.shell.world.quota()
    imported.shell.world.quota(principal="user/eve")
    imported.items(an_item(limit=2000))
    document = json.loads(imported.run("--yes", "--json").stdout)
    assert document == {
        "added": 0, "changed": 1, "removed": 0, "unchanged": 0, "left": 1, "by_hand": 0,
        "written": 1, "overtaken": [], "would_block": [], "would_release": [],
        "steps": [{
            "principal": "user/alice", "quota": "daily", "kind": "changed",
            "changes": [{"attribute": "limit", "old": 1000, "new": 2000}],
        }],
    }  # fmt: skip


def test_stdin_is_a_file_too_but_cannot_answer(imported: Import) -> None:
    text = "- {principal: user/alice, quota: daily, measure: requests, limit: 5, window: day}"
    run = imported.shell.run
    refused = run("quota", "import", "-", typed=text)
    assert (refused.exit_code, imported.table) == (2, {})
    assert "give --yes" in refused.stderr
    assert run("quota", "import", "-", "--yes", typed=text).exit_code == 0
    assert imported.table["user/alice", "daily"]["limit"] == 5


def test_a_file_that_is_not_there_is_named(imported: Import) -> None:
    result = imported.run("--yes")
    assert result.exit_code == 2
    assert "there is no file" in result.stderr


def test_everything_wrong_is_named_by_item_and_line_and_nothing_is_written(
    imported: Import,
) -> None:
    imported.text(
        "- {principal: user/alice, quota: daily, measure: requests, limit: 5, window: day}\n"
        "- {principal: user/bob, quota: daily, measure: requests, limt: 5, window: day}\n"
        "- {principal: team/x, quota: d, measure: requests, limit: 5, window: day,\n"
        "   members: [user/a, team/y]}\n"
        "- {principal: user/eve, quota: d, measure: requests, limit: 5, window: day,\n"
        "   models: [acme.big-v1]}\n"
        "- {principal: user/alice, quota: daily, measure: requests, limit: 7, window: day}\n"
        "- {principal: price/x, quota: price, input: free}\n"
        "- {principal: user/yan, quota: täglich, measure: requests, limit: .inf, window: day}\n"
    )
    result = imported.run("--yes")
    assert (result.exit_code, result.stdout, imported.table) == (2, "", {})
    assert result.stderr.splitlines() == [
        "error: item 1 (line 1): quota 'daily' of 'user/alice' is not valid:",
        "  - it is there 2 times, in lines 1, 7; the quota table has it once",
        "error: item 2 (line 2): quota 'daily' of 'user/bob' is not valid:",
        "  - attribute 'limt' is unknown; did you mean limit?",
        "  - limit is missing; allowed: a whole number, 0 or more",
        "error: item 3 (line 3): quota 'd' of 'team/x' is not valid:",
        (
            "  - members is ['user/a', 'team/y']; allowed: a list of principals and kinds, "
            "and of no teams: instead of team/y name the members, one by one"
        ),
        "error: item 4 (line 5): quota 'd' of 'user/eve' is not valid:",
        (
            "  - models is ['acme.big-v1']; allowed: installed model scopes: *; to install "
            "another, set one of the stack's parameters ModelScope1 to ModelScope5"
        ),
        "error: item 5 (line 7): quota 'daily' of 'user/alice' is not valid:",
        "  - it is there 2 times, in lines 1, 7; the quota table has it once",
        "error: item 6 (line 8): quota 'price' of 'price/x' is not valid:",
        (
            "  - input is 'free'; allowed: dollars, a number from 0 to 1000000 with at most 9 "
            "decimals"
        ),
        "error: item 7 (line 9): quota 'täglich' of 'user/yan' is not valid:",
        "  - .inf is not a number; if it is meant as text, quote it",
        (
            "  - quota is 'täglich'; allowed: letters a to z or A to Z, digits, '.', '_' and "
            "'-', at most 64"
        ),
        "  - limit is '.inf'; allowed: a whole number, 0 or more",
        "Nothing was written: 7 of 7 items are not valid.",
    ]


def test_a_disabled_item_must_be_right_too(imported: Import) -> None:
    imported.items(an_item(enabled=False, window="fortnight"))
    assert "window is 'fortnight'" in imported.run("--yes").stderr
    assert imported.table == {}


def test_what_stands_in_the_table_just_as_invalid_may_stay(imported: Import) -> None:
    imported.shell.world.quota(limit="lots", note={"a"})
    imported.items(an_item(limit="lots", note=["a"]), an_item(principal="user/bob"))
    result = imported.run("--yes")
    assert result.exit_code == 0
    assert "1 added, 0 changed, 0 removed, 1 unchanged." in result.stdout
    assert "warning: item 1 (line 2): quota 'daily' of 'user/alice' is not valid:" in result.stderr
    assert "The table has it in the same form, and it stays." in result.stderr
    imported.items(an_item(limit="more"))
    assert imported.run("--yes").exit_code == 2


def test_members_whom_nobody_has_seen_are_a_warning(imported: Import) -> None:
    imported.shell.used("alice", 5)
    imported.shell.sweep()
    imported.items(an_item(principal="team/x", members=["user/alice", "user/alcie"]))
    result = imported.run("--yes")
    assert result.exit_code == 0
    assert (
        "warning: daily of team/x has the member user/alcie, who has not used Bedrock yet; "
        "did you mean user/alice?" in result.stderr
    )
    imported.items(an_item(principal="team/x", members=[f"user/n{n}" for n in range(13)]))
    assert "and 3 more: `quota-enforcer quota check FILE` names all" in imported.run("-y").stderr


def meanwhile(imported: Import, edit: Callable[[], None]) -> None:
    """Another admin is faster: edits after the plan was made, before anything is written."""
    table = imported.shell.table
    items = table.items

    def read_then_edited() -> list[Item]:
        found = list(items())
        edit()
        return found

    table.items = read_then_edited  # type: ignore[method-assign] # only this once


def test_what_another_admin_edits_meanwhile_is_named_and_stays(imported: Import) -> None:
    world = imported.shell.world
    world.quota()
    world.quota(principal="user/eve")
    meanwhile(imported, lambda: world.quota(limit=7))
    imported.items(an_item(limit=2000), an_item(principal="user/bob"))
    result = imported.run("--yes")
    assert result.exit_code == 1
    assert "1 of 2 written." in result.stdout
    assert (
        "error: daily of user/alice was changed by somebody else meanwhile, and keeps their change"
        in result.stderr
    )
    assert imported.table["user/alice", "daily"] == an_item(limit=7)
    assert ("user/bob", "daily") in imported.table


def test_what_another_admin_edits_is_not_removed_either(imported: Import) -> None:
    world = imported.shell.world
    world.quota()
    meanwhile(imported, lambda: world.quota(limit=7))
    imported.items()
    document = json.loads(imported.run("--yes", "--prune", "--json").stdout)
    assert document["overtaken"] == [{"principal": "user/alice", "quota": "daily"}]
    assert imported.table["user/alice", "daily"] == an_item(limit=7)


@pytest.mark.parametrize("prune", [False, True])
def test_two_admins_who_import_the_same_do_not_mind(imported: Import, *, prune: bool) -> None:
    world = imported.shell.world
    world.quota()
    if prune:
        meanwhile(imported, world.quotas.table.clear)
        imported.items()
    else:
        meanwhile(imported, lambda: world.quota(limit=9, edited_by="the other"))
        imported.items(an_item(limit=9))
    result = imported.run("--yes", *(["--prune"] if prune else []))
    assert result.exit_code == 0
    assert "1 of 1 written." in result.stdout


@pytest.mark.parametrize(
    ("stops", "code", "words"),
    [
        (KeyboardInterrupt(), 1, "interrupted: "),
        (Conflict("the table is gone"), 1, "It stopped: "),
    ],
)
def test_an_import_that_stopped_is_simply_run_again(
    imported: Import, monkeypatch: pytest.MonkeyPatch, stops: BaseException, code: int, words: str
) -> None:
    table = imported.shell.table
    put = table.put
    written: list[Item] = []

    def put_some(item: Item, expected: Item | None) -> None:
        if len(written) == 20:
            raise stops
        written.append(item)
        put(item, expected)

    imported.items(*(an_item(principal=f"user/u{n}") for n in range(60)))
    with monkeypatch.context() as broken:
        broken.setattr(table, "put", put_some)
        if isinstance(stops, Conflict):
            broken.setattr(table, "get", lambda *_: (_ for _ in ()).throw(stops))
        result = imported.run("--yes")
    assert result.exit_code == code
    assert words in result.stderr
    assert "20 of 60 written; run it again for the rest" in result.stderr
    assert len(imported.table) == 20
    assert "40 added, 0 changed, 0 removed, 20 unchanged." in imported.out()
    assert len(imported.table) == 60


def test_what_is_removed_goes_after_all_else_is_written(
    imported: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported.shell.world.quota(principal="user/*")
    imported.items(*(an_item(principal=f"user/u{n}") for n in range(30)))
    table = imported.shell.table
    remove, there = table.remove, []

    def remove_then(subject: str, name: str, expected: Item | None = None) -> Item | None:
        there.append(len(imported.table))
        return remove(subject, name, expected)

    monkeypatch.setattr(table, "remove", remove_then)
    imported.out("--prune")
    assert there == [31]


def test_an_arn_is_whom_it_names(imported: Import) -> None:
    ours, theirs = "arn:aws:iam::111122223333:user/eng/alice", "arn:aws:iam::444455556666:role/ci"
    imported.items(
        an_item(principal=ours),
        an_item(principal="team/x", members=[ours, theirs], share="pool"),
    )
    imported.out()
    assert imported.shell.item("user/alice", "daily")["limit"] == 1000
    shown = imported.shell.json("explain", "team/x")["names"][0]["applies"][0]
    assert set(shown["by_member"]) == {"user/alice", "444455556666/role/ci"}
    assert imported.out()[-1:] == ["0 added, 0 changed, 0 removed, 2 unchanged."]


def test_an_arn_that_is_two_principals_is_asked_back(imported: Import) -> None:
    imported.items(an_item(principal="arn:aws:sts::111122223333:assumed-role/ci/42"))
    assert "write session/ci/42, or role/ci for all of it" in imported.run("--yes").stderr
