"""Settings of the meter: what a deployment was set to, read once from the meter's environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from zoneinfo import ZoneInfo

from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.environment import Environment
from quota_enforcer.core.usage.place import Place
from quota_enforcer.satellites.intake import HomeStack
from quota_enforcer.satellites.names import NO_SATELLITES, OWN_REGIONS


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
    stack_id: str = ""
    """The stack's ARN with its unique id."""
    region: str = ""
    satellites: str = NO_SATELLITES
    """Whose satellites are taken: `off`, `regions` of this account, or an organisation's id."""

    @property
    def home(self) -> HomeStack | None:
        """What satellites are of; None if there are none."""
        if self.satellites == NO_SATELLITES:
            return None
        organization = "" if self.satellites == OWN_REGIONS else self.satellites
        return HomeStack(self.stack, self.stack_id, Place(self.account, self.region), organization)

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
            stack_id=variables.optional("STACK_ID"),
            region=variables.optional("AWS_REGION"),
            satellites=variables.optional("SATELLITES") or NO_SATELLITES,
        )
        variables.check()
        return settings
