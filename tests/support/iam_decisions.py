"""IAM's decisions on documents, by the evaluator of the embedded AWS; no account is needed.

It evaluates conditions, boundaries and wildcards as IAM documents them, and knows nothing of us.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from ministack.core import iam_evaluator

from quota_enforcer.core.policies.document import Document, allow, document

ACCOUNT: Final = "111122223333"
ANYTHING: Final = document(allow("Anything", ["*"], "*"))


@dataclass(frozen=True)
class Caller:
    """Who asks, with which policies; `limits` are its boundary, and what its organisation sets."""

    policies: Sequence[Document] = (ANYTHING,)
    limits: Sequence[Sequence[Document]] = ()
    arn: str = f"arn:aws:iam::{ACCOUNT}:role/team/shared"
    user_id: str = "AROASHARED:alice@example.com"
    keys: dict[str, Any] = field(default_factory=dict)
    region: str = "us-east-1"
    """The request's, `aws:RequestedRegion`."""

    def may(self, action: str, resource: str = "*", **keys: Any) -> bool:
        """IAM's decision; `keys` are condition keys of the request, `__` standing for a colon."""
        layers = self._layers_for(action)
        if layers is None:
            return False
        named = {key.replace("__", ":").lower(): value for key, value in keys.items()}
        request = iam_evaluator.EvalContext(
            principal_arn=self.arn,
            principal_type="AssumedRole",
            principal_account=self.arn.split(":")[4],
            action=action,
            resource_arn=resource,
            region=self.region,
            service_context=named,
            principal_keys={"aws:userid": self.user_id, **self.keys},
        )
        return bool(iam_evaluator.evaluate(request, *layers).decision == "Allow")

    def _layers_for(self, action: str) -> list[list[Any]] | None:
        """Only the statements on this action, which the evaluator would look for each time.

        A role tries each action on hundreds of resources. None if no statement allows it on any.
        """
        if action not in self._by_action:
            layers = [
                [[each for each in statements if _is_on(action, each)] for statements in layer]
                for layer in self._layers
            ]
            some = any(each.effect == "Allow" for statements in layers[0] for each in statements)
            self._by_action[action] = layers if some else None
        return self._by_action[action]

    @cached_property
    def _layers(self) -> list[list[Any]]:
        """Parsed once: some are asked a hundred thousand times."""
        return [[_parsed(each) for each in layer] for layer in (self.policies, *self.limits)]

    @cached_property
    def _by_action(self) -> dict[str, list[list[Any]] | None]:
        return {}


def with_boundary(boundary: Document, user_id: str = "AROASHARED:alice@example.com") -> Caller:
    """A session of a role that may do anything, but for its boundary."""
    return Caller(limits=[[boundary]], user_id=user_id)


def denied(*documents: Document) -> Caller:
    """Somebody who may do anything, but for these."""
    return Caller(policies=(ANYTHING, *documents))


def foundation(model: str, region: str = "us-east-1", partition: str = "aws") -> str:
    return f"arn:{partition}:bedrock:{region}::foundation-model/{model}"


def profile(identifier: str, region: str = "us-east-1", partition: str = "aws") -> str:
    return f"arn:{partition}:bedrock:{region}:{ACCOUNT}:inference-profile/{identifier}"


def _parsed(written: Document) -> Any:
    return iam_evaluator.parse_policy_document(written)


def _is_on(action: str, statement: Any) -> bool:
    matches: Any = iam_evaluator._action_matches  # noqa: SLF001 - there is no public one
    return bool(matches(action, statement.actions, statement.not_actions))
