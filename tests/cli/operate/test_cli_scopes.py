"""`scopes list`: what can be denied on its own, and what gets past such a deny."""

from dataclasses import replace

import pytest

from builders import HAIKU, NOON
from cli_world import Shell, a_shell
from quota_enforcer.core.policies.names import deny_policy_name
from quota_enforcer.core.usage.model import SeenModel, unresolved

OWN = "arn:aws:bedrock:us-east-1:111122223333"
PROFILE = f"{OWN}:application-inference-profile/abc"
PROVISIONED = f"{OWN}:provisioned-model/abc"
IMPORTED = f"{OWN}:imported-model/abc"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return a_shell(monkeypatch)


@pytest.fixture
def haiku(shell: Shell) -> str:
    """The ARN of the deny policy of one model, which is installed."""
    arn = "arn:aws:iam::111122223333:policy/haiku"
    settings = shell.world.settings
    shell.world.settings = replace(settings, denies={**settings.denies, HAIKU: arn})
    return arn


class TestInstalled:
    def test_each_scope_is_shown_with_its_policy(self, shell: Shell) -> None:
        arn = shell.world.settings.denies["*"]
        assert arn in shell.out("scopes", "list")
        assert shell.json("scopes", "list") == {
            "scopes": [{"models": "*", "policy": arn, "left_open": []}],
            "unresolved": [],
        }

    def test_it_tells_how_to_add_one(self, shell: Shell) -> None:
        stderr = " ".join(shell.run("scopes", "list").stderr.split())
        assert "5 more can be added" in stderr
        assert "ModelScope1" in stderr

    def test_it_tells_that_none_can_be_added_any_more(self, shell: Shell) -> None:
        settings = shell.world.settings
        named = [deny_policy_name(settings.stack, number) for number in range(1, 6)]
        scopes = {f"anthropic.claude-{name}*": f"arn:x/{name}" for name in named}
        shell.world.settings = replace(settings, denies={**settings.denies, **scopes})
        assert "All 5 are in use" in shell.run("scopes", "list").stderr
        del scopes[f"anthropic.claude-{named[1]}*"]
        shell.world.settings = replace(settings, denies={**settings.denies, **scopes})
        assert "parameter ModelScope2 to" in shell.run("scopes", "list").stderr


class TestOpaque:
    def test_what_counts_to_a_scope_and_passes_its_deny_is_told(
        self, shell: Shell, haiku: str
    ) -> None:
        shell.models = [
            SeenModel(PROFILE, HAIKU, f"us.{HAIKU}", NOON),
            SeenModel(PROVISIONED, HAIKU, HAIKU, NOON),
        ]
        everything, of_haiku = shell.json("scopes", "list")["scopes"]
        assert everything["left_open"] == []
        assert of_haiku == {
            "models": HAIKU,
            "policy": haiku,
            "left_open": [{"arn": PROVISIONED, "model": HAIKU}],
        }
        shown = shell.run("scopes", "list")
        assert PROVISIONED in shown.stdout
        assert PROFILE not in shown.stdout
        assert "can still call them by these ARNs" in shown.stderr

    def test_what_no_model_was_found_for_is_told_with_the_reason(self, shell: Shell) -> None:
        shell.models = [unresolved(IMPORTED, "AWS names no model", NOON, NOON)]
        assert shell.json("scopes", "list")["unresolved"] == [
            {
                "arn": IMPORTED,
                "metered_as": "imported-model/abc",
                "reason": "AWS names no model",
                "at": "2026-11-24T12:00:00Z",
            }
        ]
        shown = shell.run("scopes", "list")
        assert "imported-model/abc" in shown.stdout
        assert "AWS names no model" in shown.stdout
        assert "Only quotas for * count these" in shown.stderr

    @pytest.mark.usefixtures("haiku")
    def test_nothing_is_told_where_nothing_gets_past(self, shell: Shell) -> None:
        shell.models = [SeenModel(PROFILE, HAIKU, HAIKU, NOON)]
        shown = shell.run("scopes", "list")
        assert "Not closed" not in shown.stdout
        assert "not known" not in shown.stdout
