"""In-memory stand-ins for the ports: the same semantics, and a record of what was done."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from uuid import uuid4
from zoneinfo import ZoneInfo

from quota_enforcer.core.errors import (
    AccountUnreachable,
    CannotDeny,
    Conflict,
    DeploymentClosed,
    PrincipalGone,
    UnknownIdentity,
)
from quota_enforcer.core.ledger import (
    ANY_PREMISE,
    GateIntent,
    Premise,
    PriceMemory,
    QuotaMemory,
    Record,
    SweepState,
)
from quota_enforcer.core.notices.message import Message
from quota_enforcer.core.notices.notice import HISTORY_ONLY, Notice
from quota_enforcer.core.notices.subscription import Subscription, same
from quota_enforcer.core.policies.in_force import InForce
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.quotas.request import AGAIN, RaiseRequest, Refusal, RequestState
from quota_enforcer.core.usage.buckets import MinuteCounts, ModelUsage, Usage
from quota_enforcer.core.usage.counts import OBSERVED, Counts
from quota_enforcer.core.usage.looks.headroom import Headroom, KeptHeadroom
from quota_enforcer.core.usage.pace import CallPace, DenyLag
from quota_enforcer.core.usage.place import Place
from quota_enforcer.core.usage.reads import no_progress
from quota_enforcer.core.usage.stored import Bucket, MeterRules, Source
from quota_enforcer.gates.result import GateResult
from quota_enforcer.meter.ports import Series
from quota_enforcer.satellites.registry import Satellite


class Read(NamedTuple):
    """One call of FakeMetrics.read."""

    series: tuple[Series, ...]
    start: datetime
    end: datetime
    period: int


class _Point(NamedTuple):
    at: datetime
    value: int
    arrives: datetime


@dataclass
class FakeMetrics:
    """CloudWatch: points become visible when they arrive, series when they are listed.

    `now` is the moment that listing and reading happen at; where it is None nothing is delayed.
    Series in `unknown` get no complete answer. `listings` and `reads` record the calls.
    """

    now: datetime | None = None
    listed_after: timedelta = timedelta(0)
    recent_for: timedelta = timedelta(hours=2, minutes=10)
    unknown: set[Series] = field(default_factory=set)
    listing_fails: Exception | None = None
    listings: list[bool] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    _points: dict[Series, list[_Point]] = field(default_factory=dict)

    def call(
        self,
        arn: str,
        at: datetime,
        counts: Counts,
        *,
        model_id: str = "anthropic.claude-3-haiku-20240307-v1:0",
        arrives: datetime | None = None,
    ) -> None:
        """Bedrock was called at `at`, and the metrics know it from `arrives` on.

        A counter of zero makes no series.
        """
        minute = at.astimezone(UTC).replace(second=0, microsecond=0)
        for counter, value in zip(OBSERVED, counts[: len(OBSERVED)], strict=True):
            if value:
                points = self._points.setdefault(Series(counter, arn, model_id), [])
                points.append(_Point(minute, int(value), arrives or at))

    def forget(self, arn: str) -> None:
        """CloudWatch lists a series no more that had no data for two weeks."""
        self._points = {each: points for each, points in self._points.items() if each.arn != arn}

    def all_unknown(self) -> None:
        """No series gets a complete answer."""
        self.unknown = set(self._points)

    def series(self, *, recent: bool) -> list[Series]:
        self.listings.append(recent)
        if self.listing_fails is not None:
            raise self.listing_fails
        return [series for series in self._points if self._listed(series, recent=recent)]

    def read(
        self, series: Iterable[Series], start: datetime, end: datetime, period: int
    ) -> dict[Series, Mapping[datetime, int] | None]:
        wanted = tuple(series)
        self.reads.append(Read(wanted, start, end, period))
        return {
            each: None if each in self.unknown else self._sums(each, start, end, period)
            for each in wanted
        }

    def _listed(self, series: Series, *, recent: bool) -> bool:
        if self.now is None:
            return True
        arrived = [point.arrives for point in self._points[series] if point.arrives <= self.now]
        if not arrived or min(arrived) + self.listed_after > self.now:
            return False
        return not recent or max(arrived) > self.now - self.recent_for

    def _sums(
        self, series: Series, start: datetime, end: datetime, period: int
    ) -> Mapping[datetime, int]:
        sums: defaultdict[datetime, int] = defaultdict(int)
        for point in self._points.get(series, []):
            if start <= point.at < end and (self.now is None or point.arrives <= self.now):
                seconds = int(point.at.timestamp())
                sums[datetime.fromtimestamp(seconds - seconds % period, UTC)] += point.value
        return dict(sums)


@dataclass
class FakeLedger:
    """The ledger; `writes` records every write as (method, subject).

    With `fails_at` the write of that number (from 0) fails, as in a crash.
    """

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    writes: list[tuple[str, object]] = field(default_factory=list)
    fails_at: int | None = None
    _state: SweepState = field(default_factory=SweepState)
    _hours: dict[Bucket, dict[datetime, Counts]] = field(default_factory=dict)
    _sources: dict[tuple[str, str], Source] = field(default_factory=dict)
    _records: dict[Principal, Record] = field(default_factory=dict)
    _gates: dict[Principal, GateIntent] = field(default_factory=dict)
    _outbox: dict[str, Notice] = field(default_factory=dict)
    _history: dict[str, Notice] = field(default_factory=dict)
    _quota_memories: dict[tuple[str, str], QuotaMemory] = field(default_factory=dict)
    _price_memories: dict[str, PriceMemory] = field(default_factory=dict)
    _brief: MeterRules = field(default_factory=MeterRules)
    meters: dict[tuple[Bucket, datetime], str] = field(default_factory=dict)
    """Who filled an hour of a bucket."""
    recounts_asked: set[datetime] = field(default_factory=set)
    marks: dict[str, frozenset[Principal]] = field(default_factory=dict)
    """Whose usage nobody has looked at."""
    kept: dict[Principal, KeptHeadroom] = field(default_factory=dict)
    dropped: list[tuple[Principal, datetime]] = field(default_factory=list)
    """Whose headroom was, and when; these may be written at any time, so they are no `writes`."""
    calls: dict[Principal, dict[datetime, int]] = field(default_factory=dict)
    """How many calls the stream meter marked, by their slots."""
    minutes_used: defaultdict[Principal, dict[tuple[str, str, datetime], Counts]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    """By place, model and start: what the stream meter counts by the minute, for whom it was told.
    """
    minutes_read: list[Principal] = field(default_factory=list)
    """Of whom that was asked."""
    paces_read: list[Principal] = field(default_factory=list)
    """Of whom it was asked how fast they call."""
    findings: dict[str, str] = field(default_factory=dict)
    """What the author found that others did to gates."""
    asked: dict[Principal, RaiseRequest] = field(default_factory=dict)
    """What each principal asks for."""

    def state(self) -> SweepState:
        return self._state

    def begin(self, now: datetime, *, forget_terms: bool = False) -> None:
        self._write("begin", now)
        if self._state.started is None or self._state.started <= now:
            terms = "" if forget_terms else self._state.terms
            self._state = replace(self._state, started=now, terms=terms)

    def finish(self, state: SweepState) -> None:
        self._write("finish", state)
        before = self._state
        if state.started is None or state.finished is None:
            raise ValueError(f"a sweep that finishes has started and finished, not {state}")
        if before.finished is None or before.finished <= state.finished:
            started = max(before.started or state.started, state.started)
            self._state = replace(
                state,
                started=started,
                closed=before.closed,
                lag=before.lag,
                quotas_seen=before.quotas_seen,
                unsettled=before.unsettled,
                breaker=before.breaker,
                breaker_since=before.breaker_since,
                breaker_far=before.breaker_far,
                confirmed_at=before.confirmed_at,
                paused_until=before.paused_until,
                tiers_seen_at=before.tiers_seen_at,
                tiers_notified=before.tiers_notified,
                gates_notified=before.gates_notified,
                accounts_notified=before.accounts_notified,
                digest_week=before.digest_week,
                digest_tried_at=before.digest_tried_at,
            )

    def claim_edits(self, token: str, before: SweepState) -> bool:
        self._write("see_quotas", token)
        state = self._state
        if (state.quotas_seen, state.unsettled) != (before.quotas_seen, before.unsettled):
            return False
        self._state = replace(state, quotas_seen=token, unsettled=token)
        return True

    def complete_edits(self, token: str) -> None:
        self._write("settle_quotas", token)
        if self._state.unsettled == token:
            self._state = replace(self._state, unsettled="")

    def reopen_edits(self, token: str) -> None:
        self._write("unsettle_quotas", token)
        self._state = replace(self._state, unsettled=token)

    def turn_breaker(
        self,
        since: datetime | None,
        before: SweepState,
        token: str,
        notices: Iterable[Notice] = (),
        confirmed_at: datetime | None = None,
        far: int = 0,
    ) -> bool:
        self._write("turn_breaker", since)
        if self._state.breaker != before.breaker:
            return False
        self._state = replace(
            self._state,
            breaker=token,
            breaker_since=since,
            breaker_far=far,
            confirmed_at=confirmed_at or self._state.confirmed_at,
        )
        self._keep(notices)
        return True

    def note(self, *, fresh_at: datetime, lag: DenyLag) -> None:
        self._write("note", None)
        self._state = replace(self._state, fresh_at=fresh_at, lag=lag)

    def note_pause(
        self, until: datetime | None, before: SweepState, notices: Iterable[Notice]
    ) -> bool:
        self._write("note_pause", until)
        if self._state.paused_until != before.paused_until:
            return False
        self._state = replace(self._state, paused_until=until)
        self._keep(notices)
        return True

    def note_tiers(
        self, seen_at: datetime, notified: str, before: SweepState, notices: Iterable[Notice]
    ) -> bool:
        self._write("note_tiers", notified)
        if self._state.tiers_seen_at != before.tiers_seen_at:
            return False
        self._state = replace(self._state, tiers_seen_at=seen_at, tiers_notified=notified)
        self._keep(notices)
        return True

    def note_digest(
        self, week: str, tried_at: datetime, before: SweepState, notices: Iterable[Notice]
    ) -> bool:
        self._write("note_digest", week)
        seen = (self._state.digest_tried_at, self._state.digest_week)
        if seen != (before.digest_tried_at, before.digest_week):
            return False
        self._state = replace(self._state, digest_tried_at=tried_at, digest_week=week)
        self._keep(notices)
        return True

    def note_accounts(self, notified: str, before: SweepState, notices: Iterable[Notice]) -> bool:
        self._write("note_accounts", notified)
        if self._state.accounts_notified != before.accounts_notified:
            return False
        self._state = replace(self._state, accounts_notified=notified)
        self._keep(notices)
        return True

    def note_gates(self, notified: str, before: SweepState, notices: Iterable[Notice]) -> bool:
        self._write("note_gates", notified)
        if self._state.gates_notified != before.gates_notified:
            return False
        self._state = replace(self._state, gates_notified=notified)
        self._keep(notices)
        return True

    def requests(self) -> list[RaiseRequest]:
        return list(self.asked.values())

    def request(self, principal: Principal) -> RaiseRequest | None:
        return self.asked.get(principal)

    def ask(self, request: RaiseRequest) -> bool:
        last = self.asked.get(request.principal)
        if last is not None and request.at - last.at < AGAIN:
            return False
        self.asked[request.principal] = request
        return True

    def note_request(
        self, request: RaiseRequest, told: RequestState, notices: Iterable[Notice]
    ) -> bool:
        self._write("note_request", request.principal)
        if not self._answer(request, replace(request, told=told.value)):
            return False
        self._keep(notices)
        return True

    def refuse(self, request: RaiseRequest, refusal: Refusal) -> bool:
        return self._answer(request, replace(request, refusal=refusal))

    def _answer(self, before: RaiseRequest, after: RaiseRequest) -> bool:
        kept = self.asked.get(before.principal)
        if kept is None or (kept.at, kept.told) != (before.at, before.told):
            return False
        self.asked[before.principal] = after
        return True

    def close(self) -> None:
        self._write("close", None)
        self._state = replace(self._state, closed=True)

    def reopen(self) -> None:
        self._write("reopen", None)
        self._state = replace(self._state, closed=False, terms="")

    def usage(self, principal: Principal, first: date) -> Usage:
        places: defaultdict[str, defaultdict[str, dict[datetime, Counts]]]
        places = defaultdict(lambda: defaultdict(dict))
        for bucket, hours in self._hours.items():
            if bucket.principal == principal and bucket.day >= first:
                places[bucket.place][bucket.model].update(hours)
        return Usage.of_places(
            {
                place: {name: ModelUsage.of_hours(hours, self.zone) for name, hours in of.items()}
                for place, of in places.items()
            }
        )

    def minutes(self, principal: Principal, since: datetime) -> MinuteCounts:
        self.minutes_read.append(principal)
        found: dict[str, dict[str, dict[datetime, Counts]]] = {}
        for (place, model, at), counts in self.minutes_used[principal].items():
            if at >= since:
                found.setdefault(place, {}).setdefault(model, {})[at] = counts
        return found

    def pace(self, principal: Principal, since: datetime) -> CallPace:
        self.paces_read.append(principal)
        calls = self.calls.get(principal, {})
        return CallPace({slot: number for slot, number in calls.items() if slot >= since})

    def usages(
        self,
        firsts: Mapping[Principal, date],
        hours_from: date | None,  # noqa: ARG002 - all of it may be by the hour
        told: Callable[[float], None] = no_progress,
    ) -> Mapping[Principal, Usage]:
        told(1)
        return {principal: self.usage(principal, first) for principal, first in firsts.items()}

    def sample(self, principals: Collection[Principal], first: date) -> Mapping[Principal, Usage]:
        return self.usages(dict.fromkeys(principals, first), None)

    def all_hours(self) -> Mapping[Bucket, Mapping[datetime, Counts]]:
        """Every bucket that there is."""
        return self._hours

    def hours(self, buckets: Iterable[Bucket]) -> Mapping[Bucket, Mapping[datetime, Counts]]:
        return {bucket: dict(self._hours[bucket]) for bucket in buckets if bucket in self._hours}

    def set_hours(
        self, bucket: Bucket, hours: Mapping[datetime, Counts], meter: str = "cloudwatch"
    ) -> None:
        self._write("set_hours", bucket)
        self._hours.setdefault(bucket, {}).update(hours)
        self.meters.update({(bucket, hour): meter for hour in hours})

    def add(self, bucket: Bucket, hour: datetime, counts: Counts) -> None:
        """What the stream meter does, for one call."""
        hours = self._hours.setdefault(bucket, {})
        hours[hour] = Counts.total([hours.get(hour, Counts()), counts])
        self.meters[bucket, hour] = "stream"

    def sources(self) -> list[Source]:
        return list(self._sources.values())

    def remember_source(self, source: Source) -> None:
        self._write("remember_source", source)
        self._sources[source.arn, source.model_id] = source

    def forget_sources(self) -> None:
        """Their time is over."""
        self._sources.clear()

    def due(self, now: datetime) -> set[Principal]:
        return {
            record.principal
            for record in self._records.values()
            if record.due is not None and record.due <= now
        }

    def records(self, principals: Iterable[Principal]) -> dict[Principal, Record]:
        return {each: self._record(each) for each in principals}

    def _record(self, principal: Principal) -> Record:
        return self._records.get(principal) or Record(principal)

    def blocked(self) -> list[Record]:
        return [each for each in self._records.values() if each.standing.denied or each.intended]

    def everybody(self) -> list[Record]:
        return list(self._records.values())

    def gate_intents(self) -> list[GateIntent]:
        return [self._gates[principal] for principal in sorted(self._gates)]

    def put(
        self,
        record: Record,
        notices: Iterable[Notice] = (),
        gate: GateIntent | None = None,
        premise: Premise = ANY_PREMISE,
    ) -> None:
        self._write("put", record)
        if record.intended and self._state.closed:
            raise DeploymentClosed("the stack is being deleted: nobody may be blocked any more")
        if premise.quotas_seen not in {None, self._state.quotas_seen}:
            raise Conflict("a sweep has seen an edit")
        if premise.breaker not in {None, self._state.breaker}:
            raise Conflict("the breaker was turned")
        stored = self._record(record.principal).version
        if record.version != stored + 1:
            raise Conflict(
                f"{record.principal} has version {stored}, so {record.version} is not the next"
            )
        self._records[record.principal] = record
        if gate is not None and gate.scopes:
            self._gates[gate.principal] = gate
        elif gate is not None:
            self._gates.pop(gate.principal, None)
        self._keep(notices)

    def forget(self, record: Record) -> None:
        self._write("forget", record)
        if self._records.get(record.principal) != record:
            raise Conflict(f"the record of {record.principal} is no longer at {record.version}")
        del self._records[record.principal]

    def post(self, notices: Iterable[Notice]) -> None:
        several = list(notices)
        self._write("post", several)
        self._keep(several)

    def gate_findings(self) -> list[str]:
        return list(self.findings)

    def tell_findings(self, findings: Iterable[str], notice: Notice) -> bool:
        told = list(findings)
        self._write("tell_findings", told)
        if not self.findings.keys() >= set(told):
            return False
        for words in told:
            del self.findings[words]
        self._keep([notice])
        return True

    def outbox(self, until: datetime) -> list[Notice]:
        return [notice for notice in self._outbox.values() if notice.at < until]

    def sent(self, notice: Notice) -> None:
        self._write("sent", notice)
        self._outbox.pop(notice.id, None)

    def history(
        self, principal: Principal | None = None, since: datetime | None = None
    ) -> list[Notice]:
        return [each for each in self.whole_history(since) if _whose(each) == principal]

    def whole_history(
        self, since: datetime | None = None, limit: int | None = None
    ) -> list[Notice]:
        past = [each for each in self._history.values() if since is None or each.at >= since]
        newest = sorted(past, key=lambda notice: notice.at)
        return newest if limit is None else newest[max(len(newest) - limit, 0) :]

    def quota_memories(self) -> list[QuotaMemory]:
        return list(self._quota_memories.values())

    def remember_quota(
        self, memory: QuotaMemory, before: QuotaMemory, notices: Iterable[Notice] = ()
    ) -> bool:
        self._write("remember_quota", memory)
        if not self._as_remembered(before):
            return False
        self._quota_memories[memory.subject, memory.name] = memory
        self._keep(notices)
        return True

    def forget_quota(self, before: QuotaMemory, notices: Iterable[Notice] = ()) -> bool:
        self._write("forget_quota", before)
        if not self._as_remembered(before):
            return False
        self._quota_memories.pop((before.subject, before.name), None)
        self._keep(notices)
        return True

    def announce_removal(self, subject: str, name: str, by: str) -> None:
        self._write("announce_removal", (subject, name, by))
        known = self._quota_memories.get((subject, name))
        if known is not None:
            signed = replace(known, removed_by=by, stamp=uuid4().hex)
            self._quota_memories[subject, name] = signed

    def _as_remembered(self, before: QuotaMemory) -> bool:
        known = self._quota_memories.get((before.subject, before.name))
        return (known.stamp if known else "") == before.stamp

    def meter_rules(self) -> MeterRules:
        return self._brief

    def put_meter_rules(self, meter_rules: MeterRules, quotas_seen: str) -> bool:
        self._write("put_brief", meter_rules)
        if quotas_seen != self._state.quotas_seen:
            return False
        self._brief = meter_rules
        return True

    def ask_recounts(self, hours: Iterable[datetime], now: datetime) -> None:
        several = frozenset(hours)
        self._write("ask_recounts", (several, now))
        self.recounts_asked |= several

    def unseen(self, mark: str = "") -> Mapping[str, frozenset[Principal]]:
        return {token: users for token, users in self.marks.items() if token.startswith(mark)}

    def looked_at(self, seen: Mapping[str, frozenset[Principal]]) -> None:
        for token, left in seen.items():
            self._write("looked_at", token)
            if self.marks.pop(token, None) and left:
                self.marks[token] = left

    def headrooms(self, principals: Iterable[Principal]) -> Mapping[Principal, KeptHeadroom]:
        return {each: self.kept[each] for each in principals if each in self.kept}

    def keep_headrooms(
        self, headrooms: Mapping[Principal, Headroom], over: Mapping[Principal, str]
    ) -> None:
        for principal, headroom in headrooms.items():
            if over[principal] == (self.kept[principal].token if principal in self.kept else ""):
                self._write("keep_headroom", principal)
                self.kept[principal] = KeptHeadroom(headroom, uuid4().hex)

    def drop_headrooms(self, principals: Collection[Principal], now: datetime) -> None:
        for principal in sorted(principals):
            self.dropped.append((principal, now))
            self.kept[principal] = KeptHeadroom(None, uuid4().hex)

    def price_memories(self) -> list[PriceMemory]:
        return list(self._price_memories.values())

    def remember_price(
        self, memory: PriceMemory, before: PriceMemory | None, notices: Iterable[Notice] = ()
    ) -> bool:
        if self._price_memories.get(memory.model) != before:
            return False
        self._write("remember_price", memory)
        self._price_memories[memory.model] = memory
        self._keep(notices)
        return True

    def _keep(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            if notice.kind not in HISTORY_ONLY:
                self._outbox[notice.id] = notice
            self._history[notice.id] = notice

    def _write(self, method: str, subject: object) -> None:
        if len(self.writes) == self.fails_at:
            raise ConnectionError(f"write {self.fails_at} ({method}) fails")
        self.writes.append((method, subject))


def _whose(notice: Notice) -> Principal | None:
    """In whose history it stands; None is the deployment's."""
    try:
        return Principal.parse(notice.principal)
    except UnknownIdentity:
        return None


