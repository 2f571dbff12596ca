"""What satellites post to the meter's function URL, and what the meter sets in their places."""

import json
from datetime import timedelta
from logging import LogRecord
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from builders import HOUR, NOON
from log_records import ACCOUNT
from quota_enforcer.aws.cloudwatch.elsewhere import Elsewhere
from quota_enforcer.core.usage.place import Place as Where
from quota_enforcer.lambdas.meter import handler as meter
from quota_enforcer.lambdas.meter.places import SharedDays
from quota_enforcer.lambdas.meter.wiring import Meter
from satellite_fakes import (
    IRELAND,
    MEMBER,
    OREGON,
    ORGANIZATION,
    STACK_ID,
    Satellites,
    a_satellite,
)
from stopped_clock import at
from stream_fakes import Place, call, delivery

MINUTE = timedelta(minutes=1)
LATER = NOON + 2 * HOUR
BOB = f"arn:aws:iam::{MEMBER}:user/bob"


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def satellites(place: Place, monkeypatch: pytest.MonkeyPatch) -> Satellites:
    """One in a member account and one in another Region of home's."""
    found = Satellites(place, IRELAND, OREGON)
    made = Meter(
        place.stream, place.recounter, lambda *_: Elsewhere({}), place.watch, lambda _: (),
        found.places,
    )  # fmt: skip
    monkeypatch.setattr(meter, "meter", lambda: made)
    return found


def invoke(asked: Any) -> dict[str, Any]:
    context = SimpleNamespace(
        function_name="meter",
        memory_limit_in_mb=512,
        invoked_function_arn="arn:aws:lambda:us-east-1:111122223333:function:meter",
        aws_request_id="52fdfc07-2182-454f-963f-5f0f9a621d72",
    )
    return cast("dict[str, Any]", meter.handler(asked, cast("Any", context)))


