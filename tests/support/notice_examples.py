"""An example of each notice, told by real sweeps.

`python tests/support/notice_examples.py` prints docs/notices.md; a test holds the two together.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache

from builders import HAIKU, HOUR, NOON, UTC_ZONE
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.errors import CannotDeny
from quota_enforcer.core.notices.message import Message, message
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.quotas.request import RaiseRequest, Refusal
from quota_enforcer.core.usage.counts import Counts, Measure
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.insight.report.model import ReportSource
from quota_enforcer.insight.report.summary.week import ReportOfWeek
from quota_enforcer.meter.watch.compare import ModelTally, Volume, Witnessed
from quota_enforcer.meter.watch.ports import WatchMemory
from stream_fakes import Place, call
from world import World, principal

OPUS = "anthropic.claude-3-opus*"
URL = "https://abcdefgh.lambda-url.eu-central-1.on.aws/"
AGO = timedelta(minutes=10)
DAY = timedelta(days=1)
WHEN = {
    NoticeKind.WARNING: "a threshold of a quota is passed, or its limit where nothing is blocked",
    NoticeKind.BLOCKED: "a quota is used up and its deny is in IAM",
    NoticeKind.CHANGED: "blocked still, but for another quota, or for fewer models",
    NoticeKind.RESTORED: "nothing is blocked any more",
    NoticeKind.COULD_NOT_LIFT: "a deny should go, and the enforcer cannot detach it",
    NoticeKind.COULD_NOT_DENY: "a quota is used up, and IAM does not take the deny",
    NoticeKind.INVALID_QUOTA: "a quota item does not validate; once, and again when it changes",
    NoticeKind.BREAKER: "an edit would block too many at once",
    NoticeKind.PAUSED: "somebody paused all new blocks for a while",
    NoticeKind.RESUMED: "a pause is over",
    NoticeKind.TAMPERED: "somebody else attached or detached a deny, or wrote a gate",
    NoticeKind.ACCOUNT_UNREACHABLE: (
        "home cannot take its role in a member account; once, until it was reached again"
    ),
    NoticeKind.GATE_NEARLY_FULL: "a gate can soon list nobody else",
    NoticeKind.PRICE_UNKNOWN: "a model without a known price is used",
    NoticeKind.METERING_GAP: "Bedrock counted calls that were not metered; looked at once an hour",
    NoticeKind.METERING_HEALED: "such calls were set from the log and count now",
    NoticeKind.OVER_METERED: "more was metered than Bedrock counted, as forged records would be",
    NoticeKind.GRANTED: "a limit is higher than when somebody asked for more",
    NoticeKind.REFUSED: "an admin refused what somebody asked for",
    NoticeKind.ASKED: "somebody asks for a higher limit",
    NoticeKind.SERVICE_TIER: "Bedrock serves calls in another tier than standard; once for a tier",
    NoticeKind.DIGEST: "the first sweep on Monday from 07:00 on, in `TimeZone`; once a week",
}


_EDIT = "5f1c0d2b9a7e4c6d8b3a1e0f2c4d6b8a"
"""In place of an edit's own, which is another each time."""


def _told(world: World, kind: NoticeKind) -> tuple[Notice, Message]:
    notice, sent = [sent for sent in world.topic.sent if sent[0].kind is kind][-1]
    if not notice.edit:
        return notice, sent
    body = sent.body.replace(notice.edit, _EDIT)
    return replace(notice, edit=_EDIT), replace(sent, body=body)


def _world() -> World:
    world = World()
    denies = dict.fromkeys(("*", OPUS, HAIKU), "arn")
    world.settings = replace(world.settings, denies=denies, me_url=URL)
    world.denies.scopes = frozenset(world.settings.denies)
    return world


def _used(world: World, tokens: int, at: datetime = NOON, who: str = "alice") -> None:
    world.call(who, at - AGO, tokens)
    world.sweep(at)


def warning() -> tuple[Notice, Message]:
    """One model is closed already, so not all is open."""
    world = _world()
    world.quota(quota="opus", models=[OPUS], limit=0)
    world.quota()
    _used(world, 845)
    return [each for each in world.topic.sent if each[0].kind is NoticeKind.WARNING][-1]


def blocked() -> tuple[Notice, Message]:
    """Two quotas at once: one notice, of the month's, which lasts longer."""
    world = _world()
    world.quota()
    world.quota(quota="monthly", limit=1200, window="month")
    _used(world, 1234)
    return _told(world, NoticeKind.BLOCKED)


def changed() -> tuple[Notice, Message]:
    world = _world()
    world.quota()
    world.quota(quota="opus", models=[HAIKU], limit=1200, window="month")
    _used(world, 1234)
    world.sweep(NOON + timedelta(hours=12))
    return _told(world, NoticeKind.CHANGED)


def restored() -> tuple[Notice, Message]:
    world = _world()
    world.quota()
    _used(world, 1234)
    world.quota(raise_to=5000, raise_until="2026-11-26")
    world.sweep(NOON + timedelta(minutes=5))
    return _told(world, NoticeKind.RESTORED)


