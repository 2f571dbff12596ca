"""Every table can be saved as CSV, without a network, and without a formula in it."""

import csv
import io
from pathlib import Path

from playwright.sync_api import Locator, Page

from browser_desk import Desk
from report_scene import HOSTILE

FIELD = "texts => texts.map(field)"


def saved(page: Page, table: Locator) -> tuple[str, list[list[str]]]:
    """The name of the file, and its rows."""
    with page.expect_download() as download:
        table.locator("xpath=../following-sibling::p[1]//button[last()]").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    return download.value.suggested_filename, list(csv.reader(io.StringIO(text)))


def test_all_rows_are_in_it_with_plain_numbers(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced) as tab:
        page = tab.page
        name, rows = saved(page, page.locator("table.usage"))
        shown = page.locator("table.usage td:nth-child(5)").first.inner_text()
    assert name == "bedrock-quota-2026-11-24-Everybody-who-used-Bedrock-in-60-days.csv"
    assert rows[0] == ["Principal", "Teams", "Requests", "Tokens", "Cost", "Assumed", "Models"]
    assert len(rows) == 26
    assert all(float(row[4]) > 0 and int(row[3]) > 0 for row in rows[1:])
    assert f"${float(rows[1][4]):,.2f}" == shown


def test_small_print_is_a_column_and_percent_a_number(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced) as tab:
        _, rows = saved(tab.page, tab.page.locator("table.quotas"))
        _, blocks = saved(tab.page, tab.page.locator("table.blocks"))
    assert rows[0][:5] == ["Principal", "Quota", "Quota: more", "Used", "Used: more"]
    first = rows[1]
    assert first[2] == "total tokens a month"
    assert int(first[3]) > 100
    assert " of 22,000,000" in first[4]
    assert blocks[0][-2:] == ["Lasted (seconds)", "Why"]
    assert int(blocks[1][-2]) > 0


def test_it_has_what_is_searched_for_in_the_order_that_is_shown(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced) as tab:
        page = tab.page
        page.locator("table.usage thead button", has_text="Requests").click()
        page.get_by_label("Find a principal").fill("role/")
        _, rows = saved(page, page.locator("table.usage"))
        assert f"Saved {len(rows) - 1} rows of" in page.get_by_role("status").inner_text()
    assert all(row[0].startswith("role/") for row in rows[1:])
    requests = [int(row[2]) for row in rows[1:]]
    assert requests == sorted(requests, reverse=True)


def test_every_table_has_it_those_in_a_dialog_and_behind_a_chart_too(
    desk: Desk, enforced: Path
) -> None:
    with desk.open(enforced) as tab:
        page = tab.page
        page.locator("summary").first.click()
        _, days = saved(page, page.locator("table.wide-numbers").first)
        page.locator("table.usage .name").first.click()
        _, of_one = saved(page, page.locator("table.days"))
        assert page.locator("table").count() == page.locator("[aria-label$='as CSV']").count()
    assert days[0][:2] == ["Day", "All"]
    assert int(days[1][1]) == sum(map(int, days[1][2:]))
    assert of_one[0] == ["Day", "Model", "Requests", "Tokens", "Cost", "Assumed"]


def test_no_cell_is_a_formula_and_none_breaks_a_row(desk: Desk, enforced: Path) -> None:
    given = ["=1+1", "+1", "-1", "-2.5", "@x", "\t=x", "a,b", 'a"b', "a\nb", HOSTILE, "", "-"]
    with desk.open(enforced) as tab:
        cells = tab.page.evaluate(FIELD, given)
    [row] = csv.reader(io.StringIO(",".join(cells)))
    assert row == [
        "'=1+1", "'+1", "-1", "-2.5", "'@x", "'\t=x", "a,b", 'a"b', "a\nb", HOSTILE, "", "'-",
    ]  # fmt: skip
