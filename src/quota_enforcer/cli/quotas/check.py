"""`quota check`: what is not valid, or doubtful, in a file of items or in the quota table."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.deployment.target import Target
from quota_enforcer.cli.files.items import (
    ParsedItem,
    judge_items,
    judge_offline,
    read_items,
    table_items,
)
from quota_enforcer.cli.files.logs import log_file
from quota_enforcer.cli.quotas.preview import metered, strangers
from quota_enforcer.cli.terminal.errors import REFUSED
from quota_enforcer.cli.terminal.options import AsJson, on_target
from quota_enforcer.cli.terminal.output import hint, say, say_json
from quota_enforcer.core.notices.amounts import count
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.lint import LintWarning, review
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Rule, named_by
from quota_enforcer.core.usage.coverage import Coverage
from quota_enforcer.core.usage.place import Place
from quota_enforcer.insight.quotas.coverage import coverage_of_usage, covered_since, of_last_days

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

    Exit code 2 says that something is not valid. The warnings are about names
    that IAM does not know, quotas that cover nobody or never apply, members who
    have not used Bedrock, Regions and accounts of which nothing is metered,
    limits of 0 without an end, and quotas that have ended. Last comes how much
    of the last days' usage none of these quotas counts, and what would.

    Examples:
      quota-enforcer quota check
      quota-enforcer quota check quotas.yaml
      quota-enforcer quota check quotas.yaml --offline --json
    """
    if offline and file is None:
        raise typer.BadParameter("without AWS there is only a FILE to check", param_hint="FILE")
    seen = _offline(file) if offline and file else _online(target.find(), file)
    remarks = review(seen.rules, seen.known, clock.now(), seen.unknown, seen.metered)
    invalid = [each for each in seen.judged if each.problems]
    if as_json:
        say_json(_document(seen, invalid, remarks))
    else:
        _say(seen.judged, invalid, remarks)
        if seen.judged and not seen.known and not offline:
            hint(NOBODY_YET)
        if seen.coverage is not None and seen.known:
            say(of_last_days(seen.coverage))
    if invalid:
        raise typer.Exit(REFUSED)


@dataclass(frozen=True, slots=True)
class _Checked:
    """The items, who has used Bedrock, and what the items leave uncounted of it."""

    judged: list[ParsedItem]
    known: frozenset[Principal] = frozenset()
    unknown: Mapping[Principal, str] = field(default_factory=dict)
    """Whom IAM does not know, with what it says of them."""
    coverage: Coverage | None = None
    metered: tuple[Place, ...] = ()
    """Home's place and those of its satellites, where a quota asks for places."""

    @property
    def rules(self) -> list[Rule]:
        return [each.rule for each in self.judged if each.rule]


def _offline(file: Path) -> _Checked:
    return _Checked(judge_offline(read_items(file), ZoneInfo("UTC")))


def _online(deployment: Deployment, file: Path | None) -> _Checked:
    settings = deployment.settings
    items = read_items(file) if file else table_items(deployment.quotas.items())
    table = deployment.quotas.items() if file else ()
    seen = _Checked(
        judge_items(items, settings.zone, sorted(settings.denies), table, settings.account),
        frozenset(record.principal for record in deployment.ledger.everybody()),
    )
    book, context = QuotaBook(seen.rules), deployment.context(clock.now())
    read = deployment.usage_for(seen.known, [book], context, covered_since(context))
    usages = {who: read.usages[who] for who in seen.known}
    unknown = {each.principal: each.words for each in strangers(deployment, named_by(seen.rules))}
    return replace(
        seen,
        unknown=unknown,
        coverage=coverage_of_usage(usages, book, context),
        metered=metered(deployment, seen.rules),
    )


def _say(judged: list[ParsedItem], invalid: list[ParsedItem], remarks: list[LintWarning]) -> None:
    for each in invalid:
        say(each.words)
    for remark in remarks:
        say(f"warning: {remark.name} of {remark.subject} {remark.words}")
    warnings = count(len(remarks), "warning")
    say(f"{count(len(judged), 'item')}: {len(invalid):,} not valid, {warnings}.")


def _document(
    seen: _Checked, invalid: list[ParsedItem], remarks: list[LintWarning]
) -> dict[str, Any]:
    return {
        "items": len(seen.judged),
        "invalid": [each.to_json() for each in invalid],
        "warnings": [
            {
                "principal": each.subject,
                "quota": each.name,
                "doubt": each.code,
                "words": each.words,
            }
            for each in remarks
        ],
        "coverage": None if seen.coverage is None else seen.coverage.to_json(),
    }
