"""What really happened in a run of the demo; checks and transcript are made from this alone."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final, NamedTuple, Self

from quota_enforcer.core.notices.amounts import dollars, number
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.table import PriceTable
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Counts, Number
from quota_enforcer.core.usage.model import EVERY_MODEL, ModelScope
from quota_enforcer.local.demo.cast import Call
from quota_enforcer.local.template import REGION

KINDS: Final = {"warning": "warned", "blocked": "blocked", "restored": "restored"}
"""What the enforcer may do to somebody, and the word for it in the timeline."""


class Answer(NamedTuple):
    """A call that was made; `refusal` is what IAM said, empty if the call went through."""

    call: Call
    refusal: str


@dataclass(frozen=True, slots=True)
class Event:
    """What the enforcer reported; `limit` is None if there was none, dollars are Decimals."""

    at: datetime
    kind: str
    principal: str
    quota: str
    used: Number
    limit: Number | None
    reason: str

    @classmethod
    def reported(cls, entry: dict[str, Any], after: datetime | None = None) -> Self:
        """One entry of a sweep's report, which came after a call at that moment."""
        at = datetime.fromisoformat(entry["at"])  # in whole seconds, unlike the call's
        return cls(
            at if after is None else max(at, after + timedelta(microseconds=1)),
            entry["kind"],
            entry["principal"],
            entry["quota"],
            _amount(entry["used"]),
            _amount(entry["limit"]),
            entry["reason"],
        )

    @property
    def figures(self) -> str:
        """How much of how much."""
        limit = Decimal("inf") if self.limit is None else Decimal(self.limit)
        if isinstance(self.used, Decimal):
            return f"{dollars(self.used, limit)} / {dollars(limit, limit)}"
        return f"{number(self.used)} / {number(limit)}"


def _amount(value: Any) -> Any:
    """Money comes as text, exact to the last place."""
    return Decimal(value) if isinstance(value, str) else value


class Lag(NamedTuple):
    """How long after the answer to the call that crossed a line the deny was in IAM.

    `seconds` are real ones, and at most so many: nobody looked before all was done.
    """

    principal: str
    quota: str
    seconds: float


class Letter(NamedTuple):
    """A notice as a subscriber of the topic gets it."""

    kind: str
    principal: str
    quota: str
    subject: str
    text: str


class TimelineRow(NamedTuple):
    """One line of the timeline."""

    at: datetime
    who: str
    what: str
    figures: str = ""


