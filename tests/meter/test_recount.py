"""The recount: hours set from the log, when it may be done, and what a crash leaves."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from builders import HAIKU, HOUR, NOON
from log_records import ACCOUNT
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket, MeterRules
from quota_enforcer.meter.ports import LogEvent
from quota_enforcer.meter.recount.recounter import Recounter, RecountRefused
from stream_fakes import Died, Place, call, delivery, event, truth

MINUTE = timedelta(minutes=1)
LATER = NOON + 2 * HOUR


def some(count: int = 6) -> list[LogEvent]:
    return [call(n, NOON + n * MINUTE, f"u{n % 3}") for n in range(count)]


@pytest.fixture
def place() -> Place:
    place = Place()
    place.log.lines = some()
    return place


def test_a_recount_heals_an_outage(place: Place) -> None:
    done = place.recounter.recount(NOON, LATER)
    assert place.ledger.totals() == truth(some(), place)
    assert (done.records, done.buckets, done.principals) == (6, 3, 3)
    assert set(place.ledger.filled_by.values()) == {"recount"}
    assert place.wake.woken == [{"user/u0", "user/u1", "user/u2"}]
    assert place.recounter.due(LATER) == []


def test_a_recount_of_what_is_right_changes_nothing(place: Place) -> None:
    place.stream.deliver(delivery(some()), NOON + 7 * MINUTE, "id")
    done = place.recounter.recount(NOON, LATER)
    assert (done.records, done.buckets) == (6, 0)
    assert set(place.ledger.filled_by.values()) == {"stream"}


def test_what_the_log_does_not_hold_becomes_zero(place: Place) -> None:
    bucket = Bucket(Principal.parse("user/carol"), HAIKU, NOON.date())
    place.ledger.set_hours(bucket, {NOON: Counts(7), NOON + HOUR: Counts(2)})
    place.recounter.recount(NOON, LATER)
    assert place.ledger.usage[bucket] == {NOON: Counts(), NOON + HOUR: Counts(2)}
    assert "user/carol" in place.wake.woken[0]


def test_what_was_used_elsewhere_is_not_homes_logs_to_set(place: Place) -> None:
    bucket = Bucket(Principal.parse("user/u0"), HAIKU, NOON.date(), "444455556666/eu-west-1")
    place.ledger.set_hours(bucket, {NOON: Counts(7)})
    place.recounter.recount(NOON, LATER)
    assert place.ledger.usage[bucket] == {NOON: Counts(7)}


def test_a_members_log_sets_only_what_was_used_there(place: Place) -> None:
    """And not the tally, which is held against home's own totals."""
    there = f"{ACCOUNT}/eu-west-1"
    home = Bucket(Principal.parse("user/u0"), HAIKU, NOON.date())
    gone = home._replace(place=there, principal=Principal.parse("user/carol"))
    place.ledger.set_hours(home, {NOON: Counts(7)})
    place.ledger.set_hours(gone, {NOON: Counts(7)})
    Recounter(place.adapters, replace(place.log_group, place=there)).recount(NOON, LATER)
    assert place.ledger.usage[home] == {NOON: Counts(7)}
    assert place.ledger.usage[gone] == {NOON: Counts()}
    found = {
        str(bucket.principal): hours[NOON].requests
        for bucket, hours in place.ledger.usage.items()
        if bucket.place == there
    }
    assert found == {"user/carol": 0, "user/u0": 2, "user/u1": 2, "user/u2": 2}
    assert not place.ledger.tallied


def test_other_hours_stay_as_they_are(place: Place) -> None:
    place.stream.deliver(delivery([call(50, NOON + HOUR)]), NOON + HOUR + MINUTE, "id")
    place.log.lines.append(call(51, NOON + HOUR))
    place.recounter.recount(NOON, LATER)
    assert place.ledger.totals() == truth([*some(), call(50, NOON + HOUR)], place)


def test_a_call_that_is_logged_twice_counts_once(place: Place) -> None:
    place.log.lines = [*some(), *(line._replace(id=f"again-{line.id}") for line in some())]
    assert place.recounter.recount(NOON, LATER).records == 6
    assert place.ledger.totals() == truth(some(), place)


def test_bad_lines_are_counted_and_cost_no_other(place: Place) -> None:
    place.log.lines += [event(90, "{broken", NOON + MINUTE), event(91, "plain", NOON)]
    done = place.recounter.recount(NOON, LATER)
    assert (done.records, done.unread.total()) == (6, 1)


def test_a_record_that_was_logged_late_belongs_to_its_own_hour(place: Place) -> None:
    stamp = int((NOON + HOUR + 59 * MINUTE).timestamp() * 1000)
    late = call(60, NOON + 59 * MINUTE)._replace(timestamp=stamp)
    place.log.lines.append(late)
    assert place.recounter.recount(NOON, LATER).records == 7


