"""Settings: what a deployment was set to, read once from the enforcer's environment."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quota_enforcer.core.errors import ConfigError


class Mode(StrEnum):
    """Whether denies are attached, or only reported."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class Context:
    """What is the same for everybody in one sweep; `gated`: the deployment keeps gates."""

    now: datetime
    zone: ZoneInfo
    mode: Mode
    gated: bool = False


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


@dataclass(frozen=True, slots=True)
class Breaker:
    """Trips when one sweep would newly block more than `number` principals and `percent` of all."""

    number: int
    percent: int

    def trips(self, blocks: int, principals: int) -> bool:
        """Whether this many new blocks among this many known principals need an admin's word."""
        return blocks > self.number and blocks * 100 > self.percent * principals


class Metering(StrEnum):
    """How a deployment meters: from its own metrics every few minutes, or from each log record."""

    CLOUDWATCH = "cloudwatch"
    STREAM = "stream"


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

    def context(self, now: datetime) -> Context:
        """What is the same for everybody decided about at this moment."""
        return Context(now, self.zone, self.mode, gated=bool(self.author))