def could_not_lift() -> tuple[Notice, Message]:
    world = _world()
    world.quota(models=[HAIKU])
    _used(world, 1234)
    world.denies.scopes = frozenset({"*"})
    world.settings = replace(world.settings, denies={"*": "arn"})  # the scope is uninstalled
    world.quotas.delete("user/alice", "daily")
    world.sweep(NOON + timedelta(minutes=5))
    return _told(world, NoticeKind.COULD_NOT_LIFT)


def could_not_deny() -> tuple[Notice, Message]:
    world = _world()
    full = "user/alice has no slot left for a managed policy: detach one that it does not need"
    world.denies.refuse[principal("user/alice")] = CannotDeny(full)
    world.quota()
    _used(world, 1234)
    return _told(world, NoticeKind.COULD_NOT_DENY)


def invalid_quota() -> tuple[Notice, Message]:
    world = _world()
    world.quota()
    world.sweep(NOON - AGO)
    world.quota(limit="lots", window="fortnight")
    world.sweep(NOON)
    return _told(world, NoticeKind.INVALID_QUOTA)


def breaker() -> tuple[Notice, Message]:
    world = _world()
    world.sweep(NOON - AGO)
    world.quota(principal="default", limit=4)
    for number in range(11):
        world.call(f"user{number}", NOON - AGO, 5)
    world.sweep(NOON)
    return _told(world, NoticeKind.BREAKER)


def paused() -> tuple[Notice, Message]:
    world = _world()
    world.sweep(NOON - AGO)
    until = (NOON + timedelta(hours=2)).isoformat()
    world.quotas.put({"principal": "pause", "quota": "new-blocks", "until": until,
                      "note": "incident 4711", "edited_by": "user/anna"})  # fmt: skip
    world.sweep(NOON)
    return _told(world, NoticeKind.PAUSED)


def resumed() -> tuple[Notice, Message]:
    world = _world()
    world.quotas.put({"principal": "pause", "quota": "new-blocks", "until": NOON.isoformat()})
    world.sweep(NOON - AGO)
    world.sweep(NOON)
    return _told(world, NoticeKind.RESUMED)


def tampered() -> tuple[Notice, Message]:
    world = _world()
    world.quota()
    _used(world, 1234, NOON - timedelta(hours=1))
    world.denies.attached.clear()
    world.sweep(NOON)
    return _told(world, NoticeKind.TAMPERED)


def account_unreachable() -> tuple[Notice, Message]:
    world, there = _world(), "444455556666"
    world.member(there)
    role = f"arn:aws:iam::{there}:role/bedrock-quota/bedrock-quota/bedrock-quota-satellite-denier"
    world.denies.lost[there] = f"{role}: AssumeRole: AccessDenied"
    world.sweep(NOON)
    return _told(world, NoticeKind.ACCOUNT_UNREACHABLE)


def gate_nearly_full() -> tuple[Notice, Message]:
    world = _world()
    author = world.keep_gates()
    gate = "bedrock-quota-over-bedrock-quota-gate-1-see-your-notice-BOUNDARY-ONLY"
    author.written, author.fill = (gate,), {gate: 92}
    world.quota(principal="sso/ann@example.com")
    _used(world, 1234, who="sso:ann@example.com")
    return _told(world, NoticeKind.GATE_NEARLY_FULL)


def price_unknown() -> tuple[Notice, Message]:
    world = _world()
    world.quota(measure="cost_usd", limit=10)
    world.sweep(NOON - AGO)
    bucket = Bucket(principal("user/alice"), "acme.new-model-v1:0", NOON.date())
    cost = Decimal("0.5")
    world.ledger.add(bucket, NOON, Counts(1, 100, cost_usd=cost, assumed_usd=cost))
    world.wake(NOON, "user/alice")
    return _told(world, NoticeKind.PRICE_UNKNOWN)


def _asked() -> World:
    world = _world()
    world.quota()
    world.sweep(NOON - AGO)
    who, until = principal("user/alice"), NOON + timedelta(days=1)
    before, limit = Decimal(1000), Decimal(5000)
    world.ledger.ask(RaiseRequest(who, who, "daily", Measure.TOTAL_TOKENS, limit, until,
                                  "release day", NOON, before))  # fmt: skip
    world.sweep(NOON)
    return world


def asked() -> tuple[Notice, Message]:
    return _told(_asked(), NoticeKind.ASKED)


def granted() -> tuple[Notice, Message]:
    world = _asked()
    world.quota(raise_to=5000, raise_until="2026-11-25T12:00")
    world.sweep(NOON + timedelta(minutes=5))
    return _told(world, NoticeKind.GRANTED)


def refused() -> tuple[Notice, Message]:
    world = _asked()
    (request,) = world.ledger.requests()
    world.ledger.refuse(request, Refusal(NOON, "user/anna", "use the cheaper model"))
    world.sweep(NOON + timedelta(minutes=5))
    return _told(world, NoticeKind.REFUSED)


