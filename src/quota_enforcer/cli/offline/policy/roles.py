"""`policy enforcer` and so on: what each of our functions may do, as its role has it."""

from typing import Annotated, Literal

import typer

from quota_enforcer.cli.offline.policy.named import (
    KmsKey,
    LogGroup,
    NamedStack,
    RolePath,
    explain_patterns,
    on_stack,
)
from quota_enforcer.cli.terminal.output import say_json
from quota_enforcer.core.policies.functions import roles as functions
from quota_enforcer.core.policies.functions import self_service, teams
from quota_enforcer.core.policies.functions.setup import setup as setup_for
from quota_enforcer.core.policies.functions.webhook import webhook as webhook_for
from quota_enforcer.core.policies.names import ASK_WHOM, GATES, MODEL_SCOPES, ROLE_PATH
from quota_enforcer.satellites.names import NO_SATELLITES, OWN_REGIONS, SATELLITES, readers

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


@on_stack
def meter(
    named: NamedStack,
    log_group: LogGroup = None,
    *,
    kms_key: KmsKey = "",
    satellites: _Satellites = NO_SATELLITES,
) -> None:
    """Print the policy of the meter's role.

    Examples:
      quota-enforcer policy meter --account 111122223333
      quota-enforcer policy meter --account 111122223333 --satellites o-exampleorgid
    """
    _check(satellites)
    of = named.deployed(
        log_group=log_group or "",
        key=kms_key,
        readers=readers(named.partition, named.account, named.stack, satellites),
    )
    say_json(functions.meter(of))
    explain_patterns()


@on_stack
def enforcer(  # noqa: PLR0913 - one for each parameter that matters to it
    named: NamedStack,
    scopes: _ModelScopes = 0,
    gates: Annotated[int, typer.Option(min=0, max=GATES, help="The parameter Gates.")] = 0,
    *,
    ask: _AskWhom = ASK_WHOM,
    metering: Annotated[_Metering, typer.Option(help="The parameter Metering.")] = "stream",
    kms_key: KmsKey = "",
    role_path: RolePath = ROLE_PATH,
    satellites: _Satellites = NO_SATELLITES,
) -> None:
    """Print the policy of the enforcer's role.

    Examples:
      quota-enforcer policy enforcer --account 111122223333
      quota-enforcer policy enforcer --account 111122223333 --scopes 2 --gates 1
      quota-enforcer policy enforcer --account 111122223333 --satellites o-exampleorgid
    """
    metrics = metering == "cloudwatch"
    of = named.deployed(
        scopes=scopes,
        gates=gates,
        metrics=metrics,
        ask=ask,
        key=kms_key,
        role_path=role_path,
        members=_in_members(satellites),
    )
    say_json(functions.enforcer(of))
    explain_patterns()


@on_stack
def author(
    named: NamedStack,
    gates: Annotated[int, typer.Option(min=1, max=GATES, help="The parameter Gates.")] = 1,
    ask: _AskWhom = ASK_WHOM,
    *,
    kms_key: KmsKey = "",
    gate_tags: Annotated[bool, typer.Option(help="The parameter GateTags is set.")] = False,
    satellites: _Satellites = NO_SATELLITES,
) -> None:
    """Print the policy of the role of the author, which writes the gates.

    Examples:
      quota-enforcer policy author --account 111122223333 --gates 2
    """
    of = named.deployed(
        gates=gates,
        ask=ask,
        key=kms_key,
        tagged=gate_tags,
        members=_in_members(satellites),
    )
    say_json(functions.author(of))
    explain_patterns()


@on_stack
def setup(
    named: NamedStack,
    *,
    manage_logging: Annotated[bool, typer.Option(help="The parameter ManageLogging.")] = True,
) -> None:
    """Print the policy of the set-up function's role.

    Examples:
      quota-enforcer policy setup --account 111122223333
      quota-enforcer policy setup --account 111122223333 --no-manage-logging
    """
    of = named.deployed(manages_logging=manage_logging)
    say_json(setup_for(of))
    explain_patterns()


@on_stack
def self_service_function(
    named: NamedStack,
    kms_key: KmsKey = "",
) -> None:
    """Print the policy of the role of the self-service function, which answers `me`.

    Examples:
      quota-enforcer policy self-service --account 111122223333
    """
    say_json(self_service.me(named.deployed(key=kms_key)))
    explain_patterns()


@on_stack
def webhook(
    named: NamedStack,
    kms_key: KmsKey = "",
    secret: Annotated[
        str, typer.Option(metavar="ARN", help="The parameter WebhookSecretArn.")
    ] = "",
) -> None:
    """Print the policy of the role of the function that posts notices to a webhook.

    Examples:
      quota-enforcer policy webhook --account 111122223333
    """
    of = named.deployed(key=kms_key, webhook_secret=secret)
    say_json(webhook_for(of))
    explain_patterns()


@on_stack
def teams_function(
    named: NamedStack,
    *,
    kms_key: KmsKey = "",
    reader: Annotated[
        str, typer.Option(metavar="ARN", help="The parameter TeamsReader. Default: the stack's.")
    ] = "",
) -> None:
    """Print the policy of the role of the function that keeps teams in step.

    Examples:
      quota-enforcer policy teams --account 111122223333
    """
    of = named.deployed(key=kms_key, teams_reader=reader)
    say_json(teams.teams(of))
    explain_patterns()
