"""One sweep: gather what is due or touched, decide, apply, tell. A wake does so for a few."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import NamedTuple

from quota_enforcer.core.deployment import Settings
from quota_enforcer.core.errors import SweepFailed
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.reads import NOTHING_SAID, Woken
from quota_enforcer.decide.rules.loader import QuotaLoader
from quota_enforcer.enforce.apply.enforcement import Appliers, Enforcement
from quota_enforcer.enforce.apply.gates import GateApplier
from quota_enforcer.enforce.apply.orphans import forget_orphans
from quota_enforcer.enforce.apply.static import StaticApplier
from quota_enforcer.enforce.apply.teams import TeamApplier
from quota_enforcer.enforce.apply.teardown import release_everybody
from quota_enforcer.enforce.decide_all import SecondLook
from quota_enforcer.enforce.gather.gatherer import Gatherer
from quota_enforcer.enforce.metering import Meters
from quota_enforcer.enforce.notify.accounts import AccountNotifier
from quota_enforcer.enforce.notify.digest import DigestNotifier
from quota_enforcer.enforce.notify.pauses import PauseNotifier
from quota_enforcer.enforce.notify.requests import RequestNotifier
from quota_enforcer.enforce.notify.sender import NoticeSender
from quota_enforcer.enforce.notify.tiers import TierNotifier
from quota_enforcer.enforce.ports.adapters import Adapters
from quota_enforcer.enforce.report import Outcome, Report
from quota_enforcer.enforce.rules_cache import RulesCache
from quota_enforcer.enforce.wake import Notifiers, WakeRun
from quota_enforcer.satellites.registry import member_accounts


class StackEnd(NamedTuple):
    """What the end of the stack did."""

    released: list[str]
    unsent: list[str]
    """The notices that could not be sent, and why."""
    unreachable: list[str]
    """The member accounts in which whoever is denied stays so."""


class Sweep:
    """Sweeps one deployment; every part of it may be repeated, and two at once do no harm."""

    def __init__(self, settings: Settings, adapters: Adapters) -> None:
        ledger, denies, author = adapters.ledger, adapters.denies, adapters.author
        self._settings = settings
        self._ledger = ledger
        self._denies = denies
        self._author = author
        loader = QuotaLoader(settings.zone, denies.scopes, settings.account)
        self._satellites = adapters.satellites
        self._rules = RulesCache(ledger, adapters.quotas, loader, self._members)
        self._meters = Meters(settings, ledger, adapters.metrics, adapters.models)
        self._tiers = TierNotifier(adapters.tiers, ledger)
        self._digests = DigestNotifier(ledger, adapters.weeks)
        self._gatherer = Gatherer(settings, ledger, denies)
        second_look = SecondLook(ledger, self._rules.latest)
        appliers = Appliers(
            StaticApplier(ledger, denies, second_look, gated=author is not None),
            GateApplier(ledger, author, settings.account) if author is not None else None,
            TeamApplier(ledger),
        )
        self._enforcement = Enforcement(ledger, appliers, settings.breaker)
        self._notifiers = Notifiers(
            NoticeSender(ledger, adapters.topic, settings.zone, settings.contact, settings.me_url),
            PauseNotifier(ledger, settings.zone),
            RequestNotifier(ledger, settings.zone),
            AccountNotifier(ledger),
        )
        self._wakes = WakeRun(
            ledger,
            self._rules,
            self._meters,
            self._gatherer,
            self._enforcement,
            self._notifiers,
        )

    def run(self, now: datetime, *, dry_run: bool = False, confirm_blocks: bool = False) -> Report:
        """Gather, decide and, unless `dry_run`, apply.

        What fails is collected in the report while the rest goes on. `confirm_blocks` is an admin's
        word that the breaker need not hold.
        """
        begun = self._ledger.state()
        now = _not_before(begun, now)
        if begun.closed:
            return self._report(Outcome(), now, dry_run=dry_run, closed=True)
        cached = self._rules.to_look_at(now) if dry_run else self._rules.to_act_on(now)
        # Who goes by a headroom found under other settings learns it before their usage is read.
        changed = begun.terms != self._settings.terms(cached.reached)
        self._ledger.begin(now, forget_terms=changed and not dry_run)
        told = Outcome() if dry_run else self._meters.tell(cached.rules)
        state, metered, counted = self._meters.run(begun, cached.rules, now, dry_run=dry_run)
        if not dry_run:
            tiers = self._tiers.notify(begun, now)
            paused = self._notifiers.pauses.notify(begun, cached.rules.rules, now)
            asked = self._notifiers.requests.notify(cached.rules.book, now)
            told = Outcome.total([told, tiers, paused, asked])
        given = self._gatherer.due(state, cached, metered, now)
        found = Outcome(
            failures=tuple(self._denies.unmanaged_attachments), edits=len(cached.rules.edits)
        )
        if not dry_run:  # before their usage is read
            self._ledger.drop_headrooms(frozenset().union(*given.unseen.values()), now)
        plan = self._enforcement.plan(given, confirmed=confirm_blocks)
        if dry_run:
            # Not finished on purpose: the next sweep looks at everybody this one metered.
            said = Outcome((*cached.rules.invalid, *plan.work.notices))
            outcome = Outcome.total([counted, found, *plan.outcomes, said])
            report = self._report(outcome, now, plan.state, dry_run=True)
            return replace(report, unreachable=sorted(given.in_force.unread))
        plan = self._enforcement.agree(plan)
        done = self._enforcement.carry_out(plan, cached.unpriced)
        if confirm_blocks:
            self._enforcement.overrule(now)
        self._ledger.looked_at(given.seen(but=done.unfinished))
        forget_orphans(self._ledger, cached.rules)
        edits = [each for each in cached.rules.edits if metered is not None or not each.of_sessions]
        cached, remembered = self._rules.remember(cached, edits)
        told_of, unreachable = self._notifiers.accounts.notify(begun, given, done.unreachable)
        outcome = Outcome.total([remembered, told, counted, found, done, told_of])
        sent = self._notifiers.sender.send(outcome.notices, now)
        # One that could not meter has not looked at all touched.
        finished = begun.finished if metered is None else now
        self._finish(plan.state, finished, now, self._settings.terms(cached.reached))
        self._rules.settle(cached, all_seen=True)
        # Last, since it reads everybody's usage: nothing else waits for it.
        digest = self._digests.notify(begun, cached.rules.rules, given.context)
        if digest.notices:
            sent = Outcome.total([sent, self._notifiers.sender.send(digest.notices, now)])
        report = self._report(Outcome.total([outcome, digest, sent]), now, plan.state)
        return replace(report, unreachable=unreachable)

    def wake(
        self,
        principals: Iterable[Principal],
        now: datetime,
        woken: Woken = NOTHING_SAID,
    ) -> Report:
        """Gather, decide and apply for just these, whose usage has changed, and their pools.

        If somebody called what had been denied, IAM is asked. Who has headroom is not looked at.
        """
        return self._between(now, partial(self._wakes.wake, principals, woken))

    def edited(self, now: datetime) -> Report:
        """Gather, decide and apply for everybody whom new edits of quotas concern."""
        return self._between(now, self._wakes.edited)

    def close(self, now: datetime) -> StackEnd:
        """For the end of the stack: block nobody any more, release everybody, send what is owed.

        Raises SweepFailed if somebody could not be released, after all others were. What cannot be
        sent keeps no stack from going.
        """
        self._ledger.close()
        released = release_everybody(self._ledger, self._denies, self._author, now, self._members())
        sent = self._notifiers.sender.send_all(now)
        if released.failures:
            raise SweepFailed(list(released.failures))
        names = [notice.principal for notice in released.notices]
        return StackEnd(names, list(sent.failures), sorted(released.unreachable))

    def reopen(self) -> None:
        """Block again after all: the next sweep looks at everybody whom the end has released."""
        self._ledger.reopen()

    def _between(self, now: datetime, run: Callable[[SweepState, datetime], Outcome]) -> Report:
        """Run a wake or an edit; undo what it did if the stack began to be deleted meanwhile."""
        state = self._ledger.state()
        now = _not_before(state, now)
        if state.closed:
            return self._report(Outcome(), now, closed=True)
        outcome = run(state, now)
        if outcome.closed:
            self.close(now)
        return self._report(outcome, now)

    def _members(self) -> frozenset[str]:
        if not self._settings.has_members:
            return frozenset()
        return member_accounts(self._satellites.satellites(), self._settings.account)

    def _finish(
        self, state: SweepState, finished: datetime | None, now: datetime, terms: str
    ) -> None:
        """Note what this sweep leaves; what wakes have noted since stays."""
        latest = self._ledger.state()
        if finished is not None:
            moments = [each for each in (state.fresh_at, latest.fresh_at) if each]
            self._ledger.finish(
                replace(
                    state,
                    started=now,
                    finished=finished,
                    fresh_at=max(moments, default=None),
                    terms=terms,
                ),
            )
        if latest.closed:  # the stack began to go while this sweep was blocking
            self.close(now)

    def _report(
        self,
        outcome: Outcome,
        now: datetime,
        state: SweepState | None = None,
        *,
        dry_run: bool = False,
        closed: bool = False,
    ) -> Report:
        """The sum of all outcomes; `state` is what a sweep leaves."""
        return Report(
            now,
            self._settings.mode,
            dry_run,
            closed,
            series=outcome.series,
            looked_at=outcome.looked_at,
            notices=list(outcome.notices),
            held=list(outcome.held),
            drift=list(outcome.drift),
            unattributed=list(outcome.unattributed),
            failures=list(outcome.failures),
            data_age_seconds=None if state is None else _age(now, state),
            metering=self._settings.metering,
            edits=outcome.edits,
        )


def _not_before(state: SweepState, now: datetime) -> datetime:
    """The moment to decide as of: never earlier than that of the last sweep."""
    return max(now, state.watermark or now)


def _age(now: datetime, state: SweepState) -> int | None:
    """Seconds since a bucket last changed; None if none ever did."""
    return None if state.fresh_at is None else int((now - state.fresh_at).total_seconds())
