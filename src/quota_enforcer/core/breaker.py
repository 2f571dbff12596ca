"""The breaker: a wrong default must not stop a company."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Breaker:
    """Trips when one sweep would newly block more than `number` principals and `percent` of all."""

    number: int
    percent: int

    def trips(self, blocks: int, principals: int) -> bool:
        """Whether this many new blocks among this many known principals need an admin's word."""
        return blocks > self.number and blocks * 100 > self.percent * principals
