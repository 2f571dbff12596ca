"""Reading teams from where they are kept: one adapter for each service, by the kind of source."""

import json
from typing import TYPE_CHECKING, Any, Final

from quota_enforcer.aws import clients
from quota_enforcer.insight.quotas.teams.reading import TeamsReading, of_csv, of_entries
from quota_enforcer.insight.quotas.teams.source import (
    InvalidSource,
    SourceKind,
    TeamSource,
    UnreadableTeams,
)

if TYPE_CHECKING:
    import boto3

MOST_BYTES: Final = 5_000_000
"""Of an object: enough for a hundred thousand members."""


def read_teams(session: "boto3.Session", source: TeamSource) -> TeamsReading:
    """What the source says now, read with the session's credentials in its Region.

    Raises InvalidSource, UnreadableTeams, or what boto3 raises: then nothing was read at all.
    """
    if source.kind is SourceKind.IAM:
        from quota_enforcer.aws.iam.tags import tagged  # noqa: PLC0415 - only one of them is needed

        return tagged(session.client("iam", config=clients.ENFORCER), source.what)
    if source.kind is SourceKind.IDENTITY_CENTER:
        from quota_enforcer.aws.account.identity_center import (  # noqa: PLC0415 - as above
            grouped,
            identity_store,
        )

        instances: Any = session.client("sso-admin", config=clients.ENFORCER)
        store = identity_store(instances, session.region_name)
        directory: Any = session.client("identitystore", config=clients.ENFORCER)
        return grouped(directory, store, source)
    if source.kind is SourceKind.S3:
        return of_text(object_text(session, source), str(source))
    raise InvalidSource(f"{source} is a file, which the command line reads")


def object_text(session: "boto3.Session", source: TeamSource) -> str:
    """An object of S3; raises UnreadableTeams if it is too long or no text.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    bucket, key = source.bucket_and_key
    client = session.client("s3")
    body = client.get_object(Bucket=bucket, Key=key)["Body"].read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise UnreadableTeams(f"{source} has more than {MOST_BYTES:,} bytes")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableTeams(f"{source} is not UTF-8: {error.reason}") from error


def of_text(text: str, named: str) -> TeamsReading:
    """A JSON list, or a table by its name's ending; raises UnreadableTeams if it is neither."""
    if named.lower().endswith(".csv"):
        return of_csv(text)
    try:
        several = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableTeams(
            f"{named} is no JSON: {error}; on a schedule a list in JSON or a .csv is read"
        ) from error
    if not isinstance(several, list):
        raise UnreadableTeams(f"{named} holds no list of teams, each with team and members")
    return of_entries((each, 0, []) for each in several)
