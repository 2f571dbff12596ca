"""The story: from one morning to the next, with the schedule ticking and admins at work."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Final

from quota_enforcer.local.demo import cast
from quota_enforcer.local.demo.account import STACK, SWEEP_MINUTES, Account
from quota_enforcer.local.demo.callers import Callers
from quota_enforcer.local.demo.record import Answer, Event, Lag, Letter, RunRecord
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.local.schedules import FunctionError

_MORNING: Final = time(9)
_DAY: Final = timedelta(days=1)
_STEP: Final = timedelta(minutes=SWEEP_MINUTES)
_MINUTE: Final = timedelta(minutes=1)
RECOUNT_MINUTE: Final = 15
"""Of each hour, when the meter looks whether an hour has to be set from the log."""


class Story:
    """One run on a running embedded AWS; `look` is called whenever something has happened."""

    def __init__(
        self, aws: EmbeddedAws, record: RunRecord, look: Callable[[datetime], None]
    ) -> None:
        self._aws = aws
        self._record = record
        self._look = look
        self._edited_since = True
        self._called = False

    def play(self, template: Path) -> None:
        """Tell the whole story into the record."""
        now, record = self._aws.time, self._record
        account = self._account = Account(self._aws, template)
        record.policies, record.gate = account.policies, account.gate
        for item in cast.QUOTAS:
            account.write_quota({"measure": cast.MEASURE} | item)
        self._everything = account.subscribe("all-notices")
        self._of_alice = account.subscribe("notices-of-alice", principal=str(cast.ALICE))
        self._settled()
        record.edited("deploy", now, f"deploys stack {STACK} and sets {len(cast.QUOTAS)} quotas")
        self._admit_everybody()
        morning = datetime.combine(now, _MORNING, UTC)
        morning = morning if morning > now else morning + _DAY
        self._calls = deque(cast.calls(morning))
        self._first_day(morning)
        self._second_day(morning + _DAY)

    def _admit_everybody(self) -> None:
        """The first sweep makes the gate; then whoever shares a role can be put behind it."""
        self._callers = Callers(self._aws)
        self._tick(_next_tick(self._aws.time))
        self._callers.make_shared_roles(self._account.gate)
        self._edited("gate", "sets the gate as permissions boundary of permission set Developer "
                     "and role ml")  # fmt: skip
        for member in cast.CAST:
            self._callers.join(member)
        self._record.roles = self._callers.roles

    def _first_day(self, morning: datetime) -> None:
        self._until(morning + 18 * _MINUTE)
        self._account.write_quota(
            {"principal": "user/carol", "quota": "daily", "measure": "total_tokens",
             "limit": "500k", "window": "day"}
        )  # fmt: skip
        self._edited("mistake", "edits user/carol daily in the console: '500k'")

        self._until(morning + 48 * _MINUTE)
        tomorrow = f"{morning + _DAY:%Y-%m-%d}"
        self._command("raise", f"quota raise user/bob daily 1_500_000 --until {tomorrow}")

    def _second_day(self, morning: datetime) -> None:
        self._until(morning + 33 * _MINUTE)
        self._command("block", "quota block user/erin")
        end = morning + 45 * _MINUTE
        self._until(end)
        self._close(end)
        while self._calls:
            self._call()

    def _until(self, end: datetime) -> None:
        """Let time run: calls before `end`, ticks up to it.

        The log has the enforcer look at each call, and windows turn on the hour; so only the tick
        on the hour is fired, the first after an edit, and after calls the one that looks for hours
        to recount: those left out would have found nothing to do.
        """
        tick = self._aws.time
        while (tick := _next_tick(tick)) <= end:
            self._make_calls(tick)
            recount = self._called and tick.minute == RECOUNT_MINUTE
            if self._edited_since or recount or tick.minute == 0:
                self._tick(tick)
        self._make_calls(end)
        self._move(end)

    def _make_calls(self, end: datetime) -> None:
        while self._calls and self._calls[0].at < end:
            self._call()

    def _call(self) -> None:
        call = self._calls.popleft()
        self._move(call.at)
        refusal = self._callers.invoke(call)
        answered = monotonic()
        self._record.answered(Answer(call, refusal))
        reports = self._settled()
        waited = monotonic() - answered
        for report in reports:
            for event in self._record.metered(report, call):
                if event.kind == "blocked" and event.principal in map(str, self._account.denied()):
                    lag = Lag(event.principal, event.quota, waited)
                    self._record.denied_after(lag, event.at)
        self._called = True
        self._look(call.at)

    def _settled(self) -> list[dict[str, Any]]:
        """Wait for what the log or an edit set off; returns the enforcer's report of each wake."""
        ended = self._aws.settle()
        for each in ended:
            if each.error:
                raise FunctionError(each.function, each.error, each.log)
        return [each.answer for each in ended if each.function == self._account.enforcer]

    def _tick(self, at: datetime) -> None:
        self._move(at)
        if at.minute == RECOUNT_MINUTE:
            self._aws.fire_schedule(STACK, "MeterSchedule")
            self._settled()
        self._record.swept(self._aws.fire_schedule(STACK, "EnforcerSchedule"))
        self._called = self._called and at.minute != RECOUNT_MINUTE
        self._edited_since = False
        self._look(at)

    def _move(self, at: datetime) -> None:
        self._aws.set_time(at)

    def _command(self, name: str, line: str) -> None:
        self._account.command(*line.split())
        self._edited(name, f"quota-enforcer {line}")

    def _edited(self, name: str, what: str) -> None:
        self._record.edited(name, self._aws.time, what)
        for report in self._settled():
            self._record.woken(report)
        self._edited_since = True
        self._look(self._aws.time)

    def _close(self, at: datetime) -> None:
        """Delete the stack while somebody is blocked; the ledger goes with it, so read it now."""
        record, account = self._record, self._account
        everybody = [member.principal for member in cast.CAST]
        record.ledger = {each: account.used(each) for each in everybody}
        record.standings = account.standings(everybody)
        record.blocked = account.denied()
        record.closed = at
        record.edited("delete", at, f"deletes stack {STACK}")
        self._aws.delete(STACK)
        record.leftovers = account.leftovers()
        record.still_listed = account.listed()
        record.letters += account.letters(self._everything)
        record.subscribed += account.letters(self._of_alice)
        for letter in record.letters:
            if letter.kind == "restored" and not letter.quota:
                record.happened(_farewell(letter, at, record.events))
        self._look(at)


def _farewell(letter: Letter, at: datetime, events: list[Event]) -> Event:
    """A release at the stack's end: it is in no sweep's report, only among the notices."""
    blocked = [e for e in events if (e.kind, e.principal) == ("blocked", letter.principal)]
    return replace(blocked[-1], at=at, kind="restored", reason="the stack is deleted")


def _next_tick(after: datetime) -> datetime:
    """The schedule's next moment: it fires on every whole SWEEP_MINUTES of the hour."""
    whole = after.replace(minute=after.minute // SWEEP_MINUTES * SWEEP_MINUTES, second=0)
    return whole.replace(microsecond=0) + _STEP
