"""Settings of the meter: what a deployment was set to, read once from the meter's environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from zoneinfo import ZoneInfo

from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.environment import Environment


@dataclass(frozen=True, slots=True)
class MeterSettings:
    """One deployment's meter."""

    stack: str
    account: str
    ledger_table: str
    log_group: str
    """Its name."""
    enforcer: str
    dead_letters: str
    """The queue's URL."""
    zone: ZoneInfo
    metering: Metering = Metering.STREAM

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read all variables; raises ConfigError that names every one missing or wrong."""
        variables = Environment("the meter", environment)
        settings = cls(
            stack=variables.text("STACK_NAME"),
            account=variables.text("ACCOUNT_ID"),
            ledger_table=variables.text("LEDGER_TABLE"),
            log_group=variables.text("LOG_GROUP"),
            enforcer=variables.text("ENFORCER_FUNCTION"),
            dead_letters=variables.text("DEAD_LETTERS"),
            zone=variables.zone("TIME_ZONE"),
            metering=variables.choice("METERING", Metering),
        )
        variables.check()
        return settings
