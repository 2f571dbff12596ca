"""The console in a real Chromium: live, by keyboard, for everybody, and for no other site."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser_desk import PATIENCE, Desk
from cli_world import Shell, a_shell
from console_site import Site, a_site

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
PATHS = ("/", "/people", "/people/user/alice", "/quotas", "/quotas/edit", "/activity", "/health",
         "/try", "/quotas/edit?principal=default&quota=daily")  # fmt: skip
LIVE = 2_000
"""Milliseconds within which a block is on the page."""


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Alice is blocked, Bob is not yet."""
    shell = a_shell(monkeypatch)
    shell.world.quota(principal="default")
    shell.used("alice", 1200)
    shell.used("bob", 850)
    shell.sweep()
    return shell


@pytest.fixture
def site(shell: Shell) -> Iterator[Site]:
    with a_site(shell, sandbox=True) as site:
        yield site


@dataclass
class Visit:
    """A browser that was let in, and what went wrong in it or went out of it."""

    page: Page
    site: Site
    troubles: list[str]
    requests: list[str]

    def go(self, path: str) -> Page:
        self.page.goto(self.site.base + path)
        return self.page


@contextmanager
def let_in(desk: Desk, site: Site, **who: Any) -> Iterator[Visit]:
    width, height = who.pop("size", (1280, 900))
    context = desk.browser.new_context(viewport={"width": width, "height": height}, **who)
    context.set_default_timeout(PATIENCE)
    visit = Visit(context.new_page(), site, [], [])
    visit.page.on("console", lambda message: visit.troubles.append(message.text))
    visit.page.on("pageerror", lambda error: visit.troubles.append(str(error)))
    visit.page.on("request", lambda request: visit.requests.append(request.url))
    try:
        visit.page.goto(site.address)
        yield visit
        assert visit.troubles == []
        assert [url for url in visit.requests if not url.startswith(site.base)] == []
    finally:
        context.close()


def violations(page: Page) -> list[str]:
    """What axe-core finds; the page's own policy would not let it in."""
    page.context.new_cdp_session(page).send("Page.setBypassCSP", {"enabled": True})
    page.evaluate(AXE)
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 15
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found["violations"]]


def test_the_address_that_was_printed_opens_the_overview(desk: Desk, site: Site) -> None:
    with let_in(desk, site) as visit:
        expect(visit.page).to_have_url(f"{site.base}/")  # and the token is out of sight
        expect(visit.page.get_by_role("heading", level=1)).to_have_text("Overview")


def test_a_block_appears_within_two_seconds_without_a_reload(
    desk: Desk, site: Site, shell: Shell
) -> None:
    with let_in(desk, site) as visit:
        row = visit.page.locator("#stopped").get_by_role("link", name="user/bob")
        expect(row).to_have_count(0)
        visit.page.evaluate("window.same = true")
        shell.used("bob", 500)
        shell.sweep()
        expect(row).to_be_visible(timeout=LIVE)
        expect(visit.page.locator("#halted")).to_have_text("2")
        expect(visit.page.get_by_role("status")).to_contain_text("user/bob blocked")
        assert visit.page.evaluate("window.same")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_nothing_wrong_on_any_page(
    desk: Desk, site: Site, scheme: str, width: int
) -> None:
    with let_in(desk, site, color_scheme=scheme, size=(width, 900)) as visit:
        for path in PATHS:
            assert violations(visit.go(path)) == [], path


