"""Edits: shown in words first, asked for once, written as agreed, never over somebody else's."""

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest

from cli_world import ADMIN, Shell
from console_site import Answer, Site

NEW = {
    "principal": "user/bob", "quota": "weekly", "measure": "total_tokens", "limit": "2M",
    "window": "week", "seen": "",
}  # fmt: skip


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', page)
    assert found is not None, page
    return unescape(found[1])


def text(answer: Answer) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def item(shell: Shell, subject: str, name: str) -> dict[str, Any] | None:
    found = shell.table.get(subject, name)
    return None if found is None else dict(found)


def test_an_item_is_told_in_words_before_it_is_saved(site: Site, shell: Shell) -> None:
    told = text(site.post("/quotas/preview", **NEW))
    assert "2,000,000 total tokens per week; warns at 80 %, then denies." in told
    assert "It applies to user/bob" in told
    assert "It blocks and releases nobody now." in told
    assert item(shell, "user/bob", "weekly") is None


def test_it_is_saved_with_who_did_it(site: Site, shell: Shell) -> None:
    saved = site.post("/quotas/save", **NEW)
    assert (saved.status, saved.headers["location"]) == (303, "/quotas")
    assert item(shell, "user/bob", "weekly") == {
        "principal": "user/bob", "quota": "weekly", "measure": "total_tokens",
        "limit": Decimal(2_000_000), "window": "week", "edited_by": ADMIN,
    }  # fmt: skip


@pytest.fixture
def scopes(shell: Shell) -> None:
    """Two models can be closed by themselves, from before the console starts."""
    shell.world.install("anthropic.claude-3-opus*", "anthropic.claude-3-sonnet*")


@pytest.mark.usefixtures("scopes")
def test_stages_are_written_as_one_line_and_come_back_as_such(site: Site, shell: Shell) -> None:
    """What the form shows of a stored item changes nothing when it is saved again."""
    line = "80 %: anthropic.claude-3-opus*, anthropic.claude-3-sonnet*; 100 %: *"
    told = text(site.post("/quotas/preview", **NEW, closes=line, warn_at="50"))
    assert (
        "then denies anthropic.claude-3-opus*, anthropic.claude-3-sonnet* at 80 %, everything at "
        "the limit."
    ) in told
    site.post("/quotas/save", **NEW, closes=line, warn_at="50")
    stored = item(shell, "user/bob", "weekly") or {}
    stages = {"80": ["anthropic.claude-3-opus*", "anthropic.claude-3-sonnet*"], "100": ["*"]}
    assert stored["closes"] == stages
    page = site.get("/quotas/edit?principal=user/bob&quota=weekly").text
    assert line in unescape(page)
    again = text(site.post("/quotas/preview", **NEW, closes=line, warn_at="50"))
    assert "It is like that already: nothing changes." in again
    refused = text(
        site.post("/quotas/preview", **NEW, closes="80 %: *; 100 %: anthropic.claude-3-opus*")
    )
    assert "would open * again" in refused


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("limit", "lots", "allowed: a whole number"),
        ("limit", "5.000", "5000 or 5"),
        ("window", "fortnight", "rolling 14 days"),
        ("measure", "bananas", "allowed:"),
        ("principal", "alice bob", "allowed:"),
        ("members", "user/a", "only where principal is team/NAME"),
        ("until", "some day", "allowed:"),
        ("warn_at", "x", "allowed:"),
    ],
)
def test_every_error_stands_at_its_field(
    site: Site, shell: Shell, field: str, value: str, words: str
) -> None:
    refused = site.post("/quotas/save", **(NEW | {field: value}))
    assert refused.status == 422
    [at_field] = re.findall(rf'<p class="wrong" id="e-{field}">([^<]*)</p>', refused.text)
    assert words in unescape(at_field)
    assert f'name="{field}"' in refused.text
    assert unescape(refused.text).count(value) >= 1  # what was written is still there
    assert item(shell, "user/bob", "weekly") is None


def test_who_would_be_blocked_is_asked_for_once(site: Site, shell: Shell) -> None:
    low = NEW | {"limit": "100"}
    assert "This would block user/bob now" in text(site.post("/quotas/preview", **low))
    asked = site.post("/quotas/save", **low)
    assert "Save all the same" in asked.text
    assert item(shell, "user/bob", "weekly") is None
    agreed = hidden(asked.text, "agreed")
    assert site.post("/quotas/save", **low, agreed="something else").status == 200
    assert item(shell, "user/bob", "weekly") is None
    assert site.post("/quotas/save", **low, agreed=agreed).status == 303
    assert item(shell, "user/bob", "weekly") is not None


def test_what_the_form_does_not_have_stays(site: Site, shell: Shell) -> None:
    shell.world.quota(principal="user/bob", raise_to=Decimal(5000), raise_until="2099-01-01")
    page = site.get("/quotas/edit?principal=user/bob&quota=daily").text
    form = {name: hidden(page, name) for name in ("principal", "quota", "limit", "window", "seen")}
    site.post("/quotas/save", **(form | {"measure": "total_tokens", "limit": "3000"}))
    stored = item(shell, "user/bob", "daily")
    assert stored is not None
    assert (stored["limit"], stored["raise_to"]) == (Decimal(3000), Decimal(5000))


def test_what_another_admin_edited_meanwhile_is_shown_and_never_overwritten(
    site: Site, shell: Shell
) -> None:
    page = site.get("/quotas/edit?principal=default&quota=daily").text
    form = {name: hidden(page, name) for name in ("principal", "quota", "window", "seen")}
    shell.world.quota(principal="default", limit=Decimal(7000))
    late = site.post("/quotas/save", **form, measure="total_tokens", limit="9000")
    assert late.status == 409
    assert "limit: 1,000 7,000" in text(late)
    stored = item(shell, "default", "daily")
    assert stored is not None
    assert stored["limit"] == Decimal(7000)


