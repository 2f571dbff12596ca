"""`policy enforcer` and so on: what our functions may do, and what others may and may not."""

from typing import Annotated, Literal

import typer

from quota_enforcer.cli.deployment.by_stack import DEFAULT_STACK
from quota_enforcer.cli.terminal.options import trail_group
from quota_enforcer.cli.terminal.output import hint, say_json
from quota_enforcer.core.policies import roles as functions
from quota_enforcer.core.policies.callers import admins, self_service, teams
from quota_enforcer.core.policies.callers.doctor import before as doctor_before
from quota_enforcer.core.policies.callers.doctor import doctor as doctor_for
from quota_enforcer.core.policies.callers.webhook import webhook as webhook_for
from quota_enforcer.core.policies.deployed import Deployed
from quota_enforcer.core.policies.names import (
    ASK_WHOM,
    GATES,
    MODEL_SCOPES,
    PARTITIONS,
    ROLE_PATH,
)
from quota_enforcer.core.policies.setup import setup as setup_for
from quota_enforcer.insight.quotas.teams.source import (
    FORMS,
    InvalidSource,
    SourceKind,
    TeamSource,
)
from quota_enforcer.satellites.names import NO_SATELLITES, OWN_REGIONS, SATELLITES, readers

Account = Annotated[str, typer.Option(help="The account's 12 digits.")]
Partition = Annotated[str, typer.Option(help=f"One of {', '.join(PARTITIONS)}.")]
Stack = Annotated[str, typer.Option(envvar="QUOTA_ENFORCER_STACK", help="The deployment's stack.")]
_Region = Annotated[str, typer.Option(help="The deployment's Region; * stands for any.")]
LogGroup = Annotated[
    str | None, typer.Option(help="The invocation log. Default: the one the stack makes.")
]
_KmsKey = Annotated[str, typer.Option(metavar="ARN", help="The parameter KmsKeyArn.")]
RolePath = Annotated[str, typer.Option(help="The parameter RolePath.")]
_Metering = Literal["stream", "cloudwatch"]
_ModelScopes = Annotated[
    int,
    typer.Option(
        "--scopes", min=0, max=MODEL_SCOPES, help="How many ModelScope parameters are set."
    ),
]


_AskWhom = Annotated[str, typer.Option("--ask-whom", help="The parameter AskWhom.")]


_Satellites = Annotated[
    str, typer.Option(metavar="off|regions|o-...", help="The parameter Satellites.")
]


def _check(satellites: str) -> None:
    if not SATELLITES.fullmatch(satellites):
        raise typer.BadParameter(
            f"--satellites is {satellites!r}; allowed: {NO_SATELLITES}, {OWN_REGIONS}, or the id "
            "of an organisation such as o-exampleorgid"
        )


def _in_members(satellites: str) -> bool:
    """Whether there may be satellites in other accounts."""
    _check(satellites)
    return satellites not in {NO_SATELLITES, OWN_REGIONS}


def meter(  # noqa: PLR0913 - one for each parameter that matters to it
    account: Account,
    stack: Stack = DEFAULT_STACK,
    partition: Partition = "aws",
    region: _Region = "*",
    log_group: LogGroup = None,
    *,
    kms_key: _KmsKey = "",
    satellites: _Satellites = NO_SATELLITES,
) -> None:
    """Show what the meter may do, as its role has it.

    Examples:
      quota-enforcer policy meter --account 111122223333
      quota-enforcer policy meter --account 111122223333 --satellites o-exampleorgid
    """
    _check(satellites)
    of = Deployed.named(
        stack,
        account,
        partition,
        region,
        log_group=log_group or "",
        key=kms_key,
        readers=readers(partition, account, stack, satellites),
    )
    say_json(functions.meter(of))
    _explain_patterns()


def enforcer(  # noqa: PLR0913 - one for each parameter that matters to it
    account: Account,
    stack: Stack = DEFAULT_STACK,
    partition: Partition = "aws",
    region: _Region = "*",
    scopes: _ModelScopes = 0,
    gates: Annotated[int, typer.Option(min=0, max=GATES, help="The parameter Gates.")] = 0,
    *,
    ask: _AskWhom = ASK_WHOM,
    metering: Annotated[_Metering, typer.Option(help="The parameter Metering.")] = "stream",
    kms_key: _KmsKey = "",
    role_path: RolePath = ROLE_PATH,
    satellites: _Satellites = NO_SATELLITES,
) -> None:
    """Show what the enforcer may do, as its role has it.

    Examples:
      quota-enforcer policy enforcer --account 111122223333
      quota-enforcer policy enforcer --account 111122223333 --scopes 2 --gates 1
      quota-enforcer policy enforcer --account 111122223333 --satellites o-exampleorgid
    """
    metrics = metering == "cloudwatch"
    of = Deployed.named(
        stack,
        account,
        partition,
        region,
        scopes=scopes,
        gates=gates,
        metrics=metrics,
        ask=ask,
        key=kms_key,
        role_path=role_path,
        members=_in_members(satellites),
    )
    say_json(functions.enforcer(of))
    _explain_patterns()