@pytest.mark.parametrize("width", [360, 599])
def test_on_a_phone_nothing_is_cut_off(desk: Desk, site: Site, width: int) -> None:
    beyond = "[...document.querySelectorAll('main *')].filter(e => e.checkVisibility()"
    beyond += " && !e.closest('.unseen, thead') && e.getBoundingClientRect().right > innerWidth)"
    with let_in(desk, site, size=(width, 800)) as visit:
        for path in PATHS:
            page = visit.go(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert page.evaluate(f"{beyond}.map(e => e.outerHTML.slice(0, 80))") == [], path


def test_rows_stay_rows_for_a_screen_reader_on_a_phone(desk: Desk, site: Site) -> None:
    with let_in(desk, site, size=(400, 800)) as visit:
        table = visit.go("/people").get_by_role("table")
        assert table.get_by_role("row").count() >= 3
        assert table.get_by_role("rowheader", name="user/alice").count() == 1


def test_the_form_says_what_is_meant_while_it_is_written(
    desk: Desk, site: Site, shell: Shell
) -> None:
    with let_in(desk, site) as visit:
        page = visit.go("/quotas/edit")
        page.get_by_label("Whom", exact=True).fill("user/bob")
        page.get_by_label("Name", exact=True).fill("small")
        page.get_by_label("What is counted", exact=True).select_option("total_tokens")
        page.get_by_label("In each", exact=True).fill("day")
        page.get_by_label("Limit", exact=True).fill("lots")
        meaning = page.locator("#meaning")
        expect(meaning).to_contain_text("is 'lots'")
        page.get_by_label("Limit", exact=True).fill("100")
        expect(meaning).to_contain_text("This would block user/bob now")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_contain_text("This would block user/bob now")
        page.get_by_role("button", name="Save all the same").click()
        expect(page).to_have_url(f"{site.base}/quotas")
        assert shell.table.get("user/bob", "small") is not None


def test_it_can_be_used_by_keyboard_alone(desk: Desk, site: Site, shell: Shell) -> None:
    with let_in(desk, site) as visit:
        page = visit.go("/people/user/alice")
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text("Skip to the page")
        page.get_by_label("To", exact=True).focus()
        page.keyboard.type("5000")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="What it will do")).to_be_visible()
        page.get_by_role("button", name="Do it").focus()
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{site.base}/people/user/alice")
        assert shell.table.get("user/alice", "daily") is not None


def test_a_file_dropped_on_the_page_shows_its_plan(desk: Desk, site: Site, tmp_path: Path) -> None:
    file = tmp_path / "quotas.yaml"
    file.write_text("- {principal: user/*, quota: weekly, limit: $5, window: week}\n")
    with let_in(desk, site) as visit:
        page = visit.go("/quotas")
        dropped = page.evaluate_handle(
            """text => {
                const data = new DataTransfer();
                data.items.add(new File([text], "quotas.yaml"));
                return data;
            }""",
            file.read_text(),
        )
        page.dispatch_event("[data-drop]", "drop", {"dataTransfer": dropped})
        expect(page.get_by_role("heading", name="What the file changes")).to_be_visible()
        page.get_by_role("button", name="Write this").click()
        expect(page.get_by_role("heading", name="Written", exact=True)).to_be_visible()


def test_a_call_in_a_sandbox_shows_what_iam_says(desk: Desk, site: Site) -> None:
    with let_in(desk, site) as visit:
        page = visit.go("/try")
        page.get_by_role("button", name="Call").click()
        expect(page.locator("#answer")).to_contain_text("IAM refused user/alice")


EVIL = """<!doctype html><title>evil</title>
<iframe src="{base}/" name="inside"></iframe>
<form id="edit" method="post" action="{base}/quotas/save" target="inside">
<input name="principal" value="user/alice"><input name="quota" value="evil">
<input name="measure" value="requests"><input name="limit" value="0">
<input name="window" value="day"><input name="seen" value=""></form>
<script src="{base}/static/console.js"></script>"""


@contextmanager
def another_site(page: str) -> Iterator[str]:
    class Evil(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Evil) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_address[1]}/"
        server.shutdown()


def test_another_site_in_the_same_browser_can_neither_read_nor_change_anything(
    desk: Desk, site: Site, shell: Shell
) -> None:
    before = dict(shell.world.quotas.table)
    context = desk.browser.new_context()
    with another_site(EVIL.format(base=site.base)) as evil:
        context.new_page().goto(site.address)  # who is let in ...
        page = context.new_page()
        page.goto(evil)  # ... also opens another page
        fetched = """async ([url, options]) => {
            try { const got = await fetch(url, options); return got.type + await got.text(); }
            catch (error) { return "refused"; }
        }"""
        for options in ({"credentials": "include"}, {"method": "POST", "credentials": "include"}):
            assert page.evaluate(fetched, [f"{site.base}/", options]) == "refused"
        opaque = {"credentials": "include", "mode": "no-cors"}
        assert page.evaluate(fetched, [f"{site.base}/", opaque]) in {"refused", "opaque"}
        page.evaluate("document.getElementById('edit').submit()")
        page.wait_for_timeout(500)
        [inside] = [frame for frame in page.frames if frame.name == "inside"]
        assert "Overview" not in inside.content()
        assert "user/alice" not in inside.content()
    context.close()
    assert shell.world.quotas.table == before
