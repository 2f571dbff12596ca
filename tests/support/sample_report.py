"""The manual's sample report, of a company that there is not; run it to write it anew."""

from pathlib import Path
from typing import Final

from quota_enforcer.insight.report import page
from report_scene import company

FILE: Final = Path(__file__).parents[2] / "docs" / "sample" / "report.html"
PEOPLE: Final = 25
TEAMS: Final = ("research", "platform", "support", "data", "growth")


def sample() -> str:
    return page.render(company(PEOPLE, teams=TEAMS).report())


if __name__ == "__main__":
    FILE.write_text(sample(), encoding="utf-8")
