"""Sweeps as timelines: what IAM denies and who is told what, over hours and mishaps."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from builders import HOUR, NOON
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.errors import CannotDeny, PrincipalGone, SweepFailed
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.notices.notice import NoticeKind
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import DAY
from quota_enforcer.meter.ports import Series
from world import World, arn, principal

MINUTES = timedelta(minutes=1)
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
ALICE = principal("user/alice")


def blocked_alice(world: World) -> None:
    """Alice went over her quota at noon and was blocked five minutes later."""
    world.quota()
    world.call("alice", NOON, 1200)
    world.sweep(NOON + 5 * MINUTES)
    assert world.denied == {"user/alice"}


def test_a_day_in_the_life() -> None:
    """Warned, blocked, raised, and blocked again; the window's end lets go."""
    world = World()
    world.quota()
    world.sweep(NOON)
    world.call("alice", NOON + MINUTES, 850)
    world.call("bob", NOON + MINUTES, 850)
    world.sweep(NOON + 5 * MINUTES)
    assert world.told() == ["user/alice warning"]
    world.call("alice", NOON + 6 * MINUTES, 400)
    world.sweep(NOON + 10 * MINUTES)
    assert world.denied == {"user/alice"}
    world.quota(raise_to=2000, raise_until="2026-11-24T14:00")
    world.sweep(NOON + 15 * MINUTES)
    assert world.denied == set()
    world.sweep(NOON + 2 * HOUR)
    assert world.denied == {"user/alice"}
    world.sweep(MIDNIGHT)
    assert world.denied == set()
    assert world.told("user/alice") == [
        "warning", "blocked", "restored", "blocked", "restored",
    ]  # fmt: skip


def test_a_sweep_without_news_writes_nothing_of_anybody() -> None:
    """Its cost follows the changes: only its own start and end are noted."""
    world = World()
    blocked_alice(world)
    world.ledger.writes.clear()
    world.denies.calls.clear()
    report = world.sweep(NOON + 10 * MINUTES)
    assert [method for method, _ in world.ledger.writes] == ["begin", "finish"]
    assert world.denies.calls == []
    assert report.looked_at == 0


def test_observe_mode_denies_nobody() -> None:
    world = World(Mode.OBSERVE)
    world.quota()
    world.call("alice", NOON, 1200)
    report = world.sweep(NOON + 5 * MINUTES)
    assert world.denied == set()
    assert world.told() == ["user/alice warning"]
    assert report.notices[0].percent == 100


def test_switching_the_mode_takes_effect_with_the_next_sweep() -> None:
    world = World()
    blocked_alice(world)
    world.mode(Mode.OBSERVE)
    world.sweep(NOON + 10 * MINUTES)
    assert world.denied == set()
    world.mode(Mode.ENFORCE)
    world.sweep(NOON + 15 * MINUTES)
    assert world.denied == {"user/alice"}


def test_a_dry_run_changes_nothing_and_loses_nothing() -> None:
    world = World()
    world.quota()
    world.call("alice", NOON, 1200)
    report = world.sweep(NOON + 5 * MINUTES, dry_run=True)
    assert [notice.kind for notice in report.notices] == ["blocked"]
    assert (world.denied, world.told()) == (set(), [])
    world.sweep(NOON + 10 * MINUTES)
    assert world.denied == {"user/alice"}


def test_removing_disabling_and_exempting_release_at_once() -> None:
    for edit in ({"enabled": False}, {"exempt": True}, None):
        world = World()
        blocked_alice(world)
        if edit is None:
            world.quotas.delete("user/alice", "daily")
        else:
            world.quota(**edit)
        world.sweep(NOON + 10 * MINUTES)
        assert world.denied == set()
        assert world.told("user/alice")[-1] == "restored"


def test_an_edit_of_the_default_concerns_everybody_known() -> None:
    world = World()
    world.quota(principal="default", limit=10_000)
    for who in ("alice", "bob", "role:ci/42"):
        world.call(who, NOON, 5000)
    world.sweep(NOON + 5 * MINUTES)
    world.quota(principal="default", limit=5000)
    world.sweep(NOON + 10 * MINUTES)
    assert world.denied == {"user/alice", "user/bob"}


