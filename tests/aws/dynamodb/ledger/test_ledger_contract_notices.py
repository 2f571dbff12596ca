"""What every ledger keeps of notices and quota items, the adapter as well as the fake."""

from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from builders import ALICE, HOUR, NOON
from quota_enforcer.core.ledger import QuotaMemory, Record
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.enforce.ports.ledger import Ledger


@pytest.fixture
def ledger(either_ledger: Ledger) -> Ledger:
    return either_ledger


def vars_of(notice: Notice) -> list[object]:
    """What each field holds; None where it still has its default."""
    return [
        None if getattr(notice, each.name) == each.default else getattr(notice, each.name)
        for each in fields(notice)
    ]


def a_notice(who: str = "user/alice", *, kind: NoticeKind = NoticeKind.BLOCKED) -> Notice:
    return Notice(kind, NOON, who, "daily", "1,000 of 1,000 used", limit=Decimal(1000))


def test_a_notice_is_read_back_as_it_was(ledger: Ledger) -> None:
    whole = Notice(
        NoticeKind.BLOCKED, NOON, "user/alice", "daily", "why", Decimal("1.5"), Decimal(1),
        "dollars", "day", 80, "team/research", "*", NOON, NOON + HOUR, "*, x", "monthly",
        NOON + HOUR, "team/research", "an admin", "a token", "a cheaper model", 80,
            (("Dollars", "$1"), ("Blocks", "nobody")),
    )  # fmt: skip
    assert None not in vars_of(whole)
    ledger.post([whole])
    assert ledger.outbox(NOON + HOUR) == [whole]
    assert ledger.history(ALICE) == [whole]


def test_notices_wait_until_they_are_sent(ledger: Ledger) -> None:
    notice, other = a_notice(), a_notice("user/bob")
    ledger.put(Record(ALICE, version=1), [notice])
    ledger.post([other])
    ledger.sent(notice)
    ledger.sent(notice)
    assert ledger.outbox(NOON + HOUR) == [other]


def test_only_older_notices_are_taken_from_the_outbox(ledger: Ledger) -> None:
    ledger.post([a_notice()])
    assert ledger.outbox(NOON) == []
    assert ledger.outbox(NOON + timedelta(microseconds=1)) == [a_notice()]


def test_posting_twice_is_posting_once(ledger: Ledger) -> None:
    for _ in range(2):
        ledger.post([a_notice(), a_notice()])
    assert ledger.outbox(NOON + HOUR) == [a_notice()]
    assert ledger.history(ALICE) == [a_notice()]


def test_history_is_by_principal_and_oldest_first(ledger: Ledger) -> None:
    restored = replace(a_notice(kind=NoticeKind.RESTORED), at=NOON + HOUR)
    ledger.put(Record(ALICE, version=1), [restored])
    ledger.post([a_notice(), a_notice("user/bob")])
    assert ledger.history(ALICE) == [a_notice(), restored]


def test_history_from_a_moment_on(ledger: Ledger) -> None:
    seconds = (30.1, 30.5)
    moments = [NOON - HOUR, NOON, *(NOON + timedelta(seconds=n) for n in seconds), NOON + HOUR]
    ledger.post(replace(a_notice(), at=at, quota=f"q{place}") for place, at in enumerate(moments))
    ledger.post([replace(a_notice(""), at=at) for at in (NOON - HOUR, NOON)])
    since = NOON + timedelta(seconds=30.2)
    assert [each.quota for each in ledger.history(ALICE, NOON)] == ["q1", "q2", "q3", "q4"]
    assert [each.quota for each in ledger.history(ALICE, since)] == ["q3", "q4"]
    assert [each.at for each in ledger.history(None, NOON)] == [NOON]


def test_the_whole_history_is_everybodys_and_of_these_the_newest(ledger: Ledger) -> None:
    notices = [
        replace(a_notice("user/bob"), at=NOON),
        replace(a_notice("default"), at=NOON + HOUR),
        replace(a_notice(), at=NOON + 2 * HOUR),
    ]
    ledger.put(Record(ALICE, version=1), [notices[2]])
    ledger.post(notices[:2])
    assert ledger.whole_history() == notices
    assert ledger.whole_history(NOON + HOUR) == notices[1:]
    assert ledger.whole_history(limit=2) == notices[1:]
    assert ledger.whole_history(NOON + HOUR, 1) == notices[2:]
    assert ledger.everybody() == [Record(ALICE, version=1)]
    assert ledger.due(NOON + timedelta(days=999)) == set()


def test_what_would_have_been_blocked_is_kept_and_never_sent(ledger: Ledger) -> None:
    told = a_notice(kind=NoticeKind.WOULD_HAVE_BLOCKED)
    ledger.put(Record(ALICE, version=1), [told])
    ledger.post([replace(told, quota="other")])
    assert ledger.outbox(NOON + HOUR) == []
    assert [each.quota for each in ledger.history(ALICE)] == ["daily", "other"]


@pytest.mark.parametrize("subject", ["", "user/*", "default", "quotas", "outbox"])
def test_notices_of_no_principal_are_in_the_history_of_the_deployment(
    ledger: Ledger, subject: str
) -> None:
    notice = a_notice(subject, kind=NoticeKind.INVALID_QUOTA)
    ledger.post([notice])
    assert ledger.history() == [notice]
    assert ledger.outbox(NOON + HOUR) == [notice]
    assert ledger.quota_memories() == []


