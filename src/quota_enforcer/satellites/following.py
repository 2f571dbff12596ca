"""What home alone decides, and its satellites follow: parameters of satellite.yaml."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from quota_enforcer.core.policies.names import ASK_WHOM, MODEL_SCOPES
from quota_enforcer.satellites.names import NO_SATELLITES, OWN_REGIONS

_SCOPES: Final = tuple(f"ModelScope{number}" for number in range(1, MODEL_SCOPES + 1))
FOLLOWED: Final = (
    "HomeUrl",
    "HomeOrganization",
    "HomeMeterRole",
    "HomeEnforcerRole",
    "HomeAuthorRole",
    "DenyAgentCore",
    "AskWhom",
    "Gates",
    *_SCOPES,
)
"""In the order of satellite.yaml, which joins their values for its set-up."""


def followed(
    parameters: Mapping[str, str], url: str, role: Callable[[str], str]
) -> Mapping[str, str]:
    """The values by home's own parameters; `role` is the ARN of a role by its logical name."""
    whose = parameters.get("Satellites") or NO_SATELLITES
    gates = parameters.get("Gates") or "0"
    return {
        "HomeUrl": url,
        "HomeOrganization": "" if whose in {NO_SATELLITES, OWN_REGIONS} else whose,
        "HomeMeterRole": role("MeterRole"),
        "HomeEnforcerRole": role("EnforcerRole"),
        "HomeAuthorRole": "" if gates == "0" else role("AuthorRole"),
        "DenyAgentCore": parameters.get("DenyAgentCore") or "true",
        "AskWhom": parameters.get("AskWhom") or ASK_WHOM,
        "Gates": gates,
        **{name: parameters.get(name, "") for name in _SCOPES},
    }


def digest(values: Mapping[str, str]) -> str:
    """A digest of these values, as a satellite's set-up computes it too.

    Raises KeyError if one is missing.
    """
    joined = "|".join(values[name] for name in FOLLOWED)
    return hashlib.sha256(joined.encode()).hexdigest()[:16]