def test_somebody_can_be_blocked_by_hand_before_the_first_call() -> None:
    world = World()
    world.quota(principal="user/mallory", limit=0, until="2026-11-24T15:00")
    world.sweep(NOON)
    assert world.denied == {"user/mallory"}
    world.sweep(NOON + 3 * HOUR)
    assert world.denied == set()


def test_sessions_and_people_are_judged_but_admins_are_told_they_cannot_be_blocked() -> None:
    world = World()
    for subject in ("sso/ann@example.com", "session/ci/42"):
        world.quota(principal=subject)
    world.call("sso:Ann@example.com", NOON, 1200)
    world.call("role:ci/42", NOON, 1200)
    world.sweep(NOON + 5 * MINUTES)
    assert world.denied == set()
    for who in ("sso/ann@example.com", "session/ci/42"):
        assert world.told(who) == ["warning", "could-not-deny"]


def test_a_new_quota_for_a_session_counts_what_it_used_already() -> None:
    world = World()
    world.call("role:ci/42", NOON - 8 * HOUR, 1200)
    world.sweep(NOON - 7 * HOUR)
    world.sweep(NOON)
    world.quota(principal="session/ci/*")
    world.sweep(NOON + 5 * MINUTES)
    assert world.told("session/ci/42") == ["warning", "could-not-deny"]


def test_each_member_of_a_team_has_the_teams_quota() -> None:
    world = World()
    world.quota(principal="team/research", members=["user/alice", "role/ci"])
    world.call("alice", NOON, 600)
    world.call("role:ci/42", NOON, 1200)
    world.sweep(NOON + 5 * MINUTES)
    assert world.denied == {"role/ci"}


# What IAM refuses


def test_who_cannot_be_denied_is_not_called_blocked() -> None:
    """Admins are told once; when the deny can be attached at last, the principal is told."""
    world = World()
    world.denies.refuse[ALICE] = CannotDeny("all 10 policy slots are full")
    world.quota()
    world.call("alice", NOON, 1200)
    world.sweep(NOON + 5 * MINUTES)
    world.sweep(NOON + 10 * MINUTES)
    assert world.told("user/alice") == ["could-not-deny"]
    world.denies.refuse.clear()
    world.sweep(NOON + 15 * MINUTES)
    assert world.denied == {"user/alice"}
    assert world.told("user/alice") == ["could-not-deny", "blocked"]


def test_who_was_never_blocked_is_not_restored() -> None:
    world = World()
    world.denies.refuse[ALICE] = CannotDeny("all 10 policy slots are full")
    world.quota()
    world.call("alice", NOON, 1200)
    world.sweep(NOON + 5 * MINUTES)
    world.denies.refuse.clear()
    world.sweep(MIDNIGHT)
    assert world.told("user/alice") == ["could-not-deny"]


def test_a_deleted_user_is_nobody_to_deny() -> None:
    world = World()
    world.denies.refuse[ALICE] = PrincipalGone("no such user")
    world.quota()
    world.call("alice", NOON, 1200)
    report = world.sweep(NOON + 5 * MINUTES)
    assert world.told() == []
    assert report.failures == []


def test_one_that_fails_does_not_stop_the_others_and_is_tried_again() -> None:
    world = World()
    world.denies.refuse[ALICE] = ConnectionError("IAM is away")
    for who in ("alice", "bob"):
        world.quota(principal=f"user/{who}")
        world.call(who, NOON, 1200)
    report = world.sweep(NOON + 5 * MINUTES)
    assert world.denied == {"user/bob"}
    assert report.failures == ["user/alice: ConnectionError: IAM is away"]
    assert "blocked" not in world.told("user/alice")
    world.denies.refuse.clear()
    assert world.sweep(NOON + 10 * MINUTES).failures == []
    assert world.denied == {"user/alice", "user/bob"}
    assert world.told("user/alice") == ["blocked"]


# Drift


