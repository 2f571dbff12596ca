"""`pause` and `resume`: for an emergency nobody new is blocked for a while; no deployment."""

from typing import Annotated, Any

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.quotas.preview import DRY_RUN
from quota_enforcer.cli.terminal.asking import ask
from quota_enforcer.cli.terminal.options import AsJson, DryRun, Yes, on_deployment
from quota_enforcer.cli.terminal.output import hint, say, say_json
from quota_enforcer.cli.terminal.when import end_moment
from quota_enforcer.core.notices import wording
from quota_enforcer.core.notices.amounts import lasting
from quota_enforcer.core.quotas.diff import AUTHOR
from quota_enforcer.core.quotas.form.ends import END_FORMS, moment_text
from quota_enforcer.core.quotas.item import read_quota
from quota_enforcer.core.quotas.quota import LONGEST_PAUSE, pause_of
from quota_enforcer.core.quotas.subject import PAUSE, PAUSED_BLOCKS


@on_deployment
def pause(
    deployment: Deployment,
    *,
    until: Annotated[
        str,
        typer.Option(metavar="WHEN", help=f"When it ends: {END_FORMS}; at most a day from now."),
    ],
    note: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why; admins are told of it.")
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Block nobody new for a while, whatever the quotas say: for an emergency.

    It writes an item of the quota table that ends by itself, so whoever may
    edit quotas may do it. Whoever is blocked stays so, metering goes on, and
    admins are told of the begin and of the end. Whoever is over a limit by
    then is blocked when it ends. Another pause takes its place.

    Examples:
      quota-enforcer pause --until 2h --note "incident 4711"
      quota-enforcer pause --until 30m --yes
    """
    now, settings = clock.now(), deployment.settings
    ends = end_moment(until, settings.context(now), "--until")
    if ends - now > LONGEST_PAUSE:
        raise typer.BadParameter(
            f"that is {lasting(ends - now)} from now; allowed: at most {lasting(LONGEST_PAUSE)}. "
            "Set it again before it ends if you must",
            param_hint="--until",
        )
    shown = wording.moment(ends, settings.zone)
    old = deployment.quotas.get(PAUSE, PAUSED_BLOCKS)
    item = {
        "principal": str(PAUSE),
        "quota": PAUSED_BLOCKS,
        "until": moment_text(ends, settings.zone),
        **({"note": note} if note else {}),
    }
    read_quota(item, settings.zone, sorted(settings.denies))
    if not dry_run:
        ask(
            f"Nobody new is blocked until {shown}, however much they use; pause?",
            yes=yes,
        )
        item[AUTHOR] = deployment.caller()
        deployment.quotas.put(item, old)
    if as_json:
        say_json({"paused_until": ends, "item": item, "written": not dry_run})
        return
    say(f"New blocks {'would be' if dry_run else 'are'} paused until {shown}.")
    if dry_run:
        say(DRY_RUN)
    else:
        hint("Admins are told now, and when it ends. To end it at once: quota-enforcer resume")


@on_deployment
def resume(deployment: Deployment, *, as_json: AsJson = False) -> None:
    """End a pause at once: whoever is over a limit is blocked in seconds.

    Examples:
      quota-enforcer resume
    """
    now, settings = clock.now(), deployment.settings
    standing = pause_of(deployment.load(now).rules, now)
    old = deployment.quotas.get(PAUSE, PAUSED_BLOCKS)
    removed: Any = deployment.remove(PAUSE, PAUSED_BLOCKS, old) if old is not None else None
    if as_json:
        say_json({"was_paused_until": standing.until if standing else None, "removed": removed})
    elif standing is None:
        say("New blocks are not paused.")
    else:
        say(f"New blocks are made again; they were paused until "
            f"{wording.moment(standing.until, settings.zone)}.")  # fmt: skip
