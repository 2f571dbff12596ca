"""`quota-enforcer policy meter`, `enforcer` and `author` print what is deployed."""

from dataclasses import replace
from typing import Any

import pytest

from quota_enforcer.core.policies import deployed
from quota_enforcer.core.policies.functions import roles as functions
from quota_enforcer.core.policies.functions import self_service, teams
from quota_enforcer.core.policies.functions.setup import setup
from quota_enforcer.core.policies.functions.webhook import webhook
from quota_enforcer.core.policies.names import deny_policy_name, gate_name, policy_arn
from quota_enforcer.satellites.names import Part, readers, role_arn
from template_source import FUNCTIONS
from template_values import KEY, PSEUDO, SIGNED_WITH, Deployed, spelled_out, teams_kept

HOOK = {"WebhookUrl": "https://hooks.example.com", "WebhookSecretArn": SIGNED_WITH}


def ours(name: str) -> str:
    return policy_arn("aws", PSEUDO["AWS::AccountId"], PSEUDO["AWS::StackName"], name)


READER = (
    "arn:aws:iam::123456789012:role/bedrock-quota/bedrock-quota/bedrock-quota-TeamsReaderRole-*"
)


def named(
    scopes: int = 0, gates: int = 0, *, metrics: bool = False, **more: Any
) -> deployed.Deployed:
    """What the code takes for a deployment, in the names of `template_values`."""
    numbers = [None, *range(1, scopes + 1)]
    return deployed.Deployed(
        partition=PSEUDO["AWS::Partition"],
        account=PSEUDO["AWS::AccountId"],
        quota_table="QuotaTable.Arn",
        quota_stream="QuotaTable.StreamArn",
        ledger_table="LedgerTable.Arn",
        denies=tuple(ours(deny_policy_name("bedrock-quota", number)) for number in numbers),
        notice_topic="NoticeTopic",
        dead_letters="EnforcerDeadLetters.Arn",
        enforcer_log="EnforcerLogGroup.Arn",
        gates=tuple(ours(gate_name("bedrock-quota", number)) for number in range(1, gates + 1)),
        author="AuthorFunction.Arn" if gates else "",
        author_log="AuthorLogGroup.Arn",
        metrics=metrics,
        region=PSEUDO["AWS::Region"],
        enforcer="EnforcerFunction.Arn",
        invocation_log="arn:aws:logs:us-east-1:123456789012:log-group:InvocationLogGroup:*",
        stack=PSEUDO["AWS::StackId"],
        meter_dead_letters="MeterDeadLetters.Arn",
        meter_log="MeterLogGroup.Arn",
        me_log="MeLogGroup.Arn",
        teams_log="TeamsLogGroup.Arn",
        teams_reader=READER,
        setup_log="SetupLogGroup.Arn",
        webhook_queue="WebhookQueue.Arn",
        webhook_secret=SIGNED_WITH,
        webhook_log="WebhookLogGroup.Arn",
        log_role="InvocationLogRole.Arn",
        **more,
    )


@pytest.mark.parametrize("gates", range(5))
@pytest.mark.parametrize("scopes", [0, 1, 5])
def test_the_enforcers_role(scopes: int, gates: int) -> None:
    parameters = {f"ModelScope{number}": f"m{number}" for number in range(1, scopes + 1)}
    deployed = Deployed(**parameters, Gates=str(gates))
    code = functions.enforcer(named(scopes, gates))
    assert spelled_out(deployed.policy("EnforcerRole")) == spelled_out(code)


@pytest.mark.parametrize("metering", ["stream", "cloudwatch"])
def test_the_enforcers_role_with_either_meter(metering: str) -> None:
    code = functions.enforcer(named(metrics=metering == "cloudwatch"))
    assert spelled_out(Deployed(Metering=metering).policy("EnforcerRole")) == spelled_out(code)


@pytest.mark.parametrize("metering", ["stream", "cloudwatch"])
def test_the_meters_role(metering: str) -> None:
    """The same with either: it recounts."""
    code = functions.meter(named())
    assert spelled_out(Deployed(Metering=metering).policy("MeterRole")) == spelled_out(code)


@pytest.mark.parametrize("gates", range(1, 5))
def test_the_authors_role(gates: int) -> None:
    code = functions.author(named(0, gates))
    assert spelled_out(Deployed(Gates=str(gates)).policy("AuthorRole")) == spelled_out(code)


@pytest.mark.parametrize("gates", [0, 2])
def test_each_role_where_there_are_member_accounts(gates: int) -> None:
    """The names of the roles to take are those that a satellite gives them."""
    stack, given = "bedrock-quota", Deployed(Satellites="o-exampleorg1", Gates=str(gates))
    deniers = role_arn("aws", "*", stack, Part.DENIER)
    gate_authors = role_arn("aws", "*", stack, Part.AUTHOR) if gates else ""
    code = named(0, gates, deniers=deniers, gate_authors=gate_authors)
    assert spelled_out(given.policy("EnforcerRole")) == spelled_out(functions.enforcer(code))
    if gates:
        assert spelled_out(given.policy("AuthorRole")) == spelled_out(functions.author(code))
    by_name = deployed.Deployed.named(
        stack, PSEUDO["AWS::AccountId"], "aws", "us-east-1", gates=gates, members=True
    )
    assert (by_name.deniers, by_name.gate_authors) == (deniers, gate_authors)


