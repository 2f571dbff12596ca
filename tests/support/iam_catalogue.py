"""Every IAM action that AWS has, as its own catalogue says that cfn-lint ships."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_LINTER = find_spec("cfnlint")  # which takes a second to import
assert _LINTER is not None
assert _LINTER.origin is not None
CATALOGUE: dict[str, Any] = json.loads(
    (Path(_LINTER.origin).parent / "data" / "AdditionalSpecs" / "Policies.json").read_text("utf-8")
)
