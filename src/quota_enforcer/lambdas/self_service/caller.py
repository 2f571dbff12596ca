"""Who asks the self-service function, read from the event of its function URL.

The format: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
Its one example of `authorizer.iam` is an IAM user's; sessions are taken to have the ARN by which
STS, and the invocation log, name them.
"""

from typing import Any, Final

from quota_enforcer.core.errors import EnforcerError, UnknownIdentity
from quota_enforcer.core.principal import Identity, Kind, identify, why_not_deniable

_BAD_REQUEST: Final = 400
_METHODS: Final = {"GET", "POST"}
_FORBIDDEN: Final = 403


class Refused(EnforcerError):
    """The function does not answer this; `status` is the one of HTTP."""

    def __init__(self, status: int, words: str) -> None:
        self.status = status
        super().__init__(words)


def caller_of(event: Any, account: str) -> Identity:
    """Who signed the request, by IAM's word alone.

    Raises Refused for any request but `GET /` and `POST /`, so that nobody can even seem to ask
    about somebody else, and for whom no quota can cover.
    """
    match event:
        case {
            "requestContext": {
                "authorizer": {"iam": {"accountId": str(owner), "userArn": str(arn)}},
                "http": {"method": str(method)},
            },
            "rawPath": str(path),
            **rest,
        }:
            plain = path == "/" and not rest.get("rawQueryString")
            if not plain or method not in _METHODS or (method == "GET" and rest.get("body")):
                raise Refused(
                    _BAD_REQUEST,
                    "this answers GET / without any parameter, and only about who asks; POST / "
                    "takes a request for a higher limit",
                )
        case _:
            raise Refused(
                _FORBIDDEN, "this answers requests to its function URL that IAM has authorised"
            )
    if owner != account:
        raise Refused(
            _FORBIDDEN,
            f"you are of account {owner}, and the quotas here are those of account {account}: "
            "use credentials of that account",
        )
    return _identified(arn, account)


def _identified(arn: str, account: str) -> Identity:
    try:
        identity = identify(arn, account)
    except UnknownIdentity as error:
        raise Refused(_FORBIDDEN, str(error)) from error
    if identity.principal.kind is Kind.OTHER:
        why = why_not_deniable(identity.principal, gated=True)
        raise Refused(_FORBIDDEN, f"{arn} has no quota: {why}")
    return identity
