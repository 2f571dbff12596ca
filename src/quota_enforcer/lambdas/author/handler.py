"""The author function: writes the gates when the enforcer asks, and empties them at the end.

It is wired here and not in `wiring`, so that its package of permissions stays as small as its work.
"""

import os
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import boto3
from aws_lambda_powertools import Logger, Tracer
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random

from quota_enforcer import clock
from quota_enforcer.aws import clients
from quota_enforcer.aws.dynamodb.ledger.memory.gates import DynamoGateMemory
from quota_enforcer.aws.iam.assumed_roles import AssumedRoles
from quota_enforcer.aws.iam.gates import IamGates
from quota_enforcer.aws.iam.member_gates import RoutedGates
from quota_enforcer.core.errors import UnknownEvent
from quota_enforcer.gates.author import Author, AuthorBusy
from quota_enforcer.gates.settings import AuthorSettings
from quota_enforcer.satellites.names import Part, external_id, role_arn

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from quota_enforcer.gates.ports import Gates
    from quota_enforcer.gates.result import GateResult

WAIT: Final = Retrying(
    retry=retry_if_exception_type(AuthorBusy),
    wait=wait_random(0.2, 1),
    stop=stop_after_delay(15),
    reraise=True,
)
"""Two sweeps at once: the later one waits, then puts what is still missing into the gates."""

_RENDERS: Final[tuple[dict[str, bool], ...]] = ({}, {"everywhere": True}, {"everywhere": False})
"""What may stand beside the action."""

logger = Logger()
tracer = Tracer()


@cache
def author() -> Author:
    """Wired once for each Lambda process, at its first event, so that errors reach the log."""
    settings = AuthorSettings.from_environment(os.environ)
    session = boto3.Session()
    home = settings.account if settings.has_members else ""
    dynamodb = session.client("dynamodb", config=clients.AUTHOR)
    memory = DynamoGateMemory(dynamodb, settings.ledger_table, home)
    return Author(memory, _gates(settings, session), settings.gates, settings.write)


def _gates(settings: AuthorSettings, session: boto3.Session) -> "Gates":
    home = IamGates(session.client("iam", config=clients.AUTHOR), settings.tags)
    if not settings.has_members:
        return home

    def role(account: str) -> str:
        return role_arn(settings.partition, account, settings.stack, Part.AUTHOR)

    members = AssumedRoles(session, role, external_id(settings.stack_id))
    return RoutedGates(home, settings.account, members, settings.tags)


@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Answer one event; raises AuthorBusy if another run does not end."""
    match event:
        case {"action": "render", **rest} if rest in _RENDERS:
            holder, everywhere = context.aws_request_id, rest.get("everywhere", True)
            rendered = WAIT(lambda: author().render(clock.now(), holder, everywhere=everywhere))
        case {"action": "empty", **rest} if not rest:
            rendered = WAIT(lambda: author().empty(clock.now(), context.aws_request_id))
        case _:
            raise UnknownEvent(
                f"cannot understand the event {str(event)[:200]}; known: "
                '{"action": "render"} from a sweep, or {"action": "empty"} when the stack goes',
            )
    return _told(rendered)


def _told(rendered: "GateResult") -> dict[str, Any]:
    answer = rendered.to_json()
    logger.info("gates", **answer)
    return answer