def posted(
    asked: Any, place: Where = IRELAND, part: str = "forwarder", **changes: Any
) -> dict[str, Any]:
    """What Lambda makes of a signed request."""
    iam = {
        "accountId": place.account,
        "userArn": f"arn:aws:sts::{place.account}:assumed-role/quotas-{part}-{place.region}/f",
        "principalOrgId": ORGANIZATION,
        **changes,
    }
    body = {"home": STACK_ID, "version": 1, **asked}
    return {
        "rawPath": "/",
        "requestContext": {"http": {"method": "POST"}, "authorizer": {"iam": iam}},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def answered(request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = invoke(request)
    return answer["statusCode"], json.loads(answer["body"])


def there(number: int, at: Any = NOON, who: str = BOB, **changes: Any) -> Any:
    """A call of somebody in the member account."""
    return call(number, at, who, accountId=MEMBER, region="eu-west-1", **changes)


def batch(*events: Any, owner: str = MEMBER, **changes: Any) -> dict[str, Any]:
    data = delivery(events, owner=owner, logGroup="/bedrock/there", **changes)
    return {"awslogs": {"data": data}}


def used(place: Place) -> dict[tuple[str, str], int]:
    """Requests by principal and place."""
    sums: dict[tuple[str, str], int] = {}
    for bucket, hours in place.ledger.usage.items():
        key = str(bucket.principal), bucket.place
        sums[key] = sums.get(key, 0) + sum(each.requests for each in hours.values())
    return {key: requests for key, requests in sums.items() if requests}


IN_IRELAND = (f"{MEMBER}/user/bob", str(IRELAND))


@at(NOON)
def test_a_batch_is_metered_in_its_place_and_noted(place: Place, satellites: Satellites) -> None:
    status, answer = answered(posted(batch(there(1), there(2, NOON - MINUTE))))
    assert (status, answer["counted"]) == (200, 2)
    assert used(place) == {IN_IRELAND: 2}
    assert satellites.registry.noted == [(IRELAND, NOON)]
    assert place.wake.woken == [{f"{MEMBER}/user/bob"}]


@at(NOON)
def test_what_is_forwarded_does_not_hide_that_homes_own_log_is_cut_off(
    satellites: Satellites, capsys: pytest.CaptureFixture[str]
) -> None:
    """The alarm CallsNotMetered holds what Bedrock counted at home against Counted and Skipped."""
    del satellites
    failed = there(2, errorCode="ThrottlingException")
    answer = answered(posted(batch(there(1), failed)))[1]
    assert (answer["counted"], answer["skipped"]) == (1, 1)
    lines = [json.loads(each) for each in capsys.readouterr().out.splitlines() if each[0] == "{"]
    [measured] = [each for each in lines if "_aws" in each]
    assert measured["Forwarded"] == [1.0]
    assert not {"Counted", "Skipped"} & measured.keys()
    assert measured["place"] == "444455556666/eu-west-1"


@at(NOON)
def test_another_region_of_home_has_homes_names(place: Place, satellites: Satellites) -> None:
    alice = call(1, NOON, "alice", region="us-west-2")
    request = posted(batch(alice, owner=ACCOUNT), OREGON)
    assert answered(request)[1]["counted"] == 1
    assert used(place) == {("user/alice", str(OREGON)): 1}
    assert satellites.registry.noted == [(OREGON, NOON)]


@at(NOON)
def test_a_call_counts_once_however_often_and_by_whatever_path_it_comes(
    place: Place, satellites: Satellites
) -> None:
    """Delivered twice, regrouped by a second subscription, and by a satellite that is rebuilt."""
    answered(posted(batch(there(1), there(2))))
    assert answered(posted(batch(there(1), there(2))))[1]["duplicates"] == 2
    by_two_paths = batch(there(2), there(3), subscriptionFilters=["another"])
    assert answered(posted(by_two_paths))[1]["counted"] == 1
    satellites.registry.announce(a_satellite(stack_id="another"))
    satellites.places._streams.clear()  # noqa: SLF001 - another process
    assert answered(posted(batch(there(1), there(2), there(3))))[1]["duplicates"] == 3
    assert used(place) == {IN_IRELAND: 3}


@at(NOON)
def test_an_identity_center_person_is_one_over_all_accounts(
    place: Place, satellites: Satellites
) -> None:
    del satellites
    role = "AWSReservedSSO_Dev_0123456789abcdef"
    arns = {
        each: f"arn:aws:sts::{each}:assumed-role/{role}/Ann@x.com" for each in (ACCOUNT, MEMBER)
    }
    place.stream.deliver(delivery([call(1, NOON, arns[ACCOUNT])]), NOON, "r")
    answered(posted(batch(there(2, who=arns[MEMBER]))))
    assert used(place) == {("sso/ann@x.com", ""): 1, ("sso/ann@x.com", str(IRELAND)): 1}


@at(NOON)
@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        (posted({**batch(there(1)), "home": "arn:another"}), 409, "of 'arn:another'"),
        (posted({**batch(there(1)), "version": 2}), 409, "this home knows version 1"),
        (posted({**batch(there(1)), "version": 0}), 409, "satellite.yaml of home's version"),
        (posted(batch(there(1)), principalOrgId=None), 403, "of organisation none"),
        (posted(batch(there(1)), principalOrgId="o-left"), 403, "of organisation o-left"),
        (posted(batch(there(1)), part="satellite-reader"), 403, "may ask for this"),
        (posted(batch(there(1), owner=ACCOUNT)), 403, "the batch is of the log of another acc"),
        (posted(batch(there(1), logStream="mine")), 403, "a log stream that is not Bedrock's"),
        (posted(batch(there(1)), Where(ACCOUNT, "us-east-1")), 409, "itself stands"),
        (posted({}), 400, "exactly one of"),
        (posted(batch(there(1))) | {"body": None}, 400, "no request of a satellite"),
        (posted(batch(there(1))) | {"isBase64Encoded": True}, 400, "no request of a satellite"),
        (posted(batch(there(1))) | {"rawPath": "/more"}, 400, "answers POST / of satellites"),
        (
            {"rawPath": "/", "requestContext": {"http": {"method": "POST"}}}, 403,
            "only requests that IAM has authorised",
        ),
    ],
)  # fmt: skip
def test_what_is_refused_counts_nothing_and_says_why(
    place: Place, satellites: Satellites, request_: dict[str, Any], status: int, words: str
) -> None:
    told = answered(request_)
    assert (told[0], words in told[1]["error"]) == (status, True), told
    assert (used(place), satellites.registry.noted) == ({}, [])


