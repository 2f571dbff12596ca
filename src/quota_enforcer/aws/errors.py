"""What AWS refused, or why it could not be reached, in words to act on."""

import re
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from quota_enforcer.core.errors import EnforcerError

if TYPE_CHECKING:
    from quota_enforcer.doctor.access import Problem

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}

_DENIED = {
    "AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation",
}  # fmt: skip

_UNKNOWN = {
    "AuthFailure", "IncompleteSignature", "InvalidClientTokenId", "InvalidSignatureException",
    "SignatureDoesNotMatch", "UnrecognizedClientException",
}  # fmt: skip

_ACTION = re.compile(r"perform:? ([a-zA-Z0-9-]+:\w+)")


def is_missing(error: ClientError) -> bool:
    """Whether CloudFormation says that there is no such stack."""
    return "does not exist" in error.response["Error"].get("Message", "")


def is_refusal(error: Exception) -> bool:
    """Whether AWS said that the caller may not do this."""
    return isinstance(error, ClientError) and action_refused(error) is not None


def action_refused(error: ClientError) -> str | None:
    """The IAM action that is missing, empty if AWS does not name it; None for other errors."""
    if error.response["Error"].get("Code", "") not in _DENIED:
        return None
    named = _ACTION.search(error.response["Error"].get("Message", ""))
    return named[1] if named else ""


def _refusal(error: ClientError) -> str:
    """What an AWS service said no to."""
    code = error.response["Error"].get("Code", "")
    message = error.response["Error"].get("Message", "")
    if code in _EXPIRED:
        return "your AWS session has expired: sign in again, for instance with `aws sso login`"
    if code in _UNKNOWN:
        return f"AWS does not know these credentials ({code}): check --profile and --region"
    if code in _DENIED:
        named = _ACTION.search(message)
        action = named[1] if named else error.operation_name
        return (
            f"you may not {action}: ask for that permission, or use another --profile ({message})"
        )
    return f"AWS refused {error.operation_name}: {code}: {message}"


def _outage(error: BotoCoreError) -> str:
    """What stopped us before a service could answer."""
    match error:
        case NoCredentialsError() | PartialCredentialsError():
            return (
                "there are no AWS credentials: sign in, for instance with `aws sso login`, "
                f"or choose a profile with --profile ({error})"
            )
        case ProfileNotFound():
            return f"{error}: choose one that `aws configure list-profiles` shows with --profile"
        case NoRegionError():
            return (
                "no AWS Region is set: give --region eu-central-1, for instance, "
                "or set AWS_REGION or the profile's region; for a sandbox: "
                'eval "$(quota-enforcer sandbox env)"'
            )
        case SSOError() | SSOTokenLoadError() | TokenRetrievalError() | UnauthorizedSSOTokenError():
            return f"your AWS sign-in is no longer valid: run `aws sso login` ({error})"
        case EndpointConnectionError() | HTTPClientError():
            return f"cannot reach AWS: check --region and your network ({error})"
        case _:
            return f"AWS: {error}"


def in_words(error: Exception) -> str | None:
    """What AWS refused or why it is out of reach; None for an error that is not AWS's."""
    match error:
        case ClientError():
            return _refusal(error)
        case BotoCoreError():
            return _outage(error)
        case _:
            return None


def problem(error: Exception) -> "Problem":
    """Why the doctor could not read something."""
    from quota_enforcer.doctor.access import Problem  # noqa: PLC0415 - other commands need no doctor

    words = str(error) if isinstance(error, EnforcerError) else in_words(error)
    seen = " ".join(str(error).split())
    if not isinstance(error, ClientError):
        return Problem(seen, words or "", type(error).__name__)
    return Problem(seen, words or "", error.operation_name, action_refused(error))