@pytest.mark.parametrize("planted", [True, False])
def test_drift_is_put_right_after_deciding_again(planted: bool) -> None:  # noqa: FBT001 - a table
    world = World()
    blocked_alice(world)
    if planted:
        world.denies.attached[principal("user/bob")] = {"*"}
    else:
        world.denies.attached.clear()
    report = world.sweep(NOON + 20 * MINUTES)
    assert world.denied == {"user/alice"}
    who, what = ("user/bob", "attached to") if planted else ("user/alice", "detached from")
    assert report.drift == [f"the deny of * was {what} {who}"]
    assert world.told() == ["user/alice blocked", f"{who} tampered"]
    assert world.sweep(NOON + 25 * MINUTES).drift == []


def test_a_deny_that_iam_does_not_list_yet_is_lifted_all_the_same() -> None:
    """IAM lists late; what the ledger knows is detached too."""
    world = World()
    blocked_alice(world)
    world.denies.denied = dict  # type: ignore[method-assign]
    world.quota(limit=5000)
    world.sweep(NOON + 6 * MINUTES)
    assert world.denies.attached[ALICE] == set()
    assert world.told("user/alice")[-1] == "restored"


def test_a_narrow_deny_stays_while_a_wider_one_cannot_be_attached() -> None:
    world = World()
    world.denies.scopes = frozenset({"*", "haiku*"})
    world.quota(quota="haiku", models="haiku*", window="month")
    world.metrics.call(arn("alice"), NOON, Counts(1, 1200), model_id="haiku-1")
    world.sweep(NOON + 5 * MINUTES)
    world.denies.refuse[ALICE] = CannotDeny("all slots are full")
    world.quota(limit=100)
    world.sweep(NOON + 10 * MINUTES)
    assert world.denies.attached[ALICE] == {"haiku*"}


def test_a_scope_that_is_uninstalled_while_it_denies_is_not_called_restored() -> None:
    """The enforcer can no longer reach that policy, so admins are told to."""
    world = World()
    world.denies.scopes = frozenset({"*", "haiku*"})
    world.quota(models="haiku*")
    world.metrics.call(arn("alice"), NOON, Counts(1, 1200), model_id="haiku-1")
    world.sweep(NOON + 5 * MINUTES)
    world.denies.scopes = frozenset({"*"})
    world.denies.attached.clear()
    world.sweep(NOON + 10 * MINUTES)
    assert world.told("user/alice")[1:] == ["invalid-quota", "could-not-lift"]
    told = {notice.kind: notice.reason for notice, _ in world.topic.sent}
    assert "the next quota in precedence applies" in told[NoticeKind.INVALID_QUOTA]


def test_a_deny_that_the_enforcer_cannot_undo_is_an_error_that_says_how() -> None:
    world = World()
    world.denies.unmanaged_attachments = ["the deny of * is attached to the group all"]
    assert world.sweep(NOON).failures == ["the deny of * is attached to the group all"]


# Missing data


def test_unknown_usage_keeps_the_standing_and_is_an_error() -> None:
    world = World()
    world.quota()
    world.call("alice", NOON, 1200)
    world.metrics.all_unknown()
    report = world.sweep(NOON + 5 * MINUTES)
    assert world.denied == set()
    assert "user/alice" in report.failures[0]
    world.metrics.unknown = set[Series]()
    world.sweep(NOON + 10 * MINUTES)
    assert world.denied == {"user/alice"}


def test_a_meter_that_fails_half_way_loses_nobody() -> None:
    """Its buckets are written, so only the next sweep can see who was touched."""
    world = World()
    for who in ("alice", "bob"):
        world.quota(principal=f"user/{who}")
    world.sweep(NOON)
    for who in ("alice", "bob"):
        world.call(who, NOON, 850)
    world.sweep(NOON + MINUTES)
    for who in ("alice", "bob"):
        world.call(who, NOON + MINUTES, 850)
    set_hours, calls = world.ledger.set_hours, []

    def failing(bucket: Bucket, hours: Mapping[datetime, Counts], meter: str = "") -> None:
        calls.append(bucket)
        if len(calls) == 2:
            raise ConnectionError("DynamoDB is away")
        set_hours(bucket, hours, meter)

    world.ledger.set_hours = failing  # type: ignore[method-assign]
    assert world.sweep(NOON + 5 * MINUTES).failures
    world.sweep(NOON + 10 * MINUTES)
    assert world.denied == {"user/alice", "user/bob"}


