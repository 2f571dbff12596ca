"""The sample report of the manual is one of today's: words, tables, style and script."""

import re

import pytest
from markupsafe import Markup

from page_reading import PageReading
from quota_enforcer.insight.report.charts import drawing
from sample_report import FILE, sample


def without_drawings(page: str) -> str:
    """What fonts of a machine cannot change."""
    return re.sub(r'(<div class="chart[^>]*>).*?</div>', r"\1</div>", page, flags=re.DOTALL)


def test_it_is_what_the_report_would_be_today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "svg", lambda _: Markup())
    kept = FILE.read_text(encoding="utf-8")
    assert without_drawings(kept) == without_drawings(sample()), (
        "python tests/support/sample_report.py"
    )


def test_it_shows_drawings_and_nothing_that_would_frighten() -> None:
    kept = FILE.read_text(encoding="utf-8")
    assert kept.count("<svg") > 20
    assert "onerror" not in PageReading(kept).text
    assert FILE.stat().st_size < 1_000_000
