"""How it looks: in the dark, on paper, on a telephone."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from browser_desk import Desk, named, tree

WILL_SCROLL = """element => {
  window.scrolled = new Promise((done) => {
    element.addEventListener('scroll', () => done(element.scrollLeft), { once: true });
  });
}"""
PAPER = "rgb(255, 255, 255)"


def colour(of: Locator, what: str) -> str:
    found: str = of.evaluate(f"element => getComputedStyle(element).{what}")
    return found


def brightness(rgb: str) -> float:
    parts = [float(part) for part in rgb.partition("(")[2].rstrip(")").split(",")[:3]]
    return sum(parts) / 3


def body_and_bar(page: Page) -> tuple[str, str]:
    bar = page.locator("#usage .wide path[fill='var(--s0)']").first
    return colour(page.locator("body"), "backgroundColor"), colour(bar, "fill")


def test_a_dark_screen_gets_a_dark_page_with_charts_of_its_own_colours(
    desk: Desk, enforced: Path
) -> None:
    with desk.open(enforced, color_scheme="light") as tab:
        light = body_and_bar(tab.page)
    with desk.open(enforced, color_scheme="dark") as tab:
        dark = body_and_bar(tab.page)
        assert brightness(colour(tab.page.locator("h1"), "color")) > 200
    assert brightness(light[0]) > 230
    assert brightness(dark[0]) < 40
    assert light[1] != dark[1]


def test_paper_is_white_whatever_the_screen_and_has_no_controls(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced, color_scheme="dark", size=(400, 900)) as tab:
        page = tab.page
        page.emulate_media(media="print", color_scheme="dark")
        assert colour(page.locator("body"), "backgroundColor") == PAPER
        assert not page.get_by_role("navigation").is_visible()
        assert not page.locator("#find").is_visible()
        assert not page.locator(".foot button").first.is_visible()
        assert page.locator("#usage .wide").is_visible()
        hidden = "rows => rows.filter(row => !row.checkVisibility()).length"
        assert page.locator("main .scroll > table.stacked > tbody > tr").evaluate_all(hidden) == 0
        assert not page.get_by_text(re.compile(r"\d+ of \d+ rows")).first.is_visible()
        for name in ("stopped", "quotas", "usage", "money", "blocks"):
            assert page.locator(f"#{name} h2").is_visible()


def test_it_prints_to_a_few_pages(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced) as tab:
        pdf = tab.page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    assert 3 < pdf.count(b"/Type /Page\n") < 40


def test_paper_has_the_tables_behind_the_charts_and_only_what_was_searched_for(
    desk: Desk, enforced: Path
) -> None:
    with desk.open(enforced) as tab:
        page = tab.page
        page.get_by_label("Find a principal").fill("role/")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        assert page.locator("details table").first.is_visible()
        names = page.locator("table.usage tbody tr:visible th").all_inner_texts()
        assert names
        assert all(name.startswith("role/") for name in names)
        assert page.get_by_text(re.compile(r"\d+ found, of 25 rows")).is_visible()
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        page.emulate_media(media="screen")
        assert not page.locator("details table").first.is_visible()


BEYOND = """() => [...document.querySelectorAll('main *')].filter((each) =>
  each.checkVisibility() && !each.closest('.unseen, details')
  && each.getBoundingClientRect().right > innerWidth).map((each) => each.outerHTML.slice(0, 90))"""
LABELS = """() => [...document.querySelectorAll('table.stacked')].flatMap((table) =>
  [...table.tBodies[0].rows].slice(0, 3).flatMap((row) => [...row.cells]
    .filter((cell) => !cell.className && cell.textContent)
    .map((cell) => [
      getComputedStyle(cell, '::before').content, words(table.tHead.rows[0].cells[cell.cellIndex]),
    ])))"""


@pytest.mark.parametrize("width", [360, 599])
def test_on_a_telephone_nothing_is_cut_off(
    desk: Desk, enforced: Path, organisation: Path, width: int
) -> None:
    for file in (enforced, organisation):
        with desk.open(file, size=(width, 800)) as tab:
            page = tab.page
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(BEYOND) == []
            assert page.locator("#usage .narrow").is_visible()
            assert not page.locator("#usage .wide").is_visible()


def test_on_a_telephone_each_cell_says_what_it_is(desk: Desk, organisation: Path) -> None:
    with desk.open(organisation, size=(360, 800)) as tab:
        told = tab.page.evaluate(LABELS)
    labelled = [(label.strip('" '), head) for label, head in told if label != "none"]
    assert len({head for _, head in labelled}) > 15
    assert all(label == head for label, head in labelled)


def test_rows_stay_rows_for_a_screen_reader_on_a_telephone(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced, size=(360, 800)) as tab:
        nodes = tree(tab.page)
    assert len(named(nodes, "row")) > 60
    assert any(name.startswith("sso/") for name in named(nodes, "rowheader"))
    assert "Cost" in named(nodes, "columnheader")


def test_what_is_wider_than_a_telephone_scrolls_by_itself(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced, size=(400, 800)) as tab:
        page = tab.page
        page.locator("summary").first.click()
        table = page.locator(".scroll:has(> table.wide-numbers)").first
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        assert table.evaluate("element => element.scrollWidth > element.clientWidth")
        table.focus()
        table.evaluate(WILL_SCROLL)
        page.keyboard.press("ArrowRight")
        assert page.evaluate("window.scrolled") > 0


def test_the_part_that_a_link_leads_to_is_not_hidden_behind_the_bar(
    desk: Desk, enforced: Path
) -> None:
    with desk.open(enforced, reduced_motion="reduce") as tab:
        page = tab.page
        page.get_by_role("link", name="Money", exact=True).click()
        bar = page.locator(".bar-top").bounding_box()
        part = page.locator("#money h2").bounding_box()
        assert bar is not None
        assert part is not None
        assert bar["y"] + bar["height"] <= part["y"] < 200
