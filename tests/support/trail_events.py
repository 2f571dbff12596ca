"""Events of CloudTrail as Bedrock's endpoints give rise to them, and a Logs Insights on them.

Shapes: https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/logging-cloudtrail-mantle.html, and AWS's
security blog on incidents with generative AI, which shows a Converse event with its token counts.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

ACCOUNT = "111122223333"
DATA = {"CreateInference", "InvokeModelWithBidirectionalStream", "StartAsyncInvoke"}


def an_event(name: str, who: str, at: datetime, **but: Any) -> dict[str, Any]:
    """A call that succeeded: `who` is a user, or `ROLE/SESSION`; `but` replaces fields."""
    account, region = but.pop("account", ACCOUNT), but.pop("region", "us-east-1")
    mantle = name == "CreateInference"
    event = {
        "eventVersion": "1.11",
        "userIdentity": _identity(who, account),
        "eventTime": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"bedrock{'-mantle' if mantle else ''}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": "192.0.2.0",
        "userAgent": "Boto3/1.42.0 md/Botocore#1.42.0 ua/2.1 os/linux",
        "requestParameters": (
            {"model": "openai.gpt-oss-120b", "callWithBearerToken": False}
            if mantle
            else {"modelId": "amazon.nova-pro-v1:0"}
        ),
        "responseElements": None,
        "requestID": "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111",
        "eventID": "b2c3d4e5-6789-01ab-cdef-EXAMPLE22222",
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": name not in DATA,
        "recipientAccountId": account,
        "eventCategory": "Data" if name in DATA else "Management",
        "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"},
    }
    if name.startswith("Converse"):
        event["additionalEventData"] = {"inputTokens": 944, "outputTokens": 126}
    return {key: value for key, value in {**event, **but}.items() if value != "absent"}


def _identity(who: str, account: str) -> dict[str, Any]:
    role, slash, session = who.partition("/")
    if not slash:
        return {
            "type": "IAMUser",
            "principalId": "AIDACKCEVSQ6C2EXAMPLE",
            "arn": f"arn:aws:iam::{account}:user/{who}",
            "accountId": account,
            "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
            "userName": who,
        }
    return {
        "type": "AssumedRole",
        "principalId": f"AROACKCEVSQ6C2EXAMPLE:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
        "accountId": account,
        "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROACKCEVSQ6C2EXAMPLE",
                "arn": f"arn:aws:iam::{account}:role/{role}",
                "accountId": account,
                "userName": role,
            },
            "attributes": {"creationDate": "2026-11-24T08:00:00Z", "mfaAuthenticated": "false"},
        },
    }


@dataclass
class Insights:
    """Answers queries by what they say of the events: fields, filters, sums and keys.

    `delay` is how long after a call its event is in the log, and `most` how many rows a query
    returns; `ends` is how a query ends, after it was looked at so often.
    """

    events: list[dict[str, Any]]
    delay: timedelta = timedelta(minutes=5)
    most: int = 10_000
    ends: str = "Complete"
    looks: int = 2
    asked: list[dict[str, Any]] = field(default_factory=list)
    _looked: int = 0

    def start_query(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        self._looked = 0
        return {"queryId": str(len(self.asked) - 1)}

    def get_query_results(self, **request: Any) -> dict[str, Any]:
        self._looked += 1
        if self._looked < self.looks:
            return {"status": "Running", "results": []}
        if self.ends != "Complete":
            return {"status": self.ends, "results": []}
        asked = self.asked[int(request["queryId"])]
        rows = list(_rows(asked["queryString"], self._within(asked)))[: self.most]
        return {"status": "Complete", "results": [_as_answered(row) for row in rows]}

    def _within(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            event
            for event in self.events
            if request["startTime"]
            <= (datetime.fromisoformat(event["eventTime"]) + self.delay).timestamp()
            < request["endTime"] + 1
        ]


def _rows(query: str, events: list[dict[str, Any]]) -> Any:
    [letters] = re.findall(r"substr\(eventTime, 0, (\d+)\) as made", query)
    among = {name: set(re.findall(r'"([^"]+)"', several))
             for name, several in re.findall(r"(\w+) in \[([^\]]*)\]", query)}  # fmt: skip
    absent = re.findall(r"not ispresent\((\w+)\)", query)
    [stats] = re.findall(r"\| stats (.*) by (.*)", query)
    sums = re.findall(r"(count|sum)\(([^)]*)\) as (\w+)", stats[0])
    keys = stats[1].split(", ")
    groups: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        if any(event.get(name) not in allowed for name, allowed in among.items()):
            continue
        if any(event.get(name) is not None for name in absent):
            continue
        made = {**event, "made": event["eventTime"][: int(letters)]}
        groups[tuple(str(_at(made, key) or "") for key in keys)].append(event)
    for group, several in groups.items():
        row = {key: value for key, value in zip(keys, group, strict=True) if value}
        for how, what, name in sums:
            there = [each for each in several if what == "*" or _at(each, what) is not None]
            if how == "count":
                row[name] = str(len(there))
            elif there:
                row[name] = f"{sum(_at(each, what) for each in there)}.0"
        yield row


def _at(event: dict[str, Any], path: str) -> Any:
    found: Any = event
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _as_answered(row: dict[str, str]) -> list[dict[str, str]]:
    return [{"field": name, "value": value} for name, value in row.items()]
