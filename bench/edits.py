"""How soon an edit of the quota table is in IAM, for one principal and for a default with many.

The real template on the embedded AWS: an item is put as the console does, the table's stream wakes
the enforcer function, and IAM is asked until the deny is there, or gone. What AWS adds is not in
it: Lambda polls a stream four times a second, and IAM propagates for some seconds.
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

import json
import statistics
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quota_enforcer.aws.dynamodb.headrooms import HEADROOM
from quota_enforcer.aws.dynamodb.wire import wire
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.local.embedded import EmbeddedAws

if TYPE_CHECKING:
    from bench.parts.figures import Figure, report
else:  # a script finds what lies beside it
    from parts.figures import Figure, report


ROOT = Path(__file__).parents[1]
STACK = "bedrock-quota"
START = datetime(2026, 11, 24, 12, tzinfo=UTC)
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
EDITS = 40
"""Every other one blocks; the rest unblock."""
MOST = 3.0
"""Seconds that all but one in twenty may take."""
PATIENCE = 120.0
"""Seconds after which an edit is taken for lost."""
MANY = 10_000
MOST_OF_MANY = 20.0
"""Seconds for an edit that concerns so many, most of whom have headroom."""
OVER = 5
"""How many of these an edit of the default blocks."""
LOOKED_AT = OVER + 1
"""These and alice, of whom nobody has noted a headroom."""
_BATCH = 25


class Deployment:
    """A stack that enforces, and what is done to it."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.aws = aws
        self.outputs = aws.deploy(ROOT / "template.yaml", STACK, {"Mode": "enforce"})
        self._iam = aws.client("iam")
        self._dynamodb = aws.client("dynamodb")

    def quota(self, subject: str, limit: int) -> None:
        """An admin saves an item."""
        item = {
            "principal": subject, "quota": "daily", "measure": "total_tokens",
            "limit": Decimal(limit), "window": "day",
        }  # fmt: skip
        self._dynamodb.put_item(TableName=self.outputs["QuotaTable"], Item=wire(item))

    def user(self, name: str) -> None:
        """Somebody whom IAM can deny."""
        self._iam.create_user(UserName=name)

    def denied(self, name: str) -> bool:
        """Whether the deny is in IAM."""
        found = self._iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]
        return self.outputs["DenyAllPolicy"] in {each["PolicyArn"] for each in found}

    def until(self, names: Iterable[str], *, denied: bool) -> float:
        """The seconds until IAM denies all of these, or none."""
        began = time.monotonic()
        for name in names:
            while self.denied(name) is not denied:
                if time.monotonic() - began > PATIENCE:
                    raise SystemExit(f"{name} is not as it should be after {PATIENCE:.0f} s")
        return time.monotonic() - began

    def wake(self, who: Principal) -> None:
        """Tell the enforcer of a call."""
        at = START.isoformat()
        event = {
            "action": "wake", "since": at,
            "principals": [{"principal": str(who), "called": {MODEL: at}}],
        }  # fmt: skip
        self.aws.client("lambda").invoke(
            FunctionName=self.outputs["EnforcerFunction"], Payload=json.dumps(event)
        )

    def know(self, one: Principal, others: Iterable[Principal]) -> None:
        """Have of these all that there is of one: a record, usage and a headroom."""
        found = self._dynamodb.query(
            TableName=self.outputs["LedgerTable"],
            KeyConditionExpression="pk = :one",
            ExpressionAttributeValues={":one": {"S": str(one)}},
        )["Items"]
        if HEADROOM not in {item["sk"]["S"] for item in found}:
            raise SystemExit(f"{one} has no headroom")
        requests = [
            {"PutRequest": {"Item": {**item, "pk": {"S": str(each)}}}}
            for each in others
            for item in found
        ]
        for first in range(0, len(requests), _BATCH):
            batch: Any = {self.outputs["LedgerTable"]: requests[first : first + _BATCH]}
            self._dynamodb.batch_write_item(RequestItems=batch)


def one_principal(deployment: Deployment) -> Iterator[float]:
    """From each edit to IAM, one after the other; the first starts the function."""
    deployment.user("alice")
    for number in range(EDITS):
        blocks = number % 2 == 0
        deployment.quota("user/alice", 0 if blocks else 1_000)
        yield deployment.until(["alice"], denied=blocks)
        deployment.aws.settle()


def the_default(deployment: Deployment) -> tuple[float, float, int]:
    """An edit of the default that some of many are over: until IAM has them all, until its end."""
    from quota_enforcer.core.deployment import Settings  # noqa: PLC0415 - likewise
    from quota_enforcer.lambdas.enforcer import wiring  # noqa: PLC0415 - where it is needed

    people = [Principal(Kind.USER, f"u{number:05}") for number in range(MANY)]
    deployment.quota("default", 1_000)
    deployment.aws.settle()
    function = deployment.aws.client("lambda").get_function_configuration(
        FunctionName=deployment.outputs["EnforcerFunction"]
    )
    settings = Settings.from_environment(function["Environment"]["Variables"])
    ledger = wiring.ledger(settings, deployment.aws.session())
    first, *others = people
    ledger.set_hours(Bucket(first, MODEL, START.date()), {START: Counts(1, 100)})
    deployment.aws.fire_schedule(STACK, "EnforcerSchedule")  # it notes the settings
    for _ in range(2):  # one makes a record, one leaves a headroom
        deployment.wake(first)
    deployment.know(first, others)
    over = people[MANY // OVER - 1 :: MANY // OVER]
    for each in over:
        deployment.user(each.name)
        ledger.set_hours(Bucket(each, MODEL, START.date()), {START: Counts(1, 600)})
    began = time.monotonic()
    deployment.quota("default", 500)
    in_iam = deployment.until([each.name for each in over], denied=True)
    (ended,) = deployment.aws.settle()
    if ended.error or ended.answer["looked_at"] < OVER:
        raise SystemExit(f"not everybody was looked at: {ended.error or ended.answer}")
    return in_iam, time.monotonic() - began, ended.answer["looked_at"]


def main() -> None:
    """Print both; exits where an edit takes too long."""
    with EmbeddedAws(START) as aws:
        deployment = Deployment(aws)
        cold, *warm = one_principal(deployment)
        p95 = statistics.quantiles([cold, *warm], n=20)[-1]
        print(
            f"an edit of one principal's quota is in IAM after {statistics.median(warm):.2f} s "
            f"(median of {EDITS}), p95 {p95:.2f} s, first {cold:.2f} s"
        )
        in_iam, done, looked_at = the_default(deployment)
        print(
            f"an edit of the default with {MANY:,} principals known: the {OVER} over it are denied "
            f"after {in_iam:.1f} s; it ended after {done:.1f} s, and looked at {looked_at:,}"
        )
    report(
        [
            Figure("an edit of one quota in IAM, p95", p95, "s", MOST),
            Figure(f"an edit of the default with {MANY:,} known", done, "s", MOST_OF_MANY),
            Figure("whom it looked at", looked_at, "principals", LOOKED_AT),
        ]
    )


if __name__ == "__main__":
    main()
