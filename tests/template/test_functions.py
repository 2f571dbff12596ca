"""Each function has its handler, its environment, its log, and the time that it needs."""

import importlib
import json
import re
from pathlib import Path

import pytest

from quota_enforcer.core.deployment import SelfServiceSettings, Settings
from quota_enforcer.core.errors import ConfigError
from quota_enforcer.core.policies.names import GATES, gate_name, policy_arn
from quota_enforcer.gates.author import LEASE
from quota_enforcer.gates.settings import AuthorSettings
from quota_enforcer.lambdas.enforcer.wiring import LEAST_MEMORY, PRINCIPALS_A_MB
from template_source import FUNCTIONS, PARAMETERS, SOURCE, TEXT, of_type, properties
from template_values import LEAST, MOST, PSEUDO, SCOPES, Deployed

STACK = PSEUDO["AWS::StackName"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_its_handler_exists(function: str) -> None:
    module, _, name = properties(function)["Handler"].rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))


def test_there_is_no_other() -> None:
    assert of_type("AWS::Serverless::Function") == FUNCTIONS


def test_the_enforcers_environment_is_what_its_settings_read() -> None:
    with pytest.raises(ConfigError) as missing:
        Settings.from_environment({})
    read = set(re.findall(r"(\w+) is not set", str(missing.value)))
    declared = properties("EnforcerFunction")["Environment"]["Variables"]
    ours = {name for name in declared if not name.startswith("POWERTOOLS_")}
    # These may be empty, or absent in a stack of before.
    absent = {"AUTHOR_FUNCTION", "ME_URL", "SATELLITES", "STACK_ID", "WEEKLY_DIGEST"}
    assert ours == read | absent


def test_the_environment_that_the_defaults_make_is_valid() -> None:
    settings = Settings.from_environment(LEAST.environment("EnforcerFunction"))
    assert list(settings.denies) == ["*"]
    assert settings.mode == "observe"
    assert settings.author == ""
    assert settings.digest
    off = Deployed(WeeklyDigest="false").environment("EnforcerFunction")
    assert not Settings.from_environment(off).digest


def test_the_environment_that_every_parameter_adds_to_is_valid() -> None:
    settings = Settings.from_environment(MOST.environment("EnforcerFunction"))
    assert list(settings.denies) == ["*", *SCOPES.values()]
    assert settings.author == "AuthorFunction"
    assert settings.me_url == "MeFunctionUrl.FunctionUrl"


def test_an_update_changes_the_enforcer_before_the_meter() -> None:
    """So no older enforcer meets usage in a form that it does not know, though it would refuse it.

    CloudFormation updates first what another resource refers to.
    """
    assert properties("MeterFunction")["Environment"]["Variables"]["ENFORCER_FUNCTION"] == {
        "Ref": "EnforcerFunction"
    }
    assert "MeterFunction" not in json.dumps(properties("EnforcerFunction"))


def test_the_authors_environment_is_what_its_settings_read() -> None:
    told = MOST.environment("AuthorFunction")
    assert len(AuthorSettings.from_environment(told).gates) == GATES
    of_tags_and_satellites = ("GATE_TAGS", "SATELLITES", "STACK_ID", "STACK_NAME")
    needed = [
        name for name in told if not name.startswith(("POWERTOOLS_", *of_tags_and_satellites))
    ]
    for name in needed:
        with pytest.raises(ConfigError, match=name):
            AuthorSettings.from_environment({**told, name: ""})


def test_the_self_service_functions_environment_is_what_its_settings_read() -> None:
    told = MOST.environment("MeFunction")
    settings = SelfServiceSettings.from_environment(told)
    assert settings.scopes == ("*", *SCOPES.values())
    assert settings.gated
    for name in [name for name in told if not name.startswith("POWERTOOLS_")]:
        with pytest.raises(ConfigError, match=name):
            SelfServiceSettings.from_environment({**told, name: ""})


@pytest.mark.parametrize("deployed", [LEAST, MOST], ids=["least", "most"])
def test_the_self_service_function_decides_as_the_enforcer_does(deployed: Deployed) -> None:
    enforcer = Settings.from_environment(deployed.environment("EnforcerFunction"))
    me = SelfServiceSettings.from_environment(deployed.environment("MeFunction"))
    assert me.scopes == tuple(enforcer.denies)
    names = ("stack", "account", "quota_table", "ledger_table", "contact", "mode", "zone")
    assert [getattr(me, each) for each in names] == [getattr(enforcer, each) for each in names]
    assert me.gated == bool(enforcer.author)


@pytest.mark.parametrize("gates", range(1, GATES + 1))
def test_the_author_is_told_the_exact_gates(gates: int) -> None:
    told = Deployed(Gates=str(gates)).environment("AuthorFunction")
    assert json.loads(told["GATES"]) == [
        policy_arn("aws", PSEUDO["AWS::AccountId"], "bedrock-quota", gate_name(STACK, number))
        for number in range(1, gates + 1)
    ]


def test_there_are_as_many_gates_as_the_code_knows() -> None:
    assert PARAMETERS["Gates"]["AllowedValues"] == list(range(GATES + 1))


def test_the_digest_is_for_as_many_as_the_enforcers_memory_holds() -> None:
    """Where Lambda does not say how much that is; docs/reference/scale.md has the product."""
    assert SOURCE["Globals"]["Function"]["MemorySize"] == LEAST_MEMORY
    assert "MemorySize" not in properties("EnforcerFunction")
    page = (Path(__file__).parents[2] / "docs/reference/scale.md").read_text(encoding="utf-8")
    assert f"| {LEAST_MEMORY * PRINCIPALS_A_MB:,} principals | the weekly digest" in page


def test_no_template_sets_the_simulated_clock() -> None:
    assert "CLOCK" not in TEXT


def test_no_concurrency_is_reserved() -> None:
    assert "ReservedConcurrentExecutions" not in TEXT


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_writes_to_a_log_group_of_the_stack_that_forgets(function: str) -> None:
    group = properties(function)["LoggingConfig"]["LogGroup"]["Ref"]
    assert properties(group)["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_each_waits_longer_than_what_it_waits_for() -> None:
    clients = importlib.import_module("quota_enforcer.aws.clients")
    patience = importlib.import_module("quota_enforcer.aws.bedrock.logging").PATIENCE
    waits = clients.CLOSES_ENFORCER.read_timeout
    limits = [
        properties("AuthorFunction")["Timeout"],
        clients.ASKS_AUTHOR.read_timeout,
        properties("EnforcerFunction")["Timeout"],
        waits,
        waits + patience,
        properties("SetupFunction")["Timeout"],
        properties("Setup")["ServiceTimeout"],
    ]
    assert limits == sorted(set(limits))


def test_the_author_never_runs_longer_than_its_lease() -> None:
    """Else a second one would write the same gates."""
    assert properties("AuthorFunction")["Timeout"] <= LEASE.total_seconds()