def test_nor_what_is_edited_at_the_very_moment(site: Site, shell: Shell) -> None:
    shell.table.overtaken = True
    assert site.post("/quotas/save", **NEW).status == 409


def test_an_item_made_meanwhile_is_not_overwritten_by_a_new_one(site: Site, shell: Shell) -> None:
    shell.world.quota(principal="user/bob", quota="weekly", window="week")
    assert site.post("/quotas/save", **NEW).status == 409


def test_removing_is_shown_first(site: Site, shell: Shell) -> None:
    seen = hidden(site.get("/quotas/edit?principal=default&quota=daily").text, "seen")
    key = {"principal": "default", "quota": "daily", "seen": seen}
    asked = site.post("/quotas/remove", **key)
    assert "This would release user/alice" in text(asked) or "release 1 of" in text(asked)
    assert item(shell, "default", "daily") is not None
    assert site.post("/quotas/remove", **key, agreed="yes").status == 303
    assert item(shell, "default", "daily") is None


class TestActions:
    """Raise, block, unblock and release: a page that says what it will do, then the doing."""

    def do(self, site: Site, what: str, **form: str) -> Answer:
        asked = site.post(f"/act/{what}/user/alice", **form)
        assert asked.status == 200, text(asked)
        assert "What it will do" in asked.text
        return site.post(f"/act/{what}/user/alice", **form, seen=hidden(asked.text, "seen"))

    def test_a_raise(self, site: Site, shell: Shell) -> None:
        done = self.do(site, "raise", quota="daily", to="5000", until="1d")
        assert (done.status, done.headers["location"]) == (303, "/people/user/alice")
        stored = item(shell, "user/alice", "daily")
        assert stored is not None
        assert stored["limit"] == Decimal(5000)

    def test_a_block_by_hand_and_its_end(self, site: Site, shell: Shell) -> None:
        self.do(site, "block", until="2h", note="key leaked")
        stored = item(shell, "user/alice", "blocked-by-hand")
        assert stored is not None
        assert stored["note"] == "key leaked"
        self.do(site, "unblock")
        assert item(shell, "user/alice", "blocked-by-hand") is None

    def test_a_release_takes_effect_at_once(self, site: Site, shell: Shell) -> None:
        assert [str(each.principal) for each in shell.world.ledger.blocked()] == ["user/alice"]
        self.do(site, "release", until="")
        assert shell.world.ledger.blocked() == []

    @pytest.mark.parametrize(
        ("what", "form", "words"),
        [
            ("raise", {"quota": "daily", "to": "10", "until": "1d"}, "is not above"),
            ("raise", {"quota": "nothing", "to": "10", "until": "1d"}, "these do: daily"),
            ("raise", {"quota": "daily", "to": "5k", "until": "never"}, "is not an end"),
            ("block", {"until": "yesterday"}, "is not an end"),
            ("unblock", {}, "is not blocked by hand"),
            ("banish", {}, "There is no action"),
        ],
    )
    def test_what_cannot_be_done_is_said(
        self, site: Site, shell: Shell, what: str, form: dict[str, str], words: str
    ) -> None:
        before = dict(shell.world.quotas.table)
        answer = site.post(f"/act/{what}/user/alice", **form)
        assert answer.status in {400, 404}
        assert words in text(answer)
        assert shell.world.quotas.table == before


class TestImport:
    """A file that was dropped on the page."""

    FILE = """
- {principal: default, quota: daily, measure: total_tokens, limit: 3000, window: day}
- {principal: user/bob, quota: weekly, measure: cost_usd, limit: 5, window: week}
"""

    def drop(self, site: Site, content: str, name: str = "quotas.yaml") -> Answer:
        lines = (
            "--b", f'Content-Disposition: form-data; name="file"; filename="{name}"',
            "Content-Type: application/yaml", "", content, "--b--", "",
        )  # fmt: skip
        more = {"Content-Type": "multipart/form-data; boundary=b", "Origin": site.base}
        return site.send("POST", "/quotas/import", "\r\n".join(lines), more)

    def carried(self, page: str) -> dict[str, str]:
        areas = re.findall(r'<textarea name="(\w+)" hidden>(.*?)</textarea>', page, re.DOTALL)
        return {name: unescape(value) for name, value in areas} | {"name": "quotas.yaml"}

    def test_its_plan_is_shown_and_then_written(self, site: Site, shell: Shell) -> None:
        shown = self.drop(site, self.FILE)
        assert "1 added, 1 changed, 0 removed, 0 unchanged" in text(shown)
        assert "limit 1,000 -> 3,000" in text(shown)
        assert item(shell, "user/bob", "weekly") is None
        written = site.post("/quotas/import/write", **self.carried(shown.text))
        assert "2 of 2 written" in text(written)
        assert item(shell, "user/bob", "weekly") is not None

    def test_a_plan_that_no_longer_holds_is_shown_anew(self, site: Site, shell: Shell) -> None:
        shown = self.drop(site, self.FILE)
        shell.world.quota(principal="default", limit=Decimal(7000))
        again = site.post("/quotas/import/write", **self.carried(shown.text))
        assert "limit 7,000 -> 3,000" in text(again)
        assert item(shell, "user/bob", "weekly") is None

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("- {principal: default, quota: daily, limit: lots}", "is not valid"),
            ("just words", "no list of items"),
            ("- [1", "cannot read"),
        ],
    )
    def test_what_is_wrong_in_it_is_said(self, site: Site, content: str, words: str) -> None:
        answer = self.drop(site, content)
        assert words in text(answer)
        assert "Write this" not in answer.text
