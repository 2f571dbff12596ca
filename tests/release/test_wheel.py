"""The command line from its wheel, where there is no checkout: as pipx and uvx run it."""

import re
import subprocess
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"""(?:quota-enforcer\[|needing\(")(\w+)""")
PATIENCE = 300
"""Seconds that a busy machine may take to start a sandbox; four are usual."""


@pytest.fixture(scope="session")
def installed(bare: Path) -> Distribution:
    [metadata] = bare.parent.glob("lib/*/site-packages/quota_enforcer-*.dist-info")
    return PathDistribution(metadata)


def run(bare: Path, outside: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own command line
        [bare / "quota-enforcer", *arguments],
        env=outside,
        cwd=outside["HOME"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_says_its_version(bare: Path, outside: dict[str, str], installed: Distribution) -> None:
    assert run(bare, outside, "--version") == f"quota-enforcer {installed.version}\n"


def test_every_extra_that_a_message_or_a_page_names_exists(installed: Distribution) -> None:
    pages = [*(ROOT / "src").rglob("*.py"), *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    named = {each for page in pages for each in NAMED.findall(page.read_text(encoding="utf-8"))}
    assert named >= {"local", "report", "console"}
    assert named <= {*installed.metadata.get_all("Provides-Extra", [])}


def test_the_sandbox_runs_from_it_and_obeys(bare: Path, outside: dict[str, str]) -> None:
    with subprocess.Popen(  # noqa: S603 - our own command line
        [bare / "quota-enforcer", "sandbox"],
        env=outside,
        cwd=outside["HOME"],
        stdout=subprocess.PIPE,
        text=True,
    ) as sandbox:
        try:
            assert sandbox.stdout
            said = next(line for line in sandbox.stdout if "is up after" in line)
            assert "127.0.0.1" in said
            exports = run(bare, outside, "sandbox", "env")
            settings = dict(re.findall(r"export (\w+)='?([^'\n]*)'?", exports))
            status = run(bare, outside | settings, "status")
        finally:
            sandbox.terminate()
            sandbox.wait(PATIENCE)
    assert "user/alice" in status
