"""What home takes from whom, and each refusal with its status and its sentence."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quota_enforcer.core.usage.place import Place
from quota_enforcer.satellites.intake import (
    AnnounceRequest,
    ForwardRequest,
    HomeStack,
    IntakeRefused,
    LeaveRequest,
    SatelliteCaller,
    take,
)
from quota_enforcer.satellites.names import VERSION
from quota_enforcer.satellites.registry import Satellite, member_accounts

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
OURS, MEMBER, STRANGER = "111122223333", "444455556666", "777788889999"
ORGANIZATION = "o-exampleorgid"
STACK_ID = f"arn:aws:cloudformation:us-east-1:{OURS}:stack/quotas/51af3dc0-da77"
HOME = HomeStack("quotas", STACK_ID, Place(OURS, "us-east-1"), ORGANIZATION)
REGIONS_ONLY = replace(HOME, organization="")
THEIRS = f"arn:aws:cloudformation:eu-west-1:{MEMBER}:stack/StackSet-x/9a8b"
ANNOUNCED = {"stack_id": THEIRS, "log_group": "/bedrock/log", "parameters": "abc"}


def caller(
    part: str = "forwarder",
    account: str = MEMBER,
    region: str = "eu-west-1",
    organization: str = ORGANIZATION,
) -> SatelliteCaller:
    arn = f"arn:aws:sts::{account}:assumed-role/quotas-{part}-{region}/function"
    return SatelliteCaller(account, arn, organization)


def body(home: str = STACK_ID, version: Any = VERSION, **asked: Any) -> str:
    return json.dumps({"home": home, "version": version, **asked})


FORWARD = body(awslogs={"data": "H4sI"})
SETUP = caller("satellite-setup")


def refused(who: SatelliteCaller, what: str, home: HomeStack = HOME) -> tuple[int, str]:
    with pytest.raises(IntakeRefused) as refusal:
        take(who, what, home, NOW)
    return refusal.value.status, str(refusal.value)


def test_a_batch_is_of_the_callers_account_and_of_the_region_in_its_roles_name() -> None:
    assert take(caller(), FORWARD, HOME, NOW) == ForwardRequest(Place(MEMBER, "eu-west-1"), "H4sI")


@pytest.mark.parametrize("home", [HOME, REGIONS_ONLY])
@pytest.mark.parametrize("organization", ["", ORGANIZATION])
def test_another_region_of_homes_own_account_is_taken_whatever_the_organisation(
    home: HomeStack, organization: str
) -> None:
    who = caller(account=OURS, organization=organization)
    assert take(who, FORWARD, home, NOW) == ForwardRequest(Place(OURS, "eu-west-1"), "H4sI")


def test_a_satellite_announces_itself_and_leaves_by_its_set_up() -> None:
    place = Place(MEMBER, "eu-west-1")
    assert take(SETUP, body(announce=ANNOUNCED), HOME, NOW) == AnnounceRequest(
        Satellite(place, VERSION, "/bedrock/log", THEIRS, NOW, "abc")
    )
    assert take(SETUP, body(leave={"stack_id": THEIRS}), HOME, NOW) == LeaveRequest(place, THEIRS)


@pytest.mark.parametrize(
    ("who", "what", "home", "status", "words"),
    [
        (caller(account=STRANGER, organization=""), FORWARD, HOME, 403, "of organisation none"),
        (caller(organization="o-another"), FORWARD, HOME, 403, "of organisation o-another"),
        (caller(), FORWARD, REGIONS_ONLY, 403, "set its parameter Satellites"),
        (caller("satellite-reader"), FORWARD, HOME, 403, "only quotas-forwarder-REGION"),
        (SETUP, FORWARD, HOME, 403, "only quotas-forwarder-REGION"),
        (caller(), body(announce=ANNOUNCED), HOME, 403, "only quotas-satellite-setup-REGION"),
        (caller(), body(leave={"stack_id": THEIRS}), HOME, 403, "only quotas-satellite-setup"),
        (
            SatelliteCaller(MEMBER, f"arn:aws:iam::{MEMBER}:user/eve", ORGANIZATION),
            FORWARD, HOME, 403, "is not the role that may ask for this",
        ),
        (
            replace(caller(), account=OURS), FORWARD, HOME, 403, "is not the role that may ask",
        ),
        (caller(account=OURS, region="us-east-1"), FORWARD, HOME, 409, "meters its own log"),
        (caller(), body("arn:another", awslogs={"data": ""}), HOME, 409, "of 'arn:another'"),
        (caller(), body(version=2, awslogs={"data": ""}), HOME, 409, "newer home stack first"),
        (caller(), body(version=0, awslogs={"data": ""}), HOME, 409, "satellite.yaml of home's"),
        (caller(), body(version="1", awslogs={"data": ""}), HOME, 400, "no request of a satell"),
        (caller(), body(version=True, awslogs={"data": ""}), HOME, 400, "no request of a satell"),
        (caller(), "", HOME, 400, "no request of a satellite"),
        (caller(), "[" * 100_000, HOME, 400, "no request of a satellite"),
        (caller(), "[]", HOME, 400, "no request of a satellite"),
        (caller(), body(), HOME, 400, "exactly one of awslogs, announce, leave"),
        (caller(), body(awslogs={"data": 1}), HOME, 400, "exactly one of"),
        (caller(), body(awslogs={"data": ""}, leave={}), HOME, 400, "exactly one of"),
        (SETUP, body(announce={}), HOME, 400, "announce has to say"),
        (SETUP, body(announce=ANNOUNCED | {"log_group": "a b"}), HOME, 400, "log_group is 'a b'"),
        (SETUP, body(announce=ANNOUNCED | {"parameters": "ä"}), HOME, 400, "is no digest"),
        (SETUP, body(announce=ANNOUNCED | {"stack_id": STACK_ID}), HOME, 400, "expected the ARN"),
        (SETUP, body(leave={"stack_id": "x"}), HOME, 400, "expected the ARN of a stack in 4444"),
    ],
)  # fmt: skip
def test_what_is_not_taken_is_refused_with_the_reason_and_the_fix(
    who: SatelliteCaller, what: str, home: HomeStack, status: int, words: str
) -> None:
    told = refused(who, what, home)
    assert told[0] == status
    assert words in told[1]


def of_anything(each: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["data", "stack_id", "log_group", "x"])
    return st.lists(each, max_size=3) | st.dictionaries(names, each)


@given(st.recursive(st.none() | st.integers() | st.text(), of_anything))
def test_whatever_a_body_holds_it_is_refused_in_words_that_never_quote_it(value: Any) -> None:
    secret = "what somebody typed"  # noqa: S105 - of no system
    for kind in ("awslogs", "announce", "leave"):
        for who in (caller(), SETUP):
            assert secret not in refused(who, body(**{kind: value, "more": secret}))[1]


def test_member_accounts_are_those_of_the_satellites_without_homes() -> None:
    several = [
        Satellite(Place(account, region), VERSION, "log", THEIRS, NOW)
        for account, region in [(OURS, "eu-west-1"), (MEMBER, "eu-west-1"), (MEMBER, "us-east-1")]
    ]
    assert member_accounts(several, OURS) == {MEMBER}
    assert member_accounts([], OURS) == frozenset()
