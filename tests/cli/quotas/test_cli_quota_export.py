"""`quota export`: a file in a stable order that imports as no change at all."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from builders import an_item
from cli_world import Shell, a_shell

ITEMS = [
    an_item(limit=Decimal(1_000_000), warn_at={Decimal(50), Decimal(100) / 2 + 40}),
    an_item(quota="budget", measure="cost_usd", limit=Decimal("12.50"), note="für 研究: 😀\n#2"),
    an_item(quota="past", until="2026-11-01", enabled=False, edited_by="arn:aws:iam::1:user/a"),
    an_item(principal="team/研究", members={"user/b", "user/a"}, share="pool"),
    an_item(
        quota="weighted",
        measure="weighted_tokens",
        weights={"output_tokens": Decimal("0.000001"), "input_tokens": Decimal(5)},
    ),
    an_item(principal="user/eve", limit="lots", typo=[None, True, {"a": Decimal("0.1")}]),
    {"principal": "price/acme.big-v1", "quota": "price", "input": Decimal("0.35"), "note": "ours"},
]
NOTHING = "0 added, 0 changed, 0 removed, 7 unchanged.\n"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = a_shell(monkeypatch)
    for item in ITEMS:
        shell.world.quotas.put(item)
    return shell


@pytest.mark.parametrize("name", ["quotas.yaml", "quotas.json", "quotas"])
def test_an_export_imports_as_no_change(shell: Shell, tmp_path: Path, name: str) -> None:
    file = str(tmp_path / name)
    shell.out("quota", "export", file)
    assert shell.out("quota", "import", file, "--prune", "--yes") == NOTHING


@pytest.mark.parametrize("options", [[], ["--json"], ["-"]], ids=["yaml", "json", "dash"])
def test_stdout_is_the_file(
    shell: Shell, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = shell.out("quota", "export", *options)
    assert list(tmp_path.iterdir()) == []
    result = shell.run("quota", "import", "-", "--prune", "--dry-run", typed=text)
    assert result.stdout == NOTHING + "Dry run: nothing was written.\n"


def test_an_export_fills_an_empty_table_with_the_same(shell: Shell, tmp_path: Path) -> None:
    file = str(tmp_path / "quotas.yaml")
    del shell.world.quotas.table["user/eve", "daily"]
    shell.out("quota", "export", file)
    before = shell.json("quota", "list")
    shell.world.quotas.table.clear()
    assert "6 added, 0 changed" in shell.out("quota", "import", file, "--yes")
    again = shell.json("quota", "list")
    assert [(each["principal"], each["quota"], each["state"]) for each in again["quotas"]] == [
        (each["principal"], each["quota"], each["state"]) for each in before["quotas"]
    ]
    assert shell.item("user/alice", "budget")["limit"] == Decimal("12.5")


def test_yaml_is_written_as_people_write_it_with_what_is_wrong_beside(shell: Shell) -> None:
    result = shell.run("quota", "export")
    assert result.stdout.startswith(
        "# The quota table of stack bedrock-quota; `quota-enforcer quota import` reads it back.\n"
        "- principal: price/acme.big-v1\n  quota: price\n  input: 0.35\n  note: ours\n"
        "- principal: team/研究\n  quota: daily\n  measure: total_tokens\n  limit: 1000\n"
        "  window: day\n  members:\n  - user/a\n  - user/b\n  share: pool\n"
        "- principal: user/alice\n  quota: budget\n  measure: cost_usd\n  limit: 12.5\n"
    )
    assert "# not valid: attribute 'typo' is unknown; allowed: principal, quota," in result.stdout
    assert "# not valid: limit is 'lots'; allowed: a whole number, 0 or more\n" in result.stdout
    assert "warning: quota 'daily' of 'user/eve' is not valid:" in result.stderr


def test_the_order_does_not_depend_on_the_tables(shell: Shell) -> None:
    first = shell.out("quota", "export")
    table = shell.world.quotas.table
    shell.world.quotas.table = dict(reversed(table.items()))
    for key, item in table.items():
        table[key] = {name: item[name] for name in reversed(list(item))}
    assert shell.out("quota", "export") == first


def test_json_has_numbers_as_numbers(shell: Shell) -> None:
    found = json.loads(shell.out("quota", "export", "--json"), parse_float=Decimal)
    limits = {each["quota"]: each.get("limit") for each in found if "alice" in each["principal"]}
    assert limits == {
        "daily": 1_000_000, "budget": Decimal("12.5"), "past": 1000, "weighted": 1000,
    }  # fmt: skip


def test_an_empty_table_is_an_empty_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shell = a_shell(monkeypatch)
    for name in ("none.yaml", "none.json"):
        file = str(tmp_path / name)
        shell.out("quota", "export", file)
        printed = shell.out("quota", "import", file, "--prune", "--yes")
        assert printed == "0 added, 0 changed, 0 removed, 0 unchanged.\n"


def test_a_file_is_replaced_as_a_whole_or_stays(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "quotas.yaml"
    file.write_text("old", encoding="utf-8")
    result = shell.run("quota", "export", str(file))
    assert result.stderr.splitlines()[-1] == f"7 items in {file}"
    assert file.read_text(encoding="utf-8") == shell.out("quota", "export")
    assert [each.name for each in tmp_path.iterdir()] == ["quotas.yaml"]


def test_a_file_that_cannot_be_written_is_refused(shell: Shell, tmp_path: Path) -> None:
    result = shell.run("quota", "export", str(tmp_path / "not" / "there.yaml"))
    assert result.exit_code == 2
    assert "cannot write" in result.stderr


def test_each_entry_begins_with_its_keys(shell: Shell) -> None:
    found: list[dict[str, Any]] = json.loads(shell.out("quota", "export", "--json"))
    assert [list(each)[:2] for each in found] == [["principal", "quota"]] * 7
