"""The words of each kind of notice: its headline, its subject, and what to do about it."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from quota_enforcer.core.notices.notice import NoticeKind


class Words(NamedTuple):
    """Templates of one kind; `message` fills them in."""

    headline: str
    subject: str
    """What happened and until when; the mail comes from the topic's name, `Bedrock quotas`."""
    to_do: str = ""
    """What an admin does about it."""


WORDS: Final[Mapping[NoticeKind, Words]] = {
    NoticeKind.WARNING: Words(
        "{who} has used {share} % of Bedrock quota {quota}",
        "{share} % used, {resets}",
    ),
    NoticeKind.BLOCKED: Words(
        "Amazon Bedrock is blocked{part} for {who}: quota {quota} {why}",
        "Blocked{part} {until}",
    ),
    NoticeKind.CHANGED: Words(
        "Amazon Bedrock is still blocked{part} for {who}: quota {quota} {why}",
        "Still blocked{part} {until}",
    ),
    NoticeKind.RESTORED: Words(
        "Amazon Bedrock is open again for {who}",
        "Open again",
    ),
    NoticeKind.COULD_NOT_DENY: Words(
        "{who} could not be blocked, but Bedrock quota {quota} {why}",
        "Over the limit, not blocked",
        "See why. The usage goes on until then; the next sweep tries to block again.",
    ),
    NoticeKind.COULD_NOT_LIFT: Words(
        "{who} is still blocked by a deny that cannot be lifted",
        "Still blocked, deny stays",
        "Administrators: see why. The block stays until then; the next sweep tries again.",
    ),
    NoticeKind.INVALID_QUOTA: Words(
        "Bedrock quota {quota} of {who} is not valid",
        "Quota item not valid",
        (
            "Correct the item in the quota table; `quota-enforcer quota list` shows what is in "
            "force. The next sweep reads it."
        ),
    ),
    NoticeKind.BREAKER: Words(
        "Bedrock quotas: an edit would block too many at once, so it waits",
        "An edit would block too many, waits",
        (
            "See `quota-enforcer sweep --dry-run` first. Until then these blocks are not made, "
            "nor warned of; all others are, and restores go on. Once the quota is corrected the"
            " breaker lets go at once."
        ),
    ),
    NoticeKind.PAUSED: Words(
        "Bedrock quotas: nobody new is blocked for a while",
        "New blocks are paused {until}",
        (
            "Find what the emergency was. Who is blocked stays so; whoever is over a limit goes"
            " on until the pause ends. `quota-enforcer resume` ends it at once."
        ),
    ),
    NoticeKind.RESUMED: Words(
        "Bedrock quotas: new blocks are made again",
        "New blocks are made again",
        (
            "Nothing: whoever is over a limit is blocked now. `quota-enforcer status --over` "
            "names them."
        ),
    ),
    NoticeKind.TAMPERED: Words(
        "Bedrock quotas: somebody else changed a deny of {who}",
        "Somebody else changed a deny",
        (
            "Nothing, if somebody here meant to. Else find in CloudTrail who it was: whoever "
            "can change a deny can lift it."
        ),
    ),
    NoticeKind.ACCOUNT_UNREACHABLE: Words(
        "Bedrock quotas: nobody can be blocked or released in account {quota}",
        "An account is out of reach",
        (
            "See why, and `quota-enforcer satellites list`. Who is blocked there stays so, and"
            " who is over a limit goes on; each sweep tries again, and no other account waits."
        ),
    ),
    NoticeKind.GATE_NEARLY_FULL: Words(
        "Bedrock quotas: a gate is nearly full",
        "A gate is nearly full",
        "When it is full, nobody else can be blocked by it.",
    ),
    NoticeKind.PRICE_UNKNOWN: Words(
        "Bedrock quotas: a price of {quota} is not known",
        "Price not known",
        "Past usage keeps its assumed price unless it is recounted.",
    ),
    NoticeKind.SERVICE_TIER: Words(
        "Bedrock quotas: service tiers are in use that the log may not name",
        "Service tiers in use",
        (
            "Log the answers (the stack's parameter LogPromptsAndAnswers), which name the tier "
            "of Converse and of OpenAI's models; or close the tiers with `quota-enforcer policy"
            " guard --only-tier default`. You are told of a tier once."
        ),
    ),
    NoticeKind.METERING_GAP: Words(
        "Bedrock quotas: calls were not metered",
        "Calls were not metered",
        (
            "Put right what `quota-enforcer doctor` finds. Until then nobody is warned or "
            "blocked for what is not metered."
        ),
    ),
    NoticeKind.METERING_HEALED: Words(
        "Bedrock quotas: calls that were not metered count now",
        "Calls not metered count now",
        "Nothing. Who is over a limit by it is blocked as usual.",
    ),
    NoticeKind.OVER_METERED: Words(
        "Bedrock quotas: more was metered than Bedrock counted",
        "More metered than Bedrock counted",
        (
            "`quota-enforcer doctor` names who may write the log. Compare the log's records of "
            "that time with CloudTrail; what nobody called is taken out with `quota-enforcer "
            "recount HOUR --without EVENT`."
        ),
    ),
    NoticeKind.WOULD_HAVE_BLOCKED: Words(
        "{who} would have been blocked: Bedrock quota {quota}",
        "Would have been blocked",
    ),
    NoticeKind.ASKED: Words(
        "{who} asks for more of Bedrock quota {quota}",
        "More is asked for",
        "Grant it or refuse it with one of these; until then nothing changes.",
    ),
    NoticeKind.GRANTED: Words(
        "{who} has more of Bedrock quota {quota}",
        "More is granted",
    ),
    NoticeKind.REFUSED: Words(
        "{who} does not get more of Bedrock quota {quota}",
        "More is refused",
    ),
    NoticeKind.DIGEST: Words(
        "Amazon Bedrock: {reason}",
        "{reason}",
        (
            "`quota-enforcer report --open` shows all of it. The stack's parameter WeeklyDigest "
            "turns this notice off."
        ),
    ),
    NoticeKind.EDITED: Words(
        "Bedrock quota {quota} of {who} was edited",
        "Quota edited",
    ),
}
