"""`gates setup` and `gates list`: people behind shared identities, and what lets them be blocked.

A gate is a permissions boundary that the author keeps. It works for whom it is set on, which only
an admin can do, once: IAM lets nobody but Identity Center change the roles of permission sets.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.operate.gates.boundaries import commands, gate_for, steps
from quota_enforcer.cli.operate.gates.names import (
    RoleNaming,
    naming,
    naming_document,
    naming_steps,
)
from quota_enforcer.cli.terminal.errors import FAILED
from quota_enforcer.cli.terminal.options import AsJson, on_deployment
from quota_enforcer.cli.terminal.output import echo, fail, hint, say, say_json
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.core.notices.amounts import listed
from quota_enforcer.gates.document import misused
from quota_enforcer.gates.result import NEARLY_FULL
from quota_enforcer.gates.roles import BoundaryState
from quota_enforcer.insight.gates import (
    GateFound,
    SharedRole,
    mixed,
    shared_elsewhere,
    shared_roles,
)
from quota_enforcer.insight.gates import gates as found_gates

_LEAVE_ONE: Final = (
    "Leave one permission set, for administrators, without a gate: a gate that somebody spoils "
    "could deny everybody behind it, and that is the way in to put it right."
)

_ELSEWHERE: Final = (
    "Account {account}: gates have the same names and paths there, and only the author looks at "
    "the roles: set one on {roles}, if that is not done. A permission set names its gate for all "
    "its accounts at once; each needs its satellite before, or provisioning fails."
)

_MIXED: Final = (
    "{name} is named by a permission set and by another role. People come first in it, so where "
    "they fill it, sessions of the role go on: give the role a gate of its own (parameter Gates)."
)

app = typer.Typer(
    no_args_is_help=True, help="Permissions boundaries by which people behind a role are blocked."
)

_SHOWN = 3
"""How many people of a role the table names; --json names all."""


@app.command()
@on_deployment
def setup(
    deployment: Deployment,
    *,
    source_identity: Annotated[
        bool,
        typer.Option(
            "--source-identity",
            help="Have the trust policies ask for a source identity too, which stays with whoever "
            "takes another role from there.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what to set on each permission set and shared role, once, and check that it is set.

    It looks at every permission set that was seen calling Bedrock, and at every role with a quota
    for its sessions. Where callers choose the names of their sessions, it prints the trust policy
    that binds a name to the person. The exit code is 1 if people cannot be blocked yet.

    Examples:
      quota-enforcer gates setup
      quota-enforcer gates setup --source-identity
      quota-enforcer gates setup --json
    """
    kept = deployment.gates()
    gates = list(found_gates(deployment.ledger, kept))
    context = deployment.context(clock.now())
    loaded, sources = deployment.load(context.now), deployment.ledger.sources()
    roles = shared_roles(sources, deployment.settings.account, loaded, kept, context)
    elsewhere = shared_elsewhere(sources, deployment.settings.account, loaded, context)
    alarms = [alarm for gate in gates for alarm in _alarms(gate)]
    todo = [role for role in roles if role.is_open]
    namings = {role.name: naming(role, source_identity=source_identity) for role in roles}
    if as_json:
        document = _document(gates, roles, namings, deployment.settings.account)
        say_json({**document, "accounts": {each: elsewhere[each] for each in elsewhere}})
    else:
        _show(gates, roles)
        for role in todo:
            echo()
            for lines in steps(role, gate_for(role, gates, roles), deployment.settings.account):
                echo(lines)  # as it is, so that a command can be copied
        _say_names(filter(None, namings.values()))
        for arn in sorted(mixed(roles)):
            hint(_MIXED.format(name=arn.rpartition("/")[2]))
        for account, several in elsewhere.items():
            hint(_ELSEWHERE.format(account=account, roles=", ".join(several)))
        if any(role.permission_set for role in roles):
            hint(_LEAVE_ONE)
    for alarm in alarms:
        fail(alarm)
    if alarms or todo:
        raise typer.Exit(FAILED)
    if roles:
        hint("Everybody behind these roles can be blocked.")


@app.command("list")
@on_deployment
def list_(deployment: Deployment, *, as_json: AsJson = False) -> None:
    """Show the gates: how full each is, and whom it denies.

    Examples:
      quota-enforcer gates list
    """
    gates = list(found_gates(deployment.ledger, deployment.gates()))
    if as_json:
        say_json({"gates": [_gate(gate) for gate in gates]})
        return
    say_table(
        ("Gate", "Full", "Denied"),
        [(gate.name, _full(gate), ", ".join(gate.denied) or "nobody") for gate in gates],
        numbers={"Full"},
    )


def _show(gates: Sequence[GateFound], roles: Sequence[SharedRole]) -> None:
    say_table(
        ("Gate (policy name)", "Path", "Full"),
        [(gate.name, gate.path, _full(gate)) for gate in gates],
        numbers={"Full"},
    )
    say("")
    if not roles:
        say(
            "Nobody behind a permission set has called Bedrock yet, and no quota names sessions of "
            "a role. You can set a gate as permissions boundary all the same."
        )
        return
    numbers = {gate.arn: number for number, gate in enumerate(gates, start=1)}
    say_table(
        ("Shared", "People", "Permissions boundary"),
        [(role.shown, _people(role), _state(role, numbers)) for role in roles],
    )


def _say_names(namings: Iterable[RoleNaming]) -> None:
    for each in namings:
        steps_to_bind = list(naming_steps(each))
        for lines in ["", *steps_to_bind] if steps_to_bind else []:
            echo(lines)


def _people(role: SharedRole) -> str:
    return listed(role.people, _SHOWN) or "any session"


def _state(role: SharedRole, numbers: Mapping[str, int]) -> Text:
    match role.state:
        case BoundaryState.GATE:
            return Text(f"gate {numbers[role.boundary]}: can be blocked", "green")
        case BoundaryState.ANOTHER:
            name = role.boundary.rpartition("/")[2]
            return Text(f"{name}, no gate: cannot be blocked", "bold red")
        case BoundaryState.NOTHING:
            return Text("none: cannot be blocked", "bold red")
        case BoundaryState.GONE:
            return Text("there is no such role any more", "dim")


def _full(gate: GateFound) -> str | Text:
    if gate.percent is None:
        return Text("not made yet", "yellow")
    return Text(f"{gate.percent} %", "yellow" if gate.percent >= NEARLY_FULL else "")


def _alarms(gate: GateFound) -> list[str]:
    alarms = []
    if gate.percent is None:
        alarms.append(
            f"{gate.name} is not there yet: `quota-enforcer sweep` has the author make it"
        )
    if gate.attached_to:
        alarms.append(misused(gate.name, gate.attached_to))
    return alarms


def _gate(gate: GateFound) -> dict[str, Any]:
    return {
        "arn": gate.arn,
        "name": gate.name,
        "path": gate.path,
        "percent": gate.percent,
        "denied": gate.denied,
        "attached_to": gate.attached_to,
    }


def _document(
    gates: Sequence[GateFound],
    roles: Sequence[SharedRole],
    namings: Mapping[str, RoleNaming | None],
    account: str,
) -> dict[str, Any]:
    return {
        "gates": [_gate(gate) for gate in gates],
        "roles": [
            {
                "role": role.name,
                "permission_set": role.permission_set or None,
                "people": role.people,
                "boundary": role.boundary or None,
                "state": str(role.state),
                "commands": commands(role, gate_for(role, gates, roles), account)
                if role.is_open
                else [],
                "session_names": naming_document(namings[role.name]),
            }
            for role in roles
        ],
    }