@dataclass
class FakeQuotas:
    """The quota table: tests edit `table` (by `principal`, `quota`); `reads` are counted."""

    table: dict[tuple[str, str], Item] = field(default_factory=dict)
    reads: int = 0

    def put(self, item: Item) -> None:
        """What an admin writes."""
        self.table[item["principal"], item["quota"]] = item

    def delete(self, subject: str, name: str) -> None:
        """What an admin deletes."""
        del self.table[subject, name]

    def items(self) -> list[Item]:
        self.reads += 1
        return list(self.table.values())


@dataclass
class FakeDenies:
    """IAM: `attached` is what is there, `calls` what was asked, refusals included.

    `refuse` holds the error that attaching raises for a principal; detaching raises it too, unless
    it is one of the errors that only an attach has.
    """

    scopes: frozenset[str] = frozenset({"*"})
    attached: dict[Principal, set[str]] = field(default_factory=dict)
    refuse: dict[Principal, Exception] = field(default_factory=dict)
    calls: list[tuple[str, Principal, str]] = field(default_factory=list)
    unmanaged_attachments: list[str] = field(default_factory=list)

    lost: dict[str, str] = field(default_factory=dict)
    """Member accounts that cannot be reached, and why."""
    listings: list[frozenset[str]] = field(default_factory=list)
    """The member accounts of each listing."""
    reached: list[str] = field(default_factory=list)
    """The accounts that somebody tried to reach."""

    def denied(self) -> dict[Principal, frozenset[str]]:
        return {who: of for who, of in self._all.items() if not who.account}

    @property
    def _all(self) -> dict[Principal, frozenset[str]]:
        return {who: frozenset(scopes) for who, scopes in self.attached.items() if scopes}

    def _check(self, principal: Principal) -> None:
        if principal.account in self.lost:
            raise AccountUnreachable(principal.account, self.lost[principal.account])

    def in_force(self, accounts: Iterable[str]) -> InForce:
        self.listings.append(frozenset(accounts))
        read = self.listings[-1] - self.lost.keys()
        unread = {each: self.lost[each] for each in self.listings[-1] & self.lost.keys()}
        listed = frozenset({"", *read})
        there = {who: of for who, of in self._all.items() if who.account in read}
        return InForce({**self.denied(), **there}, listed, unread)

    def reach(self, account: str) -> None:
        self.reached.append(account)
        if account in self.lost:
            raise AccountUnreachable(account, self.lost[account])

    def attach(self, principal: Principal, scope: str) -> None:
        self.calls.append(("attach", principal, scope))
        self._check(principal)
        if scope not in self.scopes:
            raise CannotDeny(f"no deny policy for {scope!r} is installed")
        if principal in self.refuse:
            raise self.refuse[principal]
        self.attached.setdefault(principal, set()).add(scope)

    def detach(self, principal: Principal, scope: str) -> None:
        self.calls.append(("detach", principal, scope))
        self._check(principal)
        refusal = self.refuse.get(principal)
        if refusal is not None and not isinstance(refusal, (CannotDeny, PrincipalGone)):
            raise refusal
        if scope in self.scopes:
            self.attached.get(principal, set()).discard(scope)