def test_a_record_that_was_quarantined_does_not_come_back(place: Place) -> None:
    """A record dated more than five minutes after its event stays out when that time has come."""
    stamp = int((NOON - 4 * MINUTE).timestamp() * 1000)
    place.log.lines.append(call(60, NOON + 2 * MINUTE)._replace(timestamp=stamp))
    assert place.recounter.recount(NOON, LATER).records == 6


@pytest.mark.parametrize(
    ("now", "allowed"),
    [(NOON + 69 * MINUTE, False), (NOON + 70 * MINUTE, True)],
    ids=["open", "closed"],
)
def test_an_hour_is_closed_ten_minutes_after_its_end(
    place: Place, now: object, *, allowed: bool
) -> None:
    moment = NOON + 70 * MINUTE if allowed else NOON + 69 * MINUTE
    assert moment == now
    place.ledger.ask_recounts([NOON], NOON)
    assert place.recounter.due(moment) == ([NOON] if allowed else [])
    if allowed:
        assert place.recounter.recount(NOON, moment).records == 6
    else:
        with pytest.raises(RecountRefused, match="from 2026-11-24T13:10Z on"):
            place.recounter.recount(NOON, moment)
        assert place.ledger.started == {}


def test_an_hour_whose_recount_never_ends_lets_no_other_wait(place: Place) -> None:
    """The function may be killed in it each time, before it comes to the others."""
    place.ledger.ask_recounts([NOON, NOON + HOUR, NOON + 2 * HOUR], NOON)
    late = NOON + 4 * HOUR
    assert place.recounter.due(late) == [NOON, NOON + HOUR, NOON + 2 * HOUR]
    place.ledger.start_recount(NOON, late)
    place.ledger.start_recount(NOON + HOUR, late + MINUTE)
    assert place.recounter.due(late) == [NOON + 2 * HOUR, NOON, NOON + HOUR]


def test_a_moment_within_an_hour_is_refused(place: Place) -> None:
    with pytest.raises(RecountRefused, match="12:30:00Z starts no hour in UTC"):
        place.recounter.recount(NOON + 30 * MINUTE, LATER)


def test_hours_are_those_of_the_deployments_clock() -> None:
    place = Place(ZoneInfo("Asia/Kolkata"))
    place.log.lines = some()
    assert place.recounter.recount(NOON - 30 * MINUTE, LATER).records == 6
    assert place.ledger.totals() == truth(some(), place)


def test_an_hour_that_the_log_may_have_lost_is_refused_and_left(place: Place) -> None:
    place.stream.deliver(delivery(some(3)), NOON + 7 * MINUTE, "id")
    before = place.ledger.totals()
    place.log.kept = NOON + MINUTE
    place.ledger.ask_recounts([NOON], NOON)
    with pytest.raises(RecountRefused, match="holds everything only since 2026-11-24T12:01Z"):
        place.recounter.settle(NOON, LATER)
    assert place.ledger.totals() == before
    assert place.recounter.due(LATER) == [], "it would be refused every hour"
    place.stream.deliver(delivery([call(70, NOON)]), LATER, "id")
    assert len(place.ledger.totals()) == len(before) + 1, "and late calls are added again"


def test_an_empty_log_beside_usage_is_refused_and_left(place: Place) -> None:
    place.stream.deliver(delivery(some()), NOON + 7 * MINUTE, "id")
    place.log.lines = []
    with pytest.raises(RecountRefused, match="missing data is not zero"):
        place.recounter.recount(NOON, LATER)
    assert place.ledger.totals() == truth(some(), place)
    assert (place.ledger.asked, place.ledger.started) == ({}, {})


def test_a_stream_that_was_deleted_and_made_again_takes_no_usage_away(place: Place) -> None:
    """Whoever may delete it needs one call more, and the log has a line of the hour again."""
    place.stream.deliver(delivery(some()), NOON + 7 * MINUTE, "id")
    place.log.lines = some()[-1:]
    place.log.made = NOON + 30 * MINUTE
    place.ledger.ask_recounts([NOON], NOON)
    with pytest.raises(RecountRefused, match=r"there only since 2026-11-24T12:30:00Z.*DeleteLogSt"):
        place.recounter.settle(NOON, LATER)
    assert place.ledger.totals() == truth(some(), place)
    assert (place.ledger.asked, place.ledger.started) == ({}, {})


def test_a_stream_of_that_hour_may_still_add_usage(place: Place) -> None:
    place.log.lines = some()
    place.log.made = NOON + MINUTE
    assert place.recounter.recount(NOON, LATER).records == 6
    assert place.ledger.totals() == truth(some(), place)


