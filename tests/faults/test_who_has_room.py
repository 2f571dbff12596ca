"""A delivery whose people all have room ends there, and nobody can tell by what is decided."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import ALICE, HOUR, NOON
from fault_scene import MINUTE, Scene
from log_records import ACCOUNT
from quota_enforcer.core.deployment import Breaker, Mode
from same_again import same_again
from stream_fakes import call, delivery

SECOND: Final = timedelta(seconds=1)
DAY: Final = timedelta(days=1)
PLENTIFUL: Final = 100_000
CI: Final = f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/42"
POOL: Final[dict[str, Any]] = {
    "principal": "team/research", "quota": "shared", "members": ["user/alice", "user/bob"],
    "share": "pool", "limit": Decimal(400),
}  # fmt: skip
Quota = dict[str, object]
CROWD: Final = tuple(f"u{number}" for number in range(5))


@dataclass
class Played(Scene):
    """A deployment on the stream; `reads` tells whether its meter can read who has room."""

    reads: bool = True
    made: int = 0
    """How many calls were made."""
    ended: int = 0
    """How many deliveries woke nobody."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.streams()
        if not self.reads:
            self.meter_ledger.room = lambda *_: 1 / 0  # type: ignore[assignment, method-assign]

    def calls(self, who: str, tokens: int, late: timedelta = timedelta(0), **but: Any) -> None:
        """Somebody calls, and the log delivers it; nobody is woken yet."""
        counts = {"input__inputTokenCount": tokens, "output__outputTokenCount": 0}
        one = call(self.made, max(self.now - late, NOON - 2 * DAY), who, **counts, **but)
        self.made += 1
        before = len(self.wakes)
        self._invoke("deliver", lambda: self.stream().deliver(delivery([one]), self.now, "r"))
        self.ended += len(self.wakes) == before

    def meets(self, who: str, times: int = 4) -> None:
        """Somebody has called before, so that the meter's process knows of room."""
        for _ in range(times):
            self.now += SECOND
            self.calls(who, 1)
            self.wake_all()

    @property
    def decided(self) -> tuple[object, ...]:
        """What anybody could tell."""
        world = self.world
        return world.denied, sorted(world.told()), self.meter_ledger.totals()


Act = Callable[[Played, Quota], object]


def ample(limit: int = PLENTIFUL, *, reads: bool = True, crowd: bool = False) -> Played:
    """Everybody may use much, and the meter's process knows that alice and bob have room."""
    return _ample(limit, reads=reads, crowd=crowd)()


@cache
def _ample(limit: int, *, reads: bool, crowd: bool) -> Callable[[], Played]:
    scene = Played(reads=reads)
    scene.world.quota(principal="default", limit=limit)
    scene.tick()
    for who in CROWD if crowd else ():
        scene.meets(who, 2)
    for who in ("bob", "alice"):
        scene.meets(who)
    before = scene.ended
    scene.meets("alice", 1)
    assert scene.ended == before + reads
    return same_again(scene)


def test_who_has_room_is_neither_marked_nor_woken_for() -> None:
    scene = ample()
    scene.calls("alice", 500)
    assert (scene.wakes, scene.world.ledger.marks) == (scene.wakes.__class__(), {})
    assert scene.decided[:2] == (set(), [])


def test_many_small_calls_reach_the_limit_like_a_large_one() -> None:
    scene, told = ample(2_000), []
    for _ in range(100):
        scene.now += SECOND
        scene.calls("alice", 25)
        scene.wake_all()
        told.append((scene.world.told("user/alice"), scene.meter_ledger.totals()))
    assert scene.ended > 50
    used = [sum(each.tokens for (who, _, _), each in of.items() if who == "user/alice")
            for _, of in told]  # fmt: skip
    for notices, tokens in zip((each for each, _ in told), used, strict=True):
        assert ("warning" in notices) == (tokens >= 1_600)
        assert ("blocked" in notices) == (tokens >= 2_000)


# Any history, with and without.

