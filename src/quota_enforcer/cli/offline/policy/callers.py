"""`policy viewer` and so on: what people and other accounts' roles need, and no more."""

from typing import Annotated

import typer

from quota_enforcer.cli.deployment.target import DEFAULT_STACK
from quota_enforcer.cli.offline.policy.named import (
    KmsKey,
    LogGroup,
    NamedStack,
    Partition,
    RegionOrAny,
    explain_patterns,
    on_stack,
)
from quota_enforcer.cli.terminal.options import Stack, trail_group
from quota_enforcer.cli.terminal.output import say_json
from quota_enforcer.core.policies.callers import admins, self_service
from quota_enforcer.core.policies.callers.doctor import before as doctor_before
from quota_enforcer.core.policies.callers.doctor import doctor as doctor_for
from quota_enforcer.core.policies.deployed import Deployed
from quota_enforcer.core.policies.functions import teams
from quota_enforcer.insight.quotas.teams.source import (
    FORMS,
    InvalidSource,
    SourceKind,
    TeamSource,
)


@on_stack
def teams_reader(
    named: NamedStack,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=f"{FORMS}.")],
) -> None:
    """Print the policy of a role that may only read where teams are kept.

    The stack makes such a role in its own account; in another one, such as
    that of Identity Center, you make it and name it in TeamsReader.

    Examples:
      quota-enforcer policy teams-reader iam:team --account 111122223333
    """
    kept = TeamSource.parse(source)
    if kept.kind is SourceKind.FILE:
        raise InvalidSource(f"{kept} is a file, which takes no right to read")
    say_json(teams.reader(named.deployed(), str(kept)))


def me(
    account: Annotated[str, typer.Option(help="The account's 12 digits; * for whichever.")] = "*",
    stack: Stack = DEFAULT_STACK,
    partition: Partition = "aws",
    region: RegionOrAny = "*",
) -> None:
    """Print the policy that lets people see their own usage with `quota-enforcer me`.

    Give it to groups, roles or permission sets: it is the same for everybody.

    Examples:
      quota-enforcer policy me
      quota-enforcer policy me --account 111122223333 --region eu-central-1
    """
    say_json(self_service.asking(stack, account=account, partition=partition, region=region))


@on_stack
def viewer(
    named: NamedStack,
    kms_key: KmsKey = "",
) -> None:
    """Print the policy of somebody who sees everything and changes nothing.

    With it `status`, `explain`, `usage`, `forecast`, `suggest`, `history`, `report`, `quota list`
    and the console show what they show an admin.

    Examples:
      quota-enforcer policy viewer --account 111122223333
    """
    say_json(admins.viewer(named.deployed(key=kms_key), named.stack))
    explain_patterns()


@on_stack
def admin(
    named: NamedStack,
    kms_key: KmsKey = "",
) -> None:
    """Print the policy of an admin of quotas, who needs no other right in AWS.

    It lets them edit quotas and prices, release, pause, sweep, recount, answer requests and
    subscribe people. `policy doctor` is what `doctor` needs besides; deploying needs far more.

    Examples:
      quota-enforcer policy admin --account 111122223333 --region eu-central-1
    """
    say_json(admins.admin(named.deployed(key=kms_key), named.stack))
    explain_patterns()


@on_stack
def team_lead(
    named: NamedStack,
    team: Annotated[str, typer.Argument(metavar="TEAM", help="team/NAME.")],
    kms_key: KmsKey = "",
) -> None:
    """Print the policy of a team's lead, who raises quotas of its members within a bound.

    The bound is what the team's quota says in `leads_raise_to`; without it
    they raise nothing. They see what a viewer sees, and edit nothing else.

    Examples:
      quota-enforcer policy team-lead team/research --account 111122223333
    """
    of = named.deployed(key=kms_key)
    say_json(admins.team_lead(of, named.stack, team))
    explain_patterns()


def doctor(  # noqa: PLR0913 - one for each parameter that matters to it
    account: Annotated[str, typer.Option(help="The account's 12 digits.")] = "",
    stack: Stack = DEFAULT_STACK,
    partition: Partition = "aws",
    region: RegionOrAny = "*",
    log_group: LogGroup = None,
    kms_key: KmsKey = "",
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
    """Print the policy that lets an admin run `quota-enforcer doctor`: reading, and no prompts.

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
    explain_patterns()
