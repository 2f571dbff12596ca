"""One whole deployment in memory, every call of which may fail: meter, enforcer and author.

It runs its functions as AWS does: a wake twice, a tick twice, a delivery three times, the stream of
the quota table four times, a deletion until it succeeds.
"""

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from builders import HOUR, NOON
from fakes import FakeLedger
from faults import Faults, Refused
from gate_fakes import GATE, FakeIam, FakeMemory
from log_records import ACCOUNT
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.errors import Conflict, SweepFailed
from quota_enforcer.core.ledger import GateIntent
from quota_enforcer.core.policies.boundary import fitting_gate
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.looks.headroom import Ground, premise_of
from quota_enforcer.core.usage.reads import Woken
from quota_enforcer.enforce.ports.adapters import Adapters
from quota_enforcer.enforce.report import Report
from quota_enforcer.enforce.sweep import Sweep
from quota_enforcer.gates.author import Author
from quota_enforcer.gates.result import GateResult
from quota_enforcer.gates.roles import Role
from quota_enforcer.meter.adapters import MeterAdapters, MeteredLogGroup
from quota_enforcer.meter.ports import LogEvent, RoomRead
from quota_enforcer.meter.recount.recounter import Recounter
from quota_enforcer.meter.stream import Stream
from stream_fakes import (
    GROUP,
    Died,
    FakeLetters,
    FakeLog,
    FakeMeterLedger,
    FakeModels,
    FlatPrices,
    delivery,
)
from world import World

MINUTE: Final = timedelta(minutes=1)
TICK: Final = 5 * MINUTE
DEVELOPER: Final = "AWSReservedSSO_Developer_0123456789abcdef"
TRIES: Final = {"tick": 2, "wake": 2, "deliver": 3, "edit": 4, "recount": 2, "close": 1}


class SharedMemory(FakeMemory):
    """The author's part of the enforcer's ledger."""

    def __init__(self, ledger: FakeLedger) -> None:
        super().__init__(found=ledger.findings)
        self._ledger = ledger

    def closed(self) -> bool:
        return self._ledger.state().closed

    def intents(self) -> list[GateIntent]:
        return self._ledger.gate_intents()


class SharedMeterLedger(FakeMeterLedger):
    """The meter's part of the enforcer's ledger."""

    def __init__(self, ledger: FakeLedger) -> None:
        super().__init__(ledger.zone)
        self.ledger = ledger
        ledger._hours = self.usage  # noqa: SLF001 - one table
        ledger.marks = self.marks
        self.at_once = 2

    def meter_rules(self) -> Any:
        return self.ledger.meter_rules()

    def room(self, *asked: Any) -> RoomRead:
        state, kept = self.ledger.state(), self.ledger.kept.items()
        self.ground = Ground(state.terms, premise_of(state.quotas_seen, state.breaker))
        self.headrooms = {who: each.headroom for who, each in kept if each.headroom}
        return super().room(*asked)

    def principals(self) -> set[Principal]:
        return {record.principal for record in self.ledger.everybody()}

    def remember_sources(self, sources: Any) -> None:
        super().remember_sources(sources)
        for source in self.sources.values():
            self.ledger._sources[source.arn, source.model_id] = source  # noqa: SLF001 - as above


@dataclass(frozen=True)
class Picture:
    """What may not depend on faults."""

    usage: dict[Any, Any]
    denied: dict[str, frozenset[str]]
    gates: tuple[str, ...]
    records: dict[str, Any]
    told: Counter[str]
    waiting: tuple[str, ...]
    breaker: bool
    intents: tuple[str, ...]
    held: frozenset[str]
    """Whom the breaker holds."""


