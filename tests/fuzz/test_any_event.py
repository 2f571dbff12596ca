"""Whatever a function is invoked with: it is a request that it knows, or refused in words."""

import json
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from any_values import ANY_JSON, TEXTS, damaged
from builders import NOON
from log_records import ACCOUNT
from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.lambdas.author import handler as author
from quota_enforcer.lambdas.enforcer import events as enforcer
from quota_enforcer.lambdas.meter import events as meter
from quota_enforcer.lambdas.self_service import caller as self_service

LONGEST: Final = 1500
SENT: Final[list[Any]] = [
    {"action": "close"},
    {"action": "reopen"},
    {"action": "render"},
    {"action": "sweep", "scheduled_time": f"{NOON:%Y-%m-%dT%H:%M:%SZ}"},
    {"action": "sweep", "dry_run": True, "confirm_blocks": False},
    {"action": "wake", "principals": ["user/alice", "session/r/s"]},
    {"action": "wake", "principals": [{"principal": "user/a", "called": {"m": "2026-11-24"}}]},
    {"Records": [{"eventSource": "aws:dynamodb", "dynamodb": {"Keys": {}}}]},
    {"awslogs": {"data": "H4sIAAAAAAAA"}},
    {"action": "recount"},
    {"action": "recount", "hour": "2026-11-24T10:00:00Z"},
    {"action": "recount", "hour": "2026-11-24T10:00:00Z", "without": ["1"]},
    {
        "requestContext": {
            "authorizer": {
                "iam": {"accountId": ACCOUNT, "userArn": f"arn:aws:iam::{ACCOUNT}:user/alice"}
            },
            "http": {"method": "GET"},
        },
        "rawPath": "/",
    },
]
EVENTS = st.sampled_from(SENT).flatmap(damaged) | ANY_JSON
MOMENTS = TEXTS | st.datetimes(timezones=st.timezones()).map(lambda each: each.isoformat())

READERS: dict[str, Callable[[Any], object]] = {
    "enforcer": lambda event: enforcer.read_event(event, NOON),
    "meter": meter.read_event,
    "self-service": lambda event: self_service.caller_of(event, ACCOUNT),
}


def answer(function: str, event: Any) -> tuple[object, str | None]:
    """What an event asks for, or the words that refuse it."""
    try:
        return READERS[function](event), None
    except EnforcerError as refused:
        return None, str(refused)


@pytest.mark.parametrize("function", READERS)
@given(event=EVENTS)
def test_any_event_is_understood_or_refused_in_words(function: str, event: Any) -> None:
    _, words = answer(function, event)
    assert words is None or 0 < len(words) <= LONGEST


@given(text=MOMENTS)
def test_any_moment_in_an_event_is_one_or_refused(text: str) -> None:
    asked = [
        ("enforcer", {"action": "sweep", "scheduled_time": text}),
        ("meter", {"action": "recount", "hour": text}),
        ("enforcer", {"action": "wake", "principals": [woken(text)]}),
    ]
    for function, event in asked:
        request, words = answer(function, event)
        assert request or words
        for moment in vars_of(request):
            # What every later step does with it.
            assert moment.astimezone(NOON.tzinfo) is not None
            assert isinstance(moment + timedelta(hours=1) - NOON, timedelta)


def woken(text: str) -> Any:
    return {"principal": "user/a", "called": {"m": text}}


def vars_of(request: Any) -> list[Any]:
    """The moments of a request."""
    names = ("now", "hour")
    found = [getattr(request, name, None) for name in names]
    for called in getattr(request, "called", {}).values():
        found += called.values()
    return [each for each in found if each is not None]


@given(event=EVENTS.filter(lambda event: event not in ({"action": "render"}, {"action": "empty"})))
def test_the_author_refuses_whatever_it_does_not_know(event: Any) -> None:
    context = SimpleNamespace(
        function_name="author", memory_limit_in_mb=128, aws_request_id="r",
        invoked_function_arn="arn:aws:lambda:us-east-1:111122223333:function:author",
    )  # fmt: skip
    with pytest.raises(EnforcerError) as refused:
        author.handler(event, cast("Any", context))
    assert len(str(refused.value)) <= LONGEST


@pytest.mark.parametrize("function", READERS)
def test_a_refusal_of_a_huge_event_is_short(function: str) -> None:
    huge = "x" * 10**6
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    for event in (
        {huge: huge},
        {"action": huge},
        {"action": "wake", "principals": huge},
        {"action": "recount", "hour": huge},
        {"action": "sweep", "scheduled_time": huge},
        {str(number): number for number in range(10_000)},
        deep,
    ):
        with pytest.raises(EnforcerError) as refused:
            READERS[function](event)
        assert len(str(refused.value)) <= LONGEST
        assert json.dumps(str(refused.value))