def test_a_notice_is_read_back_whole(ledger: Ledger) -> None:
    notice = Notice(
        NoticeKind.WARNING, NOON, "user/alice", "daily", "reason", 800, Decimal("Infinity"),
        "total tokens", "day", 80, "default", "*", NOON - HOUR, NOON + HOUR,
    )  # fmt: skip
    ledger.post([notice])
    assert ledger.outbox(NOON + HOUR) == ledger.history(ALICE) == [notice]


@pytest.mark.parametrize("used", ["12.3456789012345", "10", "0", "1E+3", "3.5E-13"])
def test_money_in_a_notice_is_read_back_exactly_and_as_money(ledger: Ledger, used: str) -> None:
    notice = replace(a_notice(), used=Decimal(used), limit=Decimal("12.5"))
    ledger.post([notice])
    [read] = ledger.outbox(NOON + HOUR)
    assert (read, str(read.used)) == (notice, used)
    assert isinstance(read.used, Decimal)
    [counted] = _posted(ledger, replace(notice, used=10, quota="tokens"))
    assert isinstance(counted.used, int)


def _posted(ledger: Ledger, notice: Notice) -> list[Notice]:
    ledger.post([notice])
    return [each for each in ledger.outbox(NOON + HOUR) if each == notice]


def test_any_number_of_notices_can_be_posted(ledger: Ledger) -> None:
    ledger.post([])
    ledger.post(replace(a_notice(), quota=f"q{number}") for number in range(120))
    assert len(ledger.outbox(NOON + HOUR)) == len(ledger.history(ALICE)) == 120


# Quotas


def test_a_quota_item_is_remembered_exactly_and_forgotten(ledger: Ledger) -> None:
    item = {"limit": Decimal("1E+3"), "models": {"*"}, "warn_at": {Decimal(50), Decimal(80)},
            "exempt": False, "raw": b"\x00", "members": ["user/alice", {"a": None}]}  # fmt: skip
    none = QuotaMemory("user/*", "daily")
    first = replace(none, item={}, stamp="1")
    valid = replace(none, item=item, reported="limit is -1; allowed: 0 or more", stamp="2")
    never_valid = QuotaMemory("usr/alice", "", None, "principal is 'usr/alice'", "3")
    assert ledger.remember_quota(first, none)
    assert ledger.remember_quota(valid, first)
    assert ledger.remember_quota(never_valid, QuotaMemory("usr/alice", ""))
    assert sorted(ledger.quota_memories(), key=lambda memory: memory.subject) == [
        valid,
        never_valid,
    ]
    assert ledger.forget_quota(valid)
    assert ledger.quota_memories() == [never_valid]


def test_who_announces_a_removal_is_remembered_with_the_item(ledger: Ledger) -> None:
    memory = QuotaMemory("user/*", "daily", {"limit": 1}, "", "1")
    ledger.remember_quota(memory, QuotaMemory("user/*", "daily"))
    ledger.announce_removal("user/*", "daily", "arn:admin")
    [announced] = ledger.quota_memories()
    assert announced == replace(memory, removed_by="arn:admin", stamp=announced.stamp)
    assert not ledger.forget_quota(memory)
    assert ledger.forget_quota(announced)
    ledger.announce_removal("user/*", "daily", "arn:admin")
    assert ledger.quota_memories() == []


def an_edit(quota: str = "daily") -> Notice:
    return Notice(NoticeKind.EDITED, NOON, "user/alice", quota, "limit 1 -> 2", by="me", edit="x")


def test_an_edit_is_noted_with_what_is_remembered_and_sent_to_nobody(ledger: Ledger) -> None:
    none = QuotaMemory("user/alice", "daily")
    invalid = replace(a_notice(), kind=NoticeKind.INVALID_QUOTA)
    memory = replace(none, item={"limit": 2}, stamp="1")
    assert ledger.remember_quota(memory, none, [an_edit(), invalid])
    assert {each.id for each in ledger.history(ALICE)} == {an_edit().id, invalid.id}
    assert an_edit() in ledger.history(ALICE)
    assert ledger.outbox(NOON + HOUR) == [invalid]


def test_who_comes_second_with_an_edit_writes_nothing(ledger: Ledger) -> None:
    none = QuotaMemory("user/alice", "daily")
    before = replace(none, item={"limit": 1}, stamp="1")
    after = replace(none, item={"limit": 2}, stamp="2")
    ledger.remember_quota(before, none)
    ledger.remember_quota(after, before)
    for stale in (none, before):
        assert not ledger.remember_quota(replace(after, stamp="3"), stale, [an_edit()])
        assert not ledger.forget_quota(stale, [an_edit()])
    assert ledger.quota_memories() == [after]
    assert ledger.history(ALICE) == []
    assert ledger.forget_quota(after, [an_edit("gone")])
    assert not ledger.forget_quota(after, [an_edit()])
    assert [each.quota for each in ledger.history(ALICE)] == ["gone"]


def test_quota_items_of_any_name_keep_apart(ledger: Ledger) -> None:
    long = "x" * 1024
    names = [("a#b", "c"), ("a", "b#c"), ("a#b", "c#d"), ("a", "b#c#d"), (long, long), (long, "y")]
    memories = {QuotaMemory(subject, name) for subject, name in names}
    for memory in memories:
        ledger.remember_quota(memory, QuotaMemory(memory.subject, memory.name))
    assert set(ledger.quota_memories()) == memories
