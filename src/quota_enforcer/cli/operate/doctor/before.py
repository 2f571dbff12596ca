"""`doctor --before`: an account without a deployment, and the commands to begin with."""

from functools import partial
from typing import TYPE_CHECKING

import typer

from quota_enforcer import clock
from quota_enforcer.cli.operate.doctor.show import examined_document, show_examined, sum_up
from quota_enforcer.cli.terminal.errors import FAILED
from quota_enforcer.cli.terminal.output import echo, progress, say_json
from quota_enforcer.doctor.before.account import AccountUnderCheck
from quota_enforcer.doctor.before.next_steps import next_steps
from quota_enforcer.doctor.before.run import checks_before, unmade_before
from quota_enforcer.doctor.run import examine

if TYPE_CHECKING:
    from quota_enforcer.cli.deployment.target import Target
    from quota_enforcer.doctor.before.facts import AccountProbe


def probe_of(target: "Target") -> "AccountProbe":
    """What looks at the account of these credentials."""
    import boto3  # noqa: PLC0415 - help and completion are quick without AWS

    from quota_enforcer.aws.account.survey import account_probe  # noqa: PLC0415 - as boto3 above

    return account_probe(boto3.Session(profile_name=target.profile, region_name=target.region))


def look_before(target: "Target", *, as_json: bool) -> None:
    """Raises what boto3 raises if not even the caller can be found out."""
    under_check = AccountUnderCheck(probe_of(target), clock.now())
    where = under_check.where()
    planned = checks_before(under_check)
    show = partial(progress, label="Looking", total=len(planned))
    examined = examine(planned, partial(unmade_before, under_check), show)
    steps = next_steps(under_check.found(target.stack))
    if as_json:
        about = {"account": where.account, "region": where.region}
        document = examined_document(about, examined)
        commands = [{"command": each.command, "why": each.why} for each in steps]
        say_json({**document, "commands": commands})
    else:
        sum_up(show_examined(examined))
        echo()
        echo("To begin with:")
        for each in steps:
            echo(f"  # {each.why}")
            echo(f"  {each.command}")
    if not all(each.diagnosis.healthy for each in examined):
        raise typer.Exit(FAILED)
