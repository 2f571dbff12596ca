"""The template as it is written, for the tests that hold it to the code."""

from pathlib import Path
from typing import Any

from quota_enforcer.local.template import parsed

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
TEXT = TEMPLATE.read_text(encoding="utf-8")
SOURCE: dict[str, Any] = parsed(TEXT)
RESOURCES: dict[str, Any] = SOURCE["Resources"]
SATELLITE_TEMPLATE = TEMPLATE.with_name("satellite.yaml")
SATELLITE: dict[str, Any] = parsed(SATELLITE_TEMPLATE.read_text(encoding="utf-8"))
"""The template of a satellite, which is plain CloudFormation."""
PARAMETERS: dict[str, Any] = SOURCE["Parameters"]
FUNCTIONS = [
    "MeterFunction",
    "EnforcerFunction",
    "AuthorFunction",
    "MeFunction",
    "WebhookFunction",
    "TeamsFunction",
    "SetupFunction",
]


def properties(name: str) -> dict[str, Any]:
    """A resource's properties."""
    found: dict[str, Any] = RESOURCES[name]["Properties"]
    return found


def of_type(kind: str) -> list[str]:
    """The logical ids of all resources of a type."""
    return [name for name, resource in RESOURCES.items() if resource["Type"] == kind]
