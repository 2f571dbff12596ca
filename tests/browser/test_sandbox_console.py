"""The console of a real sandbox: a call is refused by IAM, the page shows it, and time frees.

One sandbox for all tests of this file, and one browser that it lets in.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser_desk import Desk

METERED = 120_000
"""Milliseconds for a real call on a busy machine."""
SWEPT = 300_000


@pytest.fixture(scope="module")
def console(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page that a sandbox's console let in."""
    folder = str(tmp_path_factory.mktemp("sandbox"))
    path = os.pathsep.join(entry for entry in sys.path if entry)
    ours = {"TMPDIR": folder, "XDG_RUNTIME_DIR": folder, "PYTHONPATH": path}
    sandbox = subprocess.Popen(
        [sys.executable, "-m", "quota_enforcer.cli", "sandbox", "--console"],
        env=os.environ | ours,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert sandbox.stdout is not None
    found = (re.search(r"http://\S+token=\S+", line) for line in sandbox.stdout)
    address = next(filter(None, found))[0]
    context = desk.browser.new_context()
    context.set_default_timeout(METERED)
    page = context.new_page()
    page.goto(address)
    yield page
    context.close()
    sandbox.terminate()
    sandbox.communicate()


def go(page: Page, name: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def call(page: Page, who: str, tokens: str, answer: str) -> None:
    """The answer of one call that is made now."""
    page.get_by_label("Who").select_option(who)
    page.get_by_label("Input tokens").fill(tokens)
    page.locator("#answer").evaluate("place => place.replaceChildren()")
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator("#answer")).to_contain_text(answer, timeout=METERED)


def move(page: Page, ahead: str) -> None:
    page.get_by_label("Ahead by").fill(ahead)
    page.get_by_role("button", name="Move").click()
    expect(page.locator("#moved")).to_contain_text("It is now", timeout=SWEPT)


def person(page: Page, who: str) -> None:
    go(page, "People")
    page.locator("main").get_by_role("link", name=who, exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(who)


def overview(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(page.locator("#stopped")).to_be_visible()


def daves_page(page: Page) -> None:
    person(page, "user/dave")
    for name in ("Days", "Models", "History", "Why it is so"):
        expect(page.get_by_role("heading", level=2, name=name, exact=True)).to_be_visible()
    expect(page.locator("#quotas")).to_contain_text("1,000,000")


def use_it_up(page: Page) -> None:
    go(page, "Try")
    for _ in range(2):
        call(page, "user/dave", "600k", "Bedrock answered user/dave")
    call(page, "user/dave", "600k", "IAM refused user/dave")


def among_the_blocked(page: Page) -> None:
    go(page, "Overview")
    row = page.locator("#stopped").locator("tr").filter(has_text="user/dave").first
    expect(row).to_contain_text("00:00")


def let_him_go_on(page: Page) -> None:
    person(page, "user/dave")
    form = page.locator("form[action^='/act/raise']")
    form.get_by_label("Quota").select_option("daily")
    form.get_by_label("To", exact=True).fill("3M")
    form.get_by_label("Until").fill("2h")
    form.get_by_role("button").click()
    expect(page.locator("#confirm")).to_contain_text("This would release user/dave now")
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("user/dave")


def answered_again(page: Page) -> None:
    go(page, "Try")
    call(page, "user/dave", "10k", "Bedrock answered user/dave")


def a_limit_before_it_is_set(page: Page) -> None:
    go(page, "Quotas")
    page.get_by_role("link", name="Add a quota").click()
    page.get_by_label("Whom", exact=True).fill("user/dave")
    page.get_by_label("Name", exact=True).fill("money")
    page.get_by_label("What is counted").select_option("cost_usd")
    page.get_by_label("Limit", exact=True).fill("1")
    page.get_by_label("In each").fill("day")
    expect(page.locator("#meaning")).to_contain_text("This would block user/dave now")
    page.get_by_role("link", name="Leave it as it is").click()
    expect(page.locator("#quotas")).not_to_contain_text("money of user/dave")


def what_happened(page: Page) -> None:
    go(page, "Activity")
    for kind in ("blocked", "restored"):
        row = page.locator("#activity tr").filter(has_text="user/dave").filter(has_text=kind)
        expect(row.first).to_be_visible()


def the_day_ends(page: Page) -> None:
    go(page, "Try")
    move(page, "+1d")
    person(page, "user/dave")
    expect(page.locator("#quotas tr").filter(has_text="daily")).to_contain_text("ok")


TOUR: dict[str, Callable[[Page], None]] = {
    "The sandbox opens *Overview*": overview,
    "In *People*, `user/dave` has a page": daves_page,
    "In *Try*, choose `user/dave`, write `600k` input tokens": use_it_up,
    "*Overview* has him among the blocked": among_the_blocked,
    "On his page, raise `daily` to `3M` until `2h`": let_him_go_on,
    "In *Try*, `10k` input tokens are answered again": answered_again,
    "In *Quotas*, *Add a quota*": a_limit_before_it_is_set,
    "*Activity* has his block and his release": what_happened,
    "In *Try*, move the clock by `+1d`": the_day_ends,
}
"""How each step of the manual's tour begins, and what it is in a browser."""


def test_the_tours_steps_do_in_a_browser_what_they_say(console: Page) -> None:
    manual = (Path(__file__).parents[2] / "docs/tour.md").read_text(encoding="utf-8")
    steps = re.findall(r"^\d+\. (.+)$", manual, re.MULTILINE)
    assert len(steps) == len(TOUR)
    for step, (begins, do) in zip(steps, TOUR.items(), strict=True):
        assert step.startswith(begins)
        do(console)


def test_somebody_is_blocked_seen_and_free_again_in_the_browser(console: Page) -> None:
    go(console, "Try")
    call(console, "user/alice", "500k", "Bedrock answered user/alice")
    call(console, "user/alice", "500k", "IAM refused user/alice")
    go(console, "Overview")
    expect(console.locator("#stopped").get_by_role("link", name="user/alice").first).to_be_visible()
    go(console, "Try")
    move(console, "+25h")
    call(console, "user/alice", "500k", "Bedrock answered user/alice")
