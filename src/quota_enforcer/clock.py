"""The one place that asks what time it is; everything inside takes time as an argument."""

import os
from datetime import UTC, datetime
from pathlib import Path

SIMULATED = "QUOTA_ENFORCER_CLOCK_FILE"
"""Names a file that holds one ISO 8601 instant; only the local launcher sets it."""


def now() -> datetime:
    """The current instant in UTC, or the simulated one of the embedded AWS."""
    simulated = os.environ.get(SIMULATED)
    if simulated is None:
        return datetime.now(UTC)
    return datetime.fromisoformat(Path(simulated).read_text(encoding="ascii").strip())
