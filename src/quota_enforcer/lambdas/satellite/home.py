"""Home's door for a satellite: a function URL that asks IAM who signed a request.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

import json
import os
from functools import cache
from typing import Any, Final

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from botocore.session import Session

VERSION: Final = 1
"""What this satellite and home say to each other."""
NO_ANSWER: Final = 0
"""The status where home could not be reached."""
REFUSED: Final = frozenset({400, 409, 413, 422})
"""Nothing is gained by asking again; 403 passes where a role or a permission is new."""


def ask_home(asked: dict[str, Any]) -> tuple[int, str]:
    """The status of HTTP and home's words, which never hold a record."""
    said = {"home": os.environ["HOME_STACK_ID"], "version": VERSION, **asked}
    headers = {"content-type": "application/json"}
    request = AWSRequest("POST", os.environ["HOME_URL"], headers, json.dumps(said).encode())
    credentials: Any = _session().get_credentials()
    # For home's Region, wherever this one is.
    SigV4Auth(credentials, "lambda", os.environ["HOME_REGION"]).add_auth(request)
    try:
        answer = _http().send(request.prepare())
    except BotoCoreError as error:
        return NO_ANSWER, type(error).__name__
    return answer.status_code, answer.text[:300]


def accepted(status: int) -> bool:
    return 200 <= status < 300  # noqa: PLR2004 - as HTTP has it


@cache
def _session() -> Session:
    return Session()


@cache
def _http() -> URLLib3Session:
    return URLLib3Session(timeout=45)  # the meter takes a second; a new process of it, some
