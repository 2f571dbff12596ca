"""Which of the two meters fills the ledger."""

from enum import StrEnum


class Metering(StrEnum):
    """How a deployment meters: from its own metrics every few minutes, or from each log record."""

    CLOUDWATCH = "cloudwatch"
    STREAM = "stream"
