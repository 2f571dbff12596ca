"""What AWS's linter finds in the templates."""

import json
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from quota_enforcer.local import template
from template_source import SATELLITE_TEMPLATE, TEMPLATE

LINT = Path(__file__).parents[1] / "support/lint_templates.py"
KEPT = "cfn-lint/findings"


@pytest.fixture(scope="session")
def findings(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Mapping[str, list[Any]]:
    """Of each template, and of what SAM makes of home's; as found before if none has changed.

    It takes longer than all other tests of the templates.
    """
    told = sha256()
    for package in ("cfn-lint", "aws-sam-translator"):
        told.update(version(package).encode())
    for file in (LINT, Path(template.__file__), TEMPLATE, SATELLITE_TEMPLATE):
        told.update(sha256(file.read_bytes()).digest())
    cache: Any = pytestconfig.cache
    kept = cache.get(KEPT, {})
    if kept.get("of") != told.hexdigest():
        kept = {"of": told.hexdigest(), "findings": lint(tmp_path_factory.mktemp("linted"))}
        cache.set(KEPT, kept)
    found: dict[str, list[Any]] = kept["findings"]
    return found


def lint(folder: Path) -> dict[str, list[Any]]:
    """All in one run, as loading its rules is slow."""
    made = folder / "transformed.json"
    made.write_text(json.dumps(template.transformed(TEMPLATE)), encoding="utf-8")
    files = {"transformed": made, "source": TEMPLATE, "satellite": SATELLITE_TEMPLATE}
    command = [sys.executable, *map(str, (LINT, *files.values()))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert bool(done.returncode) == bool(found)
    by_name = {
        name: [each for each in found if Path(each["Filename"]) == file]
        for name, file in files.items()
    }
    assert sum(map(len, by_name.values())) == len(found)
    return by_name
