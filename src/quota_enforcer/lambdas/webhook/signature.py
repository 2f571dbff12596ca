"""Signatures of Standard Webhooks: HMAC-SHA256 of id, time and body.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final

from quota_enforcer.core.errors import ConfigError
from quota_enforcer.lambdas.webhook.notification import Webhook

PREFIX: Final = "whsec_"
SIZES: Final = range(24, 65)
"""Bytes of a key."""


def key_of(secret: str) -> bytes:
    """The key in a secret such as `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`.

    Raises ConfigError, which never quotes the secret.
    """
    try:
        key = base64.b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith(PREFIX) or len(key) not in SIZES:
        raise ConfigError(
            f"the secret of the webhook is no signing secret; allowed: {PREFIX} and then "
            f"{SIZES[0]} to {SIZES[-1]} bytes in base64, such as of "
            f'"{PREFIX}$(openssl rand -base64 32)"'
        )
    return key


def headers_of(webhook: Webhook, keys: Iterable[bytes], at: datetime) -> Mapping[str, str]:
    """The headers of one attempt; a signature for each key, so that a secret can be rotated."""
    seconds = str(int(at.timestamp()))
    signed = b".".join((webhook.id.encode(), seconds.encode(), webhook.body))
    signatures = (base64.b64encode(hmac.digest(key, signed, sha256)).decode() for key in keys)
    return {
        "content-type": "application/json",
        "user-agent": "bedrock-quota-enforcer",
        "webhook-id": webhook.id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{each}" for each in signatures),
    }
