"""How IAM authorises Bedrock, where the emulator differs.

- Converse and ConverseStream need `bedrock:InvokeModel` and
  `bedrock:InvokeModelWithResponseStream`; there is no Converse action.
  https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
- A call through an inference profile is checked against the profile *and* the model behind it.
  https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
  (Here the model is checked in the caller's Region, and without a Region for `global.` profiles;
  AWS also checks it in the Region that answers.)
- Who looks up an inference profile or a model by its ARN is checked against just that ARN.
- PutModelInvocationLoggingConfiguration needs `iam:PassRole` for the role that it hands over.
- A refusal names the resource and the policy that denies.
  https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

import json
import re
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import iam

from quota_enforcer.local.patches.bedrock.profiles import model_arn, models_behind

_ACTIONS: Final = {
    "bedrock:Converse": "bedrock:InvokeModel",
    "bedrock:ConverseStream": "bedrock:InvokeModelWithResponseStream",
}
_MODEL_PATH: Final = re.compile(r"/model/(?P<model>.+)/[^/]+")
"""A call of a model; the model may be an ARN with slashes of its own."""
_NAMED_PATH: Final = re.compile(
    r"/(inference-profiles|provisioned-model-throughput|custom-models)/(?P<arn>arn(:|%3A).+)"
)
"""A look-up of a model by its ARN; the emulator takes that for an id and makes an ARN of it."""
_PASSED_ROLE: Final = "quota-enforcer:PassedRole"
"""Carries the role of a request from its body to the decision; no AWS key."""

_IDENTITY_BASED: Final = "an identity-based policy"

_refusal: ContextVar[str] = ContextVar("refusal", default="")


@dataclass(frozen=True, slots=True)
class Question:
    """One question to IAM: may the caller do this to that?"""

    action: str
    resource: str
    keys: dict[str, str] = field(default_factory=dict)


def install() -> None:
    """Change what is asked, how it is decided, and what a refusal says."""
    _install_questions()
    _install_decisions()
    _install_refusals()


def _install_questions() -> None:
    plain_action = iam_actions.extract_iam_action
    plain_resource = iam_actions.extract_resource_arn
    plain_context = iam_actions.request_tag_context

    def action(*request: Any, **named: Any) -> str | None:
        found: str | None = plain_action(*request, **named)
        return _ACTIONS.get(found, found) if found else found

    def resource(service: str, method: str, path: str, *rest: Any) -> str:
        called = _MODEL_PATH.match(path) if service == "bedrock-runtime" else None
        if called:
            region, account = rest[-2:]
            return model_arn(unquote(called["model"]), region, account)
        named = _NAMED_PATH.match(path) if service == "bedrock" else None
        if named:
            return unquote(named["arn"])
        return str(plain_resource(service, method, path, *rest))

    def context(service: str, name: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        keys = dict(plain_context(service, name, body, params))
        if name == "bedrock:PutModelInvocationLoggingConfiguration":
            keys[_PASSED_ROLE] = _logging_role(body)
        return keys

    iam_actions.extract_iam_action = action
    iam_actions.extract_resource_arn = resource
    iam_actions.request_tag_context = context


def _install_decisions() -> None:
    plain = iam_evaluator.enforce

    def enforce(
        access_key: str,
        name: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        keys = dict(service_context or {})
        for question in _questions(Question(name, resource_arn), keys.pop(_PASSED_ROLE, None)):
            denied = plain(
                access_key,
                question.action,
                service,
                region,
                resource_arn=question.resource,
                service_context=keys | question.keys,
            )
            if denied:
                if service.startswith("bedrock") and isinstance(denied, iam_evaluator.EvalResult):
                    _refusal.set(_message(access_key, question, denied, region))
                return denied
        return None

    iam_evaluator.enforce = enforce


def _install_refusals() -> None:
    plain = iam_actions.access_denied_response

    def refused(service: str, *arguments: Any, **named: Any) -> Any:
        if service.startswith("bedrock") and not named.get("error_code"):
            named["message"] = named.get("message") or _refusal.get()
        return plain(service, *arguments, **named)

    iam_actions.access_denied_response = refused


def _questions(first: Question, passed_role: str | None) -> Iterator[Question]:
    yield first
    if passed_role:
        yield Question(
            "iam:PassRole", passed_role, {"iam:PassedToService": "bedrock.amazonaws.com"}
        )
    if first.action.startswith("bedrock:InvokeModel"):
        for model in models_behind(first.resource):
            yield Question(first.action, model, {"bedrock:InferenceProfileArn": first.resource})


def _logging_role(body: bytes) -> str:
    try:
        cloudwatch = json.loads(body)["loggingConfig"]["cloudWatchConfig"]
        return str(cloudwatch["roleArn"])
    except (ValueError, KeyError, TypeError):
        return ""


def _message(access_key: str, question: Question, denied: Any, region: str) -> str:
    refused = (
        f"User: {denied.principal_arn} is not authorized to perform: {question.action} "
        f"on resource: {question.resource} "
    )
    if denied.decision != "Deny":
        return f"{refused}because no identity-based policy allows the {question.action} action"
    kind, policy = _denying_policy(access_key, question, region)
    suffix = f": {policy}" if policy else ""
    return f"{refused}with an explicit deny in {kind}{suffix}"


def _denying_policy(access_key: str, question: Question, region: str) -> tuple[str, str]:
    """Which kind of policy says no, and its ARN; none for an inline or a group's policy."""
    account = get_account_id()
    caller = iam_evaluator.resolve_principal(access_key, account)
    request = iam_evaluator.EvalContext(
        principal_arn=caller.arn,
        principal_type=caller.type,
        principal_account=account,
        action=question.action,
        resource_arn=question.resource,
        region=region,
        service_context={key.lower(): value for key, value in question.keys.items()},
        principal_keys=caller.keys,
    )
    if ":assumed-role/" in caller.arn:
        entity = iam._roles.get(iam_evaluator._role_name_from_assumed_arn(caller.arn))
    else:
        entity = iam._users.get(caller.arn.rpartition("/")[2])
    named = [(_IDENTITY_BASED, arn) for arn in (entity or {}).get("AttachedPolicies", [])]
    if boundary := (entity or {}).get("PermissionsBoundary"):
        named.append(("a permissions boundary", boundary))
    for kind, arn in named:
        document = iam_evaluator._resolve_managed_policy_document(arn, account)
        statements = iam_evaluator.parse_policy_document(document) if document else []
        if iam_evaluator._first_match(request, statements, "Deny"):
            return kind, str(arn)
    return _IDENTITY_BASED, ""
