"""Who asks for more: admins are told once with the command, whoever asked hears the answer."""

import shlex
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from builders import ALICE, NOON
from quota_enforcer.core.notices.message import message
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.request import RaiseRequest, Refusal
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.enforce.notify.requests import AT_ONCE
from world import World

MINUTE = timedelta(minutes=1)
TOLD = {NoticeKind.ASKED, NoticeKind.GRANTED, NoticeKind.REFUSED}


def a_request(who: Principal = ALICE, at: datetime = NOON, **but: object) -> RaiseRequest:
    request = RaiseRequest(
        who,
        who,
        "daily",
        Measure.TOTAL_TOKENS,
        Decimal(5000),
        at + timedelta(days=1),
        "release day",
        at,
        Decimal(1000),
    )
    return replace(request, **but)  # type: ignore[arg-type]


@pytest.fixture
def world() -> World:
    world = World()
    world.quota()
    world.sweep(NOON - MINUTE)
    world.ledger.ask(a_request())
    return world


def told(world: World) -> list[Notice]:
    return [notice for notice, _ in world.topic.sent if notice.kind in TOLD]


def kinds(world: World) -> list[str]:
    return [each.kind for each in told(world)]


def test_admins_are_told_once_with_the_command_that_grants_it(world: World) -> None:
    world.sweep(NOON + MINUTE)
    world.sweep(NOON + 2 * MINUTE)
    (asked,) = told(world)
    assert (asked.kind, asked.kind.audience) == (NoticeKind.ASKED, "admins")
    sent = message(asked, world.settings.zone, "x")
    assert sent.subject == "More is asked for: quota daily, user/alice"
    assert sent.facts == (
        (
            "Why",
            (
                "user/alice asks for 5,000 total tokens until 2026-11-25 12:00 UTC, where the "
                'limit is 1,000 total tokens: "release day".'
            ),
        ),
        (
            "What to do",
            "Grant it or refuse it with one of these; until then nothing changes.",
        ),
        (
            "To grant it",
            "`quota-enforcer quota raise user/alice daily 5000 --until 2026-11-25T12:00+00:00`",
        ),
        ("To refuse it", "`quota-enforcer requests deny user/alice`"),
    )


def test_who_asked_hears_that_it_is_granted(world: World) -> None:
    """In seconds, with the edit; and of it once."""
    world.sweep(NOON + MINUTE)
    world.quota(raise_to=5000, raise_until="2026-11-25T12:00:00+00:00")
    world.enforcer().edited(NOON + 2 * MINUTE)
    world.sweep(NOON + 3 * MINUTE)
    *_, granted = told(world)
    assert kinds(world) == [NoticeKind.ASKED, NoticeKind.GRANTED]
    assert (granted.principal, granted.kind.audience) == ("user/alice", "people")
    assert granted.reason == (
        "the limit is 5,000 total tokens now; asked for: 5,000 total tokens until "
        "2026-11-25 12:00 UTC"
    )


def test_a_smaller_raise_is_an_answer_too(world: World) -> None:
    world.quota(limit=3000)
    world.sweep(NOON + MINUTE)
    (granted,) = told(world)
    assert granted.kind is NoticeKind.GRANTED
    assert granted.reason.startswith("the limit is 3,000 total tokens now")


@pytest.mark.parametrize("exempt", [True, False])
def test_so_is_that_nothing_limits_it_any_more(world: World, *, exempt: bool) -> None:
    if exempt:
        world.quota(exempt=True)
    else:
        world.quotas.table.clear()
    world.sweep(NOON + MINUTE)
    assert kinds(world) == [NoticeKind.GRANTED]
    assert "there is no limit any more" in told(world)[0].reason


