"""What a function's log says about the exception that ended it."""

import re
from typing import Final

_RAISED: Final = re.compile(r"^(?P<type>[A-Za-z_][\w.]*)(?::|$)")


def raised(log: str) -> str | None:
    """The class of the exception whose traceback ends a function's log, or None."""
    _, found, traceback = log.rpartition("Traceback (most recent call last):\n")
    if not found:
        return None
    for line in traceback.splitlines():
        if line.startswith(" "):
            continue  # a frame
        kind = _RAISED.match(line)
        return kind["type"].rpartition(".")[2] if kind else None
    return None
