"""Workers of one archive share what its handlers import, and nothing else; each has its log."""

import base64
import io
import json
import zipfile
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from embedded_account import document
from quota_enforcer.local.embedded import EmbeddedAws

HANDLER = """
import os
from answers import ANSWER, NAME, given

def handler(event, context):
    given.append(event)
    for line in event.get("lines", []):
        print(line)
    if "leave" in event:
        raise SystemExit(event["leave"])
    if "fail" in event:
        raise ValueError(event["fail"])
    return [ANSWER, NAME, os.environ["NAME"], len(given)]
"""


@pytest.fixture
def role(aws: EmbeddedAws) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
             "Action": "sts:AssumeRole"}  # fmt: skip
    made = aws.client("iam").create_role(
        RoleName="function", AssumeRolePolicyDocument=document(trust)
    )
    return str(made["Role"]["Arn"])


@pytest.fixture
def make(aws: EmbeddedAws, role: str) -> Callable[[str, str], None]:
    return partial(make_function, aws, role)


def make_function(aws: EmbeddedAws, role: str, name: str, answer: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("handler.py", HANDLER)
        beside = f"import os\nANSWER, NAME, given = {answer}, os.environ['NAME'], []"
        archive.writestr("answers.py", beside)
    aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.14",
        Role=role,
        Handler="handler.handler",
        Code={"ZipFile": packed.getvalue()},
        Environment={"Variables": {"NAME": name}},
    )


def asked(aws: EmbeddedAws, name: str) -> Any:
    return json.loads(aws.client("lambda").invoke(FunctionName=name)["Payload"].read())


def test_functions_of_one_archive_have_their_own_environment_and_memory(
    aws: EmbeddedAws, make: Callable[[str, str], None]
) -> None:
    for name in ("one", "two"):
        make(name, "'same'")
    assert [asked(aws, name) for name in ("one", "two", "one")] == [
        ["same", "one", "one", 1],
        ["same", "two", "two", 1],
        ["same", "one", "one", 2],
    ]


def test_functions_of_different_archives_have_different_code(
    aws: EmbeddedAws, make: Callable[[str, str], None]
) -> None:
    make("one", "'first'")
    make("two", "'second'")
    assert [asked(aws, name)[0] for name in ("one", "two", "one")] == ["first", "second", "first"]


def test_what_fails_when_it_is_imported_fails_in_the_function_and_no_other(
    aws: EmbeddedAws, make: Callable[[str, str], None]
) -> None:
    make("broken", "1 / 0")
    make("sound", "'sound'")
    assert "division by zero" in str(asked(aws, "broken"))
    assert asked(aws, "sound")[0] == "sound"


def logged(aws: EmbeddedAws, name: str, **event: Any) -> list[str]:
    """The lines that an invocation has logged."""
    found = aws.client("lambda").invoke(
        FunctionName=name, Payload=json.dumps(event), LogType="Tail"
    )
    return base64.b64decode(found.get("LogResult", "")).decode().splitlines()


def test_each_invocation_has_the_lines_of_its_own(
    aws: EmbeddedAws, make: Callable[[str, str], None]
) -> None:
    """Also where there are none, and where the handler fails or its process ends."""
    make("one", "1")
    many = [f"line {number}" for number in range(1_000)]
    assert logged(aws, "one", lines=["a", "b"])[-2:] == ["a", "b"]
    assert logged(aws, "one") == []
    assert logged(aws, "one", lines=many)[-3:] == many[-3:]
    failed = logged(aws, "one", lines=["c"], fail="on purpose")
    assert (failed[0], failed[-1]) == ("c", "ValueError: on purpose")
    left = logged(aws, "one", lines=["d"], leave=3)
    assert left[0] == "d"
    assert logged(aws, "one", lines=["e"]) == ["e"]
