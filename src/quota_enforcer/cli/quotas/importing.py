"""`quota import`: the quota table gets the items of a file."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.files.by_hand import is_by_hand, with_raise
from quota_enforcer.cli.files.import_plan import (
    ImportPlan,
    ImportStep,
    WantedItem,
    Written,
    item_key,
    plan_import,
    write,
)
from quota_enforcer.cli.files.items import ParsedItem, judge_items, read_items
from quota_enforcer.cli.files.logs import STDIN
from quota_enforcer.cli.quotas.edit import effect, say_overtaken
from quota_enforcer.cli.quotas.preview import DRY_RUN, Consent, Preview, preview, strangers
from quota_enforcer.cli.terminal.asking import ask
from quota_enforcer.cli.terminal.errors import FAILED, REFUSED
from quota_enforcer.cli.terminal.options import AsJson, DryRun, FileOrStdin, Yes, on_deployment
from quota_enforcer.cli.terminal.output import fail, hint, say, say_json, say_lines, warn
from quota_enforcer.core.notices.amounts import and_more
from quota_enforcer.core.quotas.diff import changes
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.quotas.lint import LintCode, review
from quota_enforcer.core.quotas.quota import named_by

_TOLD = 10
"""Warnings that are shown; `quota check` shows all."""


@on_deployment
def import_(  # noqa: PLR0913 - one argument for each option
    deployment: Deployment,
    file: FileOrStdin,
    *,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune", help="Also remove what FILE does not have, but for what was made by hand."
        ),
    ] = False,
    end_raises: Annotated[
        bool,
        typer.Option(
            "--end-raises",
            help="End what was made by hand for a while and FILE does not have: raises; and with "
            "--prune releases and blocks by hand.",
        ),
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make the quota table say what FILE says: shows what would change, asks, then writes.

    FILE is a list of quota and price items as YAML or JSON, such as `quota
    export` writes. Raises in force, releases and blocks made by hand stay as
    they are, unless FILE says otherwise. All of it is validated first. An item
    that somebody else edits meanwhile is named and not changed. After an
    interruption run it again: what is as in FILE already is not written again.

    Examples:
      quota-enforcer quota import quotas.yaml
      quota-enforcer quota import quotas.yaml --dry-run
      quota-enforcer quota import quotas.yaml --prune --yes
      git show main:quotas.yaml | quota-enforcer quota import - --yes
    """
    if file == STDIN and not (yes or dry_run):
        raise typer.BadParameter("stdin is the file, so nothing can be asked: give --yes")
    settings = deployment.settings
    stored = deployment.quotas.items()
    judged = judge_items(
        read_items(file), settings.zone, sorted(settings.denies), stored, settings.account
    )
    wanted = _accepted(judged, stored)
    _warn(deployment, wanted)
    made = planned(deployment, wanted, stored, prune=prune, end_raises=end_raises)
    if not as_json:
        _say_plan(made)
    written = Written()
    due = () if dry_run else made.steps
    found = preview(deployment, {step.key: step.item for step in made.steps}, clock.now())
    found.tell(Consent(yes, dry_run, as_json))
    _warn_of_strangers(deployment, made)
    if due:
        ask(f"Write this ({made.summary})?", yes=yes)
        _write(deployment, due, written)
    if as_json:
        say_json({**_document(made, written), **found.effects.to_json()})
    elif dry_run:
        say(DRY_RUN)
    elif due:
        say(f"{len(written.done):,} of {len(due):,} written.")
    _say_outcome(deployment, written, found)


def planned(
    deployment: Deployment,
    wanted: list[WantedItem],
    stored: list[Item],
    *,
    prune: bool = False,
    end_raises: bool = False,
) -> ImportPlan:
    """The steps; what was made by hand for a while stays unless `end_raises`."""
    if end_raises:
        return plan_import(wanted, stored, prune=prune)
    now, zone = clock.now(), deployment.settings.zone
    there = {item_key(item): item for item in stored}
    kept = [
        replace(each, item=with_raise(each.item, there.get(item_key(each.item)), now, zone))
        for each in wanted
    ]
    return plan_import(kept, stored, prune=prune, by_hand=lambda item: is_by_hand(item, now, zone))