@dataclass
class Scene:
    """A deployment, its people, and its clock."""

    now: datetime = NOON
    world: World = field(default_factory=World)
    faults: Faults = field(default_factory=Faults)
    lost: list[str] = field(default_factory=list)
    """What AWS gave up."""
    errors: list[str] = field(default_factory=list)
    log: FakeLog = field(default_factory=FakeLog)
    letters: FakeLetters = field(default_factory=FakeLetters)
    iam: FakeIam = field(default_factory=FakeIam)

    def __post_init__(self) -> None:
        self.meter_ledger = SharedMeterLedger(self.world.ledger)
        self.memory = SharedMemory(self.world.ledger)
        self.iam.roles[DEVELOPER] = Role(
            "AROAAAAAAAAAAAAAAAAA1", GATE, "/aws-reserved/sso.amazonaws.com/"
        )
        self.wakes: deque[tuple[Any, ...]] = deque()
        self._enforcer: Sweep | None = None
        self._stream: Stream | None = None
        self._run = 0

    # What people and admins do.

    def streams(self) -> None:
        """The deployment meters from the stream."""
        self.world.metering(Metering.STREAM)

    def keep_gates(self) -> None:
        """The deployment keeps gates."""
        self.world.keep_gates()
        self.new_processes()

    def happens(self, *events: LogEvent) -> None:
        """Calls of Bedrock that are in the log."""
        self.log.lines += events

    # The functions, each as AWS runs it.

    def tick(self, *, confirm: bool = False) -> None:
        """The schedule."""
        self.world.metrics.now = self.now
        self._invoke("tick", lambda: self.enforcer().run(self.now, confirm_blocks=confirm))

    def edit(self) -> None:
        """The stream of the quota table."""
        self._invoke("edit", lambda: self.enforcer().edited(self.now))

    def deliver(self, *events: LogEvent) -> None:
        """The subscription, and the wakes that follow."""
        self._invoke("deliver", lambda: self.stream().deliver(delivery(events), self.now, "r"))
        self.wake_all()

    def wake_all(self) -> None:
        """Every wake that is on its way."""
        while self.wakes:
            asked = self.wakes.popleft()
            self._invoke("wake", partial(self._wake, *asked))

    def _wake(self, principals: Iterable[Principal], woken: Woken) -> Report:
        return self.enforcer().wake(principals, self.now, woken)

    def recount(self) -> None:
        """The hourly schedule of the meter."""

        def run() -> None:
            recounter = self.recounter()
            for hour in recounter.due(self.now):
                recounter.settle(hour, self.now)

        self._invoke("recount", run)
        self.wake_all()

    def close(self) -> None:
        """The stack is deleted, and again until it is gone."""
        for _ in range(3):
            if self._invoke("close", lambda: self.enforcer().close(self.now)):
                return
            self.now += MINUTE

    def settle(self) -> None:
        """Time goes by without faults: three ticks, then the recounts that were asked for."""
        self.faults.counting = False
        self.wake_all()
        for _ in range(3):
            self.now += TICK
            self.tick()
            self.wake_all()
        if self.meter_ledger.asked:
            self.now += 2 * HOUR
            self.recount()
            self.tick()

    # Processes.

    def enforcer(self) -> Sweep:
        if self._enforcer is None:
            world, around = self.world, self.faults.around
            gated = world.author is not None
            adapters = Adapters(
                around("ledger", world.ledger),
                around("quotas", world.quotas),
                around("metrics", world.metrics),
                around("iam", world.denies),
                around("topic", world.topic),
                around("author", _AuthorFunction(self)) if gated else None,
                tiers=around("tiers", world.tiers),
            )
            self._enforcer = Sweep(world.settings, adapters)
        return self._enforcer

    def stream(self) -> Stream:
        if self._stream is None:
            self._stream = Stream(self._meter_adapters(), self._log_group())
        return self._stream

    def recounter(self) -> Recounter:
        return Recounter(self._meter_adapters(), self._log_group())

    def _meter_adapters(self) -> MeterAdapters:
        around = self.faults.around
        return MeterAdapters(
            around("meter-ledger", self.meter_ledger),
            around("models", FakeModels()),
            around("log", self.log),
            around("lambda", _WakeQueue(self.wakes)),
            around("queue", self.letters),
            lambda _: FlatPrices(),
        )

    def _log_group(self) -> MeteredLogGroup:
        return MeteredLogGroup(ACCOUNT, GROUP, self.world.settings.zone)

    def author(self) -> Author:
        around = self.faults.around
        memory, iam = around("author-ledger", self.memory), around("author-iam", self.iam)
        return Author(memory, iam, (GATE,), fitting_gate)

    def new_processes(self) -> None:
        self._enforcer = self._stream = None

    def new_enforcer(self) -> None:
        self._enforcer = None

    def swap_processes(
        self, others: tuple[Sweep | None, Stream | None]
    ) -> tuple[Sweep | None, Stream | None]:
        """Go on with these instead; returns those of before."""
        mine = self._enforcer, self._stream
        self._enforcer, self._stream = others
        return mine

    def another(self, act: "Callable[[Scene], object]") -> Callable[[], None]:
        """What other processes of the same functions do meanwhile."""

        def run() -> None:
            mine = self.swap_processes((None, None))
            act(self)
            self.swap_processes(mine)

        return run

    def enforcer_dies(self) -> None:
        """A tick that AWS does not try again."""
        self.world.metrics.now = self.now
        with suppress(Died, Refused, SweepFailed, Conflict):
            self.enforcer().run(self.now)
        self.faults.revive()
        self.new_processes()
        self.now += TICK

    def holder(self) -> str:
        self._run += 1
        return f"run {self._run}"

    def _invoke(self, what: str, run: Callable[[], Any]) -> bool:
        for _ in range(TRIES[what]):
            try:
                answer = run()
            except Died:
                self.faults.revive()
                self.new_processes()
            except Exception as error:  # noqa: BLE001 - Lambda tries again, whatever it is
                self.errors.append(f"{what}: {error}")
            else:
                if not isinstance(answer, Report) or not answer.failures:
                    return True
        self.lost.append(what)
        return False

    def picture(self) -> Picture:
        ledger = self.world.ledger
        sent = self.world.topic.sent
        return Picture(
            usage=self.meter_ledger.totals(),
            denied={str(who): scopes for who, scopes in self.world.denies.denied().items()},
            gates=tuple(sorted(self._user_ids())),
            records={
                str(each.principal): (
                    each.standing.level,
                    sorted(each.standing.denied),
                    each.standing.until,
                    sorted(each.standing.used_up),
                    sorted(each.standing.warned),
                    each.intended,
                    each.trouble,
                )
                for each in ledger.everybody()
            },
            told=Counter(f"{each.principal} {each.kind} {each.quota}" for each, _ in sent),
            waiting=tuple(each.id for each in ledger.outbox(self.now + TICK)),
            breaker=ledger.state().breaker_since is not None,
            intents=tuple(
                f"{each.principal} {sorted(each.scopes)}" for each in ledger.gate_intents()
            ),
            held=frozenset(
                str(each.principal) for each in ledger.everybody() if each.standing.held
            ),
        )

    def _user_ids(self) -> Iterable[str]:
        document: Any = self.iam.documents.get(GATE, {"Statement": []})
        for statement in document["Statement"]:
            if statement["Effect"] == "Deny":
                yield from statement["Condition"]["StringLike"]["aws:userid"]


class _AuthorFunction:
    """The author as the enforcer asks it: its death is an error to the enforcer."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def render(self, *, everywhere: bool = True) -> GateResult:
        return self._ask(
            lambda author: author.render(
                self._scene.now, self._scene.holder(), everywhere=everywhere
            )
        )

    def empty(self) -> GateResult:
        return self._ask(lambda author: author.empty(self._scene.now, self._scene.holder()))

    def _ask(self, run: Callable[[Author], GateResult]) -> GateResult:
        try:
            return run(self._scene.author())
        except Died:
            self._scene.faults.revive()
            raise Refused("the author was killed") from None


class _WakeQueue:
    """Lambda's queue of asynchronous invocations."""

    def __init__(self, queue: deque[tuple[Any, ...]]) -> None:
        self._queue = queue

    def wake(self, principals: Collection[Principal], woken: Woken) -> None:
        self._queue.append((principals, woken))
