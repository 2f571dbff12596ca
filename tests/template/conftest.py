"""What AWS's linter finds in the templates."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from quota_enforcer.local.template import transformed
from template_source import SATELLITE_TEMPLATE, TEMPLATE

LINT = Path(__file__).parents[1] / "support/lint_templates.py"


@pytest.fixture(scope="session")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[Any]]:
    """Of each template, and of what SAM makes of home's: one run, as loading its rules is slow."""
    made = tmp_path_factory.mktemp("linted") / "transformed.json"
    made.write_text(json.dumps(transformed(TEMPLATE)), encoding="utf-8")
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
