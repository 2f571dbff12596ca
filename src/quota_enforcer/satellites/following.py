"""What home alone decides, and its satellites follow: parameters of satellite.yaml."""

import hashlib
from collections.abc import Mapping
from typing import Final

FOLLOWED: Final = (
    "HomeUrl",
    "HomeOrganization",
    "HomeMeterRole",
    "HomeEnforcerRole",
    "HomeAuthorRole",
    "DenyAgentCore",
    "AskWhom",
    "Gates",
    "ModelScope1",
    "ModelScope2",
    "ModelScope3",
    "ModelScope4",
    "ModelScope5",
)
"""In the order of satellite.yaml, which joins their values for its set-up."""


def digest(parameters: Mapping[str, str]) -> str:
    """Another text whenever one of the values is another; set-up computes the same.

    Raises KeyError if one is missing.
    """
    joined = "|".join(parameters[name] for name in FOLLOWED)
    return hashlib.sha256(joined.encode()).hexdigest()[:16]
