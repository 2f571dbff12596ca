"""1,000 principals over 60 days: the page opens, works, and says how long that took."""

import json
from pathlib import Path

import pytest

from browser_desk import Desk
from quota_enforcer.cli.insight.report import LARGE

USABLE = "performance.getEntriesByName('usable')[0].startTime"
PAINT = """new Promise((done) => new PerformanceObserver((list) => {
  for (const { name, startTime } of list.getEntries()) {
    if (name === 'first-contentful-paint') done(startTime);
  }
}).observe({ type: 'paint', buffered: true }))"""
SORT = """() => {
  const start = performance.now();
  document.querySelector('table.quotas thead button').click();
  document.body.offsetHeight;
  return performance.now() - start;
}"""


def test_a_large_company_fits(desk: Desk, large: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = large.stat().st_size
    assert size < LARGE
    with desk.open(large) as tab:
        page = tab.page
        assert page.locator("table.usage tbody tr").count() == 1_000
        took = {name: round(page.evaluate(f"() => {script}")) for name, script in (
            ("first paint", PAINT), ("usable", USABLE)
        )} | {"sorting all quotas": round(page.evaluate(SORT))}  # fmt: skip
        assert page.locator("table.quotas thead th").first.get_attribute("aria-sort")
        page.get_by_label("Find a principal").fill("alice.abel")
        assert page.locator("table.usage tbody tr:not(.m, .gone)").count() >= 1
    with capsys.disabled():
        print(f"\n1,000 principals x 60 days: {size:,} bytes; ms: {json.dumps(took)}")  # noqa: T201 - the figures are for whoever reads the run
