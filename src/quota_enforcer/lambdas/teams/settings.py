"""What the teams function is told of its deployment, and of where teams are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from quota_enforcer.core.environment import Environment
from quota_enforcer.core.errors import ConfigError
from quota_enforcer.insight.quotas.teams.source import InvalidSource, SourceKind, TeamSource


@dataclass(frozen=True, slots=True)
class TeamsSettings:
    """One deployment, as far as its teams function knows it."""

    account: str
    quota_table: str
    source: TeamSource
    role: str
    """The role that may only read, by which the source is read."""
    region: str
    """Where the source is."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raises ConfigError that names every variable missing or wrong."""
        variables = Environment("the teams function", environment)
        written = variables.text("TEAMS_FROM")
        settings = {
            "account": variables.text("ACCOUNT_ID"),
            "quota_table": variables.text("QUOTA_TABLE"),
            "role": variables.text("TEAMS_ROLE"),
            "region": variables.text("TEAMS_REGION"),
        }
        variables.check()
        try:
            source = TeamSource.parse(written)
        except InvalidSource as error:
            raise ConfigError(f"parameters TeamsFrom and TeamsName: {error}") from error
        if source.kind is SourceKind.FILE:
            raise ConfigError(f"parameter TeamsFrom: {source} is a file: put it into S3")
        return cls(source=source, **settings)
