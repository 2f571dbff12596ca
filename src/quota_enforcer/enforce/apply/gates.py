"""People behind shared identities: intents for all of them, the author once, outcomes for all."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, Protocol

from quota_enforcer.core.errors import Conflict, DeploymentClosed
from quota_enforcer.core.ledger import GateIntent, Record
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.stored import SourceReads
from quota_enforcer.decide.decision import Decision
from quota_enforcer.enforce.apply.record import ALREADY_WRITTEN, FirstWrite, conclude, intend
from quota_enforcer.enforce.apply.work import Work
from quota_enforcer.enforce.gather.sweep_input import SweepInput
from quota_enforcer.enforce.ports.adapters import GateAuthor
from quota_enforcer.enforce.ports.ledger import Outbox, Standings
from quota_enforcer.enforce.ports.sweep_memory import SweepMemory
from quota_enforcer.enforce.report import Outcome, failure
from quota_enforcer.gates.result import GateResult
from quota_enforcer.meter.log.appearances import Appearance, seen


def intent(decision: Decision, appears: Appearance, stored: GateIntent | None) -> GateIntent:
    """What the gates shall deny for one decision; a session says itself of which role it is.

    Who is blocked makes no calls and is forgotten by the metrics, so what the stored intent knows
    is kept.
    """
    principal = decision.principal
    if principal.kind is Kind.SESSION:
        account = f"{principal.account}/" if principal.account else ""
        appears = Appearance({principal.session}, {f"{account}{principal.role}"})
    names, roles = set(appears.names), set(appears.roles)
    if stored is not None:
        names |= stored.names
        roles |= stored.roles
    return GateIntent(
        principal,
        decision.standing.denied,
        frozenset(names or {principal.name}),
        frozenset(roles),
    )


def orphaned_gates_message(principals: Iterable[Principal]) -> str:
    """What to do if a gate that nobody writes any more still denies people."""
    who = ", ".join(map(str, sorted(principals)))
    return (
        f"the gates still deny {who}, but the stack keeps no gates any more: set its parameter "
        "Gates back, remove or raise their quotas, sweep, and lower it then"
    )


class GateLedger(Standings, Outbox, SweepMemory, SourceReads, Protocol):
    """The roles of the ledger that it takes to deny people behind gates."""


class _Begun(NamedTuple):
    """A decision whose intent is written, if it takes one."""

    decision: Decision
    record: Record
    first_write: FirstWrite
    """What goes with the outcome, if no intent was written."""


class GateApplier:
    """Writes down what gates shall deny, has the author render them, and writes down what came."""

    def __init__(self, ledger: GateLedger, author: GateAuthor, account: str) -> None:
        self._ledger = ledger
        self._author = author
        self._account = account

    def apply(self, work: Work) -> Outcome:
        """Bring the gates to the decisions.

        The author is asked in every sweep, so that a role that was made again and a gate that
        somebody changed are put right too.
        """
        begun, failures = self._intend(work)
        everybody = {decision.principal for decision in work.decisions}
        not_begun = everybody.difference(each.decision.principal for each in begun)
        try:
            rendered = self._author.render(everywhere=work.given.asked_everywhere)
        except Exception as error:  # noqa: BLE001 - the intents stay, the next sweep goes on
            rendered = GateResult(failures=(failure("the gates", error),))
        concluded = [self._conclude(each, rendered) for each in begun]
        for_admins, righted = self._for_admins(rendered, work.given)
        return Outcome.total(
            (
                Outcome(
                    failures=tuple(failures),
                    unfinished=frozenset(not_begun),
                    incomplete=bool(failures),
                ),
                *concluded,
                Outcome(
                    notices=tuple(for_admins),
                    failures=rendered.failures,
                    drift=(*righted, *rendered.tampered),
                    incomplete=bool(rendered.failures),
                    unreachable=rendered.unreachable,
                ),
            )
        )

    def _intend(self, work: Work) -> tuple[list[_Begun], list[str]]:
        """Write down what the gates shall deny; returns what is begun by it, and what failed."""
        known = seen(self._ledger.sources(), self._account)
        begun: list[_Begun] = []
        failures: list[str] = []
        for decision, record in work:
            stored = work.gates.get(decision.principal)
            wanted = intent(decision, known.get(decision.principal, Appearance()), stored)
            first_write = FirstWrite.of(decision, work.given)
            try:
                if wanted != stored and (wanted.scopes or stored is not None):
                    written = intend(decision, record, self._ledger, first_write, wanted)
                    begun.append(_Begun(decision, written, ALREADY_WRITTEN))
                else:
                    begun.append(_Begun(decision, record, first_write))
            except DeploymentClosed:
                break
            except Conflict:
                continue  # another sweep or wake was first; the next one looks again
            except Exception as error:  # noqa: BLE001 - one that fails does not stop the others
                failures.append(failure(decision.principal, error))
        return begun, failures

    def _conclude(self, begun: _Begun, rendered: GateResult) -> Outcome:
        """Write down what came of one decision."""
        decision, record, first_write = begun
        unfinished = Outcome(unfinished=frozenset({decision.principal}))
        if rendered.failures and not _in_force(decision, rendered):
            return unfinished  # what the failed gate denies is not known: the next sweep concludes
        partly = bool(rendered.of(decision.principal).scopes)
        trouble = _trouble(decision, rendered)
        try:
            told = conclude(
                decision, record, self._ledger, trouble, partly=partly, first_write=first_write
            )
        except Conflict:
            return unfinished  # another sweep or wake was first; the next one looks again
        except Exception as error:  # noqa: BLE001 - one that fails does not stop the others
            return Outcome.of_failure(decision.principal, error)
        return Outcome(told)

    def _for_admins(
        self, rendered: GateResult, given: SweepInput
    ) -> tuple[list[Notice], list[str]]:
        """Post what admins are to know of the gates; returns it, and what of it was put right."""
        room = _nearly_full(rendered, given.context.now)
        self._ledger.post(room)
        saw_all = given.asked_everywhere and not (rendered.failures or rendered.unreachable)
        tampered, righted = self._tell_of_tampering(rendered.tampered, given, saw_all=saw_all)
        return [*room, *tampered], righted

    def _tell_of_tampering(
        self, lasting: tuple[str, ...], given: SweepInput, *, saw_all: bool
    ) -> tuple[list[Notice], list[str]]:
        """Tell what others did to gates; returns the notice, and what of it was put right.

        What the author put right it keeps in the ledger, and the run that takes it out tells it:
        exactly one, also if the author's answer was lost. What is `lasting` is told once: of a gate
        that the author did not look at, nobody says that it is all right by now.
        """
        now, state, words = given.context.now, given.state, "; ".join(lasting)
        known = state.gates_notified
        is_news = words != known if saw_all else any(each not in known for each in lasting)
        righted = self._ledger.gate_findings()
        if righted:
            notice = _tampered([*righted, *(lasting if is_news else ())], now)
            if self._ledger.tell_findings(righted, notice):
                if is_news:
                    self._ledger.note_gates(words, state, [])
                return [notice], righted
        if not is_news:
            return [], []
        notices = [_tampered(lasting, now)] if lasting else []
        first = self._ledger.note_gates(words, state, notices)
        return (notices if first else []), []


def _in_force(decision: Decision, rendered: GateResult) -> bool:
    """Whether somebody who should be denied is, in full; a release never shows."""
    denied, asked = rendered.of(decision.principal), decision.standing.denied
    return bool(asked) and asked <= denied.scopes and not denied.trouble


def _trouble(decision: Decision, rendered: GateResult) -> str:
    """Why somebody who should be denied is not, in words."""
    denied, asked = rendered.of(decision.principal), decision.standing.denied
    if not asked:
        return ""
    unexplained = "" if asked <= denied.scopes else "no gate denies this principal yet"
    return denied.trouble or unexplained


def _tampered(words: Iterable[str], now: datetime) -> Notice:
    return Notice(NoticeKind.TAMPERED, now, "", "gates", "; ".join(words))


def _nearly_full(rendered: GateResult, now: datetime) -> list[Notice]:
    """The notice of gates that are nearly full, if any is."""
    # How full a gate is changes only when it is written, so nothing is said twice.
    full = [f"{gate} is {rendered.nearly_full[gate]} % full"
            for gate in rendered.written if gate in rendered.nearly_full]  # fmt: skip
    full += [
        f"{gate} had no room for the sessions of {' and '.join(rendered.whole[gate])}, so all "
        "sessions of that role are denied"
        for gate in rendered.written
        if gate in rendered.whole
    ]
    if not full:
        return []
    why = ", ".join(full)
    hint = "raise the stack's parameter Gates and move some permission sets to the new gate"
    return [Notice(NoticeKind.GATE_NEARLY_FULL, now, "", "", f"{why}; {hint}")]
