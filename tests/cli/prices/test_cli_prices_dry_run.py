"""`--dry-run` of every edit of prices: what it would do, and nothing written."""

import pytest

from cli_world import Shell, a_shell

MODEL = "acme.big-v1"
EDITS = [
    ("set", MODEL, "--input", "$4", "--output", "20"),
    ("set", "acme.new-v1", "--input", "3"),
    ("remove", MODEL),
    ("discount", "anthropic", "12%"),
    ("discount", "amazon", "--remove"),
]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = a_shell(monkeypatch)
    shell.out("prices", "set", MODEL, "--input", "3")
    shell.out("prices", "discount", "amazon", "5%")
    return shell


@pytest.mark.parametrize("edit", EDITS, ids=" ".join)
def test_nothing_is_written(shell: Shell, edit: tuple[str, ...]) -> None:
    before = dict(shell.world.quotas.table)
    assert shell.out("prices", *edit, "--dry-run").endswith("Dry run: nothing was written.\n")
    assert shell.world.quotas.table == before
    shell.out("prices", *edit)
    assert shell.world.quotas.table != before


def test_what_calls_would_cost_is_shown(shell: Shell) -> None:
    printed = shell.out("prices", "set", MODEL, "--input", "4", "--dry-run")
    assert printed.startswith(f"Would change price {MODEL}:")
    tried = shell.json("prices", "set", MODEL, "--input", "4", "--dry-run")
    assert tried["price"]["input"] == "4"
    assert shell.json("prices", "list", MODEL)["prices"][0]["input"] == "3"


def test_what_would_apply_instead_of_a_removed_price_is_shown(shell: Shell) -> None:
    assert "No price is known for it then" in shell.out("prices", "remove", MODEL, "--dry-run")