def _accepted(judged: Iterable[ParsedItem], stored: Iterable[Item]) -> list[WantedItem]:
    """The items of the file; ends the command if one of them is not valid.

    An invalid item that is in the table already may stay: else no export could be imported.
    """
    there = {(item["principal"], item["quota"]): item for item in stored}
    refused: list[ParsedItem] = []
    kept: list[ParsedItem] = []
    wanted = []
    for each in judged:
        if each.problems:
            old = there.get(each.placed.key)
            same = old is not None and not changes(old, each.placed.item)
            (kept if same else refused).append(each)
        wanted.append(WantedItem(each.placed.item, each.rule))
    if refused:
        for each in refused:
            fail(each.words)
        hint(f"Nothing was written: {len(refused):,} of {len(wanted):,} items are not valid.")
        raise typer.Exit(REFUSED)
    for each in kept:
        warn(f"{each.words}\nThe table has it in the same form, and it stays.")
    return wanted


def _warn(deployment: Deployment, wanted: Iterable[WantedItem]) -> None:
    """Warn of members who have not used Bedrock: they are new, or a typing error."""
    teams = [each.rule for each in wanted if each.rule is not None and each.rule.members]
    if not teams:
        return
    known = {record.principal for record in deployment.ledger.everybody()}
    remarks = [
        each for each in review(teams, known, clock.now()) if each.code is LintCode.UNSEEN_MEMBER
    ]
    for each in remarks[:_TOLD]:
        warn(f"{each.name} of {each.subject} {each.words}")
    if more := and_more(len(remarks), _TOLD):
        hint(f"{more}: `quota-enforcer quota check FILE` names all")


def _warn_of_strangers(deployment: Deployment, made: ImportPlan) -> None:
    """Warn of whom the new and changed items name and IAM does not know."""
    unknown = strangers(deployment, named_by(step.rule for step in made.steps if step.rule))
    for each in unknown[:_TOLD]:
        warn(f"{each.principal}: {each.words}; this limits nobody until there is one")
    if more := and_more(len(unknown), _TOLD):
        hint(f"{more}: `quota-enforcer quota check FILE` names all")


def _say_plan(made: ImportPlan) -> None:
    if made.steps:
        say_lines(step.words for step in made.steps)
    say(f"{made.summary}.")
    if made.left > made.by_hand:
        left = made.left - made.by_hand
        say(f"{left:,} more in the table are not in the file and stay; --prune removes them.")
    if made.by_hand:
        say(
            f"{made.by_hand:,} made by hand for a while are not in the file and stay; "
            "--prune --end-raises removes them."
        )


def _write(deployment: Deployment, due: Iterable[ImportStep], written: Written) -> None:
    steps = list(due)
    try:
        announce = deployment.announce_removal
        write(deployment.quotas, steps, deployment.caller(), written, announce)
    except KeyboardInterrupt:
        fail(f"interrupted: {_so_far(written, steps)}")
        raise typer.Exit(FAILED) from None
    except Exception:
        hint(f"It stopped: {_so_far(written, steps)}")
        raise


def _so_far(written: Written, steps: list[ImportStep]) -> str:
    return (
        f"{len(written.done):,} of {len(steps):,} written; run it again for the rest, "
        "what is written already is left alone"
    )


def _document(made: ImportPlan, written: Written) -> dict[str, Any]:
    return {
        **made.counts,
        "left": made.left,
        "by_hand": made.by_hand,
        "written": len(written.done),
        "overtaken": [{"principal": s.key[0], "quota": s.key[1]} for s in written.overtaken],
        "steps": [step.to_json() for step in made.steps],
    }


def _say_outcome(deployment: Deployment, written: Written, found: Preview) -> None:
    if written.done:
        hint(effect(deployment, found))
    overtaken = (step.key for step in written.overtaken)
    say_overtaken(f"{name} of {subject}" for subject, name in overtaken)
    if written.overtaken:
        raise typer.Exit(FAILED)
