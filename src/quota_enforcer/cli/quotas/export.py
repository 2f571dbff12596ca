"""`quota export`: the quota table as a file that `quota import` reads back exactly."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.files.by_hand import permanent
from quota_enforcer.cli.files.items import JSON_SUFFIX, ParsedItem, judge_items, table_items
from quota_enforcer.cli.files.json import written as as_json_text
from quota_enforcer.cli.files.replacing import replace_file
from quota_enforcer.cli.terminal.options import on_deployment
from quota_enforcer.cli.terminal.output import hint, warn
from quota_enforcer.core.quotas.diff import ordered
from quota_enforcer.core.quotas.form.values import plain

STDOUT = Path("-")


@on_deployment
def export(
    deployment: Deployment,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            dir_okay=False,
            help="Where to write; what is there is replaced. Default, and -: stdout.",
        ),
    ] = None,
    *,
    for_good: Annotated[
        bool,
        typer.Option(
            "--permanent",
            help="Only what holds for good: without raises, releases, blocks by hand and what "
            "else has an end.",
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON instead of YAML; a FILE named .json is JSON too.")
    ] = False,
) -> None:
    """Write every item of the quota table, prices too, as a list that can be imported.

    Items that are not valid are written as they are, and named; the enforcer
    alone has the versions in force instead. The order is always the same.

    Examples:
      quota-enforcer quota export quotas.yaml
      quota-enforcer quota export --permanent quotas.yaml
      quota-enforcer quota export --json > quotas.json
    """
    file = None if file == STDOUT else file
    in_json = as_json or (file is not None and file.suffix.lower() == JSON_SUFFIX)
    settings = deployment.settings
    items = deployment.quotas.items()
    if for_good:
        items = permanent(items)
    judged = sorted(
        judge_items(
            table_items(items), settings.zone, sorted(settings.denies), home=settings.account
        ),
        key=lambda each: each.placed.key,
    )
    for each in judged:
        if each.problems:
            warn(each.words)
    text = _json(judged) if in_json else "".join(_yaml(judged, settings.stack))
    if file is None:
        typer.echo(text, nl=False)
        return
    try:
        replace_file(file, text.encode())
    except OSError as error:
        raise typer.BadParameter(
            f"cannot write {str(file)!r}: {error.strerror}; name another file"
        ) from error
    hint(f"{len(judged):,} items in {file}")


def _json(judged: Iterable[ParsedItem]) -> str:
    return as_json_text(plain(ordered(each.placed.item)) for each in judged)


def _yaml(judged: list[ParsedItem], stack: str) -> Iterator[str]:
    from quota_enforcer.cli.files.yaml import written  # noqa: PLC0415 - only YAML pays for it

    yield f"# The quota table of stack {stack}; `quota-enforcer quota import` reads it back.\n"
    if not judged:
        yield "[]\n"
    yield from written((plain(ordered(each.placed.item)), _comments(each)) for each in judged)


def _comments(judged: ParsedItem) -> list[str]:
    return [f"not valid: {problem}" for problem in judged.problems]
