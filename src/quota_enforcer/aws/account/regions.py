"""What AWS's endpoint data, as boto3 has it, say of Regions; nothing is asked."""

from collections.abc import Iterable, Mapping
from typing import Final

import boto3

NEEDED: Final = {"bedrock": "Bedrock", "lambda": "Lambda"}
"""What a satellite stands on, by the name that endpoints have and the one that people know."""


def without_services(regions: Iterable[str], partition: str) -> Mapping[str, list[str]]:
    """The Regions of which a needed service is not known there, and which.

    A Region that is newer than this boto3, or of another partition, has none.
    """
    session = boto3.Session()
    known = {
        shown: frozenset(session.get_available_regions(service, partition))
        for service, shown in NEEDED.items()
    }
    found = {
        region: [shown for shown, where in known.items() if region not in where]
        for region in regions
    }
    return {region: missing for region, missing in found.items() if missing}
