"""How the command line reads teams: from a file here, or in AWS with credentials of its own."""

from collections.abc import Callable
from pathlib import Path

import typer

from quota_enforcer.cli.deployment.target import Target
from quota_enforcer.insight.quotas.teams.reading import TeamsReading, of_csv, of_entries
from quota_enforcer.insight.quotas.teams.source import SourceKind, TeamSource

SourceReader = Callable[[TeamSource], TeamsReading]


def source_reader(
    target: Target, profile: str | None, role: str | None, region: str | None
) -> SourceReader:
    """Reads a source with this profile and role, else as the deployment is looked at."""

    def read(source: TeamSource) -> TeamsReading:
        if source.kind is SourceKind.FILE:
            return read_file(Path(source.what))
        return read_in_aws(source, profile or target.profile, role, region or target.region)

    return read


def read_in_aws(
    source: TeamSource, profile: str | None, role: str | None, region: str | None
) -> TeamsReading:
    import boto3  # noqa: PLC0415 - help and completion are quick without AWS

    from quota_enforcer.aws.account.assumed import assumed  # noqa: PLC0415 - as above
    from quota_enforcer.aws.account.team_sources import read_teams  # noqa: PLC0415 - as above

    session = boto3.Session(profile_name=profile, region_name=region)
    if role is not None:
        sts = session.client("sts")
        session = assumed(sts, role, None, "quota-enforcer-teams", session.region_name)
    return read_teams(session, source)


def read_file(file: Path) -> TeamsReading:
    """A list in YAML or JSON, or a table in CSV; raises BadParameter if it is none."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
        if file.suffix.lower() == ".csv":
            return of_csv(text)
        if file.suffix.lower() == ".json":
            from quota_enforcer.cli.files.json import entries  # noqa: PLC0415 - only this one
        else:
            from quota_enforcer.cli.files.yaml import entries  # noqa: PLC0415 - only this one
        several = list(entries(text))
    except OSError as error:
        raise typer.BadParameter(f"cannot read {str(file)!r}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise typer.BadParameter(f"cannot read {str(file)!r}: {error}") from error
    if any(not line for _, line, _ in several):
        raise typer.BadParameter(
            f"{str(file)!r} holds no list of teams: write for each `- team: NAME` with `members`"
        )
    return of_entries(several)
