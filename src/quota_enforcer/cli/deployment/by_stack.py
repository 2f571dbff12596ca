"""Deployments found by the names of their stacks.

The stack's outputs name the enforcer function. All other settings are read from the environment of
this function: the command line has the same `Settings` as the Lambda.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from quota_enforcer.aws.errors import is_missing
from quota_enforcer.cli.deployment.deployment import Deployment, RequestTable, Subscriptions
from quota_enforcer.cli.terminal.errors import NoDeployment
from quota_enforcer.core.deployment import Settings
from quota_enforcer.core.errors import NotThere
from quota_enforcer.core.usage.model import SeenModel
from quota_enforcer.core.usage.reads import no_progress
from quota_enforcer.enforce.ports.ledger import Ledger
from quota_enforcer.gates.settings import AuthorSettings
from quota_enforcer.insight.gates import GatesKept
from quota_enforcer.insight.quotas.names import IdentityNames
from quota_enforcer.satellites.registry import Satellite

if TYPE_CHECKING:
    import boto3

    from quota_enforcer.aws.dynamodb.ledger.usage.scan import UsageReader
    from quota_enforcer.doctor.probe import Probe

OUTPUT = "EnforcerFunction"
"""The output that every stack of this product has."""

LOG = "InvocationLogGroup"
"""The output that names home's invocation log; every version has had it."""

METER = "MeterFunction"
"""The output that names the function that can recount."""


def find(stack: str, profile: str | None, region: str | None) -> Deployment:
    """The deployment of this stack; raises NoDeployment, ConfigError or what boto3 raises."""
    import boto3  # noqa: PLC0415 - help and completion are quick without AWS

    return find_by(boto3.Session(profile_name=profile, region_name=region), stack)


def organizations(profile: str | None) -> Any:
    """The client of AWS Organizations, which stands in one Region."""
    import boto3  # noqa: PLC0415 - as above

    return boto3.Session(profile_name=profile, region_name="us-east-1").client("organizations")


def find_by(session: "boto3.Session", stack: str) -> Deployment:
    """The same with somebody's session."""
    from quota_enforcer.lambdas.enforcer import wiring  # noqa: PLC0415 - as boto3 above

    outputs = stack_outputs(session, stack)
    function = outputs[OUTPUT]
    settings = Settings.from_environment(_environment(session, function))
    ledger = wiring.ledger(settings, session)
    reader = _usage_reader(session, settings, ledger)
    return Deployment(
        settings,
        ledger,
        wiring.quotas(settings, session),
        ask=_ask(session, function),
        caller=lambda: session.client("sts").get_caller_identity()["Arn"],
        gates=lambda: _gates(session, settings),
        models=lambda: _models(session, settings),
        subscriptions=lambda: _subscriptions(session, settings),
        probe=lambda: _probe(session, settings, outputs),
        identities=lambda: _identities(session),
        usages=reader.usages,
        sample=reader.sample,
        satellites=wiring.satellites(settings, session),
        requests=lambda: _requests(session, settings),
        forget=lambda satellite: _forget(session, settings, satellite),
        parameters=lambda: _parameters(session, stack),
        calls=lambda start, end, told=no_progress: _calls(session, outputs, start, end, told),
        # Looked up when it is asked: an earlier version's stack has no meter function.
        ask_meter=lambda event: _ask(session, _meter(outputs, stack))(event),  # noqa: PLW0108 - see above
    )


def _meter(outputs: Mapping[str, str], stack: str) -> str:
    """The name of the stack's meter function."""
    if METER not in outputs:
        raise NotThere(
            f"stack {stack!r} has no output {METER!r}, so it is of an earlier version that could "
            "not recount: deploy it again",
        )
    return outputs[METER]


def _calls(
    session: "boto3.Session",
    outputs: Mapping[str, str],
    start: datetime,
    end: datetime,
    told: Callable[[float], None],
) -> Iterator[Mapping[str, Any]]:
    from quota_enforcer.aws.cloudwatch.logs.calls_without_bodies import calls_without_bodies  # noqa: PLC0415 - as boto3 above
    from quota_enforcer.aws.cloudwatch.logs.query import InsightsQueries  # noqa: PLC0415 - as boto3 above

    client: Any = session.client("logs")
    queries = InsightsQueries(client, outputs[LOG])
    return calls_without_bodies(queries, start, end, told)


def _forget(session: "boto3.Session", settings: Settings, satellite: Satellite) -> bool:
    from quota_enforcer.aws.dynamodb.satellites import DynamoSatellites  # noqa: PLC0415 - as boto3 above
    from quota_enforcer.aws.dynamodb.table import Table  # noqa: PLC0415 - as boto3 above

    registry = DynamoSatellites(Table(session.client("dynamodb"), settings.ledger_table))
    return registry.leave(satellite.place, satellite.stack_id)


def _parameters(session: "boto3.Session", stack: str) -> Mapping[str, str]:
    from quota_enforcer.aws.account.stack import StackParts  # noqa: PLC0415 - as boto3 above

    return StackParts(session.client("cloudformation"), stack).parameters()


