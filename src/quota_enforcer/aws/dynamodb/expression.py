"""Conditions and updates in DynamoDB's words, with placeholders for every name and value."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from quota_enforcer.aws.dynamodb.wire import Plain, wire

_PLACEHOLDER = re.compile(r"#(\w+)")
_NOTHING: Plain = {}


@dataclass(frozen=True, slots=True)
class Expression:
    """`#name` in the text is an attribute and `:name` one of `values`."""

    text: str
    values: Plain = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    """The attribute that a placeholder means, if that is not the placeholder's own word."""

    def request(self, parameter: str = "ConditionExpression") -> dict[str, Any]:
        """As parameters of a request."""
        words = _PLACEHOLDER.findall(self.text)
        request: dict[str, Any] = {parameter: self.text}
        if words:
            names = {f"#{word}": self.names.get(word, word) for word in words}
            request["ExpressionAttributeNames"] = names
        if self.values:
            values = {f":{name}": value for name, value in self.values.items()}
            request["ExpressionAttributeValues"] = wire(values)
        return request


def change(values: Plain, remove: Iterable[str] = (), add: Plain = _NOTHING) -> dict[str, Any]:
    """An update: attributes to set, to remove and to add to; each clause has own placeholders."""
    setting = {f"s{n}": name for n, name in enumerate(values)}
    removing = {f"r{n}": name for n, name in enumerate(remove)}
    adding = {f"a{n}": name for n, name in enumerate(add)}
    parts = []
    if setting:
        parts.append("SET " + ", ".join(f"#{short} = :{short}" for short in setting))
    if removing:
        parts.append("REMOVE " + ", ".join(f"#{short}" for short in removing))
    if adding:
        parts.append("ADD " + ", ".join(f"#{short} :{short}" for short in adding))
    numbers = {short: add[name] for short, name in adding.items()}
    return Expression(
        " ".join(parts),
        {short: values[name] for short, name in setting.items()} | numbers,
        setting | removing | adding,
    ).request("UpdateExpression")


def conditional(request: dict[str, Any], condition: Expression | None) -> dict[str, Any]:
    """The request with a condition; the placeholders of both go into the same two parameters."""
    for parameter, value in (condition.request() if condition else {}).items():
        known = request.get(parameter)
        request[parameter] = value if known is None else known | value
    return request
