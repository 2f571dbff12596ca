"""Why something could not be read, and how to be allowed to."""

from collections.abc import Sequence
from dataclasses import dataclass

from quota_enforcer.core.deployment import Settings
from quota_enforcer.doctor.finding import Finding, unchecked
from quota_enforcer.doctor.fixes import ATTACH


@dataclass(frozen=True, slots=True)
class Problem:
    """What kept the doctor from reading something in AWS.

    `seen` is the error as it came, and `words` what to do about it, empty if we do not know the
    error. `operation` is the API operation or the error's type. `action` is the IAM action that is
    missing, empty if AWS does not name it, and None if no permission is missing.
    """

    seen: str
    words: str
    operation: str
    action: str | None = None

    @property
    def is_refusal(self) -> bool:
        """Whether a permission is missing."""
        return self.action is not None

    @property
    def is_of_organization(self) -> bool:
        """Whether a service control policy refuses, which no policy of this project can undo.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
        """
        return self.is_refusal and "service control policy" in self.seen

    def why(self, needs: Sequence[str]) -> str:
        """In words; a missing permission is named, from those that the check needs."""
        if self.is_refusal:
            named = [each for each in needs if each.rpartition(":")[2] == self.operation]
            return f"needs {self.action or ', '.join(named) or self.operation}"
        return self.words or f"{self.operation}: {self.seen}"


def access(settings: Settings) -> str:
    """What prints the policy that allows every check."""
    return f"quota-enforcer policy doctor --account {settings.account} --stack {settings.stack}"


def unmade(problem: Problem, needs: Sequence[str], access: str, again: str) -> Finding:
    """The finding that a check could not be made, and what to do about it.

    `access` prints what it needs, and `again` makes it once more.
    """
    what = f"could not check: {problem.why(needs)}"
    if problem.is_refusal:
        return unchecked(what, problem.seen, access, ATTACH)
    if not problem.words:
        fix = "report this as a defect of ours, with what was seen"
        return unchecked(what, problem.seen, fix)
    return unchecked(what, problem.seen, again, "once that is fixed")
