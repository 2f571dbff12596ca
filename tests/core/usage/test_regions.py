"""The list of AWS's Regions."""

import boto3

from quota_enforcer.core.usage.place import is_place
from quota_enforcer.core.usage.regions import REGIONS


def test_every_region_that_the_aws_library_knows_is_one() -> None:
    """If this fails after an update there is a new Region: add it to the list."""
    session = boto3.Session()
    partitions = session.get_available_partitions()
    known = {
        region
        for partition in partitions
        for region in session.get_available_regions("sts", partition_name=partition)
    }
    assert known <= REGIONS


def test_usage_of_each_can_be_stored() -> None:
    assert all(is_place(f"111122223333/{region}") for region in REGIONS)
