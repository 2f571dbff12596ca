"""A browser that opens a page from disk, each time as somebody else would."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

PATIENCE = 10_000
"""Milliseconds to wait for what should be there at once."""


@dataclass(frozen=True, slots=True)
class Tab:
    """One page that is open, and what went wrong in it or went out of it."""

    page: Page
    troubles: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Desk:
    """Opens pages, each as somebody else would."""

    browser: Browser

    @contextmanager
    def open(self, file: Path, **who: Any) -> Iterator[Tab]:
        """The file from disk; `who` are the options of a browser context, as Playwright has them.

        Whatever the test does, nothing may fail in the page nor leave it.
        """
        width, height = who.pop("size", (1280, 900))
        context = self.browser.new_context(viewport={"width": width, "height": height}, **who)
        context.set_default_timeout(PATIENCE)
        tab = Tab(context.new_page())
        tab.page.on("console", lambda message: tab.troubles.append(message.text))
        tab.page.on("pageerror", lambda error: tab.troubles.append(str(error)))
        tab.page.on("dialog", lambda dialog: tab.troubles.append(f"dialog {dialog.message}"))
        tab.page.on("request", lambda request: tab.requests.append(request.url))
        try:
            tab.page.goto(file.as_uri())
            yield tab
            assert tab.troubles == []
            assert tab.requests == [file.as_uri()]
        finally:
            context.close()


def tree(page: Page) -> list[dict[str, Any]]:
    """The accessibility tree, as a screen reader is given it."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    return [node for node in nodes if not node.get("ignored")]


def named(nodes: list[dict[str, Any]], role: str) -> list[str]:
    return [node["name"]["value"] for node in nodes if node["role"]["value"] == role]
