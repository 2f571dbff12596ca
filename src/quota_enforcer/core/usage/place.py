"""Where a call was made: the account and the Region whose invocation log has it."""

import re
from dataclasses import dataclass
from typing import Final, Self

HOME: Final = ""
"""How home's account and Region are stored: usage from before there were others has no place."""

_PLACE = re.compile(r"(?P<account>\d{12})/(?P<region>[a-z]{2,}(?:-[a-z]+)+-\d{1,2})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """An account and a Region, written `444455556666/eu-west-1`."""

    account: str
    region: str

    def __str__(self) -> str:
        return f"{self.account}/{self.region}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `ACCOUNT/REGION`; raises ValueError."""
        match = _PLACE.fullmatch(text)
        if match is None:
            raise ValueError(f"{text[:200]!r} is no place: write 444455556666/eu-west-1")
        return cls(match["account"], match["region"])

    def stored(self, home: "Place") -> str:
        """As buckets of the ledger have it."""
        return HOME if self == home else str(self)

    @classmethod
    def of(cls, stored: str, home: Self) -> Self:
        """The place that a bucket has."""
        return cls.parse(stored) if stored else home


def is_place(text: str) -> bool:
    """Whether a place is written so."""
    return _PLACE.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class PlaceScope:
    """The places whose usage a quota counts; without accounts or Regions it counts all of them."""

    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def covers(self, place: Place) -> bool:
        """Whether usage there counts.

        So does usage of which nobody knows the account or the Region: a limit that leaves it out
        would be a way around it.
        """
        account = not self.accounts or not place.account or place.account in self.accounts
        region = not self.regions or not place.region or place.region in self.regions
        return account and region

    def __str__(self) -> str:
        """`in eu-west-1, eu-west-3 of account 444455556666`; empty of every place."""
        words = f"in {', '.join(self.regions)}" if self.regions else ""
        if not self.accounts:
            return words
        several = "account" if len(self.accounts) == 1 else "accounts"
        accounts = f"{several} {', '.join(self.accounts)}"
        return f"{words} of {accounts}" if words else f"in {accounts}"


EVERYWHERE: Final = PlaceScope()
NOWHERE_KNOWN: Final = Place("", "")
"""Home where nobody said which account and Region that is."""


def place_words(stored: str, home: Place | None) -> str:
    """A place as people read it; `home` where nobody said which account and Region that is."""
    return stored or (str(home) if home is not None else "home")


REGIONS: Final = frozenset({
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2",
    "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2",
    "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
    "ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1",
    "eu-central-2", "eu-isoe-west-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1",
    "eu-west-2", "eu-west-3", "eusc-de-east-1", "il-central-1", "me-central-1", "me-south-1",
    "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1",
    "us-iso-east-1", "us-iso-west-1", "us-isob-east-1", "us-isob-west-1", "us-isof-east-1",
    "us-isof-south-1", "us-west-1", "us-west-2",
})  # fmt: skip
"""AWS's Regions, so that a quota cannot name one that there is not and so count nothing.

A test compares them with those that the AWS library knows: it says when there is a new one.
https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
"""
