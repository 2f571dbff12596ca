"""Runs situations with faults, and says what came out otherwise than without."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from functools import cache

from fault_scene import Picture, Scene
from fault_situations import Situation
from faults import Fault


def run(situation: Situation, at: Mapping[int, Fault]) -> tuple[Scene, Picture]:
    """The act with these faults, and what is there when time has gone by."""
    scene = situation.scene()
    scene.faults.at = at
    scene.faults.counting = True
    situation.act(scene)
    scene.settle()
    return scene, scene.picture()


def interleaved(situation: Situation, number: int, other: Situation) -> tuple[Scene, Picture]:
    """The act, and before its call of that number all that another process does."""
    scene = situation.scene()
    scene.faults.between = number, scene.another(other.act)
    scene.faults.counting = True
    situation.act(scene)
    scene.settle()
    return scene, scene.picture()


@cache
def without_faults(situation: Situation) -> tuple[int, Picture]:
    """How many calls the act makes without faults, and what is there then."""
    scene, picture = run(situation, {})
    return len(scene.faults.calls), picture


@cache
def calls_before(one: Situation, other: Situation) -> int:
    """How many calls `one` makes, before each of which `other` may come."""
    return len(interleaved(one, -1, other)[0].faults.calls)


@cache
def _in_order(one: Situation, other: Situation) -> tuple[Picture, Picture]:
    """What comes out if one runs after the other, both ways."""
    pictures = []
    for first, second in ((one, other), (other, one)):
        scene = one.scene()
        first.act(scene)
        mine = scene.swap_processes((None, None))
        second.act(scene)
        scene.swap_processes(mine)
        scene.settle()
        pictures.append(scene.picture())
    return pictures[0], pictures[1]


def wrong_in_both(found: Picture, one: Situation, other: Situation) -> list[str]:
    """What is otherwise than in the nearer of the two orders."""
    if other.ends:
        return list(left_behind(found))
    return min((list(differences(found, each)) for each in _in_order(one, other)), key=len)


def left_behind(found: Picture) -> Iterator[str]:
    """What the end of a stack may not leave, whatever was under way.

    It sends all that waits, also what another run is just sending: such a notice comes twice.
    """
    if found.denied or found.gates:
        yield f"denied still: {found.denied} {found.gates}"
    if found.waiting:
        yield f"not sent: {found.waiting}"
    for notice, times in found.told.items():
        who, kind, _ = notice.split(" ", 2)
        if kind == "blocked" and not found.told[f"{who} restored "]:
            yield f"told {times} times: {notice}, and never restored"


def differences(found: Picture, right: Picture, scene: Scene | None = None) -> Iterator[str]:
    """What is wrong; a notice may come twice only if the answer to its publishing was lost.

    A call that could not be read counts when its hour is recounted; if the breaker has tripped by
    then, it holds whoever made it.
    """
    hit = [] if scene is None else scene.faults.hit()
    unread = found.breaker and any("models.named" in each for each in hit)
    found, right = _without(found.held - right.held if unread else frozenset(), found, right)
    for each in fields(Picture):
        if each.name != "told":
            ours, theirs = getattr(found, each.name), getattr(right, each.name)
            if ours != theirs:
                yield f"{each.name}: {_short(ours, theirs)}"
    twice = sum("topic.publish" in each or "ledger.sent" in each for each in hit)
    for notice in sorted(found.told.keys() | right.told.keys()):
        ours, theirs = found.told[notice], right.told[notice]
        if ours < theirs:
            yield f"told {ours} of {theirs} times: {notice}"
        elif ours > theirs + (twice if theirs else 0):
            yield f"told {ours} instead of {theirs} times: {notice}"


def _without(held: frozenset[str], *pictures: Picture) -> list[Picture]:
    """The same but for what becomes of these; their usage counts all the same."""
    return [
        replace(
            each,
            denied={who: scopes for who, scopes in each.denied.items() if who not in held},
            records={who: record for who, record in each.records.items() if who not in held},
            told=Counter(
                {
                    what: times
                    for what, times in each.told.items()
                    if what.partition(" ")[0] not in held
                }
            ),
            held=each.held - held,
        )
        for each in pictures
    ]


def _short(ours: object, theirs: object) -> str:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        keys = [key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)]
        return "; ".join(
            f"{key}: {ours.get(key)} not {theirs.get(key)}" for key in sorted(keys, key=str)[:3]
        )
    return f"{ours} not {theirs}"
