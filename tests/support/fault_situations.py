"""Situations that faults are put into: what there is, and what the functions then do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Final

from builders import HOUR
from fault_scene import DEVELOPER, MINUTE, TICK, Scene
from log_records import ACCOUNT
from quota_enforcer.core.deployment import Breaker, Metering, Mode
from quota_enforcer.meter.ports import LogEvent
from same_again import same_again
from stream_fakes import call
from world import principal

EVERYBODY: Final = tuple(f"u{number}" for number in range(10))
OVER: Final = EVERYBODY[:5]


@dataclass(frozen=True)
class Situation:
    """`arrange` goes without faults, `act` with them."""

    name: str
    arrange: Callable[[Scene], None]
    act: Callable[[Scene], None]

    def __str__(self) -> str:
        return self.name

    @property
    def ends(self) -> bool:
        """Whether it ends the stack."""
        return self.act is close

    def scene(self) -> Scene:
        """As it is before the act."""
        return arranged(self.arrange)


def arranged(arrange: Callable[[Scene], None]) -> Scene:
    """A new scene that was arranged like this."""
    return _copies(arrange)()


@cache
def _copies(arrange: Callable[[Scene], None]) -> Callable[[], Scene]:
    scene = Scene()
    arrange(scene)
    return same_again(scene)


def tick(scene: Scene) -> None:
    scene.tick()


def edit(scene: Scene) -> None:
    scene.edit()


def close(scene: Scene) -> None:
    scene.close()


def nothing(_: Scene) -> None:
    """Before the first sweep."""


def settled(scene: Scene) -> None:
    """Two quotas that a sweep has seen, and nobody over."""
    scene.world.quota()
    scene.world.quota(principal="user/bob")
    scene.world.call("alice", scene.now - MINUTE, 10)
    scene.world.call("bob", scene.now - MINUTE, 10)
    scene.tick()
    scene.now += TICK


def over(scene: Scene) -> None:
    """Alice has gone over, and bob is near."""
    settled(scene)
    scene.world.call("alice", scene.now - MINUTE, 1000)
    scene.world.call("bob", scene.now - MINUTE, 900)


def blocked(scene: Scene) -> None:
    """Alice is blocked since a quarter of an hour."""
    over(scene)
    for _ in range(3):
        scene.tick()
        scene.now += TICK


def next_day(scene: Scene) -> None:
    """Alice's day is over."""
    blocked(scene)
    scene.now += 12 * HOUR


def detached(scene: Scene) -> None:
    """Somebody takes alice's deny off."""
    blocked(scene)
    scene.world.denies.detach(principal("user/alice"), "*")


def planted(scene: Scene) -> None:
    """Somebody denies bob with our policy."""
    blocked(scene)
    scene.world.denies.attach(principal("user/bob"), "*")


def raised(scene: Scene) -> None:
    """An admin raises alice's limit."""
    blocked(scene)
    scene.world.quota(limit=100_000)


def removed(scene: Scene) -> None:
    """An admin deletes alice's quota."""
    blocked(scene)
    scene.world.quotas.delete("user/alice", "daily")


def lowered(scene: Scene) -> None:
    """An admin lowers bob's limit below what he has used."""
    blocked(scene)
    scene.world.quota(principal="user/bob", limit=500)


def invalid(scene: Scene) -> None:
    """An admin writes something that is no quota."""
    blocked(scene)
    scene.world.quota(limit="many")


def observed(scene: Scene) -> None:
    """The stack is updated to observe."""
    blocked(scene)
    scene.world.mode(Mode.OBSERVE)
    scene.new_processes()


def another_meter(scene: Scene) -> None:
    """The stack is updated to the stream meter."""
    blocked(scene)
    scene.world.metering(Metering.STREAM)
    scene.new_processes()


def pool(scene: Scene) -> None:
    """A team has spent its pool."""
    scene.world.quota(
        principal="team/research", members=["user/alice", "user/bob"], share="pool", limit=1000
    )
    scene.world.call("alice", scene.now - MINUTE, 10)
    scene.tick()
    scene.now += TICK
    scene.world.call("alice", scene.now - MINUTE, 1000)


def pool_spent(scene: Scene) -> None:
    """A team is blocked, and its day is over."""
    pool(scene)
    scene.tick()
    scene.now += 12 * HOUR


def few(scene: Scene) -> None:
    """A breaker that lets three be blocked."""
    scene.world.settings = replace(scene.world.settings, breaker=Breaker(number=3, percent=20))
    scene.new_processes()


