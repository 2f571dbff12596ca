"""The deployment that a command works on, found by the name of its stack.

The stack's outputs name the enforcer function. All other settings are read from the environment of
this function: the command line has the same `Settings` as the Lambda.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from quota_enforcer.aws.errors import is_missing, is_refusal
from quota_enforcer.cli.terminal.errors import NoDeployment
from quota_enforcer.core.deployment import Context, Settings
from quota_enforcer.core.errors import NotThere
from quota_enforcer.core.notices.subscription import Subscription
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.item import Item, Quotas
from quota_enforcer.core.quotas.request import RaiseRequest, Refusal
from quota_enforcer.core.usage.model import SeenModel
from quota_enforcer.core.usage.reads import ReadMany, ReadSample, no_progress
from quota_enforcer.decide.rules.loader import QuotaLoader
from quota_enforcer.decide.rules.rule_set import RuleSet
from quota_enforcer.enforce.ports import Ledger, NoSatellites
from quota_enforcer.gates.settings import AuthorSettings
from quota_enforcer.insight.gates import GatesKept
from quota_enforcer.insight.quotas.names import IdentityNames
from quota_enforcer.satellites.registry import Satellite, SatelliteReads, member_accounts

if TYPE_CHECKING:
    import boto3

    from quota_enforcer.aws.dynamodb.ledger.usage.scan import UsageReader
    from quota_enforcer.doctor.probe import Probe

DEFAULT_STACK = "bedrock-quota"

OUTPUT = "EnforcerFunction"
"""The output that every stack of this product has."""

LOG = "InvocationLogGroup"
"""The output that names home's invocation log; every version has had it."""

METER = "MeterFunction"
"""The output that names the function that can recount."""


class QuotaTable(Quotas, Protocol):
    """The quota table, as admins write it."""

    def get(self, subject: str, name: str) -> Item | None:
        """One item, consistently read."""

    def put(self, item: Item, expected: Item | None) -> None:
        """Write an item; raises Conflict if the stored item is not `expected`."""

    def remove(self, subject: str, name: str, expected: Item | None = None) -> Item | None:
        """Remove an item; returns the removed item, or None if there was none.

        Raises Conflict if `expected` is given and the stored item differs.
        """


class Subscriptions(Protocol):
    """Subscriptions to notices, as admins edit them."""

    def by_email(self) -> list[Subscription]:
        """Every subscribed address, with its filter."""

    def find(self, email: str) -> Subscription | None:
        """The subscription of an address, or None."""

    def count(self) -> int:
        """The number of subscriptions, of any kind."""

    def filters(self) -> int:
        """The number of subscriptions with a filter."""

    def add(self, email: str, filter_policy: str) -> None:
        """AWS asks the address to confirm. Raises CannotSubscribe at a limit of SNS."""

    def change(self, subscription: Subscription, filter_policy: str) -> None:
        """Replace the filter of a confirmed subscription."""

    def remove(self, subscription: Subscription) -> None:
        """End a confirmed subscription."""


class RequestTable(Protocol):
    """What people ask for, as admins answer it."""

    def requests(self) -> list[RaiseRequest]:
        """All that are kept."""

    def request(self, principal: Principal) -> RaiseRequest | None:
        """The one that this principal made last."""

    def refuse(self, request: RaiseRequest, refusal: Refusal) -> bool:
        """False if it was answered meanwhile, or another took its place."""


def _no_requests() -> RequestTable:
    raise NotThere("there is no ledger to ask")


def _no_probe() -> "Probe":
    raise NotThere("there is nothing in AWS to look at")


def _no_identities() -> IdentityNames:
    raise NotThere("there is no IAM to ask")


class ReadCalls(Protocol):
    """Reads the records of home's invocation log, without prompts and answers."""

    def __call__(
        self, start: datetime, end: datetime, told: Callable[[float], None] = no_progress
    ) -> Iterator[Mapping[str, Any]]:
        """Those of a stretch of time, in no order; `told` hears the progress, from 0 to 1."""


def _no_calls(*_: Any, **__: Any) -> Iterator[Mapping[str, Any]]:
    raise NotThere("there is no log to read")


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment: its settings, tables, functions and gates, and the admin who asks."""

    settings: Settings
    ledger: Ledger
    quotas: QuotaTable
    ask: Callable[[dict[str, Any]], dict[str, Any]]
    """Sends the enforcer function an event; raises EnforcerError with the function's message."""
    caller: Callable[[], str]
    """The ARN of the admin who runs the command."""
    gates: Callable[[], GatesKept]
    """Raises NotThere if the deployment has no gates."""
    ask_meter: Callable[[dict[str, Any]], dict[str, Any]]
    """Sends the meter function an event; raises EnforcerError with the function's message."""
    usages: ReadMany
    """Reads the usage of many principals at once."""
    sample: ReadSample
    """Reads it of some, where all would take long."""
    subscriptions: Callable[[], Subscriptions]
    """The subscriptions of the notice topic."""
    models: Callable[[], list[SeenModel]] = list
    """The opaque model ARNs that the meter has seen, by ARN."""
    probe: Callable[[], "Probe"] = _no_probe
    """What the doctor examines."""
    identities: Callable[[], IdentityNames] = _no_identities
    """Users and roles by name."""
    satellites: SatelliteReads = field(default_factory=NoSatellites)
    """In which Regions and accounts it meters besides."""
    requests: Callable[[], RequestTable] = _no_requests
    """What people ask for."""
    forget: Callable[[Satellite], bool] = lambda _: False
    """Strikes a satellite off the registry; False if it is not there any more."""
    parameters: Callable[[], Mapping[str, str]] = dict
    """What the stack was deployed with."""
    calls: ReadCalls = _no_calls
    """The calls of the invocation log."""

    def context(self, now: datetime) -> Context:
        """What is the same for everybody decided about at this moment, as to the enforcer."""
        settings = self.settings
        if not settings.has_members:
            return settings.context(now)
        members = member_accounts(self.satellites.satellites(), settings.account)
        return settings.context(now, members)

    def sweep(self, *, dry_run: bool = False, confirm_blocks: bool = False) -> dict[str, Any]:
        """Have the enforcer sweep now; returns its report."""
        return self.ask({"action": "sweep", "dry_run": dry_run, "confirm_blocks": confirm_blocks})

    def remove(self, subject: str, name: str, expected: Item | None = None) -> Item | None:
        """Remove an item of the quota table, as `QuotaTable.remove`, and sign it."""
        self.announce_removal(subject, name, self.caller())
        return self.quotas.remove(subject, name, expected)

    def announce_removal(self, subject: str, name: str, by: str) -> None:
        """Have the history say who removes an item.

        An admin who may not write the ledger removes it all the same, as in the console.
        """
        try:
            self.ledger.announce_removal(subject, name, by)
        except Exception as error:
            if not is_refusal(error):
                raise

    def load(self, now: datetime) -> RuleSet:
        """The rules in force, read as the enforcer reads them."""
        loader = QuotaLoader(self.settings.zone, self.settings.denies, self.settings.account)
        memories = self.ledger.quota_memories()  # first: no item is older than its memory
        loaded = loader.load(self.quotas.items(), memories, now)
        return loaded.knowing(record.principal for record in self.ledger.everybody())


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
    from quota_enforcer.aws.cloudwatch.insights.calls import calls_without_bodies  # noqa: PLC0415 - as boto3 above
    from quota_enforcer.aws.cloudwatch.insights.query import InsightsQueries  # noqa: PLC0415 - as boto3 above

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
