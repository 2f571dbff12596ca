"""The console of a real sandbox: a call is refused by IAM, the page shows it, and time frees."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser_desk import Desk

METERED = 120_000
"""Milliseconds for a real call on a busy machine."""
SWEPT = 300_000


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where a sandbox's console lets one browser in."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    ours = {"TMPDIR": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "PYTHONPATH": path}
    sandbox = subprocess.Popen(
        [sys.executable, "-m", "quota_enforcer.cli", "sandbox", "--console"],
        env=os.environ | ours,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert sandbox.stdout is not None
    found = (re.search(r"http://\S+token=\S+", line) for line in sandbox.stdout)
    yield next(filter(None, found))[0]
    sandbox.terminate()
    sandbox.communicate()


def test_somebody_is_blocked_seen_and_free_again_in_the_browser(desk: Desk, address: str) -> None:
    context = desk.browser.new_context()
    context.set_default_timeout(METERED)
    page = context.new_page()
    page.goto(address)
    page.get_by_role("link", name="Try").click()
    page.get_by_label("Who").select_option("user/alice")
    page.get_by_label("Input tokens").fill("500k")
    call, answer = page.get_by_role("button", name="Call", exact=True), page.locator("#answer")
    call.click()
    expect(answer).to_contain_text("Bedrock answered user/alice", timeout=METERED)
    call.click()
    expect(answer).to_contain_text("IAM refused user/alice", timeout=METERED)
    page.get_by_role("link", name="Overview", exact=True).first.click()
    blocked = page.locator("#stopped").get_by_role("link", name="user/alice").first
    expect(blocked).to_be_visible()
    page.get_by_role("link", name="Try", exact=True).click()
    page.get_by_label("Ahead by").fill("+25h")
    page.get_by_role("button", name="Move").click()
    expect(page.locator("#moved")).to_contain_text("It is now", timeout=SWEPT)
    call.click()
    expect(answer).to_contain_text("Bedrock answered user/alice", timeout=METERED)
    context.close()