def pool_raised(scene: Scene) -> None:
    """A team is blocked, and an admin raises its limit."""
    pool(scene)
    for _ in range(3):
        scene.tick()
        scene.now += TICK
    scene.world.quota(
        principal="team/research", members=["user/alice", "user/bob"], share="pool", limit=9000
    )


def many(scene: Scene) -> None:
    """Five people of ten have reached their limit, and the breaker lets three be blocked."""
    few(scene)
    for who in EVERYBODY:
        scene.world.call(who, scene.now - MINUTE, 100)
    scene.world.quota(principal="user/*", limit=1000)
    scene.tick()
    scene.now += TICK
    for who in OVER:
        scene.world.call(who, scene.now - MINUTE, 1000)


def tripped(scene: Scene) -> None:
    """The breaker holds five people."""
    many(scene)
    scene.tick()
    scene.now += TICK


def mended(scene: Scene) -> None:
    """An admin has raised the limit for whom the breaker holds."""
    tripped(scene)
    scene.world.quota(principal="user/*", limit=100_000)


def fewer(scene: Scene) -> None:
    """An admin has raised it for all but two."""
    mended(scene)
    for who in OVER[:2]:
        scene.world.quota(principal=f"user/{who}", limit=1000)


def gated(scene: Scene) -> None:
    """A person of Identity Center has gone over, and no gate was ever written."""
    scene.keep_gates()
    scene.world.quota(principal="sso/*")
    scene.world.call("sso:ann", scene.now - MINUTE, 1000)


def gate_denies(scene: Scene) -> None:
    """A gate denies her, alice is blocked too, and the day is over."""
    gated(scene)
    scene.world.quota()
    scene.world.call("alice", scene.now - MINUTE, 1000)
    scene.tick()
    scene.now += 12 * HOUR


def gate_denies_today(scene: Scene) -> None:
    """A gate denies her, and alice is blocked too."""
    gate_denies(scene)
    scene.now -= 11 * HOUR
    scene.now += 30 * MINUTE


def gate_emptied(scene: Scene) -> None:
    """Somebody writes another document into the gate."""
    gate_denies_today(scene)
    gate = next(iter(scene.iam.documents))
    scene.iam.documents[gate] = {"Version": "2012-10-17", "Statement": []}


def gate_deleted(scene: Scene) -> None:
    """Somebody deletes the gate."""
    gate_denies_today(scene)
    scene.iam.documents.clear()


def streaming(scene: Scene) -> None:
    """The stream meters, and alice has used a little."""
    scene.streams()
    scene.world.quota()
    scene.world.quota(principal="user/bob")
    scene.tick()
    first = call(1, scene.now, input__inputTokenCount=10, output__outputTokenCount=0)
    scene.happens(first)
    scene.deliver(first)
    scene.now += TICK


def deliver(scene: Scene) -> None:
    """Three calls, one of which takes alice over."""
    several = [
        call(2, scene.now - MINUTE, "bob", input__inputTokenCount=10),
        call(3, scene.now, input__inputTokenCount=1000),
        call(4, scene.now, "carol", input__inputTokenCount=10),
    ]
    scene.happens(*several)
    scene.deliver(*several)


def with_room(scene: Scene) -> None:
    """The stream meters, and its process knows that alice may use much more."""
    scene.streams()
    scene.world.quota(limit=100_000)
    scene.tick()
    for number in range(4):
        first = call(10 + number, scene.now, input__inputTokenCount=10, output__outputTokenCount=0)
        scene.happens(first)
        scene.deliver(first)
        scene.now += timedelta(seconds=1)


def deliver_in_turn(scene: Scene) -> None:
    """What this process believes to be far from a warning another has brought near to it."""
    few, most, rest = (
        call(20 + number, scene.now, input__inputTokenCount=tokens, output__outputTokenCount=0)
        for number, tokens in enumerate((10, 75_000, 5_000))
    )
    scene.happens(few, most, rest)
    scene.deliver(few)
    scene.another(lambda other: other.deliver(most))()
    scene.deliver(rest)


def late_in_the_hour(scene: Scene) -> None:
    """A new process of the meter, a minute after the full hour."""
    streaming(scene)
    scene.now += 55 * MINUTE
    scene.tick()
    scene.now += MINUTE
    scene.new_processes()


def deliver_of_the_hour_before(scene: Scene) -> None:
    """A call from before the full hour that the log dates after it."""
    one = call(5, scene.now - 2 * MINUTE, input__inputTokenCount=1000)
    one = one._replace(timestamp=int(scene.now.timestamp() * 1000))
    scene.happens(one)
    scene.deliver(one)


