"""`bill reconcile`: a Cost and Usage Report laid beside the ledger."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from quota_enforcer import clock
from quota_enforcer.aws.account.exports import S3Exports
from quota_enforcer.cli.deployment.target import Target
from quota_enforcer.cli.insight.bill.columns import PRINCIPAL, SWITCH_ON
from quota_enforcer.cli.insight.bill.compare import BillQuery, compared
from quota_enforcer.cli.insight.bill.reader import read_files
from quota_enforcer.cli.insight.bill.show import as_csv_text, document, show
from quota_enforcer.cli.insight.bill.source import bill_files
from quota_enforcer.cli.terminal.errors import FAILED, InvalidBill
from quota_enforcer.cli.terminal.options import (
    AsCsv,
    AsJson,
    MostRows,
    on_target,
    words_among,
)
from quota_enforcer.cli.terminal.output import hint, say_json, waiting
from quota_enforcer.cli.terminal.when import asked_day
from quota_enforcer.core.usage.window import local_date
from quota_enforcer.insight.bill.cells import BillBy, grouped
from quota_enforcer.insight.bill.reasons import Reason

app = typer.Typer(no_args_is_help=True)
_MOST_PERCENT = 100
_MAY_BE_EXCEPTED = [each for each in Reason if each.counts]


@app.callback()
def bill() -> None:
    """Lay AWS's bill beside the ledger."""


@app.command(no_args_is_help=True)
@on_target
def reconcile(  # noqa: PLR0913 - one argument for each option
    target: Target,
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|FOLDER|s3://BUCKET/PREFIX",
            help="A Cost and Usage Report 2.0: CSV, CSV.gz or Parquet, one file or a folder.",
        ),
    ],
    *,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT,...",
            help=f"What rows are told apart by: {', '.join(BillBy)}. Default: principal,model.",
        ),
    ] = None,
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="YYYY-MM-DD", help="The first day. Default: the bill's."),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option("--to", metavar="YYYY-MM-DD", help="The last day. Default: the bill's."),
    ] = None,
    account: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="Only usage of this account.")
    ] = None,
    billed_region: Annotated[
        str | None, typer.Option(metavar="REGION", help="Only usage of this Region.")
    ] = None,
    tolerance: Annotated[
        str, typer.Option(metavar="PERCENT", help="How far the two may be apart.")
    ] = "1%",
    except_: Annotated[
        str,
        typer.Option(
            "--except",
            metavar="REASON,...",
            help=f"What may be on the bill alone: {', '.join(_MAY_BE_EXCEPTED)}.",
        ),
    ] = "",
    before_discounts: Annotated[
        bool,
        typer.Option("--before-discounts", help="Compare costs before discounts, not after."),
    ] = False,
    limit: MostRows = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Lay AWS's bill beside the ledger: what both have, and what only one of them has.

    The bill is an export of Data Exports (CUR 2.0), with callers where the export
    includes them. Days are UTC's, as on the bill. Exit code 1 says that the two are
    further apart than --tolerance, or that rows could not be read.

    Examples:
      quota-enforcer bill reconcile export-00001.snappy.parquet
      quota-enforcer bill reconcile s3://my-billing/cur/bedrock --by day,model
      quota-enforcer bill reconcile november.csv.gz --except batch,provisioned --tolerance 2%
    """
    if as_csv and as_json:
        raise typer.BadParameter("give either --csv or --json")
    chosen = None if by is None else words_among(by, BillBy, "--by")
    asked = BillQuery(
        None if first is None else asked_day(first, "--from"),
        None if last is None else asked_day(last, "--to"),
        account,
        billed_region,
        _percent(tolerance),
        frozenset(words_among(except_, _MAY_BE_EXCEPTED, "--except") if except_ else ()),
    )
    if asked.first and asked.last and asked.last < asked.first:
        raise typer.BadParameter(
            f"--to {asked.last} is before --from {asked.first}: write the earlier first"
        )
    with bill_files(source, lambda: _bucket(target), hint) as files:
        with waiting("Reading the bill"):
            reader = read_files(files, net=not before_discounts)
        columns = _columns(chosen, source, told=reader.facts().by_principal)
        deployment = target.find()
        now = clock.now()
        today = local_date(now, deployment.settings.zone)
        result = compared(deployment, deployment.load(now), reader, asked, today)
        reader.close()
    if as_csv:
        rows = grouped(result.found.cells, columns)
        typer.echo(as_csv_text(rows, columns, asked.tolerance), nl=False)
    elif as_json:
        say_json(document(result, columns))
    else:
        show(result, columns, limit)
    if not result.verdict.agrees:
        raise typer.Exit(FAILED)


def _bucket(target: Target) -> S3Exports:
    import boto3  # noqa: PLC0415 - help and completion are quick without AWS

    session = boto3.Session(profile_name=target.profile, region_name=target.region)
    return S3Exports(session.client("s3"))


def _columns(chosen: tuple[BillBy, ...] | None, source: str, *, told: bool) -> tuple[BillBy, ...]:
    """The columns of the rows; raises InvalidBill if the bill does not tell callers."""
    if chosen is None:
        return (BillBy.PRINCIPAL, BillBy.MODEL) if told else (BillBy.MODEL,)
    if BillBy.PRINCIPAL in chosen and not told:
        raise InvalidBill(f"{source!r} has no column {PRINCIPAL}: {SWITCH_ON}")
    return chosen


def _percent(text: str) -> Decimal:
    try:
        percent = Decimal(text.strip().removesuffix("%").strip())
    except InvalidOperation:
        percent = Decimal(-1)
    if not percent.is_finite() or not 0 <= percent <= _MOST_PERCENT:
        raise typer.BadParameter(
            f"{text!r} is no percentage from 0% to 100%, such as 1%", param_hint="--tolerance"
        )
    return percent
