"""The stream meter tells how people behind shared identities stand in the log, for the gates."""

from datetime import UTC, datetime, timedelta

import pytest

from log_records import ACCOUNT
from quota_enforcer.core.usage.stored import MeterRules, Source
from quota_enforcer.meter.log import appearances
from stream_fakes import Place, call, delivery

NINE = datetime(2026, 12, 1, 9, tzinfo=UTC)
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role"
GRACE = f"{ROLE}/AWSReservedSSO_Developer_0123456789abcdef/Grace@x.org"
BUILD = f"{ROLE}/ci/build-7"


def delivered(place: Place, *calls: tuple[str, datetime]) -> None:
    events = [call(number, at, who) for number, (who, at) in enumerate(calls)]
    place.stream.deliver(delivery(events), calls[-1][1], "request")


def told(place: Place) -> set[str]:
    return {arn for arn, _ in place.ledger.sources}


def test_a_person_of_identity_center_is_told_by_role_and_spelling() -> None:
    place = Place()
    delivered(place, (GRACE, NINE))
    assert told(place) == {GRACE}
    assert {each.active_to for each in place.ledger.sources.values()} == {NINE}


def test_a_session_is_told_only_where_a_quota_watches_it() -> None:
    place = Place()
    delivered(place, (BUILD, NINE), ("alice", NINE))
    assert told(place) == set()
    place = Place()
    place.ledger.the_brief = MeterRules(frozenset({"session/ci/*"}))
    delivered(place, (BUILD, NINE), ("alice", NINE))
    assert told(place) == {BUILD}


def test_roles_are_of_their_account_and_spellings_those_of_all() -> None:
    """A gate is in one account, and lists a person by every spelling."""
    member = GRACE.replace(ACCOUNT, "444455556666").replace("Grace", "GRACE")
    found = appearances.seen([Source(GRACE, "m", NINE), Source(member, "m", NINE)], ACCOUNT)
    [(person, appears)] = found.items()
    assert str(person) == "sso/grace@x.org"
    assert appears.names == {"Grace@x.org", "GRACE@x.org"}
    role = "AWSReservedSSO_Developer_0123456789abcdef"
    assert appears.roles == {role, f"444455556666/{role}"}


def test_each_is_told_once_a_day_however_often_it_calls() -> None:
    place = Place()
    delivered(place, (GRACE, NINE), (GRACE, NINE))
    delivered(place, (GRACE, NINE + timedelta(hours=1)))
    assert place.ledger.told == 1
    delivered(place, (GRACE, NINE + timedelta(days=1)))
    assert place.ledger.told == 2


def test_ever_new_names_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appearances, "MOST_KNOWN", 2)
    place = Place()
    for name in ("one", "two", "three", "four", "one"):
        delivered(place, (f"{GRACE}.{name}", NINE))
    assert place.ledger.told == 5


def test_it_is_told_before_the_enforcer_is_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would find nobody whom a gate could list."""
    place = Place()
    monkeypatch.setattr(place.ledger, "remember_sources", refuse)
    with pytest.raises(ConnectionError):
        delivered(place, (GRACE, NINE))
    assert place.wake.woken == []


def test_what_could_not_be_told_is_told_with_the_same_delivery_again() -> None:
    place = Place()
    with pytest.MonkeyPatch.context() as away:
        away.setattr(place.ledger, "remember_sources", refuse)
        with pytest.raises(ConnectionError):
            delivered(place, (GRACE, NINE))
    delivered(place, (GRACE, NINE))
    assert told(place) == {GRACE}


def test_a_recount_tells_them_too() -> None:
    """The call may be one that the stream never delivered."""
    place = Place()
    place.log.lines = [call(1, NINE, GRACE)]
    place.recounter.recount(NINE, NINE + timedelta(hours=2))
    assert told(place) == {GRACE}


def refuse(*_: object) -> None:
    raise ConnectionError("the ledger is away")