def test_an_empty_log_and_an_empty_ledger_agree(place: Place) -> None:
    place.log.lines = []
    assert place.recounter.recount(NOON, LATER).records == 0
    assert place.recounter.due(LATER) == []


def test_a_recount_that_dies_anywhere_is_taken_up_and_wakes_everybody() -> None:
    whole = Place()
    whole.log.lines = some()
    whole.recounter.recount(NOON, LATER)
    for at in range(whole.crashes.moments):
        place = Place()
        place.log.lines = some()
        place.ledger.ask_recounts([NOON], NOON)
        place.crashes.at = at
        with pytest.raises(Died):
            place.recounter.recount(NOON, LATER)
        due = place.recounter.due(LATER + MINUTE)
        for hour in due:
            place.recounter.settle(hour, LATER + MINUTE)
        assert place.ledger.totals() == truth(some(), place)
        assert set().union(*place.wake.woken) == {"user/u0", "user/u1", "user/u2"}


def test_who_died_before_it_woke_somebody_whose_usage_went_is_made_good() -> None:
    bucket = Bucket(Principal.parse("user/carol"), HAIKU, NOON.date())
    for at in range(20):
        place = Place()
        place.log.lines = some()
        place.ledger.set_hours(bucket, {NOON: Counts(7)})
        place.crashes.at = at
        try:
            place.recounter.recount(NOON, LATER)
        except Died:
            place.recounter.recount(NOON, LATER + MINUTE)
        assert "user/carol" in place.wake.woken[-1]


