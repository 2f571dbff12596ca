"""How words for a state, a kind of notice or a severity look on a terminal: one table for all."""

from collections.abc import Mapping
from functools import lru_cache

from rich.text import Text

from quota_enforcer.core.notices.notice import NoticeKind
from quota_enforcer.doctor.finding import Severity
from quota_enforcer.insight.status import State

# Keys are compared as texts: "blocked" is a state and a notice, "warning" a notice and a severity.
_STYLES: Mapping[str, str] = {
    NoticeKind.BLOCKED: "bold red",
    NoticeKind.COULD_NOT_DENY: "bold red",
    NoticeKind.WARNING: "yellow",
    NoticeKind.WOULD_HAVE_BLOCKED: "yellow",
    NoticeKind.RESTORED: "green",
    State.WARNED: "yellow",
    State.OVER: "bold yellow",
    State.WOULD_BE_BLOCKED: "bold yellow",
    State.COULD_NOT_BE_BLOCKED: "bold red",
    State.NO_QUOTA: "dim",
    Severity.PROBLEM: "bold red",
    Severity.UNCHECKED: "bold magenta",
    Severity.NOTE: "cyan",
}


_BAR = 8
"""Cells of a bar."""
_MOST = 100


@lru_cache(maxsize=1024)
def bar(word: str, percent: int | None) -> Text:
    """How full a quota is, in the style of its state; empty without a limit.

    Remembered, as a long table has few different ones.
    """
    if percent is None:
        return Text("")
    full = min(percent, _MOST) * _BAR // _MOST
    return Text.assemble(("█" * full, _STYLES.get(word, "green")), ("░" * (_BAR - full), "dim"))


@lru_cache(maxsize=1024)
def styled(word: str, shown: str | None = None) -> Text:
    """The word in its style, or another text in the style of the word."""
    return Text(str(word) if shown is None else shown, _STYLES.get(word, ""))