def test_a_session_quota_edited_during_an_outage_is_metered_after_it() -> None:
    world = World()
    world.call("role:ci/42", NOON - 8 * HOUR, 1200)
    world.sweep(NOON)
    world.quota(principal="session/ci/*")
    world.metrics.listing_fails = ConnectionError("CloudWatch is away")
    world.sweep(NOON + 5 * MINUTES)
    world.metrics.listing_fails = None
    world.sweep(NOON + 10 * MINUTES)
    assert world.told("session/ci/42") == ["warning", "could-not-deny"]


def test_watching_a_session_leaves_the_usage_of_others_as_it_is() -> None:
    """Their old hours may have left the metrics, but never the ledger."""
    world = World()
    world.quota(principal="role/ci", window="month")
    world.call("role:ci/idle", NOON - 15 * DAY, 1100)
    world.sweep(NOON - 15 * DAY + HOUR)
    assert world.denied == {"role/ci"}
    world.call("role:ci/42", NOON, 10)
    world.sweep(NOON + 5 * MINUTES)
    world.metrics.forget(arn("role:ci/idle"))
    world.ledger.forget_sources()
    world.quota(principal="session/ci/*")
    world.sweep(NOON + 10 * MINUTES)
    assert world.denied == {"role/ci"}


def test_the_clock_releases_even_when_metrics_cannot_be_read() -> None:
    world = World()
    blocked_alice(world)
    world.metrics.listing_fails = ConnectionError("CloudWatch is away")
    report = world.sweep(MIDNIGHT)
    assert world.denied == set()
    assert "could not read the metrics" in report.failures[0]


def test_late_data_may_block_again() -> None:
    world = World()
    blocked_alice(world)
    world.sweep(MIDNIGHT)
    assert world.denied == set()
    world.call("alice", MIDNIGHT + MINUTES, 1000)
    world.sweep(MIDNIGHT + 5 * MINUTES)
    assert world.denied == {"user/alice"}


def test_an_outage_of_hours_heals_on_the_next_run() -> None:
    world = World()
    world.quota()
    world.sweep(NOON - 10 * HOUR)
    world.call("alice", NOON - 9 * HOUR, 1200)
    world.sweep(NOON)
    assert world.denied == {"user/alice"}


def test_time_never_runs_backwards() -> None:
    """A sweep whose clock is behind decides at the last sweep's time."""
    world = World()
    blocked_alice(world)
    world.sweep(MIDNIGHT + 5 * MINUTES)
    assert world.sweep(MIDNIGHT - 5 * MINUTES).now == MIDNIGHT + 5 * MINUTES
    assert world.denied == set()


# Invalid items


def test_an_item_that_turns_invalid_never_takes_its_limit_away() -> None:
    world = World()
    blocked_alice(world)
    world.quota(limit="lots")
    world.sweep(NOON + 10 * MINUTES)
    world.sweep(NOON + 15 * MINUTES)
    assert world.denied == {"user/alice"}
    assert world.told("user/alice") == ["blocked", "invalid-quota"]
    notice = world.topic.sent[-1][0]
    assert "limit is 'lots'; allowed: a whole number" in notice.reason
    assert "its last valid version stays in force" in notice.reason


def test_an_item_that_was_never_valid_leaves_the_next_in_precedence() -> None:
    world = World()
    world.quota(principal="default", limit=1000)
    world.quota(limit="lots")
    world.call("alice", NOON, 1200)
    world.sweep(NOON + 5 * MINUTES)
    assert world.denied == {"user/alice"}
    assert "the next quota in precedence applies" in world.topic.sent[0][0].reason


def test_a_changed_problem_is_told_again() -> None:
    world = World()
    for limit in ("lots", "lots", "loads"):
        world.quota(limit=limit)
        world.sweep(NOON)
    assert world.told() == ["user/alice invalid-quota"] * 2


# The breaker


def crowd(world: World, size: int) -> None:
    world.quota(principal="default", limit=10)
    for number in range(size):
        world.call(f"u{number}", NOON, 1200)


