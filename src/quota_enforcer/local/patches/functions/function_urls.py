"""Function URLs as AWS serves them, where the emulator differs.

- It names them `https://ID.lambda-url.REGION.on.aws/`, which nobody here could reach; here they
  are paths of the emulator, which it serves too.
- With AuthType AWS_IAM the event says who signed (`requestContext.authorizer.iam`); the emulator
  checks the signature and leaves that out.
  https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
- Besides `lambda:InvokeFunctionUrl` the caller needs `lambda:InvokeFunction`, for which
  `lambda:InvokedViaFunctionUrl` says whether it comes by the URL.
  https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

import os
from typing import Any, Final

from ministack.core import iam_evaluator
from ministack.core.router import extract_access_key_id
from ministack.services import lambda_svc

_PATH: Final = "/_aws/lambda-url/"
_AUTH_TYPE: Final = "lambda:FunctionUrlAuthType"
_VIA_URL: Final = "lambda:InvokedViaFunctionUrl"


def install() -> None:
    """Make URLs that can be reached, say who calls, and ask for both permissions."""
    _install_urls(f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}{_PATH}")
    _install_callers()
    _install_decisions()


def _install_urls(prefix: str) -> None:
    plain = lambda_svc._create_function_url_config

    def create(name: str, data: dict[str, Any], qualifier: str | None) -> Any:
        answer = plain(name, data, qualifier)
        config = lambda_svc._function_urls.get(lambda_svc._url_config_key(name, qualifier))
        if answer[0] >= 400 or config is None:  # noqa: PLR2004 - a refusal
            return answer
        url_id = lambda_svc._function_url_id(config["FunctionUrl"])
        config["FunctionUrl"] = f"{prefix}{url_id}/"
        return lambda_svc.json_response(config, status=answer[0])

    plain_id = lambda_svc._function_url_id

    def url_id(url: str) -> str:
        return url.removeprefix(prefix).rstrip("/") if url.startswith(prefix) else plain_id(url)

    lambda_svc._create_function_url_config = create
    lambda_svc._function_url_id = url_id


def _install_callers() -> None:
    plain = lambda_svc._build_function_url_event

    def build(*request: Any, **named: Any) -> dict[str, Any]:
        event: dict[str, Any] = plain(*request, **named)
        headers, query = request[5], request[7]
        caller = iam_evaluator.resolve_caller_identity(extract_access_key_id(headers, query))
        if caller is not None and not named.get("anonymous"):
            event["requestContext"]["authorizer"] = {
                "iam": {
                    "accessKey": caller["accessKey"],
                    "accountId": caller["accountId"],
                    "callerId": caller["userId"],
                    "cognitoIdentity": None,
                    "principalOrgId": caller["principalOrgId"],
                    "userArn": caller["userArn"],
                    "userId": caller["userId"],
                }
            }
        return event

    lambda_svc._build_function_url_event = build


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
        if name == "lambda:InvokeFunction":
            keys[_VIA_URL] = "false"
        denied = plain(
            access_key, name, service, region, resource_arn=resource_arn, service_context=keys
        )
        if denied or keys.get(_AUTH_TYPE) != "AWS_IAM":
            return denied
        return plain(
            access_key,
            "lambda:InvokeFunction",
            service,
            region,
            resource_arn=resource_arn,
            service_context={_VIA_URL: "true"},
        )

    iam_evaluator.enforce = enforce
