"""`policy deny`, `gate`, `lock` and `allow`; the other `policy` commands beside them.

Each prints a policy document of `core.policies` as JSON, and none needs AWS credentials.
"""

from collections.abc import Sequence
from typing import Annotated

import typer

from quota_enforcer.cli.offline.policy.callers import (
    admin,
    doctor,
    me,
    team_lead,
    teams_reader,
    viewer,
)
from quota_enforcer.cli.offline.policy.check import check
from quota_enforcer.cli.offline.policy.guard import guard
from quota_enforcer.cli.offline.policy.named import Account, Partition
from quota_enforcer.cli.offline.policy.roles import (
    author,
    enforcer,
    meter,
    self_service_function,
    setup,
    teams_function,
    webhook,
)
from quota_enforcer.cli.terminal.output import hint, say_json, warn
from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.boundary import deny_statements, percent_full
from quota_enforcer.core.policies.boundary import gate as gate_for
from quota_enforcer.core.policies.callers.allow import allow_models
from quota_enforcer.core.policies.deny import deny_documents, divided
from quota_enforcer.core.policies.document import MANAGED_LIMIT, Document, document, size
from quota_enforcer.core.policies.guard.unmetered import Locks
from quota_enforcer.core.policies.guard.unmetered import lock as lock_for
from quota_enforcer.core.policies.names import checked_scopes
from quota_enforcer.core.usage.model import ModelScope

app = typer.Typer(
    no_args_is_help=True,
    help="Print policy documents, as deployed and for your own use; nothing in AWS is changed.",
)
app.command()(meter)
app.command()(enforcer)
app.command()(author)
app.command()(setup)
app.command("self-service")(self_service_function)
app.command()(webhook)
app.command("teams")(teams_function)
app.command(no_args_is_help=True)(teams_reader)
app.command()(me)
app.command()(doctor)
app.command()(viewer)
app.command()(admin)
app.command(no_args_is_help=True)(team_lead)
app.command(no_args_is_help=True)(guard)
app.command(no_args_is_help=True)(check)

Scopes = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="A model id, or a pattern such as anthropic.claude-3-opus*. Default: every model.",
    ),
]
_USER_ID = typer.Option(
    "--user-id",
    metavar="ID",
    help="*:NAME for an Identity Center person, ROLE-ID:NAME for a session of a role.",
)
AgentCore = Annotated[
    bool, typer.Option(help="Whether every model means Bedrock AgentCore's agents too.")
]


@app.command()
def deny(
    model: Scopes = None,
    user_id: Annotated[list[str] | None, _USER_ID] = None,
    partition: Partition = "aws",
    *,
    agent_core: AgentCore = True,
) -> None:
    """Print a policy that denies Bedrock, or some models; with --user-id the deny part of a gate.

    Examples:
      quota-enforcer policy deny
      quota-enforcer policy deny --model anthropic.claude-3-opus-20240229-v1:0
      quota-enforcer policy deny --user-id '*:bob@example.com' --model 'anthropic.claude-3-opus*'
    """
    scopes = _looked_at(model)
    if not user_id:
        _say(deny_documents(scopes, partition=partition, agent_core=agent_core))
        return

    def written(people: Sequence[str]) -> Document:
        denied = dict.fromkeys(people, scopes)
        return document(*deny_statements(denied, partition=partition, agent_core=agent_core))

    _say(divided(sorted(set(user_id)), written, MANAGED_LIMIT))


@app.command(no_args_is_help=True)
def gate(
    user_id: Annotated[list[str], _USER_ID],
    model: Scopes = None,
    partition: Partition = "aws",
    *,
    agent_core: AgentCore = True,
) -> None:
    """Print the permissions boundary that a gate is while these user ids are denied.

    The author function keeps the gates of a deployment by itself.

    Examples:
      quota-enforcer policy gate --user-id '*:bob@example.com'
      quota-enforcer policy gate --user-id AROAEXAMPLE:ci-42 --model 'anthropic.claude-3-opus*'
    """
    denied = dict.fromkeys(user_id, _looked_at(model))
    written = gate_for(denied, partition=partition, agent_core=agent_core)
    if size(written) > MANAGED_LIMIT:
        raise InvalidPolicyInput(
            f"{len(denied)} user ids take {size(written):,} characters and a boundary holds "
            f"{MANAGED_LIMIT:,}: name fewer, and let other roles name another gate"
        )
    _say([written])
    hint(f"{percent_full(written)} % of the {MANAGED_LIMIT:,} characters that IAM takes")


@app.command(no_args_is_help=True)
def lock(
    region: Annotated[
        list[str] | None,
        typer.Option(
            "--region",
            metavar="REGION",
            help="A Region where Bedrock may be used, since a deployment meters it; repeatable. "
            "All others are closed, but for what an inference profile of these sends there.",
        ),
    ] = None,
    partition: Partition = "aws",
    *,
    mantle: Annotated[bool, typer.Option("--mantle", help="Close bedrock-mantle.")] = False,
    batch: Annotated[bool, typer.Option("--batch", help="Close batch jobs.")] = False,
    nova_act: Annotated[bool, typer.Option("--nova-act", help="Close Nova Act.")] = False,
    marketplace: Annotated[
        bool,
        typer.Option(
            "--marketplace", help="Close new marketplace endpoints, and SageMaker's way to them."
        ),
    ] = False,
) -> None:
    """Print a policy that closes what no invocation log records, for an organisation or for roles.

    Whoever it holds for can use Bedrock only in ways that are metered.

    Examples:
      quota-enforcer policy lock --mantle --batch
      quota-enforcer policy lock --mantle --batch --nova-act --marketplace --region eu-central-1
      quota-enforcer policy lock --region eu-central-1 --region eu-west-1
    """
    wanted = Locks(mantle, batch, tuple(region or ()), nova_act, marketplace)
    _say([lock_for(wanted, partition=partition)])


@app.command(no_args_is_help=True)
def allow(
    account: Account,
    model: Annotated[
        list[str], typer.Option("--model", metavar="MODEL", help="An exact model id.")
    ],
    partition: Partition = "aws",
    *,
    console: Annotated[
        bool, typer.Option("--console", help="Also what the console's playground reads.")
    ] = False,
) -> None:
    """Print a policy that allows these models, also by system inference profiles, and no others.

    Examples:
      quota-enforcer policy allow --account 111122223333 --model deepseek.r1-v1:0 --console
    """
    _say(allow_models(_looked_at(model), account, partition=partition, console=console))


def _looked_at(scopes: Sequence[str] | None) -> Sequence[str]:
    """The scopes given, or every model; a word about those that may well match nothing."""
    checked_scopes(scopes or ("*",))
    if scopes and "*" in scopes and len(scopes) > 1:
        warn("* is every model, so the others named say nothing more")
    for scope in scopes or ():
        if not ModelScope(scope).of_known_vendor:
            warn(f"{scope} is of no vendor known so far, so it may match no model")
    return scopes or ("*",)


def _say(documents: Sequence[Document]) -> None:
    """One document, or a list if it takes several."""
    say_json(documents[0] if len(documents) == 1 else documents)
    if len(documents) > 1:
        hint(f"{len(documents)} policies, since one holds {MANAGED_LIMIT:,} characters")
