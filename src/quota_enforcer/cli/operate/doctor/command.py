"""`doctor`: every check of a deployment, what is wrong, and how to fix it."""

from functools import partial
from typing import Annotated

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.target import Target
from quota_enforcer.cli.operate.doctor.before import look_before
from quota_enforcer.cli.operate.doctor.show import examined_document, show_examined, sum_up
from quota_enforcer.cli.terminal.errors import FAILED
from quota_enforcer.cli.terminal.options import AsJson, on_target, trail_group
from quota_enforcer.cli.terminal.output import hint, progress, say_json
from quota_enforcer.doctor.run import checks, examine, unmade_check


@on_target
def doctor(
    target: Target,
    *,
    before: Annotated[
        bool,
        typer.Option(
            "--before",
            help="Look at the account before the first deployment: who may call Bedrock, through "
            "what, where there is traffic, and which commands to begin with.",
        ),
    ] = False,
    trail: Annotated[
        str,
        typer.Option(
            "--trail",
            metavar="LOG-GROUP",
            callback=trail_group,
            help="Also compare the ledger with this log group of a CloudTrail trail, by name, or "
            "by ARN if it is in another Region.",
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Find what is wrong with the deployment, and how to fix it.

    It only reads. Exit code 1 says that something is wrong or could not be
    checked; notes are no harm. `quota-enforcer policy doctor` prints what it needs.

    Examples:
      quota-enforcer doctor
      quota-enforcer doctor --json
      quota-enforcer doctor --before
      quota-enforcer doctor --trail aws-cloudtrail-logs-111122223333
    """
    if before and trail:
        raise typer.BadParameter("--trail compares a deployment's ledger: leave --before out")
    if before:
        look_before(target, as_json=as_json)
        return
    deployment = target.find()
    under_check = deployment.under_check(clock.now())
    planned = checks(under_check, trail)
    show = partial(progress, label="Checking", total=len(planned))
    examined = examine(planned, partial(unmade_check, under_check), show)
    where = {"stack": deployment.settings.stack, "region": under_check.probe.region}
    if as_json:
        say_json(examined_document(where, examined))
    elif sum_up(show_examined(examined)):
        hint(
            "The commands are for this deployment after: "
            f"export QUOTA_ENFORCER_STACK={where['stack']} AWS_REGION={where['region']}"
        )
    if not all(each.diagnosis.healthy for each in examined):
        raise typer.Exit(FAILED)
