"""Opening the page from disk: nothing fails, nothing leaves it, and it reads without script."""

from pathlib import Path

from browser_desk import Desk
from report_scene import HOSTILE

FETCH = "fetch('https://example.com/').then(() => 'sent', () => 'refused')"
IMAGE = """() => new Promise((done) => {
  const image = new Image();
  image.onload = () => done('loaded');
  image.onerror = () => done('refused');
  image.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';
})"""
SCRIPT = """() => {
  const script = document.createElement('script');
  script.textContent = 'window.injected = true';
  document.body.append(script);
  return window.injected === true;
}"""


def test_it_opens_from_disk_without_a_complaint_and_without_a_network(
    desk: Desk, enforced: Path, observed: Path
) -> None:
    for file in (enforced, observed):
        with desk.open(file) as tab:
            assert tab.page.title() == "Bedrock quotas of bedrock-quota, 2026-11-24 14:40"


def test_the_browser_refuses_every_network_image_and_script_for_it(
    desk: Desk, enforced: Path
) -> None:
    with desk.open(enforced) as tab:
        assert tab.page.evaluate(FETCH) == "refused"
        assert tab.page.evaluate(IMAGE) == "refused"
        assert tab.page.evaluate(SCRIPT) is False
        assert len(tab.troubles) >= 3
        assert all("Content Security Policy" in trouble for trouble in tab.troubles)
        tab.troubles.clear()


def test_a_hostile_name_is_read_and_never_run(desk: Desk, enforced: Path) -> None:
    with desk.open(enforced) as tab:
        page = tab.page
        assert page.locator("img").count() == 0
        cell = page.locator("table.part tbody th", has_text=HOSTILE)
        assert cell.inner_text() == HOSTILE
        page.get_by_label("Find a principal").fill(HOSTILE)
        assert page.locator("img").count() == 0


def test_without_script_every_row_is_there_and_no_control_that_does_nothing(
    desk: Desk, enforced: Path
) -> None:
    with desk.open(enforced) as tab:
        rows = tab.page.locator("table.quotas tbody tr").count()
    with desk.open(enforced, java_script_enabled=False) as tab:
        page = tab.page
        visible = [row for row in page.locator("table.quotas tbody tr").all() if row.is_visible()]
        assert len(visible) == rows > 15
        assert not page.locator("main button").count()
        assert not page.locator("#find").is_visible()