def author(  # noqa: PLR0913 - one for each parameter that matters to it
    account: Account,
    stack: Stack = DEFAULT_STACK,
    partition: Partition = "aws",
    region: _Region = "*",
    gates: Annotated[int, typer.Option(min=1, max=GATES, help="The parameter Gates.")] = 1,
    ask: _AskWhom = ASK_WHOM,
    *,
    kms_key: _KmsKey = "",
    gate_tags: Annotated[bool, typer.Option(help="The parameter GateTags is set.")] = False,
    satellites: _Satellites = NO_SATELLITES,
) -> None:
    """Show what the author, which writes the gates, may do, as its role has it.

    Examples:
      quota-enforcer policy author --account 111122223333 --gates 2
    """
    of = Deployed.named(
        stack,
        account,
        partition,
        region,
        gates=gates,
        ask=ask,
        key=kms_key,
        tagged=gate_tags,
        members=_in_members(satellites),
    )
    say_json(functions.author(of))
    _explain_patterns()


def setup(
    account: Account,
    stack: Stack = DEFAULT_STACK,
    partition: Partition = "aws",
    region: _Region = "*",
    *,
    manage_logging: Annotated[bool, typer.Option(help="The parameter ManageLogging.")] = True,
) -> None:
    """Show what the set-up function may do, as its role has it.

    Examples:
      quota-enforcer policy setup --account 111122223333
      quota-enforcer policy setup --account 111122223333 --no-manage-logging
    """
    of = Deployed.named(stack, account, partition, region, manages_logging=manage_logging)
    say_json(setup_for(of))
    _explain_patterns()


def self_service_function(
    account: Account,
    stack: Stack = DEFAULT_STACK,
    partition: Partition = "aws",
    region: _Region = "*",
    kms_key: _KmsKey = "",
) -> None:
    """Show what the self-service function, which answers `me`, may do, as its role has it.

    Examples:
      quota-enforcer policy self-service --account 111122223333
    """
    say_json(self_service.me(Deployed.named(stack, account, partition, region, key=kms_key)))
    _explain_patterns()


def webhook(
    account: Account,
    stack: Stack = DEFAULT_STACK,
    partition: Partition = "aws",
    region: _Region = "*",
    kms_key: _KmsKey = "",
    secret: Annotated[
        str, typer.Option(metavar="ARN", help="The parameter WebhookSecretArn.")
    ] = "",
) -> None:
    """Show what the function that posts notices to a webhook may do, as its role has it.

    Examples:
      quota-enforcer policy webhook --account 111122223333
    """
    of = Deployed.named(stack, account, partition, region, key=kms_key, webhook_secret=secret)
    say_json(webhook_for(of))
    _explain_patterns()


def teams_function(
    account: Account,
    stack: Stack = DEFAULT_STACK,
    partition: Partition = "aws",
    region: _Region = "*",
    *,
    kms_key: _KmsKey = "",
    reader: Annotated[
        str, typer.Option(metavar="ARN", help="The parameter TeamsReader. Default: the stack's.")
    ] = "",
) -> None:
    """Show what the function that keeps teams in step may do, as its role has it.

    Examples:
      quota-enforcer policy teams --account 111122223333
    """
    of = Deployed.named(stack, account, partition, region, key=kms_key, teams_reader=reader)
    say_json(teams.teams(of))
    _explain_patterns()


def teams_reader(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=f"{FORMS}.")],
    account: Account,
    stack: Stack = DEFAULT_STACK,
    partition: Partition = "aws",
    region: _Region = "*",
) -> None:
    """Write the policy of a role that may only read where teams are kept.

    The stack makes such a role in its own account; in another one, such as
    that of Identity Center, you make it and name it in TeamsReader.

    Examples:
      quota-enforcer policy teams-reader iam:team --account 111122223333
      quota-enforcer policy teams-reader 'identity-center:bedrock-*' \
          --account 111122223333
    """
    kept = TeamSource.parse(source)
    if kept.kind is SourceKind.FILE:
        raise InvalidSource(f"{kept} is a file, which takes no right to read")
    say_json(teams.reader(Deployed.named(stack, account, partition, region), str(kept)))


