"""Everybody can use it: axe-core's rules, the accessibility tree, and a focus that can be seen."""

from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page

from browser_desk import Desk, named, tree

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
HEADINGS = "[...document.querySelectorAll('h1, h2, h3, h4')].map(({ tagName }) => tagName)"
FOCUSED = """[
  [...document.querySelectorAll('*')].indexOf(document.activeElement),
  getComputedStyle(document.activeElement).outlineWidth,
]"""
LANDMARKS = ["banner", "navigation", "search", "main", "contentinfo"]


def violations(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2 A and AA, contrast among it, and best practice."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 20
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_nothing_wrong(desk: Desk, enforced: Path, scheme: str, width: int) -> None:
    with desk.open(enforced, color_scheme=scheme, size=(width, 900)) as tab:
        assert violations(tab.page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nor_in_observe_mode_with_everything_open(desk: Desk, observed: Path, scheme: str) -> None:
    with desk.open(observed, color_scheme=scheme) as tab:
        page = tab.page
        closed = page.get_by_role("button", name="Show all")
        while closed.count():
            closed.first.click()
        for summary in page.locator("summary").all():
            summary.click()
        assert violations(page) == []
        page.locator("table.usage .name").first.click()
        page.get_by_role("dialog").wait_for()
        assert violations(page) == []


def test_landmarks_and_headings_give_it_a_shape(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced) as tab:
        nodes = tree(tab.page)
        levels = tab.page.evaluate(HEADINGS)
    roles = [node["role"]["value"] for node in nodes]
    assert all(roles.count(landmark) == 1 for landmark in LANDMARKS)
    assert levels[0] == "H1"
    assert levels.count("H1") == 1
    assert all(int(below[1]) - int(above[1]) <= 1 for above, below in pairwise(levels))


def test_tables_and_charts_are_named_and_bars_are_silent(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced) as tab:
        nodes = tree(tab.page)
    tables = named(nodes, "table")
    assert len(tables) >= 7
    assert all(tables)
    images = named(nodes, "image") + named(nodes, "img")
    assert len(images) == 4
    assert all(image.endswith(".") for image in images)
    heads = named(nodes, "columnheader")
    assert "Runs out" in heads
    rows = named(nodes, "rowheader")
    assert any(row.startswith("sso/") for row in rows)


def test_where_the_focus_is_can_be_seen(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced) as tab:
        page = tab.page
        seen = set()
        for _ in range(20):
            page.keyboard.press("Tab")
            place, outline = page.evaluate(FOCUSED)
            assert outline == "3px", page.evaluate("document.activeElement.outerHTML")
            seen.add(place)
        assert len(seen) == 20


def test_the_first_tab_skips_to_the_report(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced) as tab:
        page = tab.page
        page.keyboard.press("Tab")
        link = page.get_by_role("link", name="Skip to the report")
        assert page.evaluate("document.activeElement.className") == "skip"
        box = link.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
