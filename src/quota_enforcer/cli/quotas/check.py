"""`quota check`: what is not valid, or doubtful, in a file of items or in the quota table."""

from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment import Deployment
from quota_enforcer.cli.files.items import (
    ParsedItem,
    judge_items,
    judge_offline,
    read_items,
    table_items,
)
from quota_enforcer.cli.files.logs import log_file
from quota_enforcer.cli.terminal.errors import REFUSED
from quota_enforcer.cli.terminal.options import AsJson, Target, on_target
from quota_enforcer.cli.terminal.output import hint, say, say_json
from quota_enforcer.core.notices.amounts import count
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.lint import LintWarning, review

NOBODY_YET = "Nobody has used Bedrock yet, so who is covered by the quotas was not checked."


@on_target
def check(
    target: Target,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            callback=lambda file: file and log_file(file),
            help="Items as YAML or JSON; - for stdin. Default: the quota table.",
        ),
    ] = None,
    *,
    offline: Annotated[
        bool,
        typer.Option(
            "--offline",
            help="FILE alone, without AWS: every model scope counts as installed, and who is "
            "known is not looked at.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Name every item that is not valid, and warn of rules that may be mistakes.

    Exit code 2 says that something is not valid. The warnings are about quotas
    that cover nobody, members who have not used Bedrock, quotas that never
    apply, limits of 0 without an end, and quotas that have ended.

    Examples:
      quota-enforcer quota check
      quota-enforcer quota check quotas.yaml
      quota-enforcer quota check quotas.yaml --offline --json
    """
    if offline and file is None:
        raise typer.BadParameter("without AWS there is only a FILE to check", param_hint="FILE")
    judged, known = _offline(file) if offline and file else _online(target.find(), file)
    remarks = review((each.rule for each in judged if each.rule), known, clock.now())
    invalid = [each for each in judged if each.problems]
    if as_json:
        say_json(_document(judged, invalid, remarks))
    else:
        _say(judged, invalid, remarks)
        if judged and not known and not offline:
            hint(NOBODY_YET)
    if invalid:
        raise typer.Exit(REFUSED)


def _offline(file: Path) -> tuple[list[ParsedItem], set[Principal]]:
    return judge_offline(read_items(file), ZoneInfo("UTC")), set()


def _online(deployment: Deployment, file: Path | None) -> tuple[list[ParsedItem], set[Principal]]:
    settings = deployment.settings
    items = read_items(file) if file else table_items(deployment.quotas.items())
    judged = judge_items(items, settings.zone, sorted(settings.denies))
    return judged, {record.principal for record in deployment.ledger.everybody()}


def _say(judged: list[ParsedItem], invalid: list[ParsedItem], remarks: list[LintWarning]) -> None:
    for each in invalid:
        say(each.words)
    for remark in remarks:
        say(f"warning: {remark.name} of {remark.subject} {remark.words}")
    warnings = count(len(remarks), "warning")
    say(f"{count(len(judged), 'item')}: {len(invalid):,} not valid, {warnings}.")


def _document(
    judged: list[ParsedItem], invalid: list[ParsedItem], remarks: list[LintWarning]
) -> dict[str, Any]:
    return {
        "items": len(judged),
        "invalid": [each.to_json() for each in invalid],
        "warnings": [
            {
                "principal": each.subject,
                "quota": each.name,
                "doubt": each.doubt,
                "words": each.words,
            }
            for each in remarks
        ],
    }
