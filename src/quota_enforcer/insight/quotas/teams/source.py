"""Where teams are kept: `iam:team`, `identity-center:bedrock-*`, `s3://...`, or a file."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import Final, Self

from quota_enforcer.core.errors import EnforcerError

FORMS: Final = (
    "iam:TAG (a tag of users and roles), identity-center:PREFIX* or identity-center:GROUP,GROUP, "
    "s3://BUCKET/KEY, or a file that ends in .yaml, .json or .csv"
)
_FILES: Final = (".yaml", ".yml", ".json", ".csv")
_S3: Final = "s3://"
_ALL: Final = "*"


class InvalidSource(EnforcerError):
    """A place that teams cannot be read from."""


class UnreadableTeams(EnforcerError):
    """A file holds no teams at all."""


class SourceKind(StrEnum):
    """Which service keeps the teams."""

    IAM = "iam"
    IDENTITY_CENTER = "identity-center"
    S3 = "s3"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class TeamSource:
    """One place; as text what `kept_in` of a team's item says."""

    kind: SourceKind
    what: str
    """The tag's key, the groups, the object as BUCKET/KEY, or the path of the file."""

    def __str__(self) -> str:
        """A file goes by its name alone: another admin has it in another folder."""
        if self.kind is SourceKind.S3:
            return f"{_S3}{self.what}"
        named = PurePath(self.what).name if self.kind is SourceKind.FILE else self.what
        return f"{self.kind}:{named}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InvalidSource with the forms that are allowed."""
        kind, _, what = text.partition(":")
        bucket, _, key = text.removeprefix(_S3).partition("/")
        if text.startswith(_S3) and bucket and key:
            return cls(SourceKind.S3, f"{bucket}/{key}")
        if kind == SourceKind.IAM and what.strip():
            return cls(SourceKind.IAM, what)
        if kind == SourceKind.IDENTITY_CENTER and what.strip() and _plain(what):
            return cls(SourceKind.IDENTITY_CENTER, what)
        path = text.removeprefix(f"{SourceKind.FILE}:")
        if not text.startswith(_S3) and PurePath(path).suffix.lower() in _FILES:
            return cls(SourceKind.FILE, path)
        raise InvalidSource(f"{text[:200]!r} is no place where teams are kept: write {FORMS}")

    @property
    def bucket_and_key(self) -> tuple[str, str]:
        """Of an object of S3."""
        bucket, _, key = self.what.partition("/")
        return bucket, key

    @property
    def prefix(self) -> str | None:
        """How the groups begin that are teams; None if they are named one by one."""
        return self.what.removesuffix(_ALL) if self.what.endswith(_ALL) else None

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that are named one by one."""
        if self.prefix is not None:
            return ()
        return tuple(dict.fromkeys(each.strip() for each in self.what.split(",") if each.strip()))

    def team_of(self, group: str) -> str | None:
        """The team that a group is by its name: with a prefix the rest; None if it is none."""
        if self.prefix is None:
            return group if group in self.groups else None
        rest = group.removeprefix(self.prefix)
        return rest if group.startswith(self.prefix) and rest else None


def _plain(groups: str) -> bool:
    """Whether a `*` stands at its end alone, and no comma beside it: a prefix is one group name."""
    return _ALL not in groups or (groups.index(_ALL) == len(groups) - 1 and "," not in groups)
