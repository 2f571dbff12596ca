"""What was made by hand for a while, and a file that knows only what holds for good."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from builders import NOON, an_item
from cli_world import Shell, a_shell
from quota_enforcer.cli.files.by_hand import is_by_hand, permanent
from quota_enforcer.cli.files.json import written

ENDS = "2026-11-26T12:00:00+00:00"


class Desk:
    """A shell, and the file that an admin keeps in version control."""

    def __init__(self, shell: Shell, file: Path) -> None:
        self.shell = shell
        self.file = file

    def keep(self, *items: dict[str, Any]) -> None:
        self.file.write_text(written(items), encoding="utf-8")

    def imported(self, *options: str) -> list[str]:
        return self.shell.out("quota", "import", str(self.file), "--yes", *options).splitlines()


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Desk:
    """A quota of alice's own and one of all, as in the file."""
    desk = Desk(a_shell(monkeypatch), tmp_path / "quotas.json")
    desk.shell.world.quota()
    desk.shell.world.quota(principal="user/*")
    desk.shell.out("quota", "export", str(desk.file))
    return desk


@pytest.fixture
def raised(desk: Desk) -> Desk:
    """Alice is raised, bob too, ann is exempt, and eve is blocked by hand."""
    for who, to in (("alice", "5000"), ("bob", "9000"), ("ann", "unlimited")):
        desk.shell.out("quota", "raise", f"user/{who}", "daily", to, "--until", "2d")
    desk.shell.out("quota", "block", "user/eve")
    return desk


STAY = "3 made by hand for a while are not in the file and stay; --prune --end-raises removes them."


@pytest.mark.parametrize("options", [[], ["--prune"]], ids=" ".join)
def test_raises_and_blocks_survive_an_import(raised: Desk, options: list[str]) -> None:
    before = dict(raised.shell.world.quotas.table)
    assert raised.imported(*options) == ["0 added, 0 changed, 0 removed, 2 unchanged.", STAY]
    assert raised.shell.world.quotas.table == before


def test_what_the_file_changes_is_changed_below_the_raise(raised: Desk) -> None:
    raised.keep(an_item(limit=2000, note="more"), an_item(principal="user/*"))
    assert (
        raised.imported()[0] == "changed daily of user/alice: limit 1,000 -> 2,000; note - -> more"
    )
    item = raised.shell.item()
    assert (item["limit"], item["raise_to"], item["raise_until"]) == (2000, 5000, ENDS)


def test_a_quota_of_their_own_takes_the_raise_over(raised: Desk) -> None:
    """Bob and ann had raised copies of the quota of all; the file gives them their own."""
    raised.keep(
        an_item(), *(an_item(principal=f"user/{who}", limit=2000) for who in ("bob", "ann"))
    )
    raised.imported()
    raises = [
        (item["limit"], item["raise_to"], item["raise_until"], "until" in item)
        for item in (raised.shell.item("user/bob"), raised.shell.item("user/ann"))
    ]
    assert raises == [(2000, 9000, ENDS, False), (2000, "unlimited", ENDS, False)]
    assert raised.imported()[0].startswith("0 added, 0 changed")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"limit": 6000}, id="the limit has come up to it"),
        pytest.param({"limit": 5000}, id="the same limit"),
        pytest.param({"window": "week"}, id="another window"),
        pytest.param({"measure": "requests"}, id="another measure"),
        pytest.param({"regions": ["eu-west-1"]}, id="another Region"),
        pytest.param({"accounts": ["444455556666"]}, id="another account"),
        pytest.param({"raise_to": 7000, "raise_until": "2026-12-24"}, id="the file raises"),
        pytest.param({"until": "2026-12-24"}, id="the file ends it"),
    ],
)
def test_a_raise_that_means_something_else_now_goes(raised: Desk, other: dict[str, Any]) -> None:
    raised.keep(an_item(**other))
    raised.imported()
    assert raised.shell.item().get("raise_to") == other.get("raise_to")


def test_a_raise_that_has_ended_goes(raised: Desk) -> None:
    raised.shell.world.quota(raise_to=5000, raise_until="2026-11-24T11:00")
    assert raised.imported()[0].startswith("changed daily of user/alice: raise_to 5,000 -> -")


def test_a_file_whose_own_raise_has_ended_ends_no_other(raised: Desk) -> None:
    raised.keep(an_item(raise_to=3000, raise_until="2026-11-01"))
    raised.imported()
    assert (raised.shell.item()["raise_to"], raised.shell.item()["raise_until"]) == (5000, ENDS)


def test_what_ended_is_pruned(raised: Desk) -> None:
    raised.shell.world.quota(principal="user/old", until="2026-11-01")
    raised.imported("--prune")
    assert ("user/old", "daily") not in raised.shell.world.quotas.table
    assert ("user/bob", "daily") in raised.shell.world.quotas.table


def test_they_end_where_that_is_asked_for(raised: Desk) -> None:
    raised.imported("--prune", "--end-raises")
    assert set(raised.shell.world.quotas.table) == {("user/alice", "daily"), ("user/*", "daily")}
    assert "raise_to" not in raised.shell.item()


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_a_permanent_export_is_what_holds_for_good(raised: Desk, form: str) -> None:
    desk = raised
    desk.file = desk.file.with_suffix(f".{form}")
    desk.shell.world.quota(principal="user/zoe", until="2026-12-24")
    desk.shell.out("quota", "export", "--permanent", str(desk.file))
    before = dict(desk.shell.world.quotas.table)
    assert desk.imported("--prune")[0] == "0 added, 0 changed, 0 removed, 2 unchanged."
    desk.shell.world.quotas.table.clear()
    desk.imported()
    assert set(desk.shell.world.quotas.table) == {("user/alice", "daily"), ("user/*", "daily")}
    assert before["user/alice", "daily"]["raise_to"] == 5000
    assert "raise_to" not in desk.shell.item()


def test_an_export_of_all_imports_as_no_change(raised: Desk) -> None:
    raised.shell.out("quota", "export", str(raised.file))
    assert raised.imported("--prune") == ["0 added, 0 changed, 0 removed, 5 unchanged."]


def test_a_price_that_ends_is_nobody_s_raise(desk: Desk) -> None:
    price = {"principal": "price/acme.big-v1", "quota": "discount", "percent": 12}
    price |= {"until": "2026-12-24"}
    assert permanent([price]) == [price]
    assert not is_by_hand(price, NOON, ZoneInfo("UTC"))
    desk.shell.world.quotas.put(price)
    desk.imported("--prune")
    assert ("price/acme.big-v1", "discount") not in desk.shell.world.quotas.table
