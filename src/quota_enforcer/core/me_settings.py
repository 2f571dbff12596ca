"""Settings of the self-service function, read once from its environment."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quota_enforcer.core.errors import ConfigError
from quota_enforcer.decide.verdict import Mode

_TEXTS: Final = {
    "stack": "STACK_NAME",
    "account": "ACCOUNT_ID",
    "quota_table": "QUOTA_TABLE",
    "ledger_table": "LEDGER_TABLE",
    "contact": "CONTACT",
}


@dataclass(frozen=True, slots=True)
class MeSettings:
    """One deployment, as far as it takes to tell callers where they stand.

    `scopes` are the installed model scopes, and `gated` is whether the deployment keeps gates.
    """

    stack: str
    account: str
    quota_table: str
    ledger_table: str
    contact: str
    scopes: tuple[str, ...]
    mode: Mode
    zone: ZoneInfo
    gated: bool

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read all variables; raises ConfigError that names every one missing or wrong."""
        texts = {field: environment.get(name, "") for field, name in _TEXTS.items()}
        problems = [f"{_TEXTS[field]} is not set" for field, text in texts.items() if not text]
        scopes = _scopes(environment.get("MODEL_SCOPES", ""))
        mode = environment.get("MODE", "")
        zone = _zone(environment.get("TIME_ZONE", ""))
        gated = environment.get("GATED", "")
        wrong = {
            "MODEL_SCOPES": (not scopes, 'a JSON list such as ["*"]'),
            "MODE": (mode not in set(Mode), ", ".join(Mode)),
            "TIME_ZONE": (zone is None, "an IANA time zone such as Europe/Berlin"),
            "GATED": (gated not in {"true", "false"}, "true, false"),
        }
        problems += [
            f"{name} is {environment.get(name, '')!r}; allowed: {allowed}"
            for name, (bad, allowed) in wrong.items()
            if bad
        ]
        if problems or zone is None:
            raise ConfigError(
                f"the self-service function's environment is not complete: {'; '.join(problems)}. "
                "The stack's template sets these variables: deploy it again.",
            )
        return cls(**texts, scopes=scopes, mode=Mode(mode), zone=zone, gated=gated == "true")


def _scopes(text: str) -> tuple[str, ...]:
    try:
        scopes = json.loads(text)
    except ValueError:
        return ()
    if not isinstance(scopes, list) or not all(isinstance(each, str) for each in scopes):
        return ()
    return tuple(scopes)


def _zone(text: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(text) if text else None
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return None
