"""The template with its parameters given: what CloudFormation would make of its intrinsics."""

import re
from collections.abc import Mapping
from typing import Any, Final

from template_source import SATELLITE, SOURCE

PSEUDO: Final = {
    "AWS::StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/bedrock-quota/51af3dc0",
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "bedrock-quota",
}
NO_VALUE: Final = object()
_PLACEHOLDER: Final = re.compile(r"\$\{([\w:.]+)\}")


class Deployed:
    """The template with these parameters, the others at their defaults.

    Managed policies have their real ARNs; any other resource `X` is called `X`, and has the
    attribute `X.Arn`.
    """

    source: Mapping[str, Any] = SOURCE

    def __init__(self, pseudo: Mapping[str, str] | None = None, /, **parameters: str) -> None:
        self.pseudo = PSEUDO | dict(pseudo or {})
        named = self.source["Parameters"].items()
        defaults = {name: str(each["Default"]) for name, each in named if "Default" in each}
        self.parameters = defaults | parameters

    def has(self, resource: str) -> bool:
        """Whether the resource is made at all."""
        condition = self._resource(resource).get("Condition")
        return condition is None or self.holds(condition)

    def properties(self, resource: str) -> Any:
        """A resource's properties."""
        return self.value(self._resource(resource)["Properties"])

    def policy(self, role: str) -> Any:
        """The one policy of a role."""
        (policy,) = self.properties(role)["Policies"]
        return policy["PolicyDocument"]

    def environment(self, function: str) -> dict[str, str]:
        """A function's environment."""
        found: dict[str, str] = self.properties(function)["Environment"]["Variables"]
        return found

    def holds(self, condition: str) -> bool:
        """Whether one of the template's conditions holds."""
        return bool(self.value(self.source["Conditions"][condition]))

    def value(self, written: Any) -> Any:  # noqa: PLR0911 - one for each intrinsic
        """A value without intrinsics."""
        match written:
            case {"Ref": name}:
                return self._named(name)
            case {"Condition": name} if len(written) == 1:
                return self.holds(name)
            case {"Fn::GetAtt": [name, attribute]}:
                return self._named(f"{name}.{attribute}")
            case {"Fn::If": [condition, then, otherwise]}:
                return self.value(then if self.holds(condition) else otherwise)
            case dict():
                return self._mapping({key: self.value(each) for key, each in written.items()})
            case list():
                return [each for each in map(self.value, written) if each is not NO_VALUE]
            case _:
                return written

    def _mapping(self, decided: dict[str, Any]) -> Any:  # noqa: PLR0911 - one for each intrinsic
        """An intrinsic that only works on values, or an ordinary mapping."""
        match decided:
            case {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), _]}:
                names = decided["Fn::Sub"][1] if text != decided["Fn::Sub"] else {}
                return _PLACEHOLDER.sub(
                    lambda f: names[f[1]] if f[1] in names else self._named(f[1]), text
                )
            case {"Fn::Join": [between, parts]}:
                return between.join(parts)
            case {"Fn::Equals": [one, other]}:
                return str(one) == str(other)
            case {"Fn::Not": [one]}:
                return not one
            case {"Fn::Or": several}:
                return any(several)
            case {"Fn::And": several}:
                return all(several)
            case {"Fn::Split": [between, text]}:
                return text.split(between)
            case _:
                return {key: each for key, each in decided.items() if each is not NO_VALUE}

    def _resource(self, name: str) -> Any:
        return self.source["Resources"][name]

    def _made_by(self, name: str) -> str:
        """The resource itself, or the function whose URL SAM makes under this name.

        https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources-function.html
        """
        function = name.removesuffix("Url")
        declared = self.source["Resources"].get(function, {}).get("Properties", {})
        return function if "FunctionUrlConfig" in declared else name

    def _named(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        resource = self._made_by(name.partition(".")[0])
        if not self.has(resource):
            raise LookupError(f"{name} is referred to where there is none")
        if self._resource(resource)["Type"] == "AWS::IAM::ManagedPolicy":
            declared = self.properties(resource)
            prefix = f"arn:{self.pseudo['AWS::Partition']}:iam::{self.pseudo['AWS::AccountId']}"
            return f"{prefix}:policy{declared['Path']}{declared['ManagedPolicyName']}"
        return name


SCOPES: Final = {
    "ModelScope1": "anthropic.claude-3-opus-20240229-v1:0",
    "ModelScope2": "anthropic.claude-3-opus*",
    "ModelScope3": "*sonnet*",
    "ModelScope4": "deepseek.r1-v1:0",
    "ModelScope5": "x" * 200,
}
KEY: Final = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SIGNED_WITH: Final = "arn:aws:secretsmanager:us-east-1:123456789012:secret:webhook-AbCdEf"
MOST: Final = Deployed(
    **SCOPES,
    Gates="4",
    NoticeEmail="a@example.com",
    Metering="cloudwatch",
    KmsKeyArn=KEY,
    GateTags="team=platform",
    BudgetDollars="5000",
    BudgetRoles="ci,agents",
    PermissionsBoundary="arn:aws:iam::123456789012:policy/limits",
    Satellites="o-exampleorg1",
    WebhookUrl="https://hooks.example.com/bedrock",
    WebhookSecretArn=SIGNED_WITH,
    TeamsFrom="iam",
    TeamsName="team",
)
"""Everything that parameters can add; what only the default meter has is in LEAST."""
LEAST: Final = Deployed()
"""Nothing but what the defaults make."""


class DeployedSatellite(Deployed):
    """satellite.yaml with these parameters: in a member account, where not told otherwise."""

    source = SATELLITE

    def __init__(self, pseudo: Mapping[str, str] | None = None, /, **parameters: str) -> None:
        super().__init__(SATELLITE_PSEUDO | dict(pseudo or {}), **(HOME | parameters))


MEMBER: Final = "444455556666"
SATELLITE_PSEUDO: Final = {
    "AWS::StackId": f"arn:aws:cloudformation:eu-west-1:{MEMBER}:stack/StackSet-satellites/7d1c",
    "AWS::AccountId": MEMBER,
    "AWS::Region": "eu-west-1",
    "AWS::StackName": "StackSet-satellites",
}
_HOME_ROLE: Final = "arn:aws:iam::123456789012:role/bedrock-quota/bedrock-quota/bedrock-quota"
HOME: Final = {
    "HomeStack": "bedrock-quota",
    "HomeStackId": PSEUDO["AWS::StackId"],
    "HomeAccount": "123456789012",
    "HomeRegion": "us-east-1",
    "HomeUrl": "https://abcdefgh.lambda-url.us-east-1.on.aws/",
    "HomeOrganization": "o-exampleorgid",
    "ExternalId": "51af3dc0",
    "HomeMeterRole": f"{_HOME_ROLE}-MeterRole-1",
    "HomeEnforcerRole": f"{_HOME_ROLE}-EnforcerRole-1",
    "HomeAuthorRole": f"{_HOME_ROLE}-AuthorRole-1",
    "AccountRegion": "eu-west-1",
}
"""What a home with gates and an organisation tells its satellites."""


def teams_kept(source: str) -> dict[str, str]:
    """The parameters that name a source, such as `iam:team`."""
    kind, _, name = source.partition(":")
    return {"TeamsFrom": kind, "TeamsName": name.removeprefix("//")}


def spelled_out(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Its statements, with a list wherever there may be one."""
    lists = {"Action", "NotAction", "Resource", "NotResource"}
    return [
        {
            key: value if isinstance(value, list) else [value] if key in lists else value
            for key, value in each.items()
        }
        for each in document["Statement"]
    ]