def test_the_breaker_stops_a_wave_of_blocks_and_asks() -> None:
    world = World()
    crowd(world, 11)
    first = world.sweep(NOON + 5 * MINUTES)
    assert (world.denied, len(first.held)) == (set(), 11)
    assert "quota-enforcer sweep --confirm-blocks" in first.failures[0]
    second = world.sweep(NOON + 10 * MINUTES)
    assert len(second.held) == 11
    assert world.told() == [" breaker"]
    world.sweep(NOON + 15 * MINUTES, confirm_blocks=True)
    assert len(world.denied) == 11
    assert world.told("user/u0") == ["blocked"]


def test_ten_at_once_are_no_wave() -> None:
    world = World()
    crowd(world, 10)
    assert world.sweep(NOON + 5 * MINUTES).held == []
    assert len(world.denied) == 10


def test_a_small_share_of_many_is_no_wave() -> None:
    world = World()
    world.quota(principal="default", limit=10)
    for number in range(100):
        world.call(f"u{number}", NOON, 1)
    world.sweep(NOON + 5 * MINUTES)
    for number in range(11):
        world.call(f"u{number}", NOON + 6 * MINUTES, 100)
    assert world.sweep(NOON + 10 * MINUTES).held == []
    assert len(world.denied) == 11


def test_the_breaker_holds_only_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a held decision lifts is lifted; only its new block waits: the limit was lowered."""
    world = World()
    scopes = frozenset({"*", "haiku*", "opus*"})
    monkeypatch.setattr(world.denies, "scopes", scopes)
    world.quota(principal="default", quota="haiku", limit=10, models="haiku*")
    world.quota(principal="default", quota="opus", limit=10, models="opus*", window="month")
    everybody = [f"u{number}" for number in range(11)]
    for who in everybody:
        world.metrics.call(arn(who), NOON, Counts(1, 100), model_id="haiku-1")
    world.sweep(NOON + 5 * MINUTES, confirm_blocks=True)
    assert len(world.denied) == 11
    for who in everybody:
        world.metrics.call(arn(who), MIDNIGHT, Counts(1, 8), model_id="opus-1")
    world.quota(principal="default", quota="opus", limit=5, models="opus*", window="month")
    report = world.sweep(MIDNIGHT + 5 * MINUTES)
    assert len(report.held) == 11
    assert world.denied == set()
    assert {each.standing.blocked_since for each in world.ledger.everybody()} == {None}
    world.sweep(MIDNIGHT + 10 * MINUTES, confirm_blocks=True)
    assert set(map(frozenset, world.denies.attached.values())) == {frozenset({"opus*"})}


def test_the_breaker_still_releases() -> None:
    world = World()
    blocked_alice(world)
    crowd(world, 15)
    world.quotas.delete("user/alice", "daily")
    world.quota(exempt=True)
    assert world.sweep(NOON + 10 * MINUTES).held
    assert world.denied == set()


# Mishaps


def test_two_sweeps_at_once_do_no_harm() -> None:
    """Who loses the conditional write gathers again; nobody is blocked or told twice."""
    world = World()
    world.quota()
    world.call("alice", NOON, 1200)
    world.sweep(NOON)
    world.call("alice", NOON + MINUTES, 1200)
    inner = world.denies.denied
    raced = False

    def racing() -> dict[object, frozenset[str]]:
        nonlocal raced
        answer = inner()
        if not raced:
            raced = True
            world.sweep(NOON + 5 * MINUTES)
        return answer  # type: ignore[return-value]

    world.denies.denied = racing  # type: ignore[method-assign,assignment]
    world.sweep(NOON + 5 * MINUTES)
    assert world.denied == {"user/alice"}
    assert world.told("user/alice") == ["blocked"]


@pytest.mark.parametrize("crash", range(40))
def test_a_crash_between_any_two_writes_is_healed_by_the_next_sweep(crash: int) -> None:
    """The same denies and the same notices, whichever write the first sweep died at."""
    world = World()
    world.quota()
    world.quota(principal="user/bob", limit="lots")
    world.call("alice", NOON, 1200)
    world.ledger.fails_at = crash
    with suppress(ConnectionError):
        world.sweep(NOON + 5 * MINUTES)
    world.ledger.fails_at = None
    world.sweep(NOON + 10 * MINUTES)
    world.sweep(NOON + 20 * MINUTES)
    assert world.denied == {"user/alice"}
    assert set(world.told()) == {
        "user/alice blocked", "user/bob invalid-quota",
    }  # fmt: skip
    assert world.sweep(NOON + 25 * MINUTES).looked_at == 0


def test_a_notice_that_could_not_be_sent_is_sent_later() -> None:
    world = World()
    world.topic.fails = ConnectionError("SNS is away")
    world.quota()
    world.call("alice", NOON, 1200)
    assert len(world.sweep(NOON + 5 * MINUTES).failures) == 1
    world.topic.fails = None
    world.sweep(NOON + 10 * MINUTES)
    assert world.told("user/alice") == []
    world.sweep(NOON + 20 * MINUTES)
    world.sweep(NOON + 25 * MINUTES)
    assert world.told("user/alice") == ["blocked"]


# The end of the stack


def test_closing_releases_everybody_and_blocks_nobody_again() -> None:
    world = World()
    blocked_alice(world)
    assert world.close(NOON + 10 * MINUTES) == ["user/alice"]
    assert world.told("user/alice")[-1] == "restored"
    world.call("alice", NOON + 11 * MINUTES, 5000)
    assert world.sweep(NOON + 15 * MINUTES).closed
    assert world.denied == set()


def test_closing_again_tells_nobody_again_and_never_whom_nothing_denied() -> None:
    world = World()
    blocked_alice(world)
    world.denies.refuse[principal("user/bob")] = CannotDeny("all slots are full")
    world.quota(principal="user/bob", quota="hold", limit=0)
    world.sweep(NOON + 6 * MINUTES)
    world.close(NOON + 10 * MINUTES)
    world.close(NOON + 11 * MINUTES)
    assert world.told("user/alice") == ["blocked", "restored"]
    assert world.told("user/bob") == ["could-not-deny"]


def test_a_sweep_under_way_undoes_its_blocks_when_the_stack_closes() -> None:
    world = World()
    world.quota()
    world.call("alice", NOON, 1200)
    attach = world.denies.attach

    def closing(who: object, scope: str) -> None:
        world.ledger.close()
        attach(who, scope)  # type: ignore[arg-type]

    world.denies.attach = closing  # type: ignore[method-assign,assignment]
    world.sweep(NOON + 5 * MINUTES)
    assert world.denied == set()


def test_one_that_cannot_be_released_fails_the_closing_after_the_others() -> None:
    world = World()
    blocked_alice(world)
    world.quota(principal="user/bob")
    world.call("bob", NOON, 1200)
    world.sweep(NOON + 10 * MINUTES)
    world.denies.refuse[ALICE] = ConnectionError("IAM is away")
    with pytest.raises(SweepFailed, match="user/alice"):
        world.close(NOON + 15 * MINUTES)
    assert world.denied == {"user/alice"}
    world.denies.refuse.clear()
    world.close(NOON + 20 * MINUTES)
    assert world.denied == set()


def test_a_nonsense_series_is_named_and_stops_nobody() -> None:
    world = World()
    world.quota()
    world.call("alice", NOON, 1200)
    world.metrics.call("not-an-arn", NOON, Counts(1, 5))
    report = world.sweep(NOON + 5 * MINUTES)
    assert world.denied == {"user/alice"}
    assert "not-an-arn" in report.unattributed[0]


def test_somebody_whom_no_quota_can_limit_is_named() -> None:
    world = World()
    root = "arn:aws:iam::111122223333:root"
    world.metrics.call(root, NOON, Counts(1, 5))
    report = world.sweep(NOON + 5 * MINUTES)
    assert report.unattributed == [f"no quota can limit the usage of other/{root}"]


def test_days_later_the_record_of_a_quiet_principal_is_left_alone() -> None:
    world = World()
    blocked_alice(world)
    world.sweep(MIDNIGHT)
    record = world.ledger.records([ALICE])[ALICE]
    assert record == Record(ALICE, record.standing, version=record.version)
    assert world.sweep(NOON + 3 * DAY).looked_at == 0