@dataclass
class FakeSatellites:
    """The registry: the places of those that stand, and how often it was read."""

    places: set[Place] = field(default_factory=set)
    reads: int = 0

    def satellites(self) -> tuple[Satellite, ...]:
        self.reads += 1
        at = datetime(2026, 11, 1, tzinfo=UTC)
        return tuple(
            Satellite(each, 1, "/log", f"stack of {each}", at) for each in sorted(self.places)
        )


@dataclass
class FakeTiers:
    """Bedrock's metrics: which tiers are in use, and how often they were asked for."""

    found: dict[str, frozenset[str]] = field(default_factory=dict)
    asked: int = 0
    fails: Exception | None = None

    def in_use(self) -> Mapping[str, frozenset[str]]:
        self.asked += 1
        if self.fails is not None:
            raise self.fails
        return self.found


@dataclass
class FakeTopic:
    """SNS: what was sent, in order; with `fails` nothing gets through."""

    sent: list[tuple[Notice, Message]] = field(default_factory=list)
    fails: Exception | None = None

    def publish(self, notice: Notice, message: Message) -> None:
        if self.fails is not None:
            raise self.fails
        self.sent.append((notice, message))


@dataclass
class FakeSubscriptions:
    """E-mail subscriptions of the topic; who is added waits until the test confirms it.

    `others` is how many of another kind the topic has, filters and all.
    """

    known: dict[str, Subscription] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    """The filters of who has not confirmed yet."""
    others: int = 0

    def by_email(self) -> list[Subscription]:
        return list(self.known.values())

    def find(self, email: str) -> Subscription | None:
        return next((each for each in self.by_email() if same(each.email, email)), None)

    def count(self) -> int:
        return len(self.known) + self.others

    def filters(self) -> int:
        return sum(not each.everything for each in self.known.values()) + self.others

    def add(self, email: str, filter_policy: str) -> None:
        assert self.find(email) is None
        self.known[email] = Subscription(email)
        self.asked[email] = filter_policy

    def confirm(self, email: str) -> None:
        """Somebody follows the link in AWS's mail."""
        self.known[email] = Subscription(email, f"arn:{email}", self.asked.pop(email))

    def change(self, subscription: Subscription, filter_policy: str) -> None:
        assert subscription.id
        self.known[subscription.email] = replace(subscription, filter=filter_policy)

    def remove(self, subscription: Subscription) -> None:
        assert subscription.id
        del self.known[subscription.email]