def deliver_ann(scene: Scene) -> None:
    """A person behind a gate goes over."""
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{DEVELOPER}/ann"
    one = call(6, scene.now, arn, input__inputTokenCount=1000)
    scene.happens(one)
    scene.deliver(one)


def streaming_gated(scene: Scene) -> None:
    scene.keep_gates()
    streaming(scene)
    scene.world.quota(principal="sso/*")
    scene.tick()
    scene.now += TICK


def streaming_many(scene: Scene) -> None:
    """Ten people, and a breaker that lets three be blocked."""
    scene.streams()
    few(scene)
    scene.world.quota(principal="user/*", limit=100)
    several = [call_of(scene, 100, who, 50) for who in EVERYBODY]
    scene.happens(*several)
    scene.tick()
    scene.deliver(*several)
    scene.now += TICK


def deliver_many(scene: Scene) -> None:
    """Calls that take five people over, in two deliveries."""
    for several in (OVER[:2], OVER[2:]):
        calls = [call_of(scene, 200, who, 50) for who in several]
        scene.happens(*calls)
        scene.deliver(*calls)


def call_of(scene: Scene, first: int, who: str, tokens: int) -> LogEvent:
    """A call of one of them now, its number from `first` on."""
    number = first + EVERYBODY.index(who)
    return call(number, scene.now, who, input__inputTokenCount=tokens)


def lost_batch(scene: Scene) -> None:
    """A delivery that never came: its hour is asked for, and is over."""
    streaming(scene)
    scene.happens(call(7, scene.now, input__inputTokenCount=1000))
    scene.meter_ledger.ask_recounts([scene.now.replace(minute=0)], scene.now)
    scene.now += 70 * MINUTE
    scene.tick()
    scene.now += MINUTE


def recount(scene: Scene) -> None:
    scene.recount()


def confirm(scene: Scene) -> None:
    """An admin says that the blocks are meant, and again if it was not answered."""
    before = len(scene.lost)
    scene.tick(confirm=True)
    if len(scene.lost) > before:
        scene.tick(confirm=True)


def pairs_at_once() -> Iterator[tuple[Situation, Situation]]:
    """Two functions in one situation."""
    for arrange, one, other in (
        (over, tick, tick),
        (next_day, tick, tick),
        (detached, tick, tick),
        (planted, tick, tick),
        (raised, tick, edit),
        (raised, edit, tick),
        (lowered, tick, edit),
        (lowered, edit, edit),
        (pool_raised, tick, edit),
        (many, tick, tick),
        (fewer, edit, tick),
        (fewer, tick, edit),
        (tripped, confirm, tick),
        (gated, tick, tick),
        (gate_emptied, tick, tick),
        (gate_deleted, tick, tick),
        (streaming, deliver, tick),
        (streaming, deliver, deliver),
        (streaming, tick, deliver),
        (streaming_many, deliver_many, tick),
        (streaming_many, tick, deliver_many),
        (lost_batch, recount, tick),
        (lost_batch, recount, recount),
        (blocked, tick, close),
        (over, tick, close),
        (gate_denies_today, tick, close),
    ):
        situation = f"{arrange.__name__}, {one.__name__}"
        yield Situation(situation, arrange, one), Situation(other.__name__, arrange, other)


def situations() -> Iterator[Situation]:
    """All of them."""
    for arrange, act in (
        (settled, tick),
        (nothing, tick),
        (over, tick),
        (next_day, tick),
        (detached, tick),
        (planted, tick),
        (raised, edit),
        (raised, tick),
        (removed, edit),
        (lowered, edit),
        (invalid, edit),
        (observed, tick),
        (another_meter, tick),
        (pool, tick),
        (pool_spent, tick),
        (many, tick),
        (tripped, confirm),
        (mended, edit),
        (fewer, edit),
        (fewer, tick),
        (gated, tick),
        (gate_denies, tick),
        (gate_emptied, tick),
        (gate_deleted, tick),
        (gate_denies_today, close),
        (blocked, close),
        (streaming, deliver),
        (with_room, deliver_in_turn),
        (late_in_the_hour, deliver_of_the_hour_before),
        (streaming_gated, deliver_ann),
        (streaming_many, deliver_many),
        (lost_batch, recount),
    ):
        yield Situation(f"{arrange.__name__}, {act.__name__}", arrange, act)
