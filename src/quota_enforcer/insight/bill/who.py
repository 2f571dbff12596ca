"""Who is who on a bill: callers as the ledger writes them."""

from typing import Final

from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.principal import Kind, account_of, identify

NOT_TOLD: Final = ""
"""The principal of what the bill names no caller of."""
_LONGEST: Final = 200


def billed_principal(arn: str, home: str) -> str:
    """The caller of a row: `role/reporting`, and `444455556666/role/reporting` of another account.

    What is no identity stays as it is.
    """
    if not arn:
        return NOT_TOLD
    try:
        return str(identify(arn, account_of(arn), home).principal)
    except UnknownIdentity:
        return f"{Kind.OTHER}/{arn[:_LONGEST]}"


def metered_principal(text: str, home: str) -> str:
    """The same of a principal of the ledger, which may have those of other accounts as ARNs."""
    kind, _, name = text.partition("/")
    return billed_principal(name, home) if kind == Kind.OTHER and account_of(name) else text
