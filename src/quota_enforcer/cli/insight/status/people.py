"""`status` at a glance: how many stand how, and a line with a bar for each principal."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.text import Text

from quota_enforcer.cli.insight.status.rows import used
from quota_enforcer.cli.terminal.output import screen_width
from quota_enforcer.cli.terminal.tables import bar, say_table, styled
from quota_enforcer.core.deployment import Context
from quota_enforcer.core.notices.amounts import count, lasting, shortened
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.insight.status import State, StatusRow

_HEAD: tuple[str, ...] = ("Principal", "Used", "%", "Quota", "State", "Next")
_WITHOUT_BAR = 70
"""Columns below which the number alone says how full a quota is."""
_BETWEEN = 2
"""Blanks between two columns."""
_LEAST = {"Principal": 14, "Quota": 8}
"""Characters that a name keeps on a narrow terminal; the others lose their middle."""


def summary(table: Iterable[StatusRow]) -> str:
    """`12 principals: 1 blocked, 2 warned, 9 ok`, each in its worst state."""
    worst = [next(rows).state for _, rows in groupby(table, lambda row: row.principal)]
    states = Counter(worst)
    told = ", ".join(f"{states[state]:,} {state}" for state in State if states[state])
    return f"{count(len(worst), 'principal')}: {told}."


def say_people(several: Sequence[Sequence[StatusRow]], context: Context) -> None:
    """One line each: the quota that matters most, and how many others there are.

    The lines fit the terminal: first the longest names lose their middle.
    """
    width = screen_width()
    lines = [_cells(rows, context) for rows in several]
    head = _HEAD
    if width is not None and width < _WITHOUT_BAR:
        head = tuple(name for name in _HEAD if name != "Used")
        lines = [(principal, *rest) for principal, _, *rest in lines]
    if width is not None:
        lines = _fitted(head, lines, width)
    say_table(head, lines, numbers={"%"})


def of_each(table: Iterable[StatusRow]) -> list[list[StatusRow]]:
    """The rows of each principal, as they are sorted."""
    return [list(rows) for _, rows in groupby(table, lambda row: row.principal)]


_IN_ALL = "In all accounts"
_OF_NONE = "Of accounts without a satellite"


def by_account(table: Iterable[StatusRow], home: str) -> dict[str, list[StatusRow]]:
    """The rows by account, in the order in which each account comes first; one without others."""
    groups: dict[str, list[StatusRow]] = {}
    for principal, rows in groupby(table, lambda row: row.principal):
        groups.setdefault(_account(Principal.stored(principal), home), []).extend(rows)
    if groups.keys() <= {f"Account {home}, home", _IN_ALL, _OF_NONE}:
        return {"": [row for rows in groups.values() for row in rows]}
    return groups


def _account(principal: Principal, home: str) -> str:
    if principal.kind in {Kind.SSO, Kind.TEAM}:
        return _IN_ALL
    if principal.kind is Kind.OTHER:
        return _OF_NONE
    return f"Account {principal.account}" if principal.account else f"Account {home}, home"


def _cells(rows: Sequence[StatusRow], context: Context) -> tuple[str | Text, ...]:
    worst = rows[0]
    others = f" +{len(rows) - 1}" if len(rows) > 1 else ""
    return (
        worst.principal,
        used(worst) if worst.percent is None else bar(worst.state, worst.percent),
        "" if worst.percent is None else f"{worst.about}{worst.percent}",
        f"{worst.quota or '-'}{others}",
        styled(worst.state, _state(worst, context)),
        _next(worst, context),
    )


def _state(row: StatusRow, context: Context) -> str:
    """`blocked for 2 h`, or the state alone."""
    if row.since is None:
        return str(row.state)
    return f"{row.state} for {lasting(context.now - row.since)}"


def _next(row: StatusRow, context: Context) -> str:
    """`opens in 11 h`, `resets in 11 h`, or what else ends it."""
    if row.resets_at is None:
        rolling = row.window.startswith("rolling") and row.state in {State.OK, State.WARNED}
        return row.window if rolling else "an admin opens" if row.measure else ""
    word = "opens" if row.state is State.BLOCKED else "resets"
    return f"{word} in {lasting(row.resets_at - context.now)}"


def _fitted(
    head: Sequence[str], lines: Sequence[Sequence[str | Text]], width: int
) -> list[tuple[str | Text, ...]]:
    """The lines with their names shortened until they fit."""
    widths = [max([len(name), *(len(line[at]) for line in lines)]) for at, name in enumerate(head)]
    excess = sum(widths) + _BETWEEN * (len(head) - 1) - width
    for name in ("Principal", "Quota"):
        at = head.index(name)
        cut = max(0, min(excess, widths[at] - _LEAST[name]))
        widths[at] -= cut
        excess -= cut
    return [
        tuple(
            shortened(cell, widths[at]) if isinstance(cell, str) and head[at] in _LEAST else cell
            for at, cell in enumerate(line)
        )
        for line in lines
    ]