def test_a_call_that_comes_while_the_hour_is_set_has_it_set_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, set_hours = call(70, NOON, "u0"), place.ledger.set_hours

    def meanwhile(*args: object) -> None:
        monkeypatch.setattr(place.ledger, "set_hours", set_hours)
        place.log.lines.append(late)
        assert place.stream.deliver(delivery([late]), LATER, "id").late == 1
        set_hours(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(place.ledger, "set_hours", meanwhile)
    place.recounter.recount(NOON, LATER)
    assert place.recounter.due(LATER) == [NOON]
    place.recounter.settle(NOON, LATER + MINUTE)
    assert place.ledger.totals() == truth([*some(), late], place)
    assert place.recounter.due(LATER + MINUTE) == []


FORGED = 7


@pytest.fixture
def forged(place: Place) -> str:
    """Somebody wrote a record of alice's into the log, beside a call of hers; its event's id."""
    events = [call(1, NOON), call(FORGED, NOON, input={"inputTokenCount": 10**6})]
    place.log.lines = events
    place.stream.deliver(delivery(events), NOON, "r")
    return events[1].id


def requests(place: Place) -> int:
    return sum(each.requests for each in place.ledger.totals().values())


def test_a_forged_record_is_left_out_and_stays_out(place: Place, forged: str) -> None:
    done = place.recounter.recount(NOON, LATER, without=frozenset({forged}))
    assert (done.records, done.left_out, requests(place)) == (1, 1, 1)
    again = place.recounter.recount(NOON, LATER)
    assert (again.left_out, requests(place)) == (1, 1)


def test_what_was_left_out_can_count_again(place: Place, forged: str) -> None:
    place.recounter.recount(NOON, LATER, without=frozenset({forged}))
    done = place.recounter.recount(NOON, LATER, everything=True)
    assert (done.left_out, requests(place)) == (0, 2)
    assert place.recounter.recount(NOON, LATER).left_out == 0


def test_more_events_are_left_out_beside_the_first(place: Place, forged: str) -> None:
    place.recounter.recount(NOON, LATER, without=frozenset({forged}))
    other = place.log.lines[0].id
    assert place.recounter.recount(NOON, LATER, without=frozenset({other})).left_out == 2


def test_an_event_that_the_hour_does_not_have_is_refused_and_nothing_changes(
    place: Place, forged: str
) -> None:
    before = place.ledger.totals()
    for wrong, hour in (("404", NOON), (forged, NOON + 2 * HOUR)):
        with pytest.raises(RecountRefused, match=f"has no event {wrong}"):
            place.recounter.recount(hour, LATER + 4 * HOUR, without=frozenset({wrong}))
    assert (place.ledger.totals(), place.ledger.without) == (before, {})


def test_an_event_of_the_hour_beside_it_is_refused_by_its_own_hour(place: Place) -> None:
    """The log may date a call after the full hour that was begun before it."""
    late = call(FORGED, NOON + HOUR - MINUTE)._replace(timestamp=_at(NOON + HOUR + MINUTE))
    place.log.lines = [late, call(1, NOON), call(2, NOON + HOUR)]
    words = f"event {late.id} is a call in the hour from 2026-11-24T12:00Z, not in that from 2026"
    with pytest.raises(RecountRefused, match=words) as refused:
        place.recounter.recount(NOON + HOUR, LATER + 2 * HOUR, without=frozenset({late.id}))
    assert str(refused.value).endswith(f"recount 2026-11-24T12:00Z --without {late.id}`")
    assert (place.ledger.totals(), place.ledger.without) == ({}, {})
    done = place.recounter.recount(NOON, LATER, without=frozenset({late.id}))
    assert (done.records, done.left_out) == (1, 1)


def test_an_event_that_is_no_usage_need_not_be_left_out(place: Place) -> None:
    failed = call(FORGED, NOON, errorCode="ThrottlingException")
    place.log.lines = [failed, call(1, NOON)]
    with pytest.raises(RecountRefused, match=f"event {failed.id} counts nothing: "):
        place.recounter.recount(NOON, LATER, without=frozenset({failed.id}))
    assert place.ledger.without == {}


def test_what_an_earlier_version_left_out_of_the_wrong_hour_is_not_reported(place: Place) -> None:
    late = call(FORGED, NOON + HOUR - MINUTE)._replace(timestamp=_at(NOON + HOUR + MINUTE))
    place.log.lines = [late, call(1, NOON + HOUR)]
    place.ledger.leave_out(NOON + HOUR, frozenset({late.id}))
    done = place.recounter.recount(NOON + HOUR, LATER + 2 * HOUR)
    assert (done.records, done.left_out) == (1, 0)


def test_a_line_that_cannot_be_read_may_be_left_out(place: Place) -> None:
    garbled = call(FORGED, NOON)._replace(message='{"schemaType": "ModelInvocationLog"}')
    place.log.lines = [garbled, call(1, NOON)]
    assert sum(place.recounter.recount(NOON, LATER).unread.values()) == 1
    done = place.recounter.recount(NOON, LATER, without=frozenset({garbled.id}))
    assert (done.left_out, sum(done.unread.values())) == (1, 0)


def test_an_hour_that_is_due_stays_due_though_an_event_was_mistyped(
    place: Place, forged: str
) -> None:
    place.ledger.ask_recounts([NOON], LATER)
    place.recounter.recount(NOON + HOUR, LATER + HOUR)
    with pytest.raises(RecountRefused):
        place.recounter.recount(NOON, LATER, without=frozenset({f"{forged}0"}))
    assert place.recounter.due(LATER) == [NOON]
    place.recounter.settle(NOON, LATER + MINUTE)
    assert (place.recounter.due(LATER + HOUR), requests(place)) == ([], 2)


def test_admins_are_told_of_what_is_left_out(place: Place, forged: str) -> None:
    """Whoever may invoke the function could take their own usage out."""
    place.recounter.recount(NOON, LATER)
    assert place.ledger.posted == []
    place.recounter.recount(NOON, LATER, without=frozenset({forged}))
    (notice,) = place.ledger.posted
    assert "1 event of the invocation log is left out of the hour" in notice.reason
    assert "--everything" in notice.reason
    place.recounter.recount(NOON, LATER, everything=True)
    back = place.ledger.posted[-1]
    assert (
        back.reason == "all of the hour from 2026-11-24T12:00Z counts again, as somebody has asked"
    )


def _at(moment: datetime) -> int:
    """As the log writes it."""
    return int(moment.timestamp() * 1000)


def test_a_recount_sets_the_minutes_of_those_for_whom_they_count(place: Place) -> None:
    """What an outage lost is there again, what nobody called is gone, and of nobody else."""
    place.ledger.the_brief = MeterRules(minutes=frozenset({"user/u0", "user/u1"}))
    sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0"
    bucket = Bucket(Principal.parse("user/u0"), sonnet, NOON.date())
    place.ledger.minutes[bucket] = {NOON + MINUTE: Counts(7), NOON + HOUR: Counts(8)}
    place.recounter.recount(NOON, NOON + HOUR + 15 * MINUTE)
    assert {str(each.principal) for each in place.ledger.minutes} == {"user/u0", "user/u1"}
    found = {at: counts.requests for at, counts in place.ledger.minutes[bucket].items()}
    assert found == {NOON: 1, NOON + 3 * MINUTE: 1, NOON + HOUR: 8}


def test_a_recount_repeats_the_minutes_that_a_crash_left_unset(place: Place) -> None:
    place.ledger.the_brief = MeterRules(minutes=frozenset({"user/*"}))
    now = NOON + HOUR + 15 * MINUTE
    place.recounter.recount(NOON, now)
    place.ledger.minutes.clear()
    place.recounter.recount(NOON, now)
    assert len(place.ledger.minutes) == 3


def test_minutes_that_no_window_reaches_back_to_are_left_alone(place: Place) -> None:
    place.ledger.the_brief = MeterRules(minutes=frozenset({"user/*"}))
    place.recounter.recount(NOON, NOON + 2 * HOUR + MINUTE)
    assert not place.ledger.minutes