def me(
    account: Annotated[str, typer.Option(help="The account's 12 digits; * for whichever.")] = "*",
    stack: Stack = DEFAULT_STACK,
    partition: Partition = "aws",
    region: _Region = "*",
) -> None:
    """Write the policy that lets people see their own usage with `quota-enforcer me`.

    Give it to groups, roles or permission sets: it is the same for everybody.

    Examples:
      quota-enforcer policy me
      quota-enforcer policy me --account 111122223333 --region eu-central-1
    """
    say_json(self_service.asking(stack, account=account, partition=partition, region=region))


def viewer(
    account: Account,
    stack: Stack = DEFAULT_STACK,
    partition: Partition = "aws",
    region: _Region = "*",
    kms_key: _KmsKey = "",
) -> None:
    """Write the policy of somebody who sees everything and changes nothing.

    With it `status`, `explain`, `usage`, `forecast`, `suggest`, `history`, `report`, `quota list`
    and the console show what they show an admin.

    Examples:
      quota-enforcer policy viewer --account 111122223333
    """
    say_json(admins.viewer(Deployed.named(stack, account, partition, region, key=kms_key), stack))
    _explain_patterns()


def admin(
    account: Account,
    stack: Stack = DEFAULT_STACK,
    partition: Partition = "aws",
    region: _Region = "*",
    kms_key: _KmsKey = "",
) -> None:
    """Write the policy of an admin of quotas, who needs no other right in AWS.

    It lets them edit quotas and prices, release, pause, sweep, recount, answer requests and
    subscribe people. `policy doctor` is what `doctor` needs besides; deploying needs far more.

    Examples:
      quota-enforcer policy admin --account 111122223333 --region eu-central-1
    """
    say_json(admins.admin(Deployed.named(stack, account, partition, region, key=kms_key), stack))
    _explain_patterns()


def team_lead(
    team: Annotated[str, typer.Argument(metavar="TEAM", help="team/NAME.")],
    account: Account,
    stack: Stack = DEFAULT_STACK,
    partition: Partition = "aws",
    region: _Region = "*",
    kms_key: _KmsKey = "",
) -> None:
    """Write the policy of a team's lead, who raises quotas of its members within a bound.

    The bound is what the team's quota says in `leads_raise_to`; without it
    they raise nothing. They see what a viewer sees, and edit nothing else.

    Examples:
      quota-enforcer policy team-lead team/research --account 111122223333
    """
    of = Deployed.named(stack, account, partition, region, key=kms_key)
    say_json(admins.team_lead(of, stack, team))
    _explain_patterns()


def doctor(  # noqa: PLR0913 - one for each parameter that matters to it
    account: Annotated[str, typer.Option(help="The account's 12 digits.")] = "",
    stack: Stack = DEFAULT_STACK,
    partition: Partition = "aws",
    region: _Region = "*",
    log_group: LogGroup = None,
    kms_key: _KmsKey = "",
    *,
    before: Annotated[
        bool, typer.Option("--before", help="What `doctor --before` needs, in whichever account.")
    ] = False,
    trail: Annotated[
        str,
        typer.Option(
            metavar="LOG-GROUP",
            callback=trail_group,
            help="Also what `doctor --trail` needs: the name or ARN of a trail's log group.",
        ),
    ] = "",
) -> None:
    """Show what an admin needs to run `quota-enforcer doctor`: reading, and no prompts.

    Examples:
      quota-enforcer policy doctor --account 111122223333
      quota-enforcer policy doctor --before
      quota-enforcer policy doctor --account 111122223333 --trail cloudtrail-logs
    """
    if before:
        say_json(doctor_before())
        return
    if not account:
        raise typer.BadParameter("give the account's 12 digits", param_hint="--account")
    of = Deployed.named(stack, account, partition, region, log_group=log_group or "", key=kms_key)
    say_json(doctor_for(of, stack, trail))
    _explain_patterns()


def _explain_patterns() -> None:
    hint("A * in an ARN stands for the Region, or for what CloudFormation adds to a name; "
         "the deployed policy has the exact ARNs.")  # fmt: skip
