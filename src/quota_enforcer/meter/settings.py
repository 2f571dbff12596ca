"""Settings of the meter: what a deployment was set to, read once from the meter's environment."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quota_enforcer.core.errors import ConfigError

_VARIABLES = {
    "stack": "STACK_NAME",
    "account": "ACCOUNT_ID",
    "ledger_table": "LEDGER_TABLE",
    "log_group": "LOG_GROUP",
    "enforcer": "ENFORCER_FUNCTION",
    "dead_letters": "DEAD_LETTERS",
}


@dataclass(frozen=True, slots=True)
class MeterSettings:
    """One deployment's meter; `dead_letters` is a queue's URL, `log_group` a name."""

    stack: str
    account: str
    ledger_table: str
    log_group: str
    enforcer: str
    dead_letters: str
    zone: ZoneInfo

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read all variables; raises ConfigError that names every one missing or wrong."""
        problems = [
            f"{name} is not set" for name in _VARIABLES.values() if not environment.get(name)
        ]
        zone, text = None, environment.get("TIME_ZONE", "")
        with suppress(ValueError, ZoneInfoNotFoundError, OSError):
            zone = ZoneInfo(text) if text else None
        if zone is None:
            problems.append(
                f"TIME_ZONE is {text!r}; allowed: an IANA time zone such as Europe/Berlin"
            )
        if problems or zone is None:
            raise ConfigError(
                f"the meter's environment is not complete: {'; '.join(problems)}. "
                "The stack's template sets these variables: deploy it again.",
            )
        texts = {field: environment[name] for field, name in _VARIABLES.items()}
        return cls(**texts, zone=zone)