@dataclass(slots=True)
class RunRecord:
    """Everything that happened in a run, in order.

    `policies` are the deny policies by model scope, `roles` says who is behind which role.
    `ledger`, `standings` and `blocked` are as they were right before the stack was deleted at
    `closed`; `leftovers` names what was still there after that, and `still_listed` whom the gate
    denied then (None: there was no gate).
    """

    policies: Mapping[str, str] = field(default_factory=dict)
    gate: str = ""
    roles: Mapping[Principal, str] = field(default_factory=dict)
    edits: dict[str, datetime] = field(default_factory=dict)
    sweeps: int = 0
    wakes: int = 0
    answers: list[Answer] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    rows: list[TimelineRow] = field(default_factory=list)
    lags: list[Lag] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    subscribed: list[Letter] = field(default_factory=list)
    closed: datetime | None = None
    ledger: dict[Principal, Counts] = field(default_factory=dict)
    standings: dict[Principal, str] = field(default_factory=dict)
    blocked: set[Principal] = field(default_factory=set)
    leftovers: list[str] = field(default_factory=list)
    still_listed: frozenset[str] | None = None
    _shut_out: dict[Principal, ModelScope] = field(default_factory=dict)
    _beside: set[tuple[Principal, Principal]] = field(default_factory=set)

    def answered(self, answer: Answer) -> None:
        """Note a call; the first refusal makes a row, and so does what goes through after it."""
        self.answers.append(answer)
        principal, model = answer.call.principal, answer.call.model
        closed = self._shut_out.get(principal)
        if answer.refusal:
            if closed is None or not closed.covers(model):
                self._shut_out[principal] = self._closed_by(answer.refusal)
                self._row(answer, "call refused by IAM: AccessDenied")
        elif closed is None:
            for other in self._shut_out:
                if principal in self.roles and self.roles[principal] == self.roles.get(other):
                    self._meanwhile(other, answer, "call behind the same role goes through")
        elif closed.covers(model):
            del self._shut_out[principal]
            self._beside = {pair for pair in self._beside if principal not in pair}
            self._row(answer, "call goes through again")
        else:
            self._meanwhile(principal, answer, "call of another model goes through")

    def swept(self, report: dict[str, Any]) -> None:
        """Note a sweep by its own report."""
        self.sweeps += 1
        self._reported([Event.reported(entry) for entry in report["events"]])

    def metered(self, report: dict[str, Any], call: Call) -> list[Event]:
        """Note what the enforcer did right after a call, because the log told of it."""
        self.wakes += 1
        events = [Event.reported(entry, call.at) for entry in report["events"]]
        self._reported(events)
        return events

    def woken(self, report: dict[str, Any]) -> None:
        """Note what the enforcer did right after an edit of a quota."""
        self._reported([Event.reported(entry) for entry in report["events"]])

    def denied_after(self, lag: Lag, at: datetime) -> None:
        """Note how soon a deny was in IAM; the first makes a row."""
        if not self.lags:
            self.rows.append(
                TimelineRow(at, "", f"the deny was in IAM {lag.seconds:.1f} s after the call")
            )
        self.lags.append(lag)

    def _reported(self, events: Iterable[Event]) -> None:
        for event in events:
            if event.kind in KINDS:
                self.happened(event)
            else:
                about = f"{event.quota} of {event.principal}" if event.principal else event.reason
                row = TimelineRow(event.at, "admins", f"told: {event.kind}, {about}")
                self.rows.append(row)

    def happened(self, event: Event) -> None:
        """Note what the enforcer did to somebody."""
        self.events.append(event)
        why = event.reason if event.kind == "restored" else f"quota {event.quota}"
        stage = event.kind == "blocked" and event.limit is not None and event.used < event.limit
        what = f"{KINDS[event.kind]}{' in part' if stage else ''}: {why}"
        self.rows.append(TimelineRow(event.at, event.principal, what, event.figures))

    def edited(self, name: str, at: datetime, what: str) -> None:
        """Note what an admin did."""
        self.edits[name] = at
        self.rows.append(TimelineRow(at, "admin", what))

    def until_closed(self, principal: Principal) -> list[Answer]:
        """The answers somebody got while the stack was there."""
        return [
            answer
            for answer in self.answers
            if answer.call.principal == principal
            and (self.closed is None or answer.call.at < self.closed)
        ]

    def went_through(self, principal: Principal) -> Counts:
        """What somebody used while the stack was there, by our own count."""
        rows = (priced(each.call) for each in self.until_closed(principal) if not each.refusal)
        return Counts.total(rows)

    def _closed_by(self, refusal: str) -> ModelScope:
        """What the policy named in a refusal closes; a gate closes everything here."""
        scopes = (scope for scope, policy in self.policies.items() if policy in refusal)
        return ModelScope(next(scopes, str(EVERY_MODEL)))

    def _meanwhile(self, refused: Principal, answer: Answer, what: str) -> None:
        """A row for the first call that goes through beside somebody who is refused."""
        pair = refused, answer.call.principal
        if pair not in self._beside:
            self._beside.add(pair)
            self._row(answer, what)

    def _row(self, answer: Answer, what: str) -> None:
        call = answer.call
        session = f" ({call.session})" if call.session else ""
        self.rows.append(TimelineRow(call.at, str(call.principal), f"{what}{session}"))

    @property
    def refused(self) -> int:
        """How many calls IAM refused."""
        return Counter(bool(answer.refusal) for answer in self.answers)[True]


@cache
def _prices() -> PriceTable:
    return PriceTable(shipped_rates())


def priced(call: Call) -> Counts:
    """What a call used, with its dollars."""
    cost = _prices().cost(call.model, REGION, call.counts)
    return cost.charged_to(call.counts)
