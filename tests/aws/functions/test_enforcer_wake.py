"""How the enforcer is told whose usage has changed."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from builders import HAIKU, HOUR, NOON
from quota_enforcer.aws.functions.functions import (
    MOST_MODELS,
    MOST_NAMES,
    MOST_OF_A_NAME,
    EnforcerWake,
)
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.looks.unseen import MOST
from quota_enforcer.core.usage.reads import NOTHING_SAID, Called, Woken
from quota_enforcer.lambdas.enforcer.events import WakeRequest, read_event

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from quota_enforcer.meter.ports import Wake

ALICE = Principal(Kind.USER, "alice")
BOB = Principal(Kind.ROLE, "bob")
PRINCIPALS = st.builds(Principal, st.sampled_from(Kind), st.text(min_size=1))


class Function:
    """A function that nobody waits for; `invoked` are the requests it got."""

    def __init__(self) -> None:
        self.invoked: list[dict[str, Any]] = []

    def invoke(self, **request: Any) -> dict[str, Any]:
        self.invoked.append(request)
        return {"StatusCode": 202}

    @property
    def names(self) -> list[list[str]]:
        return [json.loads(each["Payload"])["principals"] for each in self.invoked]


def told(principals: list[Principal], called: Called) -> WakeRequest:
    """What the enforcer reads of the one wake that it gets."""
    function = Function()
    EnforcerWake(cast("LambdaClient", function), "enforcer").wake(principals, Woken(called))
    [request] = function.invoked
    event = read_event(json.loads(request["Payload"]), NOON)
    assert isinstance(event, WakeRequest)
    return event


def woken(principals: "set[Principal] | list[Principal]") -> Function:
    function = Function()
    EnforcerWake(cast("LambdaClient", function), "enforcer").wake(principals, NOTHING_SAID)
    return function


def test_it_is_one_asynchronous_invocation(stub: Callable[[str], tuple[Any, Stubber]]) -> None:
    client, answers = stub("lambda")
    request = {
        "FunctionName": "enforcer",
        "InvocationType": "Event",
        "Payload": '{"action": "wake", "principals": ["role/bob", "user/alice"], "mark": "m#0"}',
    }
    answers.add_response("invoke", {"StatusCode": 202}, request)
    wake: Wake = EnforcerWake(client, "enforcer")
    wake.wake([ALICE, BOB, ALICE], Woken(mark="m"))


def test_who_is_told_only_some_of_a_mark_is_told_what_its_parts_begin_with() -> None:
    for number in (MOST + 1, MOST_NAMES + 1):
        function = Function()
        everybody = [Principal(Kind.USER, f"user{n:04}") for n in range(number)]
        EnforcerWake(cast("LambdaClient", function), "e").wake(everybody, Woken(mark="m"))
        assert {json.loads(each["Payload"])["mark"] for each in function.invoked} == {"m"}


def test_nobody_is_no_invocation() -> None:
    assert woken(set()).invoked == []


def test_a_refusal_is_the_callers(stub: Callable[[str], tuple[Any, Stubber]]) -> None:
    client, answers = stub("lambda")
    answers.add_client_error("invoke", "TooManyRequestsException", "Rate exceeded")
    with pytest.raises(client.exceptions.TooManyRequestsException):
        EnforcerWake(client, "enforcer").wake([ALICE], NOTHING_SAID)


def test_a_thousand_names_are_one_invocation_and_one_more_are_two() -> None:
    everybody = [Principal(Kind.USER, f"user{n:04}") for n in range(1001)]
    assert [len(names) for names in woken(everybody[:1000]).names] == [1000]
    assert [len(names) for names in woken(everybody).names] == [1000, 1]


@given(st.sets(PRINCIPALS, max_size=40), st.integers(1, 2000))
def test_everybody_is_named_once_and_every_payload_fits(some: set[Principal], long: int) -> None:
    everybody = {Principal(each.kind, each.name * long) for each in some}
    function = woken(everybody)
    named = [name for names in function.names for name in names]
    assert sorted(named) == sorted({str(each) for each in everybody})
    for each, names in zip(function.invoked, function.names, strict=True):
        assert len(each["Payload"]) < 200_000 or len(names) == 1


def test_when_somebody_called_which_model_is_told_with_the_name() -> None:
    event = told([ALICE, BOB], {ALICE: {HAIKU: NOON, "m" * 5_000: NOON - HOUR}})
    assert event.principals == {ALICE, BOB}
    assert event.woken.called == {ALICE: {HAIKU: NOON, "m" * MOST_OF_A_NAME: NOON - HOUR}, BOB: {}}


def test_the_newest_calls_are_told() -> None:
    event = told([ALICE], {ALICE: {f"m{number}": NOON - number * HOUR for number in range(30)}})
    assert list(event.woken.called[ALICE]) == [f"m{number}" for number in range(MOST_MODELS)]


PLACE = "444455556666/eu-west-1"


def woken_since(called: Called) -> Woken:
    function = Function()
    woken = Woken(called, "m", NOON - HOUR, PLACE)
    EnforcerWake(cast("LambdaClient", function), "enforcer").wake([ALICE], woken)
    [request] = function.invoked
    event = read_event(json.loads(request["Payload"]), NOON)
    assert isinstance(event, WakeRequest)
    return event.woken


def test_the_oldest_call_and_where_all_were_made_are_told() -> None:
    woken = woken_since({ALICE: {HAIKU: NOON}})
    assert woken == Woken({ALICE: {HAIKU: NOON}}, "m#0", NOON - HOUR, PLACE)


def test_the_oldest_call_is_not_told_where_not_all_models_are() -> None:
    """Then the enforcer cannot know all that was used, and looks."""
    assert woken_since({ALICE: {"m" * 5_000: NOON}}).since is None
    many = {f"m{number}": NOON for number in range(MOST_MODELS + 1)}
    assert woken_since({ALICE: many}).since is None
