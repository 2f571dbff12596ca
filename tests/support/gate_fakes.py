"""In-memory stand-ins for what the author needs: its part of the ledger, and IAM."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from quota_enforcer.core.errors import AccountUnreachable
from quota_enforcer.core.ledger import GateIntent
from quota_enforcer.core.policies.boundary import fitting_gate
from quota_enforcer.core.policies.document import Document
from quota_enforcer.core.principal import Principal, split_account
from quota_enforcer.gates.author import Author
from quota_enforcer.gates.ports import Write
from quota_enforcer.gates.roles import Role

GATE: Final = "arn:aws:iam::123456789012:policy/bedrock-quota/q/q-gate-1-BOUNDARY-ONLY"
GATE_2: Final = GATE.replace("gate-1", "gate-2")
ALL: Final = frozenset({"*"})
DEVELOPERS: Final = "AWSReservedSSO_Developers_0123456789abcdef"
ANALYSTS: Final = "AWSReservedSSO_Data_Analysts_fedcba9876543210"


def an_intent(
    who: str,
    *roles: str,
    names: Iterable[str] = (),
    scopes: Iterable[str] = ALL,
) -> GateIntent:
    """A person behind these roles, or a session of its role."""
    principal = Principal.parse(who)
    *role, name = principal.name.split("/")
    return GateIntent(
        principal,
        frozenset(scopes),
        frozenset(names) or frozenset({name}),
        frozenset(roles or role),
    )


@dataclass
class FakeMemory:
    """The author's part of the ledger; `at_read` runs before each reading of the intents."""

    stored: dict[str, GateIntent] = field(default_factory=dict)
    holder: str = ""
    until: datetime | None = None
    kept: dict[str, frozenset[str]] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict)
    at_read: list[Callable[[], object]] = field(default_factory=list)
    is_closed: bool = False
    members: list[str] = field(default_factory=list)
    """The accounts of satellites."""
    digest_reads: int = 0

    def put(self, *intents: GateIntent) -> None:
        """What the enforcer writes; an intent without scopes takes it out."""
        for intent in intents:
            self.stored.pop(str(intent.principal), None)
            if intent.scopes:
                self.stored[str(intent.principal)] = intent

    def take_lease(self, holder: str, now: datetime, until: datetime) -> bool:
        if self.holder not in {"", holder} and self.until is not None and self.until > now:
            return False
        self.holder, self.until = holder, until
        return True

    def leave_lease(self, holder: str) -> None:
        if self.holder == holder:
            self.holder = ""

    def closed(self) -> bool:
        return self.is_closed

    def intents(self) -> list[GateIntent]:
        if self.at_read:
            self.at_read.pop(0)()
        return [self.stored[who] for who in sorted(self.stored)]

    def digests(self, gate: str) -> frozenset[str]:
        return self.kept.get(gate, frozenset())

    def all_digests(self) -> Mapping[str, frozenset[str]]:
        self.digest_reads += 1
        return dict(self.kept)

    def accounts(self) -> list[str]:
        return self.members

    def remember(self, gate: str, digests: Iterable[str], found: str = "") -> None:
        self.kept[gate] = frozenset(digests)
        if found:
            self.found[found] = gate


@dataclass
class FakeIam:
    """IAM: `calls` are the writes, `fails` the error for a gate or role, `crash` comes after."""

    documents: dict[str, Document] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    attached: dict[str, list[str]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)
    crash: BaseException | None = None
    lost: dict[str, str] = field(default_factory=dict)
    """Member accounts that cannot be reached, and why."""
    asked: list[str] = field(default_factory=list)
    """What was read."""

    def document(self, gate: str) -> Document | None:
        self._may_fail(gate)
        return self.documents.get(gate)

    def create(self, gate: str, document: Document) -> None:
        if gate in self.documents:
            raise KeyError(gate)
        self._write("create", gate, document)

    def replace(self, gate: str, document: Document) -> None:
        if gate not in self.documents:
            raise KeyError(gate)
        self._write("replace", gate, document)

    def attached_to(self, gate: str) -> list[str]:
        self._may_fail(f"entities of {gate}")
        return self.attached.get(gate, [])

    def role(self, name: str) -> Role | None:
        self._may_fail(name)
        return self.roles.get(name)

    def _write(self, verb: str, gate: str, document: Document) -> None:
        self.calls.append((verb, gate))
        self.documents[gate] = document
        if self.crash is not None:
            raise self.crash

    def _may_fail(self, name: str) -> None:
        self.asked.append(name)
        for account in self.lost:
            if account in name:
                raise AccountUnreachable(account, self.lost[account])
        if name in self.fails:
            raise self.fails[name]


@dataclass
class Gatehouse:
    """An author over fakes."""

    gates: tuple[str, ...] = (GATE, GATE_2)
    memory: FakeMemory = field(default_factory=FakeMemory)
    iam: FakeIam = field(default_factory=FakeIam)
    write: Write = fitting_gate

    @property
    def author(self) -> Author:
        return Author(self.memory, self.iam, self.gates, self.write)

    def role(
        self,
        name: str,
        *,
        id_: str = "AROAAAAAAAAAAAAAAAAA1",
        boundary: str = GATE,
        path: str = "",
        trust: str = "",
    ) -> None:
        """A role that names this boundary; Identity Center has its own path."""
        reserved = split_account(name)[1].startswith("AWSReservedSSO_")
        path = path or ("/aws-reserved/sso.amazonaws.com/" if reserved else "/")
        self.iam.roles[name] = Role(id_, boundary, path, trust)

    def user_ids(self, gate: str = GATE) -> list[str]:
        """Whom a gate's document lists, each as often as it is listed."""
        statements: list[dict[str, Any]] = self.iam.documents[gate]["Statement"]
        return [
            user_id
            for statement in statements
            if statement["Effect"] == "Deny"
            for user_id in statement["Condition"]["StringLike"]["aws:userid"]
        ]
