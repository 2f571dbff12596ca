"""The self-service function by its URL, asked with the caller's own credentials."""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from quota_enforcer.core.errors import EnforcerError

if TYPE_CHECKING:
    from botocore.credentials import Credentials

_HOST: Final = re.compile(
    r"[a-z0-9]+\.lambda-url\.(?P<region>[a-z0-9-]+)\.on\.(?:aws|amazonwebservices\.com\.cn)"
)
"""https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html; China's is not verified."""
_LOOPBACK: Final = "127.0.0.1"
_PATIENCE: Final = 45
"""Seconds; longer than the function may run."""


class NoUrl(EnforcerError):
    """What was given is no function URL, so nothing was sent there."""


class MayNotAsk(EnforcerError):
    """IAM does not let the caller ask."""


class NotAnswered(EnforcerError):
    """The function did not answer, or would not; the message is its own."""


def ask(
    url: str,
    credentials: "Credentials",
    region: str | None,
    request: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What the function says of whom these credentials are; with `request`, to that of theirs.

    `region` is for URLs that do not name theirs. Raises NoUrl, MayNotAsk or NotAnswered, and
    ClientError if AWS does not know the credentials.
    """
    region = checked_region(url, region)
    signed = AWSRequest("GET", url, headers={"accept": "application/json"})
    if request is not None:
        posted = {"accept": "application/json", "content-type": "application/json"}
        signed = AWSRequest("POST", url, headers=posted, data=json.dumps(request))
    SigV4Auth(credentials.get_frozen_credentials(), "lambda", region).add_auth(signed)
    http = URLLib3Session(proxies=get_environ_proxies(url), timeout=_PATIENCE)
    try:
        answer = http.send(signed.prepare())
    finally:
        http.close()
    said = _said(answer.content)
    if answer.status_code == 200:  # noqa: PLR2004 - OK
        return said
    raise _refusal(answer.status_code, answer.headers.get("x-amzn-errortype", ""), said)


def checked_region(url: str, otherwise: str | None) -> str:
    """The Region of a function URL; raises NoUrl for what is none, so that no key goes elsewhere.

    http is for the embedded AWS alone, on this machine.
    """
    parts = urlsplit(url)
    found = _HOST.fullmatch(parts.hostname or "")
    if parts.query or parts.fragment:
        found = None
    elif parts.scheme == "http" and parts.hostname == _LOOPBACK:
        return otherwise or "us-east-1"
    if parts.scheme == "https" and found:
        return found["region"]
    raise NoUrl(
        f"{url!r} is no function URL: write it as the stack's output MeUrl has it, such as "
        "https://abcdefgh.lambda-url.eu-central-1.on.aws/"
    )


def _said(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {}


def _refusal(status: int, kind: str, said: dict[str, Any]) -> Exception:
    """AWS names the kind of its own refusals in a header; the function has words in `error`."""
    words = said.get("error") or said.get("Message") or said.get("message") or "no reason given"
    if "error" in said or status not in {401, 403}:
        return NotAnswered(f"the self-service function answered {status}: {words}")
    code = kind.partition(":")[0]
    if code in {"", "AccessDeniedException"}:
        return MayNotAsk(words)
    response: Any = {"Error": {"Code": code, "Message": words}}
    return ClientError(response, "InvokeFunctionUrl")
