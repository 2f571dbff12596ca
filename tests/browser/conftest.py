"""The report's page in a real Chromium: Debian's, which `make test-browser` installs."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from browser_desk import Desk
from quota_enforcer.core.deployment import Mode
from quota_enforcer.insight.report import page as report_page
from report_scene import company, spread

NAMES = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def desk() -> Iterator[Desk]:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.exit(
            f"no browser is here ({', '.join(NAMES)}): `make test-browser` as root installs "
            "Debian's package chromium",
            returncode=1,
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found)
        yield Desk(browser)
        browser.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="session")
def enforced(folder: Path) -> Path:
    """The page of 25 principals, some of them blocked."""
    return _written(folder / "enforced.html", 25, Mode.ENFORCE)


@pytest.fixture(scope="session")
def observed(folder: Path) -> Path:
    """The same people in observe mode."""
    return _written(folder / "observed.html", 25, Mode.OBSERVE)


@pytest.fixture(scope="session")
def organisation(folder: Path) -> Path:
    """The same people in several accounts and Regions."""
    page = report_page.render(spread(company(25)).report())
    file = folder / "organisation.html"
    file.write_text(page, encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def large(folder: Path) -> Path:
    """The page of 1,000 principals over 60 days."""
    return _written(folder / "large.html", 1_000, Mode.OBSERVE)


def _written(file: Path, people: int, mode: Mode) -> Path:
    file.write_text(report_page.render(company(people, mode=mode).report()), encoding="utf-8")
    return file
