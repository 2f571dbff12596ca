"""One run of the author: what it read of IAM, what it wrote, and what the gates deny now."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final

from quota_enforcer.core.errors import AccountUnreachable
from quota_enforcer.core.ledger import GateIntent
from quota_enforcer.core.policies.boundary import Entry
from quota_enforcer.core.policies.document import Document
from quota_enforcer.core.policies.names import account_in, in_account
from quota_enforcer.core.principal import Kind, Principal, split_account
from quota_enforcer.gates.document import denied_user_ids, digest, misused
from quota_enforcer.gates.ports import Gates, Memory, Write
from quota_enforcer.gates.result import GateDenial, GateResult, summed_up
from quota_enforcer.gates.roles import Role, gates_of, user_ids, why_without_gate
from quota_enforcer.gates.room import denied_as_a_whole, fill, in_order

SIDE_BY_SIDE: Final = 16
"""Member accounts that are worked on at once."""

CREATING: Final = "creating"
"""Kept beside the digest of a gate that the author is about to create: that it is missing then is
its own unfinished work, and nobody else's."""

FOUND: Final = "found:"
"""Before the digest of somebody else's document that is kept for admins to be told of, until the
right one is back: a run that has to try again finds nothing new."""

_NOT_YET: Final = "it changed while the gate was being written; the next sweep puts it in force"


@dataclass(frozen=True, slots=True)
class GateContent:
    """Whom one gate denies, and whom it should deny and does not."""

    entries: Mapping[str, Entry]
    """Those in force, by name."""
    left_out: Mapping[str, str]
    """By the name of an entry, why it is not in force."""
    percent: int
    """How full the gate is."""
    whole: tuple[str, ...]
    """The names of roles that it denies with all their sessions."""
    whole_scopes: Mapping[str, frozenset[str]]
    """By the id of such a role, what it is denied."""

    def scopes_of(self, entry: Entry) -> frozenset[str]:
        """What the gate denies somebody: what it denies all of the role, if it does so."""
        role = entry.user_ids[0].partition(":")[0]
        return self.whole_scopes.get(role) or entry.scopes


