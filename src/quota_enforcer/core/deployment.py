"""Settings: what a deployment was set to, read once from the enforcer's environment."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quota_enforcer.core.breaker import Breaker
from quota_enforcer.core.errors import ConfigError
from quota_enforcer.core.kind import Metering
from quota_enforcer.decide.verdict import Mode, Terms


@dataclass(frozen=True, slots=True)
class Settings:
    """One deployment.

    `denies` maps each installed model scope to its deny policy's ARN. `author` is the function that
    writes the gates, empty where the deployment keeps none. `region` is where its calls are priced,
    empty where prices go by the model alone.
    """

    stack: str
    account: str
    quota_table: str
    ledger_table: str
    notice_topic: str
    metric_namespace: str
    denies: Mapping[str, str]
    mode: Mode
    zone: ZoneInfo
    contact: str
    breaker: Breaker
    metering: Metering
    author: str = ""
    region: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read all variables; raises ConfigError that names every one missing or wrong."""
        problems: list[str] = []

        def read(name: str, convert: Callable[[str], Any] = str, allowed: str = "") -> Any:
            value = environment.get(name)
            if not value:
                problems.append(f"{name} is not set")
                return None
            try:
                return convert(value)
            except (ValueError, TypeError, ZoneInfoNotFoundError):
                problems.append(f"{name} is {value!r}; allowed: {allowed}")
                return None

        settings = cls(
            stack=read("STACK_NAME"),
            account=read("ACCOUNT_ID"),
            quota_table=read("QUOTA_TABLE"),
            ledger_table=read("LEDGER_TABLE"),
            notice_topic=read("NOTICE_TOPIC"),
            metric_namespace=read("METRIC_NAMESPACE"),
            denies=read("DENY_POLICIES", json.loads, "a JSON object: model scope to policy ARN"),
            mode=read("MODE", Mode, ", ".join(Mode)),
            zone=read("TIME_ZONE", ZoneInfo, "an IANA time zone such as Europe/Berlin"),
            contact=read("CONTACT"),
            breaker=Breaker(
                read("BREAKER_NUMBER", int, "a whole number"),
                read("BREAKER_PERCENT", int, "a whole number"),
            ),
            metering=read("METERING", Metering, ", ".join(Metering)),
            author=environment.get("AUTHOR_FUNCTION", ""),
            region=environment.get("AWS_REGION", ""),
        )
        if problems:
            raise ConfigError(
                f"the enforcer's environment is not complete: {'; '.join(problems)}. "
                "The stack's template sets these variables: deploy it again.",
            )
        return settings

    @property
    def fingerprint(self) -> str:
        """The settings that concern everybody at once; a change of them is a reason to look."""
        gated = "gated" if self.author else "not gated"
        return f"{self.mode} {self.zone} {gated} {' '.join(sorted(self.denies))}"

    def terms(self, now: datetime) -> Terms:
        """What is the same for everybody decided about at this moment."""
        return Terms(now, self.zone, self.mode, gated=bool(self.author))