def service_tier() -> tuple[Notice, Message]:
    world = _world()
    world.tiers.found = {"priority": frozenset({"openai.gpt-oss-120b-1:0"})}
    world.sweep(NOON)
    return _told(world, NoticeKind.SERVICE_TIER)


def digest() -> tuple[Notice, Message]:
    """Two weeks of some people: one is blocked, one runs out, and three have no quota."""
    world, monday = _world(), datetime(2026, 11, 23, 7, tzinfo=UTC)
    world.weeks = ReportOfWeek(world.ledger, ReportSource("bedrock-quota"), 100)
    world.metering(Metering.STREAM)
    for who, limit in (("user/alice", 520), ("user/bob", 180), ("role/reporting", 9000)):
        world.quota(principal=who, quota="monthly", measure="cost_usd", limit=limit, window="month")
    world.sweep(monday - 15 * DAY)
    people = {"alice": 40, "role:reporting/nightly": 25, "bob": 12, "sso:cleo@example.com": 8,
              "dan": 3, "erin": 1}  # fmt: skip
    for days in range(14, 0, -1):
        at = monday - days * DAY + 4 * HOUR
        for who, dollars in people.items():
            world.stream(who, at, 1000, str(dollars if days <= 7 else dollars - 1))
        known = ("user/alice", "role/reporting", "user/bob", "sso/cleo@example.com",
                 "user/dan", "user/erin")  # fmt: skip
        world.wake(at, *known)
    world.sweep(monday)
    return _told(world, NoticeKind.DIGEST)


def _watched(recorded: int, counted: int, looks: int) -> tuple[Notice, Message]:
    """Calls of one hour, of which none is metered, as the meter's hourly looks tell of it."""
    place = Place()
    place.watch.look(NOON - HOUR)
    place.log.lines = [call(number, NOON, modelId=HAIKU) for number in range(recorded)]
    place.recounter.recount(NOON, NOON + 2 * HOUR)
    tally = place.ledger.tallied[NOON]
    if looks == 1:
        place.ledger.tallied.clear()
    if looks == 2:
        place.ledger.watched = WatchMemory(NOON, NOON, {NOON: NOON + HOUR})
    sums = ModelTally.of(tally.models[HAIKU]).volume
    volume = Volume(counted, *(number * counted // recorded for number in sums[1:]))
    place.witness.hours[NOON] = {HAIKU: Witnessed(volume, volume)}
    place.watch.look(NOON + 2 * HOUR + timedelta(minutes=15))
    (notice,) = place.ledger.posted
    return notice, message(notice, UTC_ZONE, "the platform team")


_TELLS: dict[NoticeKind, Callable[[], tuple[Notice, Message]]] = {
    NoticeKind.WARNING: warning,
    NoticeKind.BLOCKED: blocked,
    NoticeKind.CHANGED: changed,
    NoticeKind.RESTORED: restored,
    NoticeKind.COULD_NOT_LIFT: could_not_lift,
    NoticeKind.GRANTED: granted,
    NoticeKind.REFUSED: refused,
    NoticeKind.ASKED: asked,
    NoticeKind.COULD_NOT_DENY: could_not_deny,
    NoticeKind.INVALID_QUOTA: invalid_quota,
    NoticeKind.BREAKER: breaker,
    NoticeKind.PAUSED: paused,
    NoticeKind.RESUMED: resumed,
    NoticeKind.TAMPERED: tampered,
    NoticeKind.ACCOUNT_UNREACHABLE: account_unreachable,
    NoticeKind.GATE_NEARLY_FULL: gate_nearly_full,
    NoticeKind.PRICE_UNKNOWN: price_unknown,
    NoticeKind.METERING_GAP: lambda: _watched(124, 124, 1),
    NoticeKind.METERING_HEALED: lambda: _watched(124, 124, 2),
    NoticeKind.OVER_METERED: lambda: _watched(124, 100, 0),
    NoticeKind.SERVICE_TIER: service_tier,
    NoticeKind.DIGEST: digest,
}
EXAMPLES = {kind: cache(tell) for kind, tell in _TELLS.items()}
"""Each is told by the first who asks for it."""


def document() -> str:
    """The page with all of them."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "# The notices"
    yield ""
    yield "What sweeps on an example tell; `python tests/support/notice_examples.py` writes it."
    yield "Attributes to filter a subscription by: `principal`, `quota`, `kind`, `audience`."
    yield ""
    yield "| kind | audience | told when |"
    yield "|---|---|---|"
    for kind in EXAMPLES:
        yield f"| `{kind}` | {kind.audience} | {WHEN[kind]} |"
    for kind, example in EXAMPLES.items():
        _, message = example()
        yield from ("", f"## {kind}", "", "```text", f"Subject: {message.subject}", "")
        yield from (*message.body.splitlines(), "```")
    yield ""


if __name__ == "__main__":
    sys.stdout.write(document())
