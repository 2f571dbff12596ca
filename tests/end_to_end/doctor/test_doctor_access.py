"""The doctor for an admin with what `policy doctor` prints, or with less."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from clinic import Clinic, wrong
from embedded_account import document
from quota_enforcer.cli.main import app
from quota_enforcer.core.policies.callers.doctor import NEEDS
from quota_enforcer.local.embedded import EmbeddedAws

ACCOUNT = EmbeddedAws.account_id


@pytest.fixture
def examined(clinic: Clinic) -> Callable[..., dict[str, Any]]:
    session = clinic.auditor()

    def examined(*without: str) -> dict[str, Any]:
        """What the doctor says to somebody who may not do these."""
        printed = CliRunner().invoke(app, ["policy", "doctor", "--account", ACCOUNT])
        allowed = [
            each | {"Action": [action for action in each["Action"] if action not in without]}
            for each in json.loads(printed.stdout)["Statement"]
        ]
        clinic.client("iam").put_user_policy(
            UserName="auditor",
            PolicyName="doctor",
            PolicyDocument=document(*(each for each in allowed if each["Action"])),
        )
        credentials = session.get_credentials()
        assert credentials is not None
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ACCESS_KEY_ID", credentials.access_key)
            patch.setenv("AWS_SECRET_ACCESS_KEY", credentials.secret_key)
            return clinic.examine()

    return examined


def test_what_it_prints_is_enough(examined: Callable[..., dict[str, Any]]) -> None:
    assert wrong(examined()) == []


def test_one_action_less_stops_only_the_checks_that_need_it_and_is_named(
    examined: Callable[..., dict[str, Any]],
) -> None:
    action = "logs:DescribeSubscriptionFilters"
    assert wrong(examined(action)) == [("meter", "unchecked", f"could not check: needs {action}")]


def test_without_any_each_check_says_what_it_needs(examined: Callable[..., dict[str, Any]]) -> None:
    found = examined(*(each for needs in NEEDS.values() for each in needs))
    for name, check in found.items():
        sentences = [finding["what"] for finding in check["findings"]]
        named = any(f"needs {action}" in what for what in sentences for action in NEEDS[name])
        assert named or not NEEDS[name], (name, sentences)
