"""What time AWS has: the Date of an answer that everybody may ask for."""

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient


def server_time(client: "STSClient") -> datetime:
    """Its time, to the second; the answer was under way for a moment."""
    answer = client.get_caller_identity()
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
