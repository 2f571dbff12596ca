"""Triggers go first, then everyone is released, then everything else goes."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from template_source import FUNCTIONS, RESOURCES, of_type, properties

NEEDED_BY_SETUP = {
    "DenyAllPolicy",
    "EnforcerFunction",
    "EnforcerLogGroup",
    "EnforcerRole",
    "InvocationLogRole",
    "LedgerTable",
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
        direct = {*references(resource), resource.get("DependsOn", "")} & set(RESOURCES)
        waiting.extend(direct - found)
        found |= direct
    return found


def test_the_schedule_goes_before_setup_releases_everyone() -> None:
    assert "Setup" in needs("EnforcerSchedule")


def test_all_that_a_release_needs_is_still_there() -> None:
    assert needs("Setup") >= NEEDED_BY_SETUP


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_else_invokes_a_function(function: str) -> None:
    assert "Events" not in properties(function)
    assert not of_type("AWS::Lambda::EventSourceMapping")


@pytest.mark.parametrize("kind", ["AWS::DynamoDB::Table", "AWS::Logs::LogGroup"])
def test_what_stays_or_goes_is_said(kind: str) -> None:
    for name in of_type(kind):
        assert {"DeletionPolicy", "UpdateReplacePolicy"} <= set(RESOURCES[name]), name
