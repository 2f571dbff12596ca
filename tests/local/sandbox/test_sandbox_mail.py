"""What the sandbox shows of the mail: notices and alarms, and no alarm that has never rung."""

import json

import pytest

from quota_enforcer.local.demo.record import Letter
from quota_enforcer.local.sandbox.mail import is_first_ok


def an_alarm(new: str, old: str) -> str:
    return json.dumps({"AlarmName": "x", "NewStateValue": new, "OldStateValue": old})


@pytest.mark.parametrize(
    ("kind", "text", "left_out"),
    [
        ("", an_alarm("OK", "INSUFFICIENT_DATA"), True),
        ("", an_alarm("OK", "ALARM"), False),
        ("", an_alarm("ALARM", "INSUFFICIENT_DATA"), False),
        ("blocked", "Bedrock is blocked", False),
        ("blocked", an_alarm("OK", "INSUFFICIENT_DATA"), False),
        ("", "no JSON", False),
        ("", "[]", False),
    ],
)
def test_only_an_alarm_that_begins_to_watch_is_left_out(
    kind: str, text: str, *, left_out: bool
) -> None:
    assert is_first_ok(Letter(kind, "", "", "subject", text)) is left_out
