"""What the stream meter and the recount work with, wired once for each process."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from quota_enforcer.core.usage.place import HOME, Place
from quota_enforcer.core.usage.stored import MeterRules
from quota_enforcer.meter.log.charge import CallCharger, PricesOf
from quota_enforcer.meter.ports import DeadLetters, InvocationLog, MeterLedger, Models, Wake


@dataclass(frozen=True, slots=True)
class MeteredLogGroup:
    """What is metered: the log group of an account and Region, and the local time of buckets."""

    account: str
    group: str
    """Its name; empty for whichever log group Bedrock writes there."""
    zone: ZoneInfo
    place: str = HOME
    """As its buckets have it."""
    home: str = ""
    """The home account, if this is the log of a satellite."""

    @property
    def shown(self) -> str:
        """As messages name it."""
        return f"{self.group} in {self.place}" if self.place else self.group

    @property
    def option(self) -> str:
        """The option by which a command is about this log alone; empty at home."""
        return f" --place {self.place}" if self.place else ""

    @property
    def region(self) -> str | None:
        """Where calls are priced whose record names no Region; None at home."""
        return Place.parse(self.place).region if self.place else None


@dataclass(frozen=True, slots=True)
class MeterAdapters:
    """All adapters of one deployment, or the fakes."""

    ledger: MeterLedger
    models: Models
    log: InvocationLog
    wake: Wake
    letters: DeadLetters
    prices: PricesOf
    """Makes the price table of what the enforcer tells."""

    def calls(self, meter_rules: MeterRules, log_group: MeteredLogGroup) -> CallCharger:
        """What reads the log by these rules."""
        return CallCharger(
            meter_rules,
            self.prices(meter_rules),
            self.models,
            log_group.account,
            log_group.zone,
            log_group.place,
            log_group.home,
            log_group.region,
        )