@at(NOON)
def test_a_stack_without_satellites_takes_none(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = Meter(
        place.stream, place.recounter, lambda *_: Elsewhere({}), place.watch, lambda _: ()
    )
    monkeypatch.setattr(meter, "meter", lambda: alone)
    status, answer = answered(posted(batch(there(1))))
    assert (status, used(place)) == (403, {})
    assert "set its parameter Satellites" in answer["error"]


@at(NOON)
def test_a_record_of_another_account_is_quarantined_and_costs_no_other(
    place: Place, satellites: Satellites
) -> None:
    del satellites
    forged = call(1, NOON, BOB, accountId="777788889999")
    answer = answered(posted(batch(forged, there(2))))[1]
    assert (answer["counted"], answer["quarantined"]) == (1, 1)
    assert used(place) == {IN_IRELAND: 1}


@at(NOON)
@pytest.mark.parametrize(("apart", "counted"), [(4, 1), (-4, 1), (6, 0), (-60, 1)])
def test_clocks_may_be_minutes_apart(
    place: Place, satellites: Satellites, apart: int, counted: int
) -> None:
    """As at home: five minutes ahead, and days behind."""
    del satellites
    answer = answered(posted(batch(there(1, NOON + apart * MINUTE))))[1]
    assert (answer["counted"], answer["quarantined"]) == (counted, 1 - counted)
    assert sum(used(place).values()) == counted


@at(NOON)
def test_what_cannot_be_written_leaves_pointers_that_name_no_word_and_its_place_is_recounted(
    place: Place, satellites: Satellites
) -> None:
    satellites.meter(IRELAND).ledger.refused = {f"{MEMBER}/user/bob"}
    status, answer = answered(posted(batch(there(1))))
    assert (status, answer["failed"]) == (200, 1)
    assert [each.event_id for each in place.letters.left] == [f"{1:056d}"]
    assert list(satellites.meter(IRELAND).ledger.asked) == [NOON]
    assert place.ledger.asked == {}


@at(NOON)
def test_what_must_come_again_is_an_error_of_the_function(
    place: Place, satellites: Satellites
) -> None:
    """The URL then answers 502, and the satellite tries again."""
    del satellites
    place.wake.fails = TimeoutError("the enforcer does not answer")
    with pytest.raises(TimeoutError):
        invoke(posted(batch(there(1))))


@at(NOON)
def test_a_registry_that_cannot_be_written_costs_no_call(
    place: Place, satellites: Satellites
) -> None:
    satellites.registry.fails = TimeoutError("no")
    assert answered(posted(batch(there(1))))[0] == 200
    assert used(place) == {IN_IRELAND: 1}


@at(NOON)
def test_a_satellite_announces_itself_and_leaves(satellites: Satellites) -> None:
    new = Where(MEMBER, "ap-south-1")
    own = a_satellite(new, parameters="abc")
    said = {"stack_id": own.stack_id, "log_group": own.log_group, "parameters": "abc"}
    assert answered(posted({"announce": said}, new, "satellite-setup")) == (
        200, {"announced": str(new)},
    )  # fmt: skip
    assert satellites.registry.known[new] == own
    leave = posted({"leave": {"stack_id": own.stack_id}}, new, "satellite-setup")
    assert answered(leave) == (200, {"left": True})
    assert answered(leave) == (200, {"left": False})
    assert new not in satellites.registry.known


@at(NOON)
def test_what_somebody_typed_is_neither_logged_nor_answered(
    satellites: Satellites, capsys: pytest.CaptureFixture[str], kept_log: list[LogRecord]
) -> None:
    del satellites
    bodies: dict[str, Any] = {"input__inputBodyJson": {"prompt": "my secret diagnosis"}}
    forged = there(3, input__inputTokenCount="secret", **bodies)
    said = [
        posted(batch(there(1, **bodies), forged)),
        posted({**batch(there(2, **bodies)), "secret": "secret"}),
        posted(batch(there(2, **bodies), logStream="a secret")),
        posted({"announce": {"secret": "secret"}}, part="satellite-setup"),
    ]
    answers = [answered(each) for each in said]
    assert [status for status, _ in answers] == [200, 400, 403, 400]
    logged = [vars(each) for each in kept_log]
    assert {each["msg"] for each in logged} >= {"quarantined", "refused to a satellite"}
    assert "secret" not in json.dumps(answers) + capsys.readouterr().out + repr(logged)


RECOUNT = {"action": "recount"}
OF_NOON = {"action": "recount", "hour": f"{NOON:%Y-%m-%dT%H:%M:%SZ}"}


def silent() -> ClientError:
    response: Any = {"Error": {"Code": "AccessDenied", "Message": "may not take the role"}}
    return ClientError(response, "AssumeRole")


@at(LATER)
def test_an_hour_is_set_in_each_place_from_its_own_log(
    place: Place, satellites: Satellites
) -> None:
    place.log.lines = [call(1, NOON)]
    satellites.logs[IRELAND].lines = [there(2), there(3)]
    answer = invoke(OF_NOON)
    assert answer["records"] == 1
    found = {each["place"]: each.get("records", each) for each in answer["places"]}
    assert found == {str(IRELAND): 2, str(OREGON): 0}
    assert used(place) == {("user/alice", ""): 1, IN_IRELAND: 2}


@at(LATER)
def test_a_place_that_cannot_be_read_is_told_and_stays_asked_for_and_stops_no_other(
    place: Place, satellites: Satellites, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> Any:
        raise silent()

    monkeypatch.setattr(satellites.logs[OREGON], "kept_since", fails)
    place.log.lines = [call(1, NOON)]
    satellites.logs[IRELAND].lines = [there(2)]
    answer = invoke(OF_NOON)
    assert [each for each in answer["places"] if "unread" in each] == [
        {"place": str(OREGON), "hour": OF_NOON["hour"], "unread": "ClientError AccessDenied"}
    ]
    assert used(place) == {("user/alice", ""): 1, IN_IRELAND: 1}
    assert list(satellites.meter(OREGON).ledger.asked) == [NOON]


@at(LATER)
def test_one_place_alone_or_one_that_nobody_knows(place: Place, satellites: Satellites) -> None:
    place.log.lines = [call(1, NOON)]
    satellites.logs[IRELAND].lines = [there(2)]
    answer = invoke({**OF_NOON, "place": str(IRELAND)})
    assert (answer["place"], answer["records"], "places" in answer) == (str(IRELAND), 1, False)
    assert used(place) == {IN_IRELAND: 1}
    refused = invoke({**OF_NOON, "place": f"{MEMBER}/eu-north-1"})
    assert refused["refused"].startswith(f"no satellite has announced itself from {MEMBER}/eu-nor")


@at(LATER)
def test_a_forged_record_of_a_satellite_is_left_out_in_its_place_only(
    place: Place, satellites: Satellites
) -> None:
    satellites.logs[IRELAND].lines = [there(2), there(3)]
    invoke({**OF_NOON, "place": str(IRELAND), "without": [f"{2:056d}"]})
    invoke(OF_NOON)
    assert used(place) == {IN_IRELAND: 1}
    told = satellites.meter(IRELAND).ledger.posted[0].reason
    assert f"in {IRELAND}" in told
    assert f"--everything --place {IRELAND}`" in told
    assert "places" not in invoke({**OF_NOON, "everything": True}), "log events are of one log"


@at(LATER)
def test_on_the_hour_what_a_satellite_could_not_hand_over_is_set_from_its_log(
    place: Place, satellites: Satellites
) -> None:
    satellites.logs[IRELAND].lines = [there(2), there(3, NOON - MINUTE)]
    satellites.queues[IRELAND].waiting = {"handle": [NOON]}
    answer = invoke(RECOUNT)
    assert [each["hour"] for each in answer["places"][str(IRELAND)]] == [
        "2026-11-24T11:00:00Z", "2026-11-24T12:00:00Z",
    ]  # fmt: skip
    assert used(place) == {IN_IRELAND: 2}
    assert satellites.queues[IRELAND].waiting == {}


@at(LATER)
def test_on_the_hour_a_silent_satellite_is_measured_keeps_its_hours_and_stops_no_other(
    place: Place,
    satellites: Satellites,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kept_log: list[LogRecord],
) -> None:
    def fails() -> Any:
        raise silent()

    monkeypatch.setattr(satellites.logs[OREGON], "kept_since", fails)
    satellites.queues[OREGON].fails = silent()
    for where in (IRELAND, OREGON):
        satellites.meter(where).ledger.ask_recounts([NOON], NOON)
    place.ledger.ask_recounts([NOON], NOON)
    place.log.lines = [call(1, NOON)]
    satellites.logs[IRELAND].lines = [there(2)]
    answer = invoke(RECOUNT)
    assert list(answer["places"]) == [str(IRELAND)]
    assert used(place) == {("user/alice", ""): 1, IN_IRELAND: 1}
    assert list(satellites.meter(OREGON).ledger.asked) == [NOON]
    lines = [json.loads(each) for each in capsys.readouterr().out.splitlines() if each[0] == "{"]
    assert [each["SatelliteUnread"] for each in lines if "_aws" in each] == [[1.0]]
    [said] = [vars(each) for each in kept_log if each.levelname == "ERROR"]
    assert (said["place"], said["reasons"]) == (str(OREGON), ["ClientError AccessDenied"])


def test_not_always_the_same_satellite_comes_first(
    satellites: Satellites, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that takes too long ends before the last had its turn."""
    firsts = set()
    for later in range(4):
        turns: list[Where] = []
        monkeypatch.setattr(
            satellites.places, "ask_undelivered", lambda each, _, t=turns: t.append(each.place)
        )
        with at(LATER + later * HOUR):
            invoke(RECOUNT)
        firsts.add(turns[0])
    assert firsts == {IRELAND, OREGON}


@at(NOON)
def test_what_a_satellite_hands_over_is_no_more_than_bedrock_counted_at_home(
    place: Place, satellites: Satellites
) -> None:
    """Home's own totals are of home's Region and account."""
    del satellites
    place.watch.look(NOON - HOUR)
    answered(posted(batch(there(1))))
    assert place.ledger.tallied == {}


@at(NOON)
def test_a_damaged_batch_leaves_a_pointer_as_at_home(place: Place, satellites: Satellites) -> None:
    status, answer = answered(posted({"awslogs": {"data": "H4sIAAAA"}}))
    assert (status, answer["failed"]) == (200, 1)
    assert len(place.letters.left) == 1
    assert satellites.meter(IRELAND).ledger.asked


@at(LATER)
def test_a_day_is_read_once_in_a_run_for_all_satellites_and_again_in_the_next(
    place: Place, satellites: Satellites
) -> None:
    """It is a pass over the whole ledger."""
    reads: list[Any] = []

    def read(day: Any) -> Any:
        reads.append(day)
        return place.ledger.day(day)

    days = satellites.places.days = SharedDays(read)
    for where in (IRELAND, OREGON):
        satellites.logs[where].lines = [there(2)] if where == IRELAND else []
        satellites.meter(where).ledger.day = days.day  # type: ignore[method-assign]
    invoke(OF_NOON)
    assert used(place) == {IN_IRELAND: 1}
    assert reads == [NOON.date()]
    satellites.logs[IRELAND].lines += [there(3)]
    invoke(OF_NOON)
    assert used(place) == {IN_IRELAND: 2}
    assert reads == [NOON.date()] * 2


@at(NOON)
def test_a_control_message_is_answered_and_is_nothing_that_came(satellites: Satellites) -> None:
    status, answer = answered(posted(batch(messageType="CONTROL_MESSAGE")))
    assert (status, answer["control"], answer["counted"]) == (200, 1, 0)
    assert satellites.registry.noted == []
