"""Workers of one archive share what its handlers import, and nothing else."""

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
