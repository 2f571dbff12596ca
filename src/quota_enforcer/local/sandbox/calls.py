"""A call of a model as somebody in the sandbox, and what came of it."""

from dataclasses import dataclass
from typing import Final

from quota_enforcer.core.errors import EnforcerError, did_you_mean
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.local.demo.callers import Callers
from quota_enforcer.local.demo.cast import CAST, HAIKU, SONNET, Call, Member
from quota_enforcer.local.embedded import EmbeddedAws

MODELS: Final = {"sonnet": SONNET, "haiku": HAIKU}
MOST: Final = 10**12


class NobodyOfThatName(EnforcerError):
    """The sandbox has nobody who is called so; the message says who is there."""


@dataclass(frozen=True, slots=True)
class Called:
    """A call that was made: `refusal` is what IAM said, empty if Bedrock answered."""

    member: Member
    model: str
    tokens: int
    refusal: str


def member_named(name: str) -> Member:
    """Who is meant by `alice`, `user/alice` or `ivy`; raises NobodyOfThatName."""
    for member in CAST:
        who = str(member.principal)
        if name in {who, who.partition("/")[2], who.rpartition("/")[2]}:
            return member
    names = [str(member.principal) for member in CAST]
    near = did_you_mean(name, [each.rpartition("/")[2] for each in names])
    raise NobodyOfThatName(
        f"nobody in the sandbox is called {name!r}{near and f' ({near})'}: "
        f"there are {', '.join(names)}"
    )


def call(
    aws: EmbeddedAws, callers: Callers, member: Member, tokens: int, model: str = SONNET
) -> Called:
    """Call the model with the caller's own credentials, and wait until it is metered."""
    callers.sign_in(member)
    counts = Counts(requests=1, input_tokens=tokens)
    made = Call(aws.time, member.principal, member.sessions[0], model, counts)
    refusal = callers.invoke(made)
    aws.settle()
    return Called(member, model, tokens, refusal)