HISTORY = st.lists(
    st.tuples(
        st.sampled_from(["alice", "alice", "bob", CI]),
        st.sampled_from([0, 1, 5, 5, 20, 60, 400]),
        st.sampled_from([SECOND] * 15 + [5 * SECOND, 20 * SECOND, MINUTE, HOUR, 9 * HOUR, DAY]),
        st.sampled_from([timedelta(0)] * 20 + [MINUTE, 5 * HOUR, 2 * DAY]),
        st.sampled_from([""] * 16 + ["mystery.one-v1", "amazon.nova-lite-v1:0"]),
        st.integers(0, 110),
    ),
    min_size=10,
    max_size=25,
)
QUOTAS = st.sampled_from(
    [
        [{}],
        [{"window": "month"}, {"quota": "hourly", "window": "hour", "limit": Decimal(300)}],
        [{"principal": "default", "window": "rolling 3 days", "warn_at": [10, 50, 90]}],
        [{"principal": "default", "window": "rolling 5 hours"}, {"principal": "role/ci"}],
        [{"principal": "default", "window": "rolling 5 minutes"}],
        [{"principal": "default", "overshoot": "avoid"}],
        [{"principal": "default", "measure": "cost_usd", "limit": Decimal("0.002")}],
        [{"principal": "default", "window": "week", "models": ["anthropic.*"]}],
        [{"principal": "default"}, {"principal": "session/ci/*", "limit": 300}],
    ]
)


def limited(limit: int) -> Act:
    return lambda scene, quota: scene.world.quota(**{**quota, "limit": Decimal(limit)})


def another_mode(scene: Played, _: Quota) -> None:
    mode = scene.world.settings.mode
    scene.world.mode(Mode.OBSERVE if mode is Mode.ENFORCE else Mode.ENFORCE)
    scene.new_enforcer()


def pause(scene: Played, _: Quota) -> None:
    until = f"{(scene.now + HOUR).isoformat()}"
    scene.world.quotas.put({"principal": "pause", "quota": "new-blocks", "until": until})


def own(**but: object) -> Act:
    return lambda scene, _: scene.world.quota(quota="own", **but)


EDITS: Final[list[Act]] = [
    limited(200),
    limited(2_000),
    limited(900),
    own(limit=Decimal(150)),
    own(enabled=False),
    pause,
    lambda scene, _: scene.world.quotas.table.pop(("pause", "new-blocks"), None),
    lambda scene, _: scene.world.quota(**POOL),
]
"""What admins do; the table's stream tells of it at once."""
OTHERS: Final[list[Act]] = [
    lambda scene, _: scene.tick(),
    another_mode,
    lambda scene, _: scene.new_processes(),
]


def acts(scene: Played, act: int, quota: Quota) -> None:
    """What admins, the schedule or AWS do after a call; nothing, as a rule."""
    if act < len(EDITS):
        EDITS[act](scene, quota)
        scene.edit()
    elif act < len(EDITS) + len(OTHERS):
        OTHERS[act - len(EDITS)](scene, quota)


def history(steps: list[Any], quotas: list[Quota], *, reads: bool) -> Iterator[tuple[object, ...]]:
    """What anybody could tell after each step."""
    scene = Played(reads=reads)
    for quota in quotas:
        scene.world.quota(**quota)
    scene.tick()
    for who in ("alice", "bob", CI):
        scene.meets(who, 4)
    for who, tokens, later, late, model, act in steps:
        scene.now += later
        scene.calls(who, tokens, late, **({"modelId": model} if model else {}))
        scene.wake_all()
        acts(scene, act, quotas[0])
        scene.wake_all()
        yield scene.decided


@given(HISTORY, QUOTAS)
@settings(max_examples=2 * settings().max_examples)
def test_nobody_can_tell_who_was_woken_for(steps: list[Any], quotas: list[Quota]) -> None:
    """The same denies and notices at each moment as if the meter could not read who has room."""
    told = list(history(steps, quotas, reads=True))
    assert told == list(history(steps, quotas, reads=False))


# At any moment of what the enforcer does meanwhile.

Edit = Callable[[Played], object]


def edited(**but: object) -> Edit:
    return lambda scene: scene.world.quota(**{"principal": "default", "limit": 400, **but})


def paused(scene: Played) -> None:
    pause(scene, {})
    edited()(scene)


def too_many_at_once(scene: Played) -> None:
    """The breaker holds, since all of the crowd has used more than this."""
    scene.world.settings = replace(scene.world.settings, breaker=Breaker(3, 10))
    edited(limit=15)(scene)
    scene.new_enforcer()


