"""The self-service function: tells callers where they stand, and takes what they ask for.

Of what is asked only the principal is logged. It is wired here, so that it constructs only what its
role may call.
"""

import json
import os
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import boto3
from aws_lambda_powertools import Logger, Tracer

from quota_enforcer import clock
from quota_enforcer.aws import clients
from quota_enforcer.aws.dynamodb.ledger.reads import DynamoReads
from quota_enforcer.aws.dynamodb.ledger.requests import DynamoRequestStore
from quota_enforcer.aws.dynamodb.quota_table import DynamoQuotaReads
from quota_enforcer.aws.dynamodb.table import PutTable
from quota_enforcer.core.deployment import SelfServiceSettings
from quota_enforcer.insight.self_service import SelfService
from quota_enforcer.lambdas.self_service.answer import document, taken
from quota_enforcer.lambdas.self_service.caller import Refused, caller_of
from quota_enforcer.lambdas.self_service.requests import RequestStore, body_of, take

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_OK: Final = 200

logger = Logger()
tracer = Tracer()


class SelfServiceFunction(NamedTuple):
    """What the function works with."""

    settings: SelfServiceSettings
    service: SelfService
    store: RequestStore


@cache
def self_service_function() -> SelfServiceFunction:
    """Wired once for each Lambda process, at its first event, so that errors reach the log."""
    settings = SelfServiceSettings.from_environment(os.environ)
    dynamodb = boto3.Session().client("dynamodb", config=clients.PROMPT)
    table = PutTable(dynamodb, settings.ledger_table)
    ledger, store = DynamoReads(table, settings.zone), DynamoRequestStore(table)
    quotas = DynamoQuotaReads(dynamodb, settings.quota_table)
    service = SelfService(settings, ledger, quotas, store.request)
    return SelfServiceFunction(settings, service, store)


# No response is captured: it is the caller's own business.
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """Answer one request as a function URL takes it."""
    settings, service, store = self_service_function()
    try:
        caller = caller_of(event, settings.account)
        body = body_of(event)
        view = service.of(caller, clock.now())
        if body is None:
            said = document(view, settings)
        else:
            said = taken(take(caller, body, view, store), settings)
    except Refused as refused:
        logger.warning("refused", status=refused.status)
        return _answer(refused.status, {"error": str(refused)})
    logger.info("asked" if body is None else "asked for more", principal=str(caller.principal))
    return _answer(_OK, said)


def _answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps(body, ensure_ascii=False),
    }
