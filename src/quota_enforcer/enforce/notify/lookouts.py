"""Notices leave the outbox; admins are told of models without a price and of service tiers."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from quota_enforcer.core.ledger import PriceMemory, SweepState
from quota_enforcer.core.notices.message import message
from quota_enforcer.core.notices.notice import HISTORY_ONLY, Notice, NoticeKind
from quota_enforcer.core.notices.wording import moment
from quota_enforcer.core.pricing.dated import PriceEvidence
from quota_enforcer.core.pricing.tier import SAID, Tier
from quota_enforcer.core.quotas.quota import Pause, Rule, pause_of
from quota_enforcer.core.usage.model import made_by_people
from quota_enforcer.enforce.ports import Outbox, PriceMemories, ServiceTiers, SweepMemory, Topic
from quota_enforcer.enforce.report import Outcome, failure

STRANDED = timedelta(minutes=11)
"""A notice this long in the outbox was left there by a sweep that died: none runs for so long."""
TRIES: Final = 3
"""How often the end of the stack tries to send: nobody comes after it."""
STILL = timedelta(days=1)
"""How often it is noted that a model is still used without a price."""
WEEK = timedelta(days=7)
LOOKS_EVERY: Final = timedelta(hours=1)
_NAMED_MODELS: Final = 5
"""So many models are named of each tier."""


class NoticeSender:
    """Sends notices that are in the outbox: at least once, and once if nothing crashes."""

    def __init__(
        self, outbox: Outbox, topic: Topic, zone: ZoneInfo, contact: str, me_url: str
    ) -> None:
        self._outbox = outbox
        self._topic = topic
        self.zone = zone
        self._contact = contact
        self._me_url = me_url

    def send(self, notices: Iterable[Notice], now: datetime) -> Outcome:
        """Send these, and those that a sweep which died left behind."""
        return self._send([*self._outbox.outbox(now - STRANDED), *notices])

    def send_all(self, now: datetime) -> Outcome:
        """Send whatever waits: for the end of the stack, after which nobody would."""
        sent = Outcome()
        for _ in range(TRIES):
            sent = self._send(self._outbox.outbox(now + STRANDED))
            if not sent.failures:
                break
        return sent

    def _send(self, notices: Iterable[Notice]) -> Outcome:
        failures = []
        for notice in notices:
            if notice.kind in HISTORY_ONLY:
                continue
            try:
                self._topic.publish(notice, message(notice, self.zone, self._contact, self._me_url))
                self._outbox.sent(notice)
            except Exception as error:  # noqa: BLE001 - it stays there for the next sweep
                failures.append(failure(f"notice {notice.id}", error))
        return Outcome(failures=tuple(failures))


class UnpricedModels:
    """Admins are told of a model without a price once, and again only after it had one.

    The same model can be used with and without a price side by side: by its prefixes and Regions,
    or with cached tokens. So it had one only if nothing else was seen for a week. What admins were
    told is kept as far as this process knows it; the ledger decides who tells.
    """

    def __init__(self, ledger: PriceMemories) -> None:
        self._ledger = ledger
        self._memories: dict[str, PriceMemory] | None = None

    def notify(self, seen: Mapping[str, PriceEvidence], now: datetime) -> list[Notice]:
        """Remember what is new; returns the notices now in the outbox."""
        if not seen:
            return []
        if self._memories is None:
            self._memories = {each.model: each for each in self._ledger.price_memories()}
        told: list[Notice] = []
        for model, (hour, priced) in sorted(seen.items()):
            before = self._memories.get(model)
            if not _news(before, hour, priced=priced):
                continue
            after = PriceMemory(model, hour, priced)
            known = before is not None and not before.priced
            notices = [] if priced or known else [_notice(model, now)]
            if not self._ledger.remember_price(after, before, notices):
                self._memories = None  # another sweep or wake has told: read them again
                return told
            self._memories[model] = after
            told += notices
        return told


def _news(before: PriceMemory | None, hour: datetime, *, priced: bool) -> bool:
    """Old usage keeps its price, so only a newer hour than the last says anything new."""
    if before is None:
        return not priced
    if before.priced:
        return not priced and hour > before.hour
    return hour - before.hour >= (WEEK if priced else STILL)


def _notice(model: str, now: datetime) -> Notice:
    denies = "only where a quota says `unknown_prices: deny`"
    if made_by_people(model):
        denies = "too, since whoever makes such a model could keep its price unknown"
    why = (
        f"not every price of {model} is known, or not that of its Region or service tier, so it "
        f"counts at the dearest that could apply; that warns, and denies {denies}. "
        "`quota-enforcer prices check` says which is missing and how to set it"
    )
    return Notice(NoticeKind.PRICE_UNKNOWN, now, "", model, why)


class PauseLedger(Outbox, SweepMemory, Protocol):
    """The roles of the ledger that it takes to tell of a pause."""


class PauseLookout:
    """Admins are told when new blocks are paused, for how long, and when they are made again."""

    def __init__(self, ledger: PauseLedger, zone: ZoneInfo) -> None:
        self._ledger = ledger
        self._zone = zone

    def look(self, state: SweepState, rules: Iterable[Rule], now: datetime) -> tuple[Notice, ...]:
        """The notices now in the outbox.

        None if somebody else is just telling: should that be of another pause than there is by
        then, the next sweep tells of it.
        """
        pause = pause_of(rules, now)
        until = pause.until if pause is not None else None
        if until == state.paused_until:
            return ()
        notice = self._ended(state, now) if pause is None else self._begun(pause, now)
        return (notice,) if self._ledger.note_pause(until, state, [notice]) else ()

    def _begun(self, pause: Pause, now: datetime) -> Notice:
        until = moment(pause.until, self._zone)
        why = f"{pause.by or 'somebody'} paused all new blocks until {until}"
        why += f': "{pause.note}"' if pause.note else ""
        return Notice(NoticeKind.PAUSED, now, "", "", why, until=pause.until, by=pause.by)

    def _ended(self, state: SweepState, now: datetime) -> Notice:
        until = state.paused_until
        why = f"the pause until {moment(until, self._zone)} is over"
        if until is not None and now < until:
            why = f"{why}: somebody ended it before"
        return Notice(NoticeKind.RESUMED, now, "", "", why)


class TierLookout:
    """Other service tiers than the standard one are found once an hour, and told of once.

    The invocation log names the tier of a call only in the body of its answer, so where bodies are
    not logged such calls are priced as standard.
    """

    def __init__(self, tiers: ServiceTiers, memory: SweepMemory) -> None:
        self._tiers = tiers
        self._memory = memory

    def look(self, state: SweepState, now: datetime) -> Outcome:
        """What admins are told; it is noted with the notice, whatever becomes of the sweep."""
        if state.tiers_seen_at is not None and now - state.tiers_seen_at < LOOKS_EVERY:
            return Outcome()
        try:
            in_use = self._tiers.in_use()
        except Exception as error:  # noqa: BLE001 - the rest of the sweep goes on
            return Outcome(failures=(failure("could not look for service tiers", error),))
        known = set(filter(None, state.tiers_notified.split(",")))
        news = sorted(
            tier for tier in in_use if tier not in known and SAID.get(tier) is not Tier.STANDARD
        )
        notices = [_tier_notice({tier: in_use[tier] for tier in news}, now)] if news else []
        told = ",".join(sorted(known.union(news)))
        first = self._memory.note_tiers(now, told, state, notices)
        return Outcome(notices=tuple(notices)) if first else Outcome()


def _tier_notice(news: dict[str, frozenset[str]], now: datetime) -> Notice:
    used = "; ".join(f"{tier} by {_models(models)}" for tier, models in news.items())
    why = (
        f"calls are served in another service tier than the standard one: {used}. The invocation "
        "log names the tier only in the body of the answer; a call without it is priced as "
        "standard, and may have cost half as much, or up to six times as much"
    )
    return Notice(NoticeKind.SERVICE_TIER, now, "", ", ".join(news), why)


def _models(models: frozenset[str]) -> str:
    named = sorted(each or "an unknown model" for each in models)
    more = f" and {len(named) - _NAMED_MODELS} more" if len(named) > _NAMED_MODELS else ""
    return ", ".join(named[:_NAMED_MODELS]) + more
