"""Our clock, stopped. All that others ask is the real time, which no handler's answer shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest

from quota_enforcer import clock


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: moment)
        yield