@dataclass(slots=True)
class Run:
    """One run, under the author's lease."""

    memory: Memory
    iam: Gates
    gates: Sequence[str]
    """Home's."""
    write: Write
    accounts: Sequence[str] = ()
    """The member accounts that have the same."""
    everywhere: bool = True
    """Whether to look at the gates of member accounts too that should be right by memory."""
    written: list[str] = field(default_factory=list)
    tampered: list[str] = field(default_factory=list)
    righted: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _roles: dict[str, Role | None] = field(default_factory=dict)
    _failed: dict[str, str] = field(default_factory=dict)
    _contents: dict[str, GateContent] = field(default_factory=dict)
    """By gate, as far as this run has brought them up to date."""
    _unreachable: dict[str, str] = field(default_factory=dict)
    """The member accounts that something failed in, and why: they stop no other."""
    _kept: Mapping[str, frozenset[str]] | None = None

    @property
    def _every_gate(self) -> list[str]:
        of_members = (_gates_in(each, self.gates) for each in self.accounts)
        return [*self.gates, *(gate for gates in of_members for gate in gates)]

    def apply(self, intents: Sequence[GateIntent], *, creates: bool = True) -> None:
        """Bring every gate to these intents; one that fails does not stop the others.

        A role of home that cannot be read stops the run instead, since who is behind it would be
        released. A member account in which anything fails stays as it is.
        """
        names = sorted({role for intent in intents for role in intent.roles} - self._roles.keys())
        for name in names:
            if not split_account(name)[0]:
                self._roles[name] = self.iam.role(name)
        self._in_members(lambda account: self._read_roles(account, names))
        for gate in self.gates:
            if gate in self.written or gate in self._failed:
                continue
            try:
                self._update(gate, intents, creates=creates)
            except Exception as error:  # noqa: BLE001 - kept for the answer
                self._failed[gate] = _failure(gate, "written", error)
        if self.accounts and self._kept is None and not self.everywhere:
            self._kept = self.memory.all_digests()
        self._in_members(lambda account: self._update_all(account, intents, creates=creates))

    def _in_members(self, work: Callable[[str], None]) -> None:
        """Do something in each member account, side by side, as each has limits of its own."""
        several = [each for each in self.accounts if each not in self._unreachable]

        def attempt(account: str) -> None:
            try:
                work(account)
            except AccountUnreachable as error:
                self._unreachable[account] = error.why
            except Exception as error:  # noqa: BLE001 - one account does not stop the others
                self._unreachable[account] = f"{type(error).__name__}: {error}"

        if several:
            with ThreadPoolExecutor(min(SIDE_BY_SIDE, len(several))) as threads:
                list(threads.map(attempt, several))

    def _read_roles(self, account: str, names: Iterable[str]) -> None:
        for name in names:
            if split_account(name)[0] == account:
                self._roles[name] = self.iam.role(name)

    def _update_all(self, account: str, intents: Sequence[GateIntent], *, creates: bool) -> None:
        for gate in _gates_in(account, self.gates):
            if gate not in self.written:
                self._update(gate, intents, creates=creates)

    def inspect(self) -> None:
        """Look for gates that are attached as ordinary policies, which would grant."""
        for gate in self.gates:
            if gate not in self._contents:
                continue
            try:
                holders = self.iam.attached_to(gate)
            except Exception as error:  # noqa: BLE001 - kept for the answer
                self.failures.append(_failure(gate, "inspected", error))
                continue
            if holders:
                self.tampered.append(misused(gate, holders))
        if self.everywhere:
            self._in_members(self._inspect_all)

    def _inspect_all(self, account: str) -> None:
        for gate in _gates_in(account, self.gates):
            if holders := self.iam.attached_to(gate):
                self.tampered.append(misused(gate, holders))

    def result(self, intents: Iterable[GateIntent]) -> GateResult:
        scopes: dict[str, frozenset[str]] = {}
        for content in self._contents.values():
            for who, entry in content.entries.items():
                scopes[who] = scopes.get(who, frozenset()) | content.scopes_of(entry)
        found = {
            each.principal: GateDenial(
                scopes.pop(str(each.principal), frozenset()), "; ".join(self._reasons(each))
            )
            for each in intents
        }
        found |= {Principal.parse(who): GateDenial(each) for who, each in scopes.items()}
        sessions = summed_up(found)
        named = {
            who: each
            for who, each in found.items()
            if who.kind is not Kind.SESSION or sessions.get(str(who.of_role)) != each
        }
        return GateResult(
            denied={who: each.scopes for who, each in named.items() if each.scopes},
            trouble={who: each.trouble for who, each in named.items() if each.trouble},
            written=tuple(self.written),
            tampered=tuple(sorted(self.tampered)),
            fill={gate: content.percent for gate, content in self._contents.items()},
            whole={gate: each.whole for gate, each in self._contents.items() if each.whole},
            righted=tuple(self.righted),
            failures=(*self._failed.values(), *self.failures),
            sessions=sessions,
            unreachable=dict(sorted(self._unreachable.items())),
        )

    def _update(self, gate: str, intents: Sequence[GateIntent], *, creates: bool) -> None:
        entries = [entry for each in intents if (entry := self._entry(each, gate)).user_ids]
        filled = fill(in_order(entries, frozenset()), self.write)
        if not self._right_by_memory(gate, filled.gate.document):
            current = self.iam.document(gate)
            if current is None and not creates:
                return
            if filled.gate.left_out:
                filled = fill(in_order(entries, denied_user_ids(current)), self.write)
            document = filled.gate.document
            if current != document or self._read_late(gate, document):
                self._put(gate, current, document)
                self.written.append(gate)
        wanted = filled.gate
        names = {role.id: name for name, role in self._roles.items() if role is not None}
        in_force = {entry.name: entry for entry in entries if entry.name not in wanted.left_out}
        self._contents[gate] = GateContent(
            in_force,
            wanted.left_out,
            wanted.percent,
            whole=tuple(sorted(names[each] for each in filled.whole)),
            whole_scopes=denied_as_a_whole(in_force.values(), filled.whole),
        )

    def _right_by_memory(self, gate: str, wanted: Document) -> bool:
        """Whether a gate of a member account was written like this last, and nobody looks."""
        ours = frozenset({digest(wanted)})
        return self._kept is not None and gate not in self.gates and self._kept.get(gate) == ours

    def _read_late(self, gate: str, wanted: Document) -> bool:
        """Whether IAM shows what is wanted, but the author wrote something else last.

        IAM may answer with a version that was just replaced, so that is no proof.
        """
        kept = self.memory.digests(gate)
        if kept != (written := _written(kept)):  # the answer was lost, and there it is
            self.memory.remember(gate, written)
        return bool(written) and digest(wanted) not in written

    def _put(self, gate: str, current: Document | None, wanted: Document) -> None:
        """Write a document; its digest is kept first, so that a crash never looks like tampering.

        A gate of which no digest is kept was left behind by an earlier deployment, empty.
        """
        ours = digest(wanted)
        kept, words = self.memory.digests(gate), ""
        if current is None:
            if kept and CREATING not in kept:
                words = f"{gate} had been deleted; the author created it again"
            self._remember(gate, {ours, CREATING}, words)
            self.iam.create(gate, wanted)
        else:
            known = _written(kept) or {digest(self.write([]).document)}
            found = digest(current)
            of_others = f"{FOUND}{found}"
            if found not in known and of_others not in kept and current != wanted:
                words = (
                    f"{gate} held a document that the author did not write; the right one is back"
                )
            self._remember(gate, {ours, found if found in known else of_others}, words)
            self.iam.replace(gate, wanted)
        self.memory.remember(gate, {ours})

    def _remember(self, gate: str, digests: set[str], words: str) -> None:
        self.memory.remember(gate, digests, words)
        if words:
            self.righted.append(words)

    def _reasons(self, intent: GateIntent) -> Iterator[str]:
        """Why a principal is denied less than intended; nothing if it is denied in full."""
        who, gates = str(intent.principal), self._every_gate
        of_people = intent.principal.kind is Kind.SSO
        lost = [each for each in self._unreachable if of_people or each == intent.principal.account]
        yield from (str(AccountUnreachable(each, self._unreachable[each])) for each in sorted(lost))
        known = replace(intent, roles=intent.roles & self._roles.keys())
        if known.roles or not lost:
            yield from why_without_gate(known, gates, self._roles)
        for gate in gates_of(intent, gates, self._roles):
            if gate in self._failed:
                yield self._failed[gate]
            elif account_in(gate) in self._unreachable:
                continue
            elif who in self._contents[gate].left_out:
                yield f"{self._shown(gate)}: {self._contents[gate].left_out[who]}"
            elif self._contents[gate].entries.get(who) != self._entry(intent, gate):
                yield _NOT_YET

    def _shown(self, gate: str) -> str:
        """Its name, with the account if that is not home's."""
        return _short(gate) if gate in self.gates else f"{_short(gate)} of {account_in(gate)}"

    def _entry(self, intent: GateIntent, gate: str) -> Entry:
        return Entry(str(intent.principal), user_ids(intent, gate, self._roles), intent.scopes)


def _gates_in(account: str, gates: Iterable[str]) -> list[str]:
    """The gates of a member account, which are called as home's are."""
    return [in_account(gate, account) for gate in gates]


def _written(kept: frozenset[str]) -> frozenset[str]:
    """The digests among what is kept, without the marks."""
    return frozenset(each for each in kept if each != CREATING and not each.startswith(FOUND))


def _failure(gate: str, verb: str, error: Exception) -> str:
    return f"{_short(gate)} could not be {verb}: {type(error).__name__}: {error}"


def _short(gate: str) -> str:
    return gate.rpartition("/")[2]
