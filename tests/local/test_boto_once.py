"""What boto3 is spared finding out again changes nothing but the time that it takes."""

import copy
from typing import Any

import boto3
from botocore import hooks


def test_a_copy_of_who_handles_events_goes_its_own_way() -> None:
    events: Any = hooks.HierarchicalEmitter()
    events.register_first("a.b", lambda **_: "first")
    events.register("a.*.c", lambda **_: "any")
    events.register_last("a.b", lambda **_: "last")
    copied = copy.copy(events)
    copied.register("a.b", lambda **_: "only in the copy")
    said = {each: [answer for _, answer in each.emit("a.b.c")] for each in (events, copied)}
    assert said[events] == ["any", "first", "last"]
    assert said[copied] == ["any", "first", "only in the copy", "last"]


def test_what_was_copied_goes_its_own_way_too() -> None:
    events: Any = hooks.HierarchicalEmitter()

    def gone(**_: object) -> str:
        return "gone"

    events.register("a.b.c", gone)
    copied = copy.copy(events)
    events.unregister("a.b.c", gone)
    events.register("a", lambda **_: "later")
    again = copy.copy(copied)
    again.register("a.b.d", lambda **_: "not heard")
    said = {each: [answer for _, answer in each.emit("a.b.c")] for each in (events, copied, again)}
    assert said == {events: ["later"], copied: ["gone"], again: ["gone"]}


def test_handlers_of_two_objects_are_told_apart() -> None:
    """Though whether one takes any arguments is found once for a method."""

    class Handler:
        def __init__(self, answer: str) -> None:
            self.answer = answer

        def handle(self, **_: object) -> str:
            return self.answer

    events: Any = hooks.HierarchicalEmitter()
    for answer in ("one", "two"):
        events.register("event", Handler(answer).handle)
    assert [answer for _, answer in events.emit("event")] == ["one", "two"]


def test_clients_of_one_service_have_their_own_region_credentials_and_events() -> None:
    here = boto3.Session("key-a", "secret", region_name="eu-west-1").client("sqs")
    there = boto3.Session("key-b", "secret", region_name="us-east-1").client("sqs")
    heard: list[str] = []
    here.meta.events.register("tried.sqs", lambda **_: heard.append("here"))
    there.meta.events.emit("tried.sqs")
    assert heard == []
    assert (here.meta.region_name, there.meta.region_name) == ("eu-west-1", "us-east-1")
    assert here.meta.endpoint_url != there.meta.endpoint_url
