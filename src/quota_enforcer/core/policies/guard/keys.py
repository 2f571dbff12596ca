"""The keys: what nobody who is limited should be allowed, since it lifts a limit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One call; `words` say what it is good for, and `context` is what the request says."""

    words: str
    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Lock:
    """The parts of a deployment that keys fit, by ARN; an empty one is not there."""

    quota_table: str
    ledger_table: str
    enforcer: str
    meter: str
    stack: str
    log: str
    """The invocation log's group."""
    deny: str
    """The deny of everything."""


def keys(lock: Lock, holder: str) -> list[Key]:
    """Those that are tried on a user or role, which is named by its ARN."""
    kind = "User" if ":user/" in holder else "Role"
    attached = (("iam:PolicyARN", lock.deny),)
    records = f"{lock.log}:log-stream:aws/bedrock/modelinvocations"
    every = [
        Key("edit quotas", "dynamodb:PutItem", lock.quota_table),
        Key("edit the ledger", "dynamodb:UpdateItem", lock.ledger_table),
        Key("change the enforcer", "lambda:UpdateFunctionCode", lock.enforcer),
        Key("change the meter", "lambda:UpdateFunctionCode", lock.meter),
        Key("change the stack", "cloudformation:UpdateStack", lock.stack),
        Key("switch Bedrock's log off", "bedrock:DeleteModelInvocationLoggingConfiguration", "*"),
        Key("cut the meter off the log", "logs:DeleteSubscriptionFilter", lock.log),
        Key("write others' usage into the log", "logs:PutLogEvents", records),
        Key("take off their own deny", f"iam:Detach{kind}Policy", holder, attached),
        Key("rewrite the denies", "iam:CreatePolicyVersion", lock.deny),
    ]
    if kind == "User":
        every.append(Key("begin at zero under another name", "iam:UpdateUser", holder))
    return [key for key in every if key.resource]
