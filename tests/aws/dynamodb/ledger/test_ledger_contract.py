"""What every ledger does: the adapter, and the fake that other tests rest on, are held to it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from builders import ALICE, HAIKU, HOUR, NOON
from quota_enforcer.core.errors import Conflict, DeploymentClosed
from quota_enforcer.core.ledger import (
    Level,
    Premise,
    Record,
    Standing,
    SweepState,
    UsedUp,
    Warned,
    WouldDeny,
)
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.pace import USUAL_LAG, DenyLag
from quota_enforcer.core.usage.stored import Bucket, MeterRules, Source
from quota_enforcer.enforce.ports.ledger import Ledger

BOB = Principal.parse("user/bob")
OPUS = "anthropic.claude-3-opus-20240229-v1:0"
TODAY = NOON.date()
ALL = frozenset({"*"})
MakeLedger = Callable[[ZoneInfo], Ledger]


@pytest.fixture
def ledger(either_ledger: Ledger) -> Ledger:
    return either_ledger


def a_notice(who: str = "user/alice", *, kind: NoticeKind = NoticeKind.BLOCKED) -> Notice:
    return Notice(kind, NOON, who, "daily", "1,000 of 1,000 used", limit=Decimal(1000))


def blocked(principal: Principal, **but: object) -> Record:
    return Record(principal, Standing(Level.OVER, ALL, NOON)).next(**but)


# The sweep's own memory


def test_a_new_ledger_has_no_state(ledger: Ledger) -> None:
    assert ledger.state() == SweepState()


def test_how_long_a_deny_takes_is_noted_and_a_sweep_leaves_it(ledger: Ledger) -> None:
    assert ledger.state().lag == USUAL_LAG
    lag = DenyLag(Decimal("11.4"), Decimal("6.1"))
    ledger.note(fresh_at=NOON, lag=lag)
    ledger.begin(NOON)
    ledger.finish(SweepState(NOON, NOON))
    assert ledger.state().lag == lag


def test_a_finished_sweep_is_read_back(ledger: Ledger) -> None:
    state = SweepState(NOON, NOON, NOON - HOUR, NOON - 2 * HOUR, "enforce UTC")
    ledger.begin(NOON)
    ledger.finish(state)
    assert ledger.state() == state


def test_what_a_later_sweep_does_not_say_is_gone(ledger: Ledger) -> None:
    ledger.finish(SweepState(NOON, NOON, NOON, terms="enforce UTC"))
    later = SweepState(NOON + HOUR, NOON + HOUR, terms="observe UTC")
    ledger.finish(later)
    assert ledger.state() == later


def test_a_breaker_that_lets_go_leaves_the_rest_of_the_state(ledger: Ledger) -> None:
    ledger.finish(SweepState(NOON, NOON, terms="enforce UTC"))
    assert ledger.turn_breaker(NOON, ledger.state(), "tripped")
    assert ledger.state().breaker_since == NOON
    assert ledger.turn_breaker(None, ledger.state(), "let go", confirmed_at=NOON)
    assert ledger.state() == SweepState(
        NOON, NOON, terms="enforce UTC", breaker="let go", confirmed_at=NOON
    )


def test_the_breaker_is_turned_and_told_by_one_of_two_that_saw_the_same(ledger: Ledger) -> None:
    seen = ledger.state()
    told = Notice(NoticeKind.BREAKER, NOON, "", "", "too many")
    assert ledger.turn_breaker(NOON, seen, "mine", [told])
    assert not ledger.turn_breaker(NOON + HOUR, seen, "theirs", [replace(told, at=NOON + HOUR)])
    assert ledger.outbox(NOON + 2 * HOUR) == [told]
    assert (ledger.state().breaker_since, ledger.state().breaker) == (NOON, "mine")


@pytest.mark.parametrize("told_of", ["pause", "tiers", "gates", "accounts", "digest"])
def test_one_of_two_that_saw_the_same_tells(ledger: Ledger, told_of: str) -> None:
    def tell(before: SweepState, number: int, why: str) -> bool:
        at = NOON + number * HOUR
        notices = [Notice(NoticeKind.TAMPERED, at, "", "", why)] if why else []
        match told_of:
            case "pause":
                return ledger.note_pause(at if why else None, before, notices)
            case "tiers":
                return ledger.note_tiers(at, why, before, notices)
            case "digest":
                return ledger.note_digest(why, at, before, notices)
            case "accounts":
                return ledger.note_accounts(why, before, notices)
            case _:
                return ledger.note_gates(why, before, notices)

    ledger.finish(SweepState(NOON, NOON, terms="enforce UTC"))
    begun = ledger.state()
    assert tell(begun, 1, "this")
    first = ledger.state()
    assert not tell(begun, 2, "that")
    assert (ledger.state(), [each.reason for each in _waiting(ledger)]) == (first, ["this"])
    assert tell(first, 3, "")
    assert (ledger.state() == begun) == (told_of not in {"tiers", "digest"})
    ledger.finish(replace(first, started=NOON + HOUR, finished=NOON + HOUR))
    assert ledger.state().paused_until is None
    assert ledger.state().gates_notified == ledger.state().tiers_notified == ""
    assert ledger.state().accounts_notified == ledger.state().digest_week == ""


def test_how_far_a_breaker_holds_is_read_back(ledger: Ledger) -> None:
    ledger.turn_breaker(NOON, ledger.state(), "tripped", far=2_000)
    assert ledger.state().breaker_far == 2_000
    ledger.turn_breaker(None, ledger.state(), "let go")
    assert ledger.state().breaker_far == 0


def test_a_sweep_that_finishes_leaves_the_breaker_as_others_turned_it(ledger: Ledger) -> None:
    begun = ledger.state()
    ledger.turn_breaker(NOON, begun, "tripped", confirmed_at=NOON)
    ledger.finish(replace(begun, started=NOON, finished=NOON))
    state = ledger.state()
    assert (state.breaker_since, state.breaker, state.confirmed_at) == (NOON, "tripped", NOON)


def test_nobody_is_blocked_by_what_the_breaker_allowed_before_it_was_turned(
    ledger: Ledger,
) -> None:
    before = Premise(breaker=ledger.state().breaker)
    ledger.put(Record(ALICE, intended=ALL, version=1), premise=before)
    ledger.turn_breaker(NOON, ledger.state(), "tripped")
    with pytest.raises(Conflict):
        ledger.put(Record(ALICE, intended=ALL, version=2), premise=before)
    ledger.put(Record(ALICE, intended=ALL, version=2), premise=Premise(breaker="tripped"))
    assert ledger.records([ALICE])[ALICE].version == 2


def test_a_sweep_that_began_and_did_not_finish_is_seen(ledger: Ledger) -> None:
    ledger.finish(SweepState(NOON, NOON))
    ledger.begin(NOON + HOUR)
    assert ledger.state().interrupted


def test_an_older_sweep_never_overwrites_a_newer_one(ledger: Ledger) -> None:
    newer = SweepState(NOON, NOON, metered_to=NOON)
    ledger.finish(newer)
    older = NOON - timedelta(microseconds=1)
    ledger.begin(older)
    ledger.finish(SweepState(older, older, metered_to=older))
    assert ledger.state() == newer


def test_settings_that_have_changed_hold_no_more_once_a_sweep_begins(ledger: Ledger) -> None:
    ledger.finish(SweepState(NOON, NOON, terms="enforce UTC"))
    ledger.begin(NOON + HOUR)
    assert ledger.state().terms == "enforce UTC"
    ledger.begin(NOON + HOUR, forget_terms=True)
    assert ledger.state().terms == ""


def test_an_older_sweep_does_not_hide_that_a_newer_one_is_under_way(ledger: Ledger) -> None:
    ledger.begin(NOON - HOUR)
    ledger.begin(NOON)
    ledger.finish(SweepState(NOON - HOUR, NOON - HOUR, metered_to=NOON - HOUR))
    state = ledger.state()
    assert (state.started, state.finished, state.metered_to) == (NOON, NOON - HOUR, NOON - HOUR)


def test_finishing_does_not_reopen_what_was_closed(ledger: Ledger) -> None:
    ledger.close()
    ledger.finish(SweepState(NOON, NOON))
    assert ledger.state() == SweepState(NOON, NOON, closed=True)


def test_a_sweep_cannot_finish_without_a_moment(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="started and finished"):
        ledger.finish(SweepState())


def test_who_sees_an_edit_first_says_so_and_leaves_it_unsettled_until_the_end(
    ledger: Ledger,
) -> None:
    before = ledger.state()
    assert ledger.claim_edits("mine", before)
    assert not ledger.claim_edits("theirs", before)
    seen = ledger.state()
    assert (seen.quotas_seen, seen.unsettled) == ("mine", "mine")
    ledger.complete_edits("theirs")
    assert ledger.state() == seen
    ledger.complete_edits("mine")
    assert ledger.state() == replace(seen, unsettled="")
    assert not ledger.claim_edits("theirs", seen)
    assert ledger.claim_edits("theirs", ledger.state())


def test_what_is_unsettled_stays_so_when_a_sweep_finishes(ledger: Ledger) -> None:
    ledger.claim_edits("mine", ledger.state())
    ledger.reopen_edits("again")
    ledger.finish(SweepState(NOON, NOON))
    ledger.complete_edits("mine")
    assert ledger.state() == SweepState(NOON, NOON, quotas_seen="mine", unsettled="again")


def test_nobody_is_blocked_by_quotas_that_were_edited_since(ledger: Ledger) -> None:
    ledger.put(Record(ALICE, intended=ALL, version=1), premise=Premise(""))
    ledger.claim_edits("mine", ledger.state())
    for stale in ("", "theirs"):
        with pytest.raises(Conflict):
            ledger.put(Record(ALICE, intended=ALL, version=2), premise=Premise(stale))
    ledger.put(Record(ALICE, intended=ALL, version=2), premise=Premise("mine"))
    assert ledger.records([ALICE])[ALICE].version == 2


def test_the_meters_are_told_nothing_that_was_edited_since(ledger: Ledger) -> None:
    watched = MeterRules(frozenset({"session/ci/*"}))
    assert ledger.meter_rules() == MeterRules()
    assert ledger.put_meter_rules(watched, "")
    ledger.claim_edits("mine", ledger.state())
    assert not ledger.put_meter_rules(MeterRules(), "")
    assert ledger.meter_rules() == watched
    assert ledger.put_meter_rules(MeterRules(), "mine")
    assert ledger.meter_rules() == MeterRules()


# Usage


def test_hours_are_set_and_read_back(ledger: Ledger) -> None:
    bucket = Bucket(ALICE, HAIKU, TODAY)
    hours = {NOON: Counts(1, 2, 3, 4, 5), NOON + HOUR: Counts(1, 0, 7)}
    ledger.set_hours(bucket, hours)
    assert ledger.hours([bucket, bucket, Bucket(BOB, HAIKU, TODAY)]) == {bucket: hours}


def test_setting_an_hour_leaves_the_others(ledger: Ledger) -> None:
    bucket = Bucket(ALICE, HAIKU, TODAY)
    ledger.set_hours(bucket, {NOON: Counts(1), NOON + HOUR: Counts(2)})
    ledger.set_hours(bucket, {NOON: Counts(5)})
    assert ledger.hours([bucket])[bucket] == {NOON: Counts(5), NOON + HOUR: Counts(2)}


def test_setting_an_hour_replaces_all_its_counters(ledger: Ledger) -> None:
    bucket = Bucket(ALICE, HAIKU, TODAY)
    ledger.set_hours(bucket, {NOON: Counts(3, 9, 9, 9, 9)})
    ledger.set_hours(bucket, {NOON: Counts(3, 1)})
    assert ledger.hours([bucket])[bucket] == {NOON: Counts(3, 1)}


def test_setting_the_same_hours_twice_changes_nothing(ledger: Ledger) -> None:
    bucket = Bucket(ALICE, HAIKU, TODAY)
    for _ in range(2):
        ledger.set_hours(bucket, {NOON: Counts(3, 9)})
    assert ledger.hours([bucket])[bucket] == {NOON: Counts(3, 9)}


def test_usage_is_by_model_with_days_summed_from_their_hours(ledger: Ledger) -> None:
    for model, count in ((HAIKU, 1), (OPUS, 10)):
        ledger.set_hours(Bucket(ALICE, model, TODAY), {NOON: Counts(count), NOON + HOUR: Counts(2)})
    usage = ledger.usage(ALICE, TODAY)
    assert usage.models[HAIKU].hours == {NOON: Counts(1), NOON + HOUR: Counts(2)}
    assert usage.models[HAIKU].days == {TODAY: Counts(3)}
    assert usage.models[OPUS].days == {TODAY: Counts(12)}


def test_usage_of_several_places_adds_up(ledger: Ledger) -> None:
    """The same hour of the same model in two Regions is no one bucket."""
    there = "444455556666/eu-west-1"
    for place, count in (("", 1), (there, 10)):
        ledger.set_hours(Bucket(ALICE, HAIKU, TODAY, place), {NOON: Counts(count)})
    usage = ledger.usage(ALICE, TODAY)
    assert usage.models[HAIKU].hours == {NOON: Counts(11)}
    assert usage.models[HAIKU].days == {TODAY: Counts(11)}
    assert {place: each.models[HAIKU].days for place, each in usage.places.items()} == {
        "": {TODAY: Counts(1)},
        there: {TODAY: Counts(10)},
    }


def test_usage_of_home_alone_has_no_places(ledger: Ledger) -> None:
    ledger.set_hours(Bucket(ALICE, HAIKU, TODAY), {NOON: Counts(1)})
    usage = ledger.usage(ALICE, TODAY)
    assert not usage.places
    assert usage.by_place == {"": usage}


def test_usage_begins_at_the_day_asked_for(ledger: Ledger) -> None:
    for days in range(3):
        at = NOON - timedelta(days=days)
        ledger.set_hours(Bucket(ALICE, HAIKU, at.date()), {at: Counts(1)})
    yesterday = TODAY - timedelta(days=1)
    assert sorted(ledger.usage(ALICE, yesterday).models[HAIKU].days) == [yesterday, TODAY]


def test_nobody_has_the_usage_of_another_or_of_another_item_in_the_partition(
    ledger: Ledger,
) -> None:
    ledger.set_hours(Bucket(BOB, HAIKU, TODAY), {NOON: Counts(1)})
    ledger.put(blocked(ALICE), [a_notice()])
    assert not ledger.usage(ALICE, date.min).models


def test_both_hours_of_the_same_name_count_when_the_clocks_go_back(
    make_either_ledger: MakeLedger,
) -> None:
    ledger = make_either_ledger(ZoneInfo("Europe/Berlin"))
    first = datetime.fromisoformat("2026-10-25T00:00Z")  # 02:00 in summer time
    bucket = Bucket(ALICE, HAIKU, date(2026, 10, 25))
    ledger.set_hours(bucket, {first: Counts(1), first + HOUR: Counts(2)})
    assert ledger.hours([bucket])[bucket] == {first: Counts(1), first + HOUR: Counts(2)}
    assert ledger.usage(ALICE, bucket.day).models[HAIKU].days == {bucket.day: Counts(3)}


def test_sources_are_remembered_by_arn_and_model(ledger: Ledger) -> None:
    arn = "arn:aws:iam::111122223333:user/alice"
    earlier = Source(arn, HAIKU, NOON - HOUR, behind=NOON - HOUR)
    now, other = Source(arn, HAIKU, NOON), Source(arn, OPUS, NOON - HOUR, behind=NOON)
    for source in (earlier, now, other):
        ledger.remember_source(source)
    assert set(ledger.sources()) == {now, other}


# Records


def test_an_unknown_principal_has_a_new_record(ledger: Ledger) -> None:
    assert ledger.records([ALICE]) == {ALICE: Record(ALICE)}


def test_a_record_is_read_back_whole(ledger: Ledger) -> None:
    standing = Standing(
        Level.OVER,
        ALL,
        NOON,
        NOON + HOUR,
        "1,000 of 1,000 used",
        {"user/*#daily": UsedUp(Decimal(1000), NOON - HOUR, None)},
        {"user/*#daily": Warned(80, Decimal("Infinity"), NOON + HOUR)},
        NOON + HOUR,
        {"user/*#monthly": WouldDeny(NOON, UsedUp(Decimal("12.50"), NOON - HOUR, NOON + HOUR))},
        NOON - HOUR,
    )
    record = Record(ALICE, standing, ALL, "its slots are full", NOON, 1)
    ledger.put(record)
    assert ledger.records([ALICE, BOB]) == {ALICE: record, BOB: Record(BOB)}


@pytest.mark.parametrize("intended", [None, frozenset[str](), ALL])
def test_nothing_intended_is_not_the_same_as_to_deny_nothing(
    ledger: Ledger, intended: frozenset[str] | None
) -> None:
    ledger.put(Record(ALICE, intended=intended, version=1))
    assert ledger.records([ALICE])[ALICE].intended == intended


@pytest.mark.parametrize("version", [1, 3])
def test_a_record_that_is_not_the_next_version_conflicts(ledger: Ledger, version: int) -> None:
    ledger.put(Record(ALICE, version=1))
    with pytest.raises(Conflict, match=r"user/alice.*version"):
        ledger.put(Record(ALICE, trouble="late", version=version))
    assert ledger.records([ALICE]) == {ALICE: Record(ALICE, version=1)}


def test_a_first_version_must_be_the_first(ledger: Ledger) -> None:
    with pytest.raises(Conflict, match="user/alice"):
        ledger.put(Record(ALICE, version=2))


def test_notices_of_a_lost_write_are_never_told(ledger: Ledger) -> None:
    ledger.put(Record(ALICE, version=1))
    with pytest.raises(Conflict):
        ledger.put(Record(ALICE, version=1), [a_notice()])
    assert ledger.outbox(NOON + HOUR) == []
    assert ledger.history(ALICE) == []


def test_after_closing_nobody_can_be_blocked(ledger: Ledger) -> None:
    ledger.close()
    with pytest.raises(DeploymentClosed):
        ledger.put(Record(ALICE, intended=ALL, version=1), [a_notice()])
    assert ledger.records([ALICE]) == {ALICE: Record(ALICE)}
    assert ledger.outbox(NOON + HOUR) == []


def test_after_closing_a_release_can_still_be_written(ledger: Ledger) -> None:
    ledger.put(blocked(ALICE))
    ledger.close()
    ledger.put(Record(ALICE, intended=frozenset(), version=2), [a_notice()])
    assert ledger.records([ALICE])[ALICE].version == 2


def test_an_intent_can_be_written_before_closing(ledger: Ledger) -> None:
    ledger.begin(NOON)
    ledger.put(Record(ALICE, intended=ALL, version=1))
    assert ledger.records([ALICE])[ALICE].intended == ALL


def test_who_is_due_is_found(ledger: Ledger) -> None:
    second = timedelta(seconds=1)
    for name, due in (("now", NOON), ("late", NOON + second), ("never", None)):
        ledger.put(Record(Principal.parse(f"user/{name}"), due=due, version=1))
    ledger.put(blocked(BOB, due=NOON - second))
    assert ledger.due(NOON) == {Principal.parse("user/now"), BOB}


def test_who_is_blocked_or_about_to_be_is_listed(ledger: Ledger) -> None:
    intent = Record(Principal.parse("role/ci"), intended=ALL, version=1)
    released = Record(Principal.parse("user/carol"), intended=frozenset(), version=1)
    for record in (blocked(ALICE), intent, released, Record(BOB, version=1)):
        ledger.put(record)
    assert {record.principal for record in ledger.blocked()} == {ALICE, intent.principal}
    assert len(ledger.everybody()) == 4


def test_who_is_released_is_no_longer_listed_as_blocked(ledger: Ledger) -> None:
    ledger.put(blocked(ALICE))
    ledger.put(Record(ALICE, version=2))
    assert ledger.blocked() == []
    assert ledger.everybody() == [Record(ALICE, version=2)]


def test_a_record_that_is_forgotten_is_gone(ledger: Ledger) -> None:
    record = Record(ALICE).next(due=NOON)
    ledger.put(record)
    ledger.forget(record)
    assert ledger.everybody() == []
    assert ledger.records([ALICE])[ALICE] == Record(ALICE)


def test_a_record_that_was_written_meanwhile_is_not_forgotten(ledger: Ledger) -> None:
    record = Record(ALICE).next(due=NOON)
    ledger.put(record)
    ledger.put(record.next(due=None))
    with pytest.raises(Conflict):
        ledger.forget(record)
    assert ledger.records([ALICE])[ALICE].version == 2


def _waiting(ledger: Ledger) -> list[Notice]:
    return ledger.outbox(NOON + 24 * HOUR)
