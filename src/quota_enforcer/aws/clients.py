"""How long a client waits for AWS and how often it tries: every boto3 Config, with its reason."""

from typing import Final

from botocore.config import Config

ENFORCER: Final = Config(retries={"mode": "adaptive", "max_attempts": 8})
"""IAM throttles bulk changes at an unpublished rate; adaptive retries slow down by themselves."""
MEMBER: Final = Config(
    connect_timeout=3,
    read_timeout=10,
    tcp_keepalive=True,
    retries={"mode": "standard", "max_attempts": 4},
)
"""An account that does not answer must not hold up the others for long; a sweep tries it again."""
AUTHOR: Final = Config(retries={"mode": "adaptive", "max_attempts": 6})
"""IAM throttles here too, and the author function has less time than a sweep."""
PROMPT: Final = Config(
    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 4}
)
"""For a meter and for the self-service function: neither must hang on one lost answer.

Of a write that is repeated each call counts once.
"""
MODEL_NAMES: Final = Config(
    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2}
)
"""Usage is not to wait for the name of its model: that can be asked again later."""
ASKS_AUTHOR: Final = Config(read_timeout=75, tcp_keepalive=True, retries={"total_max_attempts": 2})
"""Longer than the author's own time limit in the template. To ask twice does no harm."""
CLOSES_ENFORCER: Final = Config(read_timeout=660, tcp_keepalive=True)
"""Longer than the enforcer's own time limit in the template."""
ASKS_FUNCTION: Final = Config(read_timeout=910, retries={"total_max_attempts": 1})
"""Longer than any Lambda function may run (900 s); a second try would start a second sweep."""
DOCTOR: Final = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 4}
)
"""A service that is down is a finding, and must not hold up the others."""
