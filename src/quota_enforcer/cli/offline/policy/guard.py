"""`policy guard`: what keeps all but admins off a deployment, and off what is not metered."""

import json
from typing import Annotated, Final

import typer

from quota_enforcer.cli.deployment.target import DEFAULT_STACK
from quota_enforcer.cli.offline.policy.named import (
    Account,
    LogGroup,
    Partition,
    RolePath,
)
from quota_enforcer.cli.terminal.options import Stack
from quota_enforcer.cli.terminal.output import hint
from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.guard.guard import LIMITS, boundary_name
from quota_enforcer.core.policies.guard.guard import guard as guard_for
from quota_enforcer.core.policies.guard.guarded import Guarded, GuardKind
from quota_enforcer.core.policies.names import ROLE_PATH

_AS: Final = {GuardKind.IDENTITY: "a policy", GuardKind.BOUNDARY: "permissions boundary"}


def guard(  # noqa: PLR0913 - one for each thing that may be guarded
    account: Account,
    *,
    admin_role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE",
            help="A role that may still change all of it, with its path if any; repeatable.",
        ),
    ] = None,
    lead_role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE",
            help="A role of a lead of a team, who may still raise for members; repeatable.",
        ),
    ] = None,
    stack: Stack = DEFAULT_STACK,
    log_group: LogGroup = None,
    log_role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE",
            help="With --log-group: the role by which Bedrock writes it, name or ARN; repeatable.",
        ),
    ] = None,
    partition: Partition = "aws",
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REGION",
            help="With --unmetered: a Region that a deployment meters; repeatable.",
        ),
    ] = None,
    only_tier: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TIER",
            help="Close all service tiers but this: default, flex, priority, ...; repeatable.",
        ),
    ] = None,
    kind: Annotated[
        GuardKind,
        typer.Option(
            help="scp for an organisation; without one, identity or boundary for who is limited."
        ),
    ] = GuardKind.SCP,
    role_path: RolePath = ROLE_PATH,
    unmetered: Annotated[
        bool,
        typer.Option(
            "--unmetered",
            help="Close what no invocation log records: bedrock-mantle, batch, Nova Act, "
            "marketplace endpoints, and other Regions than --region.",
        ),
    ] = False,
) -> None:
    r"""Print the policies that keep all but admin roles off the deployment.

    Whoever deploys the stack, edits quotas or runs sweeps needs an admin role.
    White space is left out, since Organizations counts it.

    Examples:
      quota-enforcer policy guard --account 111122223333 --admin-role PlatformAdmin
      quota-enforcer policy guard --account 111122223333 --admin-role platform/Deploy \
          --log-group bedrock-logs --log-role BedrockLogging
      quota-enforcer policy guard --account 111122223333 --admin-role PlatformAdmin \
          --unmetered --region eu-central-1
      quota-enforcer policy guard --account 111122223333 --kind boundary
      quota-enforcer policy guard --account 111122223333 --admin-role PlatformAdmin \
          --only-tier default --only-tier flex
    """
    if unmetered != bool(region):
        raise InvalidPolicyInput(
            "--unmetered closes all Regions but those that are metered: name these with --region"
            if unmetered
            else "--region says where Bedrock is metered: it goes with --unmetered"
        )
    guarded = Guarded(
        account,
        stack,
        tuple(admin_role or ()),
        log_group or "",
        partition,
        tuple(only_tier or ()),
        tuple(log_role or ()),
        tuple(region or ()),
        kind,
        tuple(lead_role or ()),
        role_path,
    )
    documents = guard_for(guarded)
    only = documents[0] if len(documents) == 1 else documents
    typer.echo(json.dumps(only, separators=(",", ":")))
    if len(documents) > 1:
        hint(f"{len(documents)} policies, since one holds {LIMITS[kind]:,} characters")
    if kind is not GuardKind.SCP:
        hint(
            f"Make it as {boundary_name(stack)} in the path /bedrock-quota/{stack}/, where it "
            f"guards itself, and give it as {_AS[kind]} to those who are limited. It holds them "
            "alone: `quota-enforcer doctor` says who else could lift a limit."
        )
