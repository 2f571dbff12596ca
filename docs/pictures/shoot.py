"""Photographs the report and the console, light and dark; `make picture` runs it.

The console is that of a sandbox with three weeks of history, the report the manual's sample.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, NamedTuple

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

HERE: Final = Path(__file__).parent
SAMPLE: Final = HERE.parent / "sample" / "report.html"
_BROWSERS: Final = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
_SANDBOX: Final = (sys.executable, "-m", "quota_enforcer.cli", "sandbox", "--weeks", "3",
                   "--console")  # fmt: skip
_DESK: Final = (1200, 800)
_PHONE: Final = (360, 720)
_PATIENCE: Final = 120_000
"""Milliseconds for a call on a busy machine."""
_LARGEST: Final = 300_000
"""Bytes of one picture."""


class Picture(NamedTuple):
    """A page of the console, and what it is called."""

    name: str
    path: str
    size: tuple[int, int] = _DESK
    after: tuple[tuple[str, str], ...] = ()
    """Who calls first, with how many tokens."""


CALLS: Final = (
    ("user/frank", "180k"), ("sso/heidi", "2M"), ("user/carol", "150k"), ("user/alice", "300k"),
    ("user/alice", "300k"),
)  # fmt: skip
"""So that somebody is blocked, and the last one refused."""
CONSOLE: Final = (
    Picture("console-try", "/try", after=CALLS),
    Picture("console", "/"),
    Picture("console-person", "/people/user/alice"),
    Picture("console-form", "/quotas/edit?principal=default&quota=daily"),
    Picture("console-phone", "/", _PHONE),
)


def main() -> None:
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        raise SystemExit(f"no browser is here ({', '.join(_BROWSERS)})")
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=as_root)
        for scheme in ("light", "dark"):
            _report(browser, "report", _DESK, scheme)
        _report(browser, "report-phone", _PHONE, "light")
        with _sandbox() as address:
            _console(browser, address)
        browser.close()


def _report(browser: Browser, name: str, size: tuple[int, int], scheme: str) -> None:
    page = _opened(browser, size, scheme).new_page()
    page.goto(SAMPLE.as_uri())
    _shoot(page, f"{name}-{scheme}")
    page.context.close()


def _console(browser: Browser, address: str) -> None:
    """The address lets one browser in: every picture is of that one."""
    context = _opened(browser, _DESK, "light")
    page = context.new_page()
    page.goto(address)
    base = page.url.rstrip("/")
    for picture in CONSOLE:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.set_viewport_size({"width": picture.size[0], "height": picture.size[1]})
            page.goto(base + picture.path)
            for who, tokens in picture.after:
                _call(page, who, tokens)
            _shoot(page, f"{picture.name}-{scheme}")
    context.close()


def _call(page: Page, who: str, tokens: str) -> None:
    page.get_by_label("Who").select_option(who)
    page.get_by_label("Input tokens").fill(tokens)
    page.locator("#answer").evaluate("place => place.replaceChildren()")
    page.get_by_role("button", name="Call", exact=True).click()
    page.locator("#answer p").wait_for(timeout=_PATIENCE)


def _opened(browser: Browser, size: tuple[int, int], scheme: str) -> BrowserContext:
    return browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
    )


def _shoot(page: Page, name: str) -> None:
    page.wait_for_load_state("load")
    page.wait_for_timeout(500)
    file = HERE / f"{name}.png"
    page.screenshot(path=file)
    if file.stat().st_size > _LARGEST:
        raise SystemExit(f"{file} has {file.stat().st_size:,} bytes, more than {_LARGEST:,}")


@contextmanager
def _sandbox() -> Iterator[str]:
    """The address of its console."""
    running = subprocess.Popen(_SANDBOX, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    try:
        if running.stdout is None:
            raise SystemExit("the sandbox says nothing")
        yield _address(running.stdout)
    finally:
        running.terminate()
        running.wait(30)


def _address(said: IO[str]) -> str:
    began = time.monotonic()
    for line in said:
        found = re.search(r"http://\S+token=\S+", line)
        if found:
            sys.stderr.write(f"the sandbox was up after {time.monotonic() - began:.0f} s\n")
            return found[0]
    raise SystemExit("the sandbox has ended")


if __name__ == "__main__":
    main()
