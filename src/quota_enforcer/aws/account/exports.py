"""Billing exports as Data Exports delivers them to S3; only read, with the admin's own rights."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Exports:
    """Needs s3:ListBucket and s3:GetObject, and kms:Decrypt if the bucket has a key of its own.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    """

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def names(self, bucket: str, prefix: str) -> list[str]:
        """The keys below a prefix, or that key itself; a prefix ends at a `/`."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        folder = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
        return [
            found["Key"]
            for page in pages
            for found in page.get("Contents", [])
            if found["Key"] == prefix or found["Key"].startswith(folder)
        ]

    def fetch(self, bucket: str, key: str, file: Path) -> None:
        """Write an object to a file, in parts, so that it never is in memory as a whole."""
        self._client.download_file(bucket, key, str(file))
