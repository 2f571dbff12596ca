"""Triggers go first, then everyone is released, then everything else goes."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from template_source import FUNCTIONS, RESOURCES, of_type, properties

TRIGGERS = {"EnforcerSchedule", "InvocationSubscription", "MeterSchedule", "QuotaEdits",
            "TeamsSchedule"}  # fmt: skip
NEEDED_BY_SETUP = {
    "AuthorFunction",
    "AuthorLogGroup",
    "AuthorRole",
    "DenyAllPolicy",
    *(f"DenyModelScope{number}Policy" for number in range(1, 6)),
    "EnforcerFunction",
    "EnforcerLogGroup",
    "EnforcerRole",
    "InvocationLogRole",
    "LedgerTable",
    "NoticeSubscription",
    "NoticeTopic",
    "QuotaTable",
    "SetupFunction",
    "SetupLogGroup",
    "SetupRole",
}


def references(value: Any) -> Iterator[str]:
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case dict():
            for key, each in value.items():
                if key == "Fn::Sub":
                    text = each if isinstance(each, str) else each[0]
                    yield from re.findall(r"\$\{(\w+)", text)
                yield from references(each)
        case list():
            for each in value:
                yield from references(each)


def needs(name: str) -> set[str]:
    """What is made before a resource, and so deleted after it."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        resource = RESOURCES[waiting.pop()]
        depends = resource.get("DependsOn", [])
        named = [depends] if isinstance(depends, str) else depends
        direct = {*references(resource), *named} & set(RESOURCES)
        waiting.extend(direct - found)
        found |= direct
    return found


@pytest.mark.parametrize("trigger", sorted(TRIGGERS))
def test_the_triggers_go_before_setup_releases_everyone(trigger: str) -> None:
    """Else a record or a tick could block somebody whom nobody would release any more."""
    assert "Setup" in needs(trigger)


def test_there_is_no_other_trigger() -> None:
    kinds = (
        "AWS::Scheduler::Schedule",
        "AWS::Logs::SubscriptionFilter",
        "AWS::Lambda::EventSourceMapping",
    )
    posts = {"WebhookPosts"}  # what it wakes touches nobody
    assert {name for kind in kinds for name in of_type(kind)} == TRIGGERS | posts


def test_the_meter_invokes_the_enforcer_which_does_not_know_the_meter() -> None:
    assert "EnforcerFunction" in needs("MeterFunction")
    assert not {"MeterFunction", "MeterRole"} & (needs("EnforcerFunction") | needs("Setup"))


def test_all_that_a_release_needs_is_still_there() -> None:
    """The gates are emptied too: the enforcer asks the author, which goes after it."""
    assert needs("Setup") >= NEEDED_BY_SETUP
    assert "AuthorFunction" in needs("EnforcerFunction")


def test_building_and_deleting_the_stack_is_no_news_of_tampering() -> None:
    """The rule comes last and goes first."""
    assert "Setup" in needs("PoliciesTouched")
    assert not [name for name in RESOURCES if "PoliciesTouched" in needs(name)]


def test_the_gates_are_none_of_the_stacks_resources() -> None:
    """The author makes them, and they outlive the stack: a permission set may still name one."""
    assert "BOUNDARY-ONLY" not in str([properties(n) for n in of_type("AWS::IAM::ManagedPolicy")])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_else_invokes_a_function(function: str) -> None:
    assert "Events" not in properties(function)


@pytest.mark.parametrize("kind", ["AWS::DynamoDB::Table", "AWS::Logs::LogGroup"])
def test_what_stays_or_goes_is_said(kind: str) -> None:
    for name in of_type(kind):
        assert {"DeletionPolicy", "UpdateReplacePolicy"} <= set(RESOURCES[name]), name