@dataclass
class FakeAuthor:
    """The author: `denied` is what its gates deny, in full but for whom `trouble` names."""

    ledger: FakeLedger
    runs: int = 0
    denied: dict[Principal, set[str]] = field(default_factory=dict)
    trouble: dict[Principal, str] = field(default_factory=dict)
    tampered: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    fill: dict[str, int] = field(default_factory=dict)
    whole: dict[str, tuple[str, ...]] = field(default_factory=dict)
    failures: tuple[str, ...] = ()
    fails: Exception | None = None
    unreachable: dict[str, str] = field(default_factory=dict)
    everywhere: list[bool] = field(default_factory=list)
    """Whether each run was to look at every account."""
    partly: bool = False
    """Whether those in trouble are denied somewhere all the same."""

    def render(self, *, everywhere: bool = True) -> GateResult:
        self.everywhere.append(everywhere)
        return self._write(self.ledger.gate_intents())

    def empty(self) -> GateResult:
        return self._write([])

    def _write(self, intents: Iterable[GateIntent]) -> GateResult:
        self.runs += 1
        if self.fails is not None:
            raise self.fails
        if self.failures:
            in_force = {who: frozenset(scopes) for who, scopes in self.denied.items()}
            return GateResult(in_force, failures=self.failures)
        served = [each for each in intents if self.partly or each.principal not in self.trouble]
        self.denied = {intent.principal: set(intent.scopes) for intent in served}
        in_force = {who: frozenset(scopes) for who, scopes in self.denied.items()}
        return GateResult(
            in_force,
            self.trouble,
            self.written,
            self.tampered,
            self.fill,
            self.failures,
            self.whole,
            unreachable=self.unreachable,
        )


class FakeNames:
    """The users and roles in IAM: everybody, until a test says who is there."""

    def __init__(self) -> None:
        self.there: set[Principal] | None = None
        self.fails: Exception | None = None
        self.asked: list[str] = []

    def has(self, entity: Principal) -> bool:
        self._ask(f"has {entity}")
        return self.there is None or entity in self.there

    def names(self, kind: Kind) -> set[Principal]:
        self._ask(f"names {kind}")
        return {each for each in self.there or () if each.kind is kind}

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.fails is not None:
            raise self.fails
