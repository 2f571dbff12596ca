"""The tables: sorted, shortened and searched, by pointer and by keyboard."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from browser_desk import Desk

USAGE = "table.usage"


def column(page: Page, table: str, place: int) -> list[str]:
    """The cells of a column that are visible."""
    cells = page.locator(f"{table} tbody tr:not(.m, .gone) > :nth-child({place})")
    return [text.strip() for text in cells.all_inner_texts()]


def head(page: Page, table: str, name: str) -> Locator:
    return page.locator(f"{table} thead th", has_text=name)


def numbers(texts: list[str]) -> list[float]:
    return [float(text.replace(",", "").removeprefix("$")) for text in texts if text]


def test_a_click_sorts_and_another_one_turns_it_round(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced) as tab:
        page = tab.page
        cost, requests = head(page, USAGE, "Cost"), head(page, USAGE, "Requests")
        assert cost.get_attribute("aria-sort") == "descending"
        page.locator(USAGE).locator("xpath=../following-sibling::p[1]//button[1]").click()
        requests.get_by_role("button").click()
        falling = numbers(column(page, USAGE, 3))
        assert len(falling) == 25
        assert falling == sorted(falling, reverse=True)
        assert requests.get_attribute("aria-sort") == "descending"
        assert cost.get_attribute("aria-sort") is None
        assert page.get_by_role("status").inner_text() == "Sorted by Requests, descending"
        requests.get_by_role("button").click()
        assert numbers(column(page, USAGE, 3)) == sorted(falling)
        assert requests.get_attribute("aria-sort") == "ascending"


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_a_key_sorts_too(desk: Desk, enforced: Path, key: str) -> None:
    with desk.open(enforced) as tab:
        page = tab.page
        head(page, USAGE, "Principal").get_by_role("button").focus()
        page.keyboard.press(key)
        names = column(page, USAGE, 1)
        assert names == sorted(names)
        page.keyboard.press("Tab")
        page.keyboard.press(key)
        assert head(page, USAGE, "Teams").get_attribute("aria-sort") == "ascending"


def test_what_is_shown_are_the_first_rows_of_the_new_order(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced) as tab:
        page = tab.page
        head(page, USAGE, "Cost").get_by_role("button").click()
        shown = numbers(column(page, USAGE, 5))
        assert len(shown) == 15
        page.locator(USAGE).locator("xpath=../following-sibling::p[1]//button[1]").click()
        assert shown == sorted(numbers(column(page, USAGE, 5)))[:15]


def test_states_sort_by_urgency_and_percent_as_numbers(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced) as tab:
        page = tab.page
        table = "table.quotas"
        assert column(page, table, 4)[0] == "blocked"
        head(page, table, "Used").get_by_role("button").click()
        percents = [float(t.partition(" %")[0].replace(",", "")) for t in column(page, table, 3)]
        assert percents == sorted(percents, reverse=True)
        head(page, table, "State").get_by_role("button").click()
        assert column(page, table, 4)[0] == "blocked"
        head(page, table, "State").get_by_role("button").click()
        assert column(page, table, 4)[0] == "ok"


def test_one_field_searches_all_tables(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced) as tab:
        page = tab.page
        who = column(page, USAGE, 1)[-1]
        page.get_by_label("Find a principal").fill(who.upper())
        assert set(column(page, USAGE, 1)) == set(column(page, "table.quotas", 1)) == {who}
        assert "1 principals" in page.get_by_role("status").inner_text()
        page.get_by_label("Find a principal").fill("nobody at all")
        assert column(page, USAGE, 1) == []
        foot = page.locator(USAGE).locator("xpath=../following-sibling::p[1]")
        assert foot.inner_text() == "None found, of 25 rows\nCSV"
        page.get_by_label("Find a principal").fill("")
        assert len(column(page, USAGE, 1)) == 15


def test_a_sorted_table_stays_searched(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced) as tab:
        page = tab.page
        page.get_by_label("Find a principal").fill("role/")
        head(page, USAGE, "Tokens").get_by_role("button").click()
        assert all(name.startswith("role/") for name in column(page, USAGE, 1))


def test_a_name_opens_that_persons_quotas_and_days(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced) as tab:
        page = tab.page
        first = page.locator(f"{USAGE} .name").first
        who, cost = first.inner_text(), column(page, USAGE, 5)[0]
        first.focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name=who)
        dialog.wait_for()
        assert dialog.locator("table.of-one tbody th").count() == 2
        dialog.get_by_role("button", name="Show all").click()
        spent = numbers(column(page, "table.days", 5))
        assert sum(spent) == pytest.approx(numbers([cost])[0], abs=0.005 * len(spent))
        assert column(page, "table.days", 1)[0] == "2026-11-24"
        page.keyboard.press("Escape")
        assert not dialog.is_visible()
        assert page.evaluate("document.activeElement.textContent") == who


def test_a_team_has_quotas_but_no_days_of_its_own(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced) as tab:
        page = tab.page
        page.get_by_label("Find a principal").fill("team/research")
        page.locator("table.quotas tr:not(.m, .gone) .name").first.click()
        dialog = page.get_by_role("dialog", name="team/research")
        assert dialog.get_by_text("No usage by day is in this report.").is_visible()
        dialog.get_by_role("button", name="Close").click()
        assert not dialog.is_visible()


def test_the_pointer_on_a_bar_says_what_it_is(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced) as tab:
        bar = tab.page.locator("#usage .wide path[aria-label*='Nov 2026']").last
        bar.hover(force=True)
        assert tab.page.locator(".tip").inner_text() == bar.get_attribute("aria-label")


def test_accounts_and_regions_are_tables_like_the_others(
    desk: Desk, enforced: Path, organisation: Path
) -> None:
    """Where there is but one there is nothing to compare, and no table."""
    with desk.open(enforced) as tab:
        assert tab.page.get_by_role("table", name="Money by account").count() == 0
        assert tab.page.get_by_role("table", name="Money by Region").count() == 0
    with desk.open(organisation, size=(420, 900)) as tab:
        page = tab.page
        for name, rows in (("account", 2), ("Region", 3)):
            table = page.get_by_role("table", name=f"Money by {name}")
            assert table.is_visible()
            assert table.locator("tbody tr").count() == rows
            shares = [
                float(text.rstrip(" %"))
                for text in table.locator("td:nth-child(4)").all_inner_texts()
            ]
            assert 95 <= sum(shares) <= 100
            table.locator("thead th", has_text=name.capitalize()).get_by_role("button").click()
            names = table.locator("tbody th").all_inner_texts()
            assert names == sorted(names)
