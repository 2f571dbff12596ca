"""Runs commands as an admin would paste them: `aws ...` by way of boto3, and ours in process.

Of the AWS CLI's language it knows what the doctor's fixes use: options named as the operation's
members, JSON, `Name=Value`, flags, and `"$(...)"` around a command of ours.
"""

import json
import re
import shlex
from typing import Any, Final

from botocore import xform_name
from typer.testing import CliRunner

from quota_enforcer.cli.main import app
from quota_enforcer.local.embedded import EmbeddedAws

_INNER: Final = re.compile(r'"\$\((quota-enforcer [^)]+)\)"')
_RENAMED: Final = {"notification-endpoint": "endpoint"}
"""Options that the AWS CLI calls otherwise than the API."""


def run(command: str, aws: EmbeddedAws) -> Any:
    """What it answers; raises where it is no command, or fails."""
    filled = _INNER.sub(lambda inner: shlex.quote(_ours(inner[1])), command)
    program, *rest = shlex.split(filled)
    match program:
        case "quota-enforcer":
            return _ours(command)
        case "aws":
            return _aws(rest, aws)
        case _:
            raise ValueError(f"no command that can be run here: {command!r}")


def _ours(command: str) -> str:
    result = CliRunner().invoke(app, shlex.split(command)[1:])
    if result.exit_code:
        raise ValueError(f"{command!r} ended in {result.exit_code}: {result.output}")
    return result.stdout


def _aws(words: list[str], aws: EmbeddedAws) -> Any:
    service, operation, *options = words
    client = aws.client(service)
    names = {xform_name(each, "-"): each for each in client.meta.service_model.operation_names}
    shape = client.meta.service_model.operation_model(names[operation]).input_shape
    members = {xform_name(each, "-"): each for each in shape.members}
    request: dict[str, Any] = {}
    while options:
        name = options.pop(0).removeprefix("--")
        member = members[_RENAMED.get(name, name)]
        kind = shape.members[member].type_name
        request[member] = True if kind == "boolean" else _value(options.pop(0), kind)
    return getattr(client, xform_name(names[operation]))(**request)


def _value(text: str, kind: str) -> Any:
    if kind == "integer":
        return int(text)
    if kind != "structure":
        return text
    return json.loads(text) if text[0] == "{" else dict(each.split("=") for each in text.split(","))
