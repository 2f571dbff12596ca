"""What the stream meter and the recount work with, wired once for each process."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from quota_enforcer.core.ledger import MeterRules
from quota_enforcer.meter.log.charge import CallCharger, PricesOf
from quota_enforcer.meter.ports import DeadLetters, InvocationLog, MeterLedger, Models, Wake


@dataclass(frozen=True, slots=True)
class MeteredLogGroup:
    """Where the meter is: the account and log group that are metered, the local time of buckets."""

    account: str
    group: str
    zone: ZoneInfo


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
            meter_rules, self.prices(meter_rules), self.models, log_group.account, log_group.zone
        )
