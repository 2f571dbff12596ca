"""What is found about the machinery: what waits, what runs, who is told, what time it is."""

import json
import shlex
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import HOUR, NOON
from quota_enforcer.core.notices.amounts import count
from quota_enforcer.doctor.finding import Diagnosis, Finding, Severity
from quota_enforcer.doctor.fixes import age, recount
from quota_enforcer.doctor.rules.backlog import Queues, RecountAsked, dead_letters, recounts
from quota_enforcer.doctor.rules.machinery import (
    FunctionFound,
    MappingFound,
    ScheduleFound,
    ScheduleWanted,
    Sweeps,
    clocks,
    functions,
    last_sweep,
    mappings,
    schedules,
)
from quota_enforcer.doctor.rules.notices import AlarmFound, Listeners, alarms, listeners


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def one(found: Diagnosis) -> Finding:
    [finding] = found.findings
    return finding


class TestDeadLetters:
    def look(self, of_meter: int = 0, of_enforcer: int = 0) -> Diagnosis:
        return dead_letters(Queues("https://m", of_meter, "https://e", of_enforcer))

    def test_empty_queues_are_fine(self) -> None:
        assert self.look() == Diagnosis("both queues are empty")

    def test_calls_that_were_given_up_are_a_problem(self) -> None:
        finding = one(self.look(of_meter=1))
        assert finding.severity is Severity.PROBLEM
        assert finding.evidence == "1 message in the meter's dead-letter queue"
        assert "--queue-url https://m" in finding.fix
        assert "recount HOUR..HOUR" in finding.then

    def test_lost_sweeps_are_made_up_for(self) -> None:
        finding = one(self.look(of_enforcer=2))
        assert finding.severity is Severity.WARNING
        assert "--queue-url https://e" in finding.fix


class TestRecounts:
    def test_what_the_schedule_will_do_is_fine(self) -> None:
        assert recounts([], NOON).fine == "no hour waits"
        young = [RecountAsked(NOON - 2 * HOUR, NOON - 3 * HOUR)]
        assert recounts(young, NOON) == Diagnosis("1 hour for the schedule to do")

    def test_an_hour_yet_to_come_is_not_late_however_long_it_was_asked_for(self) -> None:
        assert recounts([RecountAsked(NOON + HOUR, NOON - 9 * HOUR)], NOON).healthy

    def test_what_waits_longer_than_the_schedule_takes_is_named(self) -> None:
        asked = [RecountAsked(NOON - n * HOUR, NOON - n * HOUR) for n in (2, 9, 4)]
        finding = one(recounts(asked, NOON))
        assert finding.evidence == "2 hours, the first asked for 9 h ago"
        assert finding.fix == "quota-enforcer recount 2026-11-24T03Z..2026-11-24T08Z"
        assert finding.about == ("2026-11-24 03:00Z", "2026-11-24 08:00Z")


class TestSweep:
    def look(self, **but: Any) -> Diagnosis:
        healthy = Sweeps(NOON, NOON - minutes(4), NOON - minutes(4), minutes(5), log="/q/enforcer")
        return last_sweep(replace(healthy, **but))

    def test_a_young_one_that_got_through_is_fine(self) -> None:
        assert self.look() == Diagnosis("it finished as of 2026-11-24 11:56Z, 4 min ago")

    def test_none_at_all_is_begun_by_hand(self) -> None:
        finding = one(self.look(started=None, finished=None))
        assert (finding.severity, finding.fix) == (Severity.WARNING, "quota-enforcer sweep")

    @pytest.mark.parametrize(
        ("interval", "ago", "silent"),
        [(5, 15, False), (5, 16, True), (30, 90, False), (30, 91, True)],
    )
    def test_three_intervals_of_silence_are_a_problem(
        self, interval: int, ago: int, *, silent: bool
    ) -> None:
        last = NOON - minutes(ago)
        found = self.look(started=last, finished=last, interval=minutes(interval))
        assert bool(found.findings) == silent

    def test_one_that_did_not_get_through(self) -> None:
        begun = NOON - minutes(16)
        finding = one(self.look(started=begun, finished=NOON - HOUR, interval=minutes(10)))
        assert "did not finish" in finding.what
        assert "2026-11-24 11:00Z" in finding.evidence
        assert finding.fix == "aws logs tail /q/enforcer --since 1h"

    def test_one_under_way_is_no_news(self) -> None:
        assert self.look(started=NOON - minutes(1)).healthy

    def test_a_closed_ledger_blocks_nobody(self) -> None:
        assert "closed" in one(self.look(closed=True)).what


class TestSchedules:
    WANTED = ScheduleWanted("EnforcerSchedule", "q-EnforcerSchedule-1", "cron(0/5 * * * ? *)",
                            "arn:function", "arn:role", '{"action": "sweep"}')  # fmt: skip

    def look(self, found: ScheduleFound | None) -> Diagnosis:
        return schedules([(self.WANTED, found)])

    def test_enabled_and_for_the_right_function_is_fine(self) -> None:
        assert self.look(ScheduleFound(True, "arn:function")).fine == "enabled: EnforcerSchedule"
        assert self.look(ScheduleFound(True, "arn:function")).healthy

    def test_one_that_is_gone_is_made_again_as_it_was(self) -> None:
        words = shlex.split(one(self.look(None)).fix)
        given = dict(zip(words[3::2], words[4::2], strict=True))
        assert words[:3] == ["aws", "scheduler", "create-schedule"]
        assert given["--name"] == "q-EnforcerSchedule-1"
        assert given["--schedule-expression"] == "cron(0/5 * * * ? *)"
        assert json.loads(given["--target"]) == {
            "Arn": "arn:function",
            "RoleArn": "arn:role",
            "Input": '{"action": "sweep"}',
        }

    def test_one_that_is_disabled_or_invokes_something_else(self) -> None:
        off, elsewhere = self.look(ScheduleFound(False, "arn:x")).findings
        assert "is disabled" in off.what
        assert "arn:x, and should be arn:function" in elsewhere.evidence