def test_who_asked_hears_that_it_is_refused_by_whom_and_why(world: World) -> None:
    world.sweep(NOON + MINUTE)
    (request,) = world.ledger.requests()
    assert world.ledger.refuse(request, Refusal(NOON, "user/admin", "use the cheaper model"))
    world.sweep(NOON + 2 * MINUTE)
    world.sweep(NOON + 3 * MINUTE)
    *_, refused = told(world)
    assert kinds(world) == [NoticeKind.ASKED, NoticeKind.REFUSED]
    assert (refused.kind.audience, refused.by) == ("people", "user/admin")
    assert refused.reason == (
        'user/admin refused 5,000 total tokens until 2026-11-25 12:00 UTC: "use the cheaper model"'
    )


def test_what_was_answered_stays_so(world: World) -> None:
    """A raise that ends is no news of the request."""
    world.quota(raise_to=5000, raise_until="2026-11-24T13:00:00+00:00")
    world.sweep(NOON + MINUTE)
    world.sweep(NOON + timedelta(hours=2))
    assert kinds(world) == [NoticeKind.GRANTED]


def test_what_nobody_answered_by_its_end_is_not_told(world: World) -> None:
    world.sweep(NOON + timedelta(days=1))
    assert kinds(world) == []


def test_a_new_request_takes_the_place_of_the_last(world: World) -> None:
    world.sweep(NOON + MINUTE)
    world.ledger.ask(a_request(at=NOON + timedelta(hours=1), limit=Decimal(9000)))
    world.sweep(NOON + timedelta(hours=2))
    assert [notice.limit for notice in told(world)] == [5000, 9000]


def test_a_dry_run_tells_of_none(world: World) -> None:
    world.sweep(NOON + MINUTE, dry_run=True)
    assert kinds(world) == []
    world.sweep(NOON + MINUTE)
    assert kinds(world) == [NoticeKind.ASKED]


def test_many_are_told_of_bit_by_bit(world: World) -> None:
    """However many roles somebody may make: no flood of mails from one sweep."""
    for number in range(AT_ONCE + 5):
        who = Principal.parse(f"user/u{number}")
        world.quota(principal=f"user/u{number}")
        world.ledger.ask(a_request(who, NOON + timedelta(seconds=number + 1)))
    world.sweep(NOON + MINUTE)
    assert len(told(world)) == AT_ONCE
    world.sweep(NOON + 2 * MINUTE)
    assert len({notice.principal for notice in told(world)}) == AT_ONCE + 6


def test_a_crash_before_it_is_told_leaves_it_to_the_next_sweep(world: World) -> None:
    world.topic.fails = TimeoutError()
    world.sweep(NOON + MINUTE)
    world.topic.fails = None
    world.sweep(NOON + timedelta(minutes=15))
    assert kinds(world) == [NoticeKind.ASKED]


def test_requests_that_cannot_be_read_stop_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> list[RaiseRequest]:
        raise TimeoutError("throttled")

    monkeypatch.setattr(world.ledger, "requests", fail)
    world.call("alice", NOON - 5 * MINUTE, 1200)
    report = world.sweep(NOON + MINUTE)
    assert report.failures == ["could not tell of requests: TimeoutError: throttled"]
    assert [notice.kind for notice, _ in world.topic.sent] == [NoticeKind.BLOCKED]


@pytest.mark.parametrize(
    ("subject", "quota"),
    [("user/alice", "daily"), ("sso/o'neil@example.com", "$(reboot)"), ("user/a b", "x; rm -rf /")],
)
def test_no_word_of_the_command_is_more_than_a_word_to_a_shell(subject: str, quota: str) -> None:
    notice = Notice(NoticeKind.ASKED, NOON, subject, quota, "why", limit=Decimal("2.50"),
                    whom=subject, until=NOON)  # fmt: skip
    facts = dict(message(notice, NOON.tzinfo, "x").facts)  # type: ignore[arg-type]
    assert shlex.split(facts["To grant it"].strip("`")) == [
        "quota-enforcer", "quota", "raise", subject, quota, "2.5", "--until",
        "2026-11-24T12:00+00:00",
    ]  # fmt: skip
    assert shlex.split(facts["To refuse it"].strip("`"))[-1] == subject
