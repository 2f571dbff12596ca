"""A function's environment: each variable read into what it means, all problems told at once."""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

from quota_enforcer.core.errors import ConfigError
from quota_enforcer.core.usage.window import UnknownTimeZone, time_zone

_T = TypeVar("_T")
_Choice = TypeVar("_Choice", bound=StrEnum)


class Environment:
    """The variables of one function, which is named in words, such as `the meter`.

    A variable that is missing or wrong reads as None and is noted: call `check` before using any.
    """

    def __init__(self, function: str, variables: Mapping[str, str]) -> None:
        self._function = function
        self._variables = variables
        self._problems: list[str] = []

    def check(self) -> None:
        """Raises ConfigError that names every variable that was missing or wrong."""
        if self._problems:
            raise ConfigError(
                f"{self._function}'s environment is not complete: {'; '.join(self._problems)}. "
                "The stack's template sets these variables: deploy it again.",
            )

    def optional(self, name: str) -> str:
        """A text, empty if the variable is not set."""
        return self._variables.get(name, "")

    def text(self, name: str) -> str:
        return self.read(name, str, "")

    def number(self, name: str) -> int:
        return self.read(name, int, "a whole number")

    def truth(self, name: str) -> bool:
        return self.read(name, {"true": True, "false": False}.__getitem__, "true, false")

    def choice(self, name: str, choices: type[_Choice]) -> _Choice:
        return self.read(name, choices, ", ".join(choices))

    def zone(self, name: str, otherwise: ZoneInfo | None = None) -> ZoneInfo:
        """A time zone; where the variable names none, `otherwise`, if that is given."""
        text = self.optional(name)
        try:
            return time_zone(text)
        except UnknownTimeZone as error:
            if otherwise is not None:
                return otherwise
            self._problems.append(f"{name}: {error}" if text else f"{name} is not set")
            return cast("ZoneInfo", None)

    def read(self, name: str, convert: Callable[[str], _T], allowed: str) -> _T:
        """A variable converted from its text; `allowed` says in words what it may be."""
        text = self.optional(name)
        if not text:
            self._problems.append(f"{name} is not set")
            return cast("_T", None)
        try:
            return convert(text)
        except (ValueError, TypeError, LookupError):
            self._problems.append(f"{name} is {text!r}; allowed: {allowed}")
            return cast("_T", None)


def json_texts(text: str) -> tuple[str, ...]:
    """A JSON list of texts; raises ValueError for anything else, an empty list too."""
    several = json.loads(text)
    is_list = isinstance(several, list) and all(isinstance(each, str) for each in several)
    if not is_list or not several:
        raise ValueError(text)
    return tuple(several)
