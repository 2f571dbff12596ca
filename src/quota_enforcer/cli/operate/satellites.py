"""`satellites plan`, `list` and `forget`: further Regions and accounts of the deployment."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.terminal.completion import of_deployment as completion
from quota_enforcer.cli.terminal.errors import FAILED
from quota_enforcer.cli.terminal.options import AsJson, on_deployment
from quota_enforcer.cli.terminal.output import echo, hint, say_json, warn
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.core.errors import Conflict, NotThere, did_you_mean
from quota_enforcer.core.usage.place import REGIONS
from quota_enforcer.doctor.checks.satellites import SatellitesFound, satellites_found
from quota_enforcer.doctor.fixes import age
from quota_enforcer.satellites.health import SatelliteState, lag
from quota_enforcer.satellites.plan import HomeOfPlan, PlannedCall, Rollout, rollout, update
from quota_enforcer.satellites.registry import Satellite

app = typer.Typer(
    no_args_is_help=True, help="Stacks in further Regions and accounts, metered by this deployment."
)

OUTDATED: Final = {SatelliteState.VERSION_DIFFERS, SatelliteState.PARAMETERS_DIFFER}


@app.command()
@on_deployment
def plan(  # noqa: PLR0913 - one for each option
    deployment: Deployment,
    *,
    regions: Annotated[
        str,
        typer.Option(
            metavar="REGION,...",
            help="Where satellites are wanted, with commas between. Without it: the update of "
            "those that do not follow home any more.",
        ),
    ] = "",
    units: Annotated[
        str,
        typer.Option(
            metavar="OU,...",
            autocompletion=completion.units,
            help="Organisational units, or the organisation's root, whose accounts get satellites "
            "in these Regions, also accounts that join later.",
        ),
    ] = "",
    accounts: Annotated[
        str,
        typer.Option(
            metavar="ACCOUNT,...",
            help="Accounts in place of units, for stack sets that you permit yourself. Without "
            "either: further Regions of the deployment's own account.",
        ),
    ] = "",
    account_region: Annotated[
        str,
        typer.Option(
            "--account-region",
            metavar="REGION",
            help="Which of these Regions makes what an account has once, such as its denies; keep "
            "to it. Default: the first.",
        ),
    ] = "",
    email: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Who gets the satellites' own alarms.")
    ] = "",
    delegated: Annotated[
        bool,
        typer.Option(
            "--delegated", help="A delegated administrator of stack sets makes the calls."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the calls of the AWS CLI that roll satellites out, or that update them.

    It changes nothing. Run the calls where satellite.yaml is.

    Examples:
      quota-enforcer satellites plan --regions eu-west-1
      quota-enforcer satellites plan --regions us-east-1,eu-west-1 --units ou-ab12-11111111
      quota-enforcer satellites plan --regions us-east-1 --accounts 444455556666
      quota-enforcer satellites plan
    """
    check = deployment.under_check(clock.now())
    found = satellites_found(check)
    if regions:
        wanted = Rollout(
            _several(regions), _several(units), _several(accounts), account_region, delegated, email
        )
        calls = rollout(_home(found), wanted)
        _show(calls, [*_doubts(wanted.regions, check.partition)], as_json=as_json)
        return
    if units or accounts or account_region or email:
        raise typer.BadParameter("say where: --regions REGION,...")
    outdated = [each for each, states in found.known if OUTDATED & {*states}]
    _show(update(_home(found), outdated, delegated=delegated), [], as_json=as_json)
    if not outdated:
        hint("Every satellite follows home. For more of them: --regions REGION,...")


