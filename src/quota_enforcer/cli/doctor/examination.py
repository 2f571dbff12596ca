"""An examination: every check made, several at once, and none that fails stops another."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from quota_enforcer.cli.doctor.access import why
from quota_enforcer.cli.doctor.checks import Check
from quota_enforcer.core.findings.finding import Diagnosis, unchecked

AT_ONCE = 8
"""Checks made side by side: they wait for the network."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A check and what it came to."""

    check: Check
    diagnosis: Diagnosis


def examine(
    checks: Sequence[Check],
    access: str,
    progress: Callable[[Iterable[Examined]], Iterable[Examined]],
) -> list[Examined]:
    """Make them all; one that cannot be made is a finding, with `access` as its fix."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(progress(pool.map(lambda check: _made(check, access), checks)))


def _made(check: Check, access: str) -> Examined:
    try:
        return Examined(check, check.look())
    except Exception as error:  # noqa: BLE001 - whatever it is, the other checks go on
        found = unchecked(f"could not check: {why(error, check.needs)}", _words(error), access)
        return Examined(check, Diagnosis("", (found,)))


def _words(error: Exception) -> str:
    """What was said, in one line."""
    return " ".join(str(error).split())
