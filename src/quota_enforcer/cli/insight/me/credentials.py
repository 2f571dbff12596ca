"""`me --credential-process`: the caller's credentials for AWS tools, unless Bedrock is blocked.

It is a courtesy that says before the first call what IAM would say after it: the deny is IAM's.
So whatever keeps it from asking never keeps anybody from working.
https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
"""

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.target import Target
from quota_enforcer.cli.insight.me import cached, question
from quota_enforcer.cli.insight.me.line import line_of
from quota_enforcer.cli.terminal.errors import FAILED, explain
from quota_enforcer.cli.terminal.output import fail, hint
from quota_enforcer.core.notices import wording

LASTS: Final = timedelta(minutes=20)
"""How long credentials are said to last, so that tools come again: boto3 and the AWS CLI do in the
last 15 minutes, other SDKs in the last five minutes or at the end."""
INSIDE: Final = "QUOTA_ENFORCER_CREDENTIAL_PROCESS"
"""Set for what this starts, so that a profile which asks itself does not go on for ever."""


def say_credentials(where: Target, url: str | None) -> None:
    """Print them, or say on stderr what is blocked until when, with exit code 1."""
    if os.environ.get(INSIDE):
        fail(
            "this profile takes its credentials from itself: name the one that has them, as in "
            "`credential_process = quota-enforcer me --credential-process --profile work`"
        )
        raise typer.Exit(FAILED)
    os.environ[INSIDE] = "1"
    session = question.session_of(where)
    credentials = question.credentials_of(session)
    frozen = credentials.get_frozen_credentials()
    refusal = _refusal(where, url)
    if refusal:
        fail(refusal)
        raise typer.Exit(FAILED)
    ends = clock.now() + LASTS
    underlying = getattr(credentials, "_expiry_time", None)  # boto3 shows it nowhere else
    if isinstance(underlying, datetime):
        ends = min(ends, underlying)
    document = {
        "Version": 1,
        "AccessKeyId": frozen.access_key,
        "SecretAccessKey": frozen.secret_key,
        "SessionToken": frozen.token,
        "Expiration": f"{ends.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    typer.echo(json.dumps({name: said for name, said in document.items() if said is not None}))


def _refusal(where: Target, url: str | None) -> str:
    """Why there are no credentials now; empty if there are.

    What is kept for the prompt does, unless it says that Bedrock is blocked: that may be over.
    """
    asked = where.stack, where.profile, where.region, url
    kept = cached.read(asked)
    if kept is not None and kept[1] and not (_blocked(json.loads(kept[1]))):
        return ""
    try:
        answer = question.ask(where, url)
    except Exception as error:  # noqa: BLE001 - see above
        hint(f"Whether Bedrock is blocked is not known: {explain(error) or error}")
        return ""
    cached.keep(asked, line_of(answer, clock.now().astimezone()), json.dumps(answer))
    return _blocked(answer)


def _blocked(answer: dict[str, Any]) -> str:
    """In words, if all of Bedrock is blocked: which model is called next is not known here."""
    zone, now = ZoneInfo(answer["time_zone"]), clock.now()
    for standing in answer["standings"]:
        if "*" not in standing["denied"]:
            continue
        until = standing["until"] and datetime.fromisoformat(standing["until"])
        spent = ", ".join(
            each["quota"] for each in standing["quotas"] if each["state"] == "blocked"
        )
        return (
            f"Amazon Bedrock is blocked for {standing['principal']} (quota {spent or 'unknown'}). "
            f"Opens again: {wording.moment_ahead(until, now, zone)}. "
            f"To get more: ask {answer['contact']}."
        )
    return ""
