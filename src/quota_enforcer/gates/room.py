"""Who gets the room of a gate: people first, and a role whose sessions do not fit as a whole."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from quota_enforcer.core.policies.boundary import Entry, Gate
from quota_enforcer.core.policies.document import MANAGED_LIMIT
from quota_enforcer.gates.ports import Write

_ANYBODY = "*"

_NEVER_FIT: Final = MANAGED_LIMIT // len('"AROA12345678901234567:ab",')
"""More sessions than have room in any gate, so that nobody has to try it with thousands."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A gate's document for entries; `whole` are the ids of roles all of whose sessions it denies.

    The gate's `left_out` names the entries as they were given.
    """

    gate: Gate
    whole: frozenset[str] = frozenset()


def fill(entries: Sequence[Entry], write: Write) -> Filled:
    """The document for as many entries as fit, in their order.

    Whoever makes up session names could fill a gate and so push out people. So people come first,
    and where sessions are left out for want of room, the role with most of them is denied as a
    whole, then the next: who is over is denied, and the role's other sessions with them.
    """
    sessions = Counter(_role(entry) for entry in entries if is_session(entry))
    always = {role for role, number in sessions.items() if number > _NEVER_FIT}
    crowded = sorted(
        (role for role, number in sessions.items() if role not in always and number > 1),
        key=lambda role: (-sessions[role], role),
    )

    def tried(number: int) -> tuple[Filled, bool]:
        """With so many of the crowded roles as a whole, and whether that is enough of them."""
        return _filled(entries, always.union(crowded[:number]), write)

    filled, is_enough = tried(0)
    if is_enough or not crowded:
        return filled
    filled, is_enough = tried(len(crowded))
    too_few, enough = 0, len(crowded)
    while is_enough and enough - too_few > 1:  # a role more is never less room
        middle = (too_few + enough) // 2
        attempt, fits = tried(middle)
        if fits:
            filled, enough = attempt, middle
        else:
            too_few = middle
    return filled


def _filled(entries: Sequence[Entry], whole: set[str], write: Write) -> tuple[Filled, bool]:
    """With these roles as a whole, and whether no session is left out for want of room."""
    wanted = write(_merged(entries, whole))
    left_out = {
        entry.name: wanted.left_out[key]
        for entry in entries
        if (key := _key(entry, whole)) in wanted.left_out
    }
    gate = Gate(wanted.document, left_out, wanted.is_full)
    written = frozenset(role for role in whole if f"{role}:*" not in wanted.left_out)
    lacking = wanted.is_full and _sessions_left_out(entries, left_out)
    return Filled(gate, written), not lacking


def is_session(entry: Entry) -> bool:
    """Whether it is of one role; people are listed whatever their role."""
    return _role(entry) != _ANYBODY


def _role(entry: Entry) -> str:
    return entry.user_ids[0].partition(":")[0]


def _key(entry: Entry, whole: set[str]) -> str:
    role = _role(entry)
    return f"{role}:*" if role in whole else entry.name


def _merged(entries: Sequence[Entry], whole: set[str]) -> list[Entry]:
    merged: dict[str, Entry] = {}
    for entry in entries:
        key = _key(entry, whole)
        before = merged.get(key)
        ids = entry.user_ids if key == entry.name else (key,)
        scopes = entry.scopes if before is None else entry.scopes | before.scopes
        merged[key] = Entry(key, ids, scopes)
    return list(merged.values())


def _sessions_left_out(entries: Sequence[Entry], left_out: dict[str, str]) -> bool:
    return any(is_session(entry) and entry.name in left_out for entry in entries)


def in_order(entries: Iterable[Entry], before: frozenset[str]) -> list[Entry]:
    """People before sessions, whose names anybody can make up.

    Among both those come first whom the gate denies already (`before`, by user id), so that a full
    gate leaves out newcomers.
    """
    return sorted(
        entries,
        key=lambda entry: (is_session(entry), before.isdisjoint(entry.user_ids), entry.name),
    )


def denied_as_a_whole(entries: Iterable[Entry], whole: frozenset[str]) -> dict[str, frozenset[str]]:
    """By the ids of the roles that are denied as a whole, what each is denied."""
    found = dict.fromkeys(whole, frozenset[str]())
    for entry in entries:
        role = entry.user_ids[0].partition(":")[0]
        if role in found:
            found[role] |= entry.scopes
    return found
