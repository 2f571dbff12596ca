"""A run of the author that writes nothing: what it would put into the gates, by its own code."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from quota_enforcer.core.ledger import GateIntent
from quota_enforcer.core.policies.boundary import percent_full
from quota_enforcer.core.policies.document import Document
from quota_enforcer.core.principal import split_account
from quota_enforcer.gates.document import denied_user_ids
from quota_enforcer.gates.ports import Gates, MemoryReads, Write
from quota_enforcer.gates.result import NEARLY_FULL
from quota_enforcer.gates.roles import Role
from quota_enforcer.gates.run import Run


@dataclass(frozen=True, slots=True)
class DryRun:
    """A gate: what it says now, and what the author would write over it."""

    arn: str
    current: Document | None
    wanted: Document | None
    """None: the author would leave it as it is."""
    holders: tuple[str, ...]
    """Who has it as an ordinary policy."""
    elsewhere: frozenset[str] = frozenset()
    """The user ids of people who were seen in member accounts, where nobody else may look."""

    @property
    def missing(self) -> frozenset[str]:
        """The user ids that it should list and does not."""
        if self.wanted is None:
            return frozenset()
        return denied_user_ids(self.wanted) - denied_user_ids(self.current)

    @property
    def idle(self) -> frozenset[str]:
        """The user ids that it lists and should not."""
        if self.wanted is None:
            return frozenset()
        return denied_user_ids(self.current) - denied_user_ids(self.wanted) - self.elsewhere

    @property
    def percent(self) -> int:
        written = self.wanted or self.current
        return 0 if written is None else percent_full(written)

    @property
    def nearly_full(self) -> bool:
        """Whether admins are told."""
        return self.percent >= NEARLY_FULL


def dry_run_gates(
    memory: MemoryReads, iam: Gates, gates: Sequence[str], write: Write
) -> list[DryRun]:
    """What a run would do to each gate. Raises what reading raises: no gate is taken for right."""
    stage = _ReadOnlyIam(iam)
    run = Run(_NoWrites(memory), stage, gates, write)
    intents = memory.intents()
    run.apply(intents)
    run.inspect()
    if stage.failed:
        raise stage.failed[0]
    elsewhere = frozenset(
        f"*:{name}"
        for intent in intents
        if any(split_account(role)[0] for role in intent.roles)
        for name in intent.names
    )
    return [
        DryRun(
            gate,
            stage.current[gate],
            stage.written.get(gate),
            stage.holders.get(gate, ()),
            elsewhere,
        )
        for gate in gates
    ]


@dataclass(slots=True)
class _ReadOnlyIam:
    """IAM as it is read, and writes that are only noted."""

    iam: Gates
    current: dict[str, Document | None] = field(default_factory=dict)
    written: dict[str, Document] = field(default_factory=dict)
    holders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    failed: list[Exception] = field(default_factory=list)

    def document(self, gate: str) -> Document | None:
        try:
            self.current[gate] = self.iam.document(gate)
        except Exception as error:
            self.failed.append(error)
            raise
        return self.current[gate]

    def create(self, gate: str, document: Document) -> None:
        self.written[gate] = document

    def replace(self, gate: str, document: Document) -> None:
        self.written[gate] = document

    def attached_to(self, gate: str) -> list[str]:
        if self.current[gate] is None:
            return []
        try:
            found = self.iam.attached_to(gate)
        except Exception as error:
            self.failed.append(error)
            raise
        self.holders[gate] = tuple(found)
        return found

    def role(self, name: str) -> Role | None:
        return self.iam.role(name)


@dataclass(frozen=True, slots=True)
class _NoWrites:
    """The author's memory, read and never written."""

    memory: MemoryReads

    def take_lease(self, *_: object) -> bool:
        return True

    def leave_lease(self, holder: str) -> None:
        """There is none."""

    def closed(self) -> bool:
        return False

    def intents(self) -> list[GateIntent]:
        return self.memory.intents()

    def digests(self, gate: str) -> frozenset[str]:
        return self.memory.digests(gate)

    def all_digests(self) -> Mapping[str, frozenset[str]]:
        return self.memory.all_digests()

    def accounts(self) -> Sequence[str]:
        """Nobody but the author itself may look at gates there."""
        return ()

    def remember(self, gate: str, digests: Iterable[str], found: str = "") -> None:
        """Nothing was written."""