def _requests(session: "boto3.Session", settings: Settings) -> RequestTable:
    from quota_enforcer.aws.dynamodb.ledger.requests import DynamoRequests  # noqa: PLC0415 - as boto3 above
    from quota_enforcer.aws.dynamodb.table import Table  # noqa: PLC0415 - as boto3 above

    return DynamoRequests(Table(session.client("dynamodb"), settings.ledger_table))


def _gates(session: "boto3.Session", settings: Settings) -> GatesKept:
    """The gates that the author's environment names."""
    # The enforcer's wiring has no gates: the author alone may write them.
    from quota_enforcer.aws.iam.gates import IamGates  # noqa: PLC0415 - as boto3 above

    if not settings.author:
        raise NotThere(
            f"stack {settings.stack} keeps no gates: set its parameter Gates to 1 (one gate denies "
            "9 to 160 people at once) and deploy again",
        )
    author = AuthorSettings.from_environment(_environment(session, settings.author))
    return GatesKept(author.gates, IamGates(session.client("iam")))


def _identities(session: "boto3.Session") -> IdentityNames:
    from quota_enforcer.aws.iam.identities import IamIdentities  # noqa: PLC0415 - as boto3 above

    return IamIdentities(session.client("iam"))


def _models(session: "boto3.Session", settings: Settings) -> list[SeenModel]:
    from quota_enforcer.aws.dynamodb.ledger.usage.model_memory import DynamoModelMemory  # noqa: PLC0415 - as boto3 above

    return DynamoModelMemory(session.client("dynamodb"), settings.ledger_table).models()


def _subscriptions(session: "boto3.Session", settings: Settings) -> Subscriptions:
    from quota_enforcer.aws.messaging.subscriptions import SnsSubscriptions  # noqa: PLC0415 - as boto3 above

    return SnsSubscriptions(session.client("sns"), settings.notice_topic)


def _probe(session: "boto3.Session", settings: Settings, outputs: Mapping[str, str]) -> "Probe":
    from quota_enforcer.aws.probe import aws_probe  # noqa: PLC0415 - as boto3 above

    return aws_probe(session, settings, outputs)


def _usage_reader(session: "boto3.Session", settings: Settings, ledger: Ledger) -> "UsageReader":
    from quota_enforcer.aws import clients  # noqa: PLC0415 - as boto3 above
    from quota_enforcer.aws.dynamodb.ledger.usage.scan import UsageReader  # noqa: PLC0415 - as boto3 above

    client = session.client("dynamodb", config=clients.ENFORCER)
    return UsageReader(client, settings.ledger_table, settings.zone, ledger.usage)


def _environment(session: "boto3.Session", function: str) -> Mapping[str, str]:
    """As the function sees it: Lambda lists no variables of its own, such as the Region's."""
    answer = session.client("lambda").get_function_configuration(FunctionName=function)
    variables = answer.get("Environment", {}).get("Variables", {})
    return {**variables, "AWS_REGION": session.region_name}


def stack_outputs(session: "boto3.Session", stack: str) -> Mapping[str, str]:
    """The outputs of the stack; raises NoDeployment if it is missing, not ready, or not ours."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - as boto3 above

    client = session.client("cloudformation")
    try:
        [described] = client.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if is_missing(error):
            raise NoDeployment(
                f"there is no stack {stack!r} in {session.region_name}: name yours with --stack "
                "or QUOTA_ENFORCER_STACK, or look elsewhere with --region or --profile "
                "(`aws cloudformation list-stacks` shows what is there), or deploy it first",
            ) from error
        raise
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}
    if OUTPUT in outputs:
        return outputs
    if not outputs and not described["StackStatus"].endswith("_COMPLETE"):
        raise NoDeployment(
            f"stack {stack!r} in {session.region_name} is {described['StackStatus']} and has no "
            "outputs yet: try again when it is complete",
        )
    raise NoDeployment(
        f"stack {stack!r} in {session.region_name} is not a quota enforcer: it has no output "
        f"{OUTPUT!r} (it has: {', '.join(sorted(outputs)) or 'none'}); name yours with --stack",
    )


def names(profile: str | None, region: str | None) -> list[str]:
    """The stacks that are quota enforcers."""
    import boto3  # noqa: PLC0415 - as above

    session = boto3.Session(profile_name=profile, region_name=region)
    pages = session.client("cloudformation").get_paginator("describe_stacks").paginate()
    return [
        each["StackName"]
        for page in pages
        for each in page["Stacks"]
        if OUTPUT in {output["OutputKey"] for output in each.get("Outputs", [])}
    ]


def _ask(session: "boto3.Session", function: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    from quota_enforcer.aws import clients  # noqa: PLC0415 - as boto3 above
    from quota_enforcer.aws.functions.functions import Enforcer  # noqa: PLC0415 - as boto3 above

    return Enforcer(session.client("lambda", config=clients.ASKS_FUNCTION), function).ask