@pytest.mark.parametrize("satellites", ["off", "regions", "o-exampleorg1"])
def test_the_meters_role_with_satellites(satellites: str) -> None:
    found = readers("aws", PSEUDO["AWS::AccountId"], "bedrock-quota", satellites)
    code = functions.meter(named(readers=found))
    assert spelled_out(Deployed(Satellites=satellites).policy("MeterRole")) == spelled_out(code)


def test_regions_of_one_account_give_no_function_another_role() -> None:
    for satellites in ("off", "regions"):
        given = Deployed(Satellites=satellites, Gates="1")
        code = named(0, 1)
        assert spelled_out(given.policy("EnforcerRole")) == spelled_out(functions.enforcer(code))
        assert spelled_out(given.policy("AuthorRole")) == spelled_out(functions.author(code))


def test_the_self_service_functions_role() -> None:
    assert spelled_out(Deployed().policy("MeRole")) == spelled_out(self_service.me(named()))


@pytest.mark.parametrize("key", ["", KEY])
def test_the_webhook_functions_role(key: str) -> None:
    code = webhook(named(key=key))
    given = Deployed(KmsKeyArn=key, **HOOK)
    assert spelled_out(given.policy("WebhookRole")) == spelled_out(code)


def test_the_teams_functions_role() -> None:
    given, elsewhere = Deployed(TeamsFrom="iam"), "arn:aws:iam::444455556666:role/reads-teams"
    assert spelled_out(given.policy("TeamsRole")) == spelled_out(teams.teams(named()))
    given = Deployed(TeamsFrom="iam", TeamsReader=elsewhere)
    code = replace(named(), teams_reader=elsewhere)
    assert spelled_out(given.policy("TeamsRole")) == spelled_out(teams.teams(code))
    by_name = deployed.Deployed.named("bedrock-quota", "123456789012", "aws", "us-east-1")
    assert by_name.teams_reader == READER


@pytest.mark.parametrize(
    "source", ["iam:team", "identity-center:bedrock-*", "identity-center:A,B", "s3://teams/a.csv"]
)
def test_the_role_that_reads_teams(source: str) -> None:
    code = teams.reader(named(), source)
    given = Deployed(**teams_kept(source)).policy("TeamsReaderRole")
    assert _sorted(spelled_out(given)) == _sorted(spelled_out(code))


def _sorted(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: sorted(said) if isinstance(said, list) else said for name, said in each.items()}
        for each in statements
    ]


@pytest.mark.parametrize("manages", [True, False])
def test_the_set_up_functions_role(*, manages: bool) -> None:
    code = setup(replace(named(), manages_logging=manages))
    given = Deployed(ManageLogging=str(manages).lower())
    assert spelled_out(given.policy("SetupRole")) == spelled_out(code)


def test_without_manage_logging_set_up_only_looks() -> None:
    code = setup(replace(named(), manages_logging=False))
    actions = {action for each in code["Statement"] for action in each["Action"]}
    assert {each for each in actions if each.startswith(("bedrock:", "iam:"))} == {
        "bedrock:GetModelInvocationLoggingConfiguration"
    }


def test_each_role_where_an_organisation_has_rules() -> None:
    """A key of its own, a path for roles, and tags on the gates."""
    given = Deployed(
        KmsKeyArn=KEY, RolePath="/platform/", GateTags="a=b", Gates="1", TeamsFrom="iam"
    )
    reader = READER.replace("role/", "role/platform/")
    code = named(0, 1, key=KEY, role_path="/platform/", tagged=True)
    code = replace(code, teams_reader=reader)
    for role, written in (
        ("EnforcerRole", functions.enforcer),
        ("MeterRole", functions.meter),
        ("AuthorRole", functions.author),
        ("MeRole", self_service.me),
        ("TeamsRole", teams.teams),
    ):
        assert spelled_out(given.policy(role)) == spelled_out(written(code)), role


@pytest.mark.parametrize("gates", ["0", "1"])
@pytest.mark.parametrize("self_service", ["true", "false"])
@pytest.mark.parametrize("teams_from", ["", "iam"])
def test_each_role_is_for_its_function_alone(
    gates: str, self_service: str, teams_from: str
) -> None:
    """Each function that the template makes, and each of their roles, stands in that policy."""
    given = Deployed(Gates=gates, SelfService=self_service, TeamsFrom=teams_from)
    policy = given.properties("OwnFunctionsOnly")
    made = [name for name in FUNCTIONS if given.has(name)]
    assert policy["Roles"] == [f"{name.removesuffix('Function')}Role" for name in made]
    code = functions.own_functions_only([f"{name}.Arn" for name in made])
    assert spelled_out(policy["PolicyDocument"]) == spelled_out(code)
