"""The batch jobs of a Region, for the doctor."""

from datetime import datetime
from typing import TYPE_CHECKING

from quota_enforcer.core.usage.model import canonical_model
from quota_enforcer.doctor.rules.unlogged import BatchJob

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient


def batch_jobs(client: "BedrockClient", since: datetime) -> list[BatchJob]:
    """Those submitted after a moment."""
    pages = client.get_paginator("list_model_invocation_jobs").paginate(submitTimeAfter=since)
    return [
        BatchJob(
            each["jobName"],
            canonical_model(each["modelId"]),
            each.get("status", "unknown"),
            each["submitTime"],
        )
        for page in pages
        for each in page.get("invocationJobSummaries", [])
    ]
