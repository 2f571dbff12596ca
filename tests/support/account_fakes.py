"""An account before the first deployment: quiet and empty unless a test says otherwise."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from builders import NOON
from quota_enforcer.aws import errors
from quota_enforcer.core.policies.document import Document
from quota_enforcer.core.policies.guard.keys import Key
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.doctor.access import Problem
from quota_enforcer.doctor.before.facts import (
    Authorizations,
    CallSeen,
    GroupFound,
    IdentityFound,
    OtherAccount,
    RegionFound,
    Whereabouts,
)

HERE: Final = "111122223333"
USE_MODELS: Final = {"Effect": "Allow", "Action": "bedrock:InvokeModel*", "Resource": "*"}
PERMISSION_SET: Final = "AWSReservedSSO_Developers_0123456789abcdef"
SSO_PATH: Final = "/aws-reserved/sso.amazonaws.com/"


def a_document(*statements: Mapping[str, Any]) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def a_trust(principal: Any, action: str = "sts:AssumeRole", **more: Any) -> str:
    return json.dumps(
        a_document({"Effect": "Allow", "Principal": principal, "Action": action, **more})
    )


SERVICE: Final = a_trust({"Service": "lambda.amazonaws.com"})
ACCOUNT_TRUST: Final = a_trust({"AWS": f"arn:aws:iam::{HERE}:root"})
SAML_TRUST: Final = a_trust(
    {"Federated": f"arn:aws:iam::{HERE}:saml-provider/sso"}, "sts:AssumeRoleWithSAML"
)


def an_identity(who: str, *statements: Mapping[str, Any], **more: Any) -> IdentityFound:
    """A user or role with these inline statements; a role is taken by AWS Lambda."""
    principal = Principal.parse(who)
    if principal.kind is Kind.ROLE:
        more = {"trust": SERVICE, **more}
    inline = (a_document(*statements),) if statements else ()
    return IdentityFound(principal, inline=inline, **more)


def a_permission_set(*statements: Mapping[str, Any], **more: Any) -> IdentityFound:
    who = f"role/{PERMISSION_SET}"
    return an_identity(who, *statements, path=SSO_PATH, **{"trust": SAML_TRUST, **more})


@dataclass
class FakeAccount:
    """The probe of an account; `fails` is what a method raises, by its name."""

    identities: list[IdentityFound] = field(default_factory=list)
    groups: dict[str, GroupFound] = field(default_factory=dict)
    policies: dict[str, Document] = field(default_factory=dict)
    found: dict[str, RegionFound] = field(default_factory=dict)
    calls_seen: dict[str, list[CallSeen]] = field(default_factory=dict)
    others: list[OtherAccount] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    """Those, by ARN, whom the simulator lets do nothing."""
    fails: dict[str, Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Those whom the simulator was asked about."""

    def problem(self, error: Exception) -> Problem:
        return errors.problem(error)

    def whereabouts(self) -> Whereabouts:
        self._may_fail("whereabouts")
        return Whereabouts(HERE, "aws", "us-east-1")

    def authorizations(self) -> Authorizations:
        self._may_fail("authorizations")
        return Authorizations(self.identities, self.groups, self.policies)

    def may(self, arn: str, keys: Sequence[Key]) -> Sequence[Key]:
        self._may_fail("may")
        self.asked.append(arn)
        return [] if arn in self.refused else keys

    def slots(self) -> Mapping[Kind, int]:
        self._may_fail("slots")
        return {Kind.USER: 10, Kind.ROLE: 20}

    def regions(self) -> Sequence[str]:
        self._may_fail("regions")
        return sorted({"us-east-1", "eu-west-1", *self.found})

    def region(self, name: str, since: datetime, now: datetime) -> RegionFound:
        del since, now
        self._may_fail(name)
        return self.found.get(name, RegionFound(name))

    def calls(self, region: str, since: datetime) -> Sequence[CallSeen]:
        del since
        self._may_fail("calls")
        return self.calls_seen.get(region, [])

    def accounts(self) -> Sequence[OtherAccount]:
        self._may_fail("accounts")
        return [OtherAccount(HERE, "here"), *self.others]

    def traffic(self, region: str, calls: int, **more: Any) -> None:
        self.found[region] = RegionFound(region, calls, **more)

    def call(self, region: str, who: str) -> None:
        """The event history has a call by `user/x` or by `ROLE/SESSION`."""
        user = who.startswith("user/")
        arn = f"arn:aws:{'iam' if user else 'sts'}::{HERE}:{'' if user else 'assumed-role/'}{who}"
        self.calls_seen.setdefault(region, []).append(CallSeen(arn, NOON))

    def _may_fail(self, name: str) -> None:
        if name in self.fails:
            raise self.fails[name]