@app.command("list")
@on_deployment
def list_(deployment: Deployment, *, as_json: AsJson = False) -> None:
    """Show each satellite: its state, the newest call that came from it, and how late.

    The exit code is 1 if one does not follow home or cannot be reached.

    Examples:
      quota-enforcer satellites list
      quota-enforcer satellites list --json
    """
    now = clock.now()
    found = satellites_found(deployment.under_check(now))
    if as_json:
        say_json({"satellites": [_document(*each) for each in found.known]})
    else:
        say_table(
            ("Account", "Region", "State", "Newest call", "Lag", "Heard of", "Version"),
            [_row(each, states, now) for each, states in found.known],
            numbers={"Version"},
        )
        if not found.known:
            hint("There is none. `quota-enforcer satellites plan --regions ...` prints how.")
    if any({*states} - {SatelliteState.OK, SatelliteState.SILENT} for _, states in found.known):
        raise typer.Exit(FAILED)


@app.command()
@on_deployment
def forget(
    deployment: Deployment,
    place: Annotated[str, typer.Argument(metavar="ACCOUNT/REGION", help="Where it stood.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Forget a satellite that cannot say goodbye itself, such as of an account that has gone.

    What was used there stays counted. Delete its stack first if you can: from then on nobody of an
    account without satellites is denied or released from here. One that still stands is known again
    once its stack is updated.

    Examples:
      quota-enforcer satellites forget 444455556666/eu-west-1
    """
    known = {str(each.place): each for each in deployment.probe().satellites()}
    if place not in known:
        near = did_you_mean(place, known)
        raise NotThere(
            f"there is no satellite {place!r}{f': {near}' if near else ''}; `quota-enforcer "
            "satellites list` shows each as an account and a Region: write 444455556666/eu-west-1"
        )
    if not deployment.forget(known[place]):
        raise Conflict(f"another satellite stands in {place} by now: look at `satellites list`")
    if as_json:
        say_json({"forgotten": place})
    else:
        echo(f"{place} is forgotten; what was used there stays counted.")


def _home(found: SatellitesFound) -> HomeOfPlan:
    return HomeOfPlan(found.stack, found.stack_id, found.home, found.parameter, found.followed)


def _several(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.strip() for each in text.split(",") if each.strip()))


def _doubts(regions: Sequence[str], partition: str) -> Iterator[str]:
    """Regions where the stack would fail, as far as this machine knows."""
    from quota_enforcer.aws.account.regions import without_services  # noqa: PLC0415 - imports boto3

    for region, missing in without_services(regions, partition).items():
        near = did_you_mean(region, sorted(REGIONS)) if region not in REGIONS else ""
        yield (
            f"AWS's endpoint data know no {' and no '.join(missing)} in {region}: a satellite "
            "there would fail and be rolled back, and the others stand. "
            + (f"{near[0].upper()}{near[1:]}" if near else "Leave it out")
            + "; if the Region is new, update boto3"
        )


def _show(calls: list[PlannedCall], doubts: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        calls_ = [{"command": each.command, "why": each.why} for each in calls]
        say_json({"calls": calls_, "warnings": list(doubts)})
        return
    for words in doubts:
        warn(words)
    for number, each in enumerate(calls):
        if number:
            echo()
        echo(f"# {each.why}")
        echo(each.command)


def _row(
    satellite: Satellite, states: tuple[SatelliteState, ...], now: datetime
) -> tuple[str, ...]:
    late = lag(satellite)
    newest = satellite.newest_record
    heard = satellite.last_delivery or satellite.announced
    return (
        satellite.place.account,
        satellite.place.region,
        ", ".join(states),
        f"{newest:%Y-%m-%d %H:%M}Z" if newest else "none yet",
        age(late) if late is not None else "",
        f"{age(now - heard)} ago",
        str(satellite.version),
    )


def _document(satellite: Satellite, states: tuple[SatelliteState, ...]) -> dict[str, Any]:
    late = lag(satellite)
    return {
        "account": satellite.place.account,
        "region": satellite.place.region,
        "states": list(states),
        "newest_record": satellite.newest_record,
        "lag_seconds": None if late is None else int(late.total_seconds()),
        "last_delivery": satellite.last_delivery,
        "announced": satellite.announced,
        "version": satellite.version,
        "log_group": satellite.log_group,
        "stack_id": satellite.stack_id,
    }
