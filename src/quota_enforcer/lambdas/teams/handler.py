"""The teams function: once an hour it reads who is in which team, and writes what has changed.

It is wired here, so that it constructs only what its role may call. The source is read by another
role, which may only read; this one may write items of teams alone.
"""

import os
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from aws_lambda_powertools import Logger, Tracer

from quota_enforcer.aws import clients
from quota_enforcer.aws.account.assumed import assumed
from quota_enforcer.aws.account.team_sources import read_teams
from quota_enforcer.aws.dynamodb.quota_table import DynamoTeams
from quota_enforcer.lambdas.teams.keeping import check, keep
from quota_enforcer.lambdas.teams.settings import TeamsSettings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
tracer = Tracer()


class TeamsFunction(NamedTuple):
    """What the function works with."""

    settings: TeamsSettings
    reading: boto3.Session
    """Of the role that may only read."""
    teams: DynamoTeams


@cache
def teams_function() -> TeamsFunction:
    """Wired once for each Lambda process, at its first event, so that errors reach the log."""
    settings = TeamsSettings.from_environment(os.environ)
    session = boto3.Session()
    sts = session.client("sts", config=clients.MEMBER)
    reading = assumed(sts, settings.role, None, "quota-enforcer-teams", settings.region)
    dynamodb = session.client("dynamodb", config=clients.ENFORCER)
    return TeamsFunction(settings, reading, DynamoTeams(dynamodb, settings.quota_table))


@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context(clear_state=True)
def handler(_event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """One run, whatever the event says; raises TeamsNotInStep after what could be done is done."""
    settings, reading, teams = teams_function()
    kept = keep(
        lambda source: read_teams(reading, source), teams, settings.source, settings.account
    )
    said = kept.to_json()
    logger.info("teams kept in step", **said)
    check(kept)
    return said