MEANWHILE: Final[dict[str, Edit]] = {
    "lower for all": edited(),
    "lower for alice": edited(principal="user/alice"),
    "one more for alice": edited(principal="user/alice", quota="own"),
    "a pool": lambda scene: scene.world.quota(**POOL),
    "a warning": edited(limit=1_000, warn_at=[40]),
    "raised for a while": edited(
        limit=200, raise_to=400, raise_until=(NOON + 2 * HOUR).isoformat()
    ),
    "another measure": edited(limit=5, measure="requests"),
    "dollars": edited(limit=Decimal("0.0004"), measure="cost_usd"),
    "a pause": paused,
    "the breaker": too_many_at_once,
}
RUNS: Final[dict[str, Edit]] = {
    "edit": lambda scene: scene.edit(), "sweep": lambda scene: scene.tick(),
}  # fmt: skip


def decided_at(
    number: int, edit: str, run: str, *, woken: bool, reads: bool
) -> tuple[list[str], object]:
    """The calls of the run, and what is decided if alice used more before one of them."""
    scene = ample(reads=reads, crowd=edit == "the breaker")
    MEANWHILE[edit](scene)
    scene.now += SECOND

    def meanwhile() -> None:
        mine = scene.swap_processes((None, scene.stream()))
        scene.calls("alice", 500)
        if woken:
            scene.wake_all()
        scene.swap_processes(mine)

    scene.faults.between, scene.faults.counting = (number, meanwhile), True
    RUNS[run](scene)
    scene.faults.counting = False
    scene.wake_all()
    return scene.faults.calls, scene.decided


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("edit", MEANWHILE)
def test_a_call_at_any_moment_of_an_edit_is_decided_about_as_ever(
    edit: str, run: str, pairs: int
) -> None:
    """Before each call that the enforcer makes while it acts on an edit, alice uses more."""
    calls, _ = decided_at(-1, edit, run, woken=False, reads=True)
    first = sum(map(ord, f"{edit}{run}")) % pairs
    wrong = []
    for number in range(len(calls))[first::pairs]:
        for woken in (False, True) if pairs == 1 else (number % 2 == 0,):
            _, reading = decided_at(number, edit, run, woken=woken, reads=True)
            _, blind = decided_at(number, edit, run, woken=woken, reads=False)
            wrong += [(calls[number], woken)] if reading != blind else []
    assert wrong == []


def decided_while(number: int, edit: str, run: str, *, reads: bool) -> object:
    """What is decided if somebody acts on an edit before one of the calls of alice's delivery."""
    scene = ample(reads=reads, crowd=edit == "the breaker")
    scene.now += SECOND

    def meanwhile() -> None:
        MEANWHILE[edit](scene)
        RUNS[run](scene)

    name = ("meter-ledger.mark_unseen", "meter-ledger.add", "meter-ledger.room", "lambda.wake")
    scene.faults.before, scene.faults.counting = {name[number]: meanwhile}, True
    scene.calls("alice", 500)
    scene.faults.counting = False
    if scene.faults.before:  # that call was not made
        meanwhile()
    scene.wake_all()
    return scene.decided


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("edit", MEANWHILE)
def test_an_edit_at_any_moment_of_a_delivery_is_acted_on_as_ever(edit: str, run: str) -> None:
    for number in (1, 2, 3):
        reading = decided_while(number, edit, run, reads=True)
        assert reading == decided_while(number, edit, run, reads=False), number


@pytest.mark.parametrize("halted", [False, True], ids=["edit", "pause"])
def test_what_is_taken_back_before_anybody_acted_on_it_left_no_room(*, halted: bool) -> None:
    """A wake went by a higher limit in between, or looked at somebody while blocks were paused."""
    scene = ample(2_000)
    table = dict(scene.world.quotas.table)
    if halted:
        pause(scene, {})
    else:
        scene.world.quota(principal="default", limit=PLENTIFUL)
    scene.new_enforcer()
    scene.now += MINUTE
    scene.meets("alice", 2)
    headroom = scene.world.ledger.kept[ALICE].headroom
    assert headroom is not None
    assert headroom.premise == ""
    scene.world.quotas.table = table
    scene.edit()
    scene.new_enforcer()
    scene.now += SECOND
    scene.calls("alice", 2_000)
    scene.wake_all()
    assert scene.world.denied == {"user/alice"}