class TestFunctions:
    def look(self, **but: Any) -> Diagnosis:
        return functions([FunctionFound("meter", **but), FunctionFound("enforcer")], "q")

    def test_those_that_can_run_are_fine(self) -> None:
        assert self.look(state="Inactive", reserved=3) == Diagnosis("2 functions can run")

    def test_no_concurrency_stops_it(self) -> None:
        fix = one(self.look(reserved=0)).fix
        assert fix == "aws lambda delete-function-concurrency --function-name meter"

    @pytest.mark.parametrize("but", [{"state": "Failed"}, {"update": "Failed"}])
    def test_a_failed_one_is_deployed_again(self, but: dict[str, str]) -> None:
        assert one(self.look(**but)).fix.startswith("sam deploy --stack-name q")


class TestEventSources:
    def look(self, *states: str) -> Diagnosis:
        return mappings([MappingFound("Edits", "u-1", state) for state in states], "q")

    def test_none_or_one_that_feeds_is_fine(self) -> None:
        assert self.look().fine == "the stack has no event source"
        assert self.look("Enabled") == Diagnosis("enabled: Edits")
        assert self.look("Updating").healthy

    def test_one_that_is_off_is_switched_on(self) -> None:
        fix = one(self.look("Disabled")).fix
        assert fix == "aws lambda update-event-source-mapping --uuid u-1 --enabled"

    def test_one_that_is_gone_is_found(self) -> None:
        assert "is gone" in one(self.look("")).what


class TestAlarms:
    def test_one_that_is_on_says_itself_what_to_do(self) -> None:
        on = AlarmFound("ALARM", "Recount those hours.", "1 datapoint was 3", NOON)
        found = alarms({"A": AlarmFound("OK"), "B": on, "C": AlarmFound("INSUFFICIENT_DATA")}, "q")
        finding = one(found)
        assert finding.what == "the alarm B is on since 2026-11-24 12:00Z"
        assert (finding.evidence, finding.fix) == ("1 datapoint was 3", "Recount those hours.")
        assert found.fine == "3 alarms, none is on"

    def test_one_that_is_gone_or_tells_nobody_warns(self) -> None:
        found = alarms({"A": None, "B": AlarmFound("OK", tells=False)}, "q")
        gone, silent = found.findings
        assert gone.what == "the alarm A is gone"
        assert silent.what == "the alarm B notifies nobody"
        assert {gone.severity, silent.severity} == {Severity.WARNING}


class TestListeners:
    def test_one_is_enough(self) -> None:
        assert listeners(Listeners("arn:t", 1)) == Diagnosis("notices go to 1 subscription")

    def test_nobody_is_a_problem_and_who_has_not_confirmed_is_named(self) -> None:
        pending, nobody = listeners(Listeners("arn:t", 0, ("a@example.com",))).findings
        assert pending.about == ("a@example.com",)
        assert nobody.severity is Severity.PROBLEM
        assert "aws sns subscribe --topic-arn arn:t" in nobody.fix


class TestClocks:
    @pytest.mark.parametrize("seconds", [-60, 0, 60])
    def test_a_minute_off_is_fine(self, seconds: int) -> None:
        assert clocks(timedelta(seconds=seconds), "UTC", "UTC", "q").healthy

    @pytest.mark.parametrize(("seconds", "which"), [(61, "ahead of"), (-61, "behind")])
    def test_more_is_said_with_its_direction(self, seconds: int, which: str) -> None:
        finding = one(clocks(timedelta(seconds=seconds), "UTC", "UTC", "q"))
        assert f"61 s {which} AWS's" in finding.what

    def test_two_time_zones_count_days_differently(self) -> None:
        finding = one(clocks(timedelta(0), "Europe/Berlin", "UTC", "q"))
        assert finding.severity is Severity.PROBLEM
        assert finding.fix.endswith("TimeZone=Europe/Berlin")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"),
        (172_799, "47 h"), (172_800, "2 days"),
    ],
)  # fmt: skip
def test_ages_read_well(seconds: int, words: str) -> None:
    assert age(timedelta(seconds=seconds)) == words


def test_counts_read_well() -> None:
    assert [count(1, "call"), count(1200, "call"), count(2, "policy", "policies")] == [
        "1 call", "1,200 calls", "2 policies",
    ]  # fmt: skip


def test_a_recount_ends_with_the_last_hour_that_is_closed() -> None:
    assert recount(NOON - 3 * HOUR, NOON + minutes(9)) == (
        "quota-enforcer recount 2026-11-24T09Z..2026-11-24T10Z"
    )
    assert recount(NOON - 3 * HOUR, NOON + minutes(10)) == (
        "quota-enforcer recount 2026-11-24T09Z..2026-11-24T11Z"
    )
    assert recount(NOON - HOUR, NOON + minutes(10)) == "quota-enforcer recount 2026-11-24T11Z"
    assert "ten minutes after" in recount(NOON, NOON + minutes(10))
