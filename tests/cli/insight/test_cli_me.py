"""`me` as its user sees it, on what the self-service function really answers."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner, Result

from builders import ALICE, HAIKU, NOON
from cli_world import Shell, a_shell
from quota_enforcer.aws.functions import function_url as by_url
from quota_enforcer.cli.deployment import by_stack
from quota_enforcer.cli.main import app
from quota_enforcer.cli.terminal.errors import NoDeployment
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.errors import CannotDeny
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket
from world import arn, principal


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return a_shell(monkeypatch)


def test_a_blocked_user_sees_since_and_until_when_what_works_and_whom_to_ask(shell: Shell) -> None:
    shell.world.quota()
    shell.used("alice", 1200)
    shell.sweep()
    shell.now = NOON + timedelta(minutes=3)
    assert [" ".join(line.split()) for line in shell.out("me").splitlines() if "─" not in line] == [
        "user/alice, enforce mode, newest usage 3 min old",
        "Blocked: Amazon Bedrock, since 2026-11-24 12:00 UTC, for 3 min.",
        "Opens again: 2026-11-25 00:00 UTC, in 11 h 57 min.",
        "What works: no model of Amazon Bedrock; everything else in AWS, as before.",
        "Quota Models Used % State Resets at",
        "daily * 1,200 of 1,000 total tokens ████████ 120 blocked 2026-11-25 00:00 UTC",
        "",
        "To get more: ask the platform team, or `quota-enforcer me ask`.",
    ]


def test_a_raise_says_until_when_and_what_comes_back(shell: Shell) -> None:
    shell.world.quota(raise_to=5000, raise_until="2026-11-26")
    printed = shell.out("me")
    assert "0 of 5,000 total tokens" in printed
    assert "daily: raised until 2026-11-26 00:00 UTC, then 1,000 total tokens." in printed


def test_a_raise_of_no_limit_at_all_goes_without_a_number(shell: Shell) -> None:
    shell.world.quota(raise_to="unlimited", raise_until="2026-11-26")
    assert "0 total tokens, no limit" in shell.out("me")


def test_who_has_no_quota_sees_todays_usage(shell: Shell) -> None:
    shell.world.stream("alice", NOON, 600)
    printed = shell.out("me")
    assert "600 total tokens" in printed
    assert "no quota" in printed
    assert "Blocked" not in printed


def test_a_session_sees_its_role_too(shell: Shell) -> None:
    shell.world.quota(principal="session/ci/*")
    shell.caller = arn("role:ci/42")
    printed = shell.out("me").splitlines()
    assert [line.partition(",")[0] for line in printed if "enforce mode" in line] == [
        "role/ci",
        "session/ci/42",
    ]


def test_money_at_assumed_prices_is_marked_and_explained(shell: Shell) -> None:
    shell.world.quota(measure="cost_usd", limit=10)
    shell.world.stream("alice", NOON, 1, cost="1.50")
    assert " $1.50 of $10.00" in shell.out("me")
    bucket = Bucket(ALICE, HAIKU, NOON.date())
    dear = Counts(1, cost_usd=Decimal("0.25"), assumed_usd=Decimal("0.25"))
    shell.world.ledger.add(bucket, NOON, dear)
    printed = shell.out("me")
    assert "~$1.75 of $10.00" in printed
    assert f"daily: ~ holds $0.25 at assumed prices, those of {HAIKU}." in printed


def test_what_caching_saved_is_told_of_the_quota_that_counts_most_of_it(shell: Shell) -> None:
    assert "Saved" not in shell.out("me")
    shell.world.quota()
    shell.world.quota(quota="monthly", window="month")
    for days, usd in ((0, "0.25"), (3, "4")):
        at = NOON - timedelta(days=days)
        saved = Counts(1, 1, 0, 1000, saved_usd=Decimal(usd))
        shell.world.ledger.add(Bucket(ALICE, HAIKU, at.date()), at, saved)
    assert "Saved by caching: $4.25 of what monthly counts." in shell.out("me")


def test_a_rolling_window_says_its_length_and_not_a_moment(shell: Shell) -> None:
    shell.world.quota(window="rolling 24 hours")
    assert "rolling 24 hours" in shell.out("me")


def test_a_block_by_hand_has_no_end_by_the_clock(shell: Shell) -> None:
    shell.world.quota(limit=0)
    shell.used("alice", 1)
    shell.sweep()
    assert "Opens again: when an admin changes the quota." in shell.out("me")


def test_who_could_not_be_blocked_sees_what_to_tell_the_administrators(shell: Shell) -> None:
    shell.world.quota()
    shell.world.denies.refuse[principal("user/alice")] = CannotDeny("no policy slot is left")
    shell.used("alice", 1200)
    shell.sweep()
    assert "For your administrators: no policy slot is left." in shell.out("me")


def test_observe_mode_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = a_shell(monkeypatch, Mode.OBSERVE)
    result = shell.run("me")
    assert "In observe mode nobody is blocked." in result.stderr


def test_json_is_the_functions_answer_as_it_is(shell: Shell) -> None:
    shell.world.quota()
    assert shell.json("me") == shell.ask_me()


class TestWhereToAsk:
    """With the caller's own credentials and no more permissions than a caller has."""

    URL = "https://abcdefgh.lambda-url.eu-central-1.on.aws/"

    @pytest.fixture(autouse=True)
    def caller(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        for name in ("AWS_PROFILE", "QUOTA_ENFORCER_URL", "QUOTA_ENFORCER_STACK"):
            monkeypatch.delenv(name, raising=False)

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The URLs that were asked; each answers with nothing in it."""
        urls: list[str] = []

        def ask(url: str, *_: object) -> dict[str, Any]:
            urls.append(url)
            return {}

        monkeypatch.setattr(by_url, "ask", ask)
        return urls

    def outputs(self, monkeypatch: pytest.MonkeyPatch, found: dict[str, str] | Exception) -> None:
        def stack_outputs(*_: object) -> dict[str, str]:
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(by_stack, "stack_outputs", stack_outputs)

    def run(self, *args: str) -> Result:
        return CliRunner().invoke(app, ["me", "--json", *args])

    def refused(self, *args: str) -> str:
        result = self.run(*args)
        assert result.exit_code == 1, result.output
        return " ".join(result.stderr.split())

    def test_the_option_comes_before_the_environment(
        self, asked: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("QUOTA_ENFORCER_URL", "https://environment")
        assert self.run().exit_code == 0
        assert self.run("--url", self.URL).exit_code == 0
        assert asked == ["https://environment", self.URL]

    def test_else_the_stack_says_where(
        self, asked: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.outputs(monkeypatch, {"MeUrl": self.URL})
        assert self.run().exit_code == 0
        assert asked == [self.URL]

    def test_who_may_not_read_the_stack_hears_whom_to_ask_for_the_url(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        denied: Any = {"Error": {"Code": "AccessDenied", "Message": "no"}}
        self.outputs(monkeypatch, ClientError(denied, "DescribeStacks"))
        said = self.refused()
        assert (
            "you may not read stack bedrock-quota: give it with --url or QUOTA_ENFORCER_URL" in said
        )
        assert "the output MeUrl of stack bedrock-quota" in said

    def test_a_stack_that_is_not_there_may_just_be_elsewhere(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.outputs(monkeypatch, NoDeployment("there is no stack 'bedrock-quota' in us-east-1"))
        said = self.refused()
        assert "there is no stack 'bedrock-quota'" in said
        assert "--url or QUOTA_ENFORCER_URL" in said

    def test_a_deployment_without_self_service_says_how_to_have_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.outputs(monkeypatch, {"EnforcerFunction": "f"})
        assert "set its parameter SelfService to true" in self.refused()

    def test_who_may_not_ask_is_shown_the_policy_that_an_admin_must_give(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def ask(*_: object) -> dict[str, Any]:
            raise by_url.MayNotAsk("Forbidden")

        monkeypatch.setattr(by_url, "ask", ask)
        said = self.refused("--url", self.URL, "--stack", "team-quota")
        assert "you may not ask (Forbidden)" in said
        assert '"lambda:InvokeFunctionUrl"' in said
        assert '"lambda:InvokeFunction"' in said
        assert "function:team-quota-MeFunction-*" in said

    def test_without_credentials_it_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            monkeypatch.setenv(name, "/nonexistent")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        assert "there are no AWS credentials" in self.refused("--url", self.URL)
