"""What the stream meter costs for each call: AWS calls, DynamoDB's units, and dollars.

The real handlers of meter and enforcer run on the embedded AWS; the ledger has half a month of
usage. A million calls are priced as those of one month, in its working hours: one each 0.6 s, so a
batch of a hundred comes each minute. Of each hour a minute is measured, after batches that are not:
by then the meter's process knows whom it has seen, and within each minute it wakes the enforcer
once. Another process beside it, of which AWS starts one where two batches come at once, would wake
it once more in a minute.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.parts import month, prices
    from bench.parts.deployment import Deployment, Made, deployment
    from bench.parts.figures import Figure, report
    from bench.parts.records import MODELS, callers, delivery
else:  # a script finds what lies beside it
    from parts import month, prices
    from parts.deployment import Deployment, Made, deployment
    from parts.figures import Figure, report
    from parts.records import MODELS, callers, delivery

PRINCIPALS = 50
MOST_CALLS = 12
"""AWS calls of meter and enforcer together for a batch of 100 records when nobody nears a limit."""
MOST_DOLLARS = {1: 5, 10: 3, 100: 2}
"""For a million calls, by the records in a batch."""
MILLION = 1_000_000
SIZES = (1, 10, 100)
"""Records in a batch."""
EVERY = month.DAYS * (month.CLOSES - month.OPENS) * 3600 / MILLION
"""Seconds between two of a million calls."""
MEASURED = 64
"""Seconds of each hour of the day: a batch of a hundred fits in."""


class Numbers:
    """No record comes twice."""

    def __init__(self) -> None:
        self._next = 1

    def take(self, count: int) -> int:
        """The first of so many."""
        self._next += count
        return self._next - count


def main() -> None:
    """Print calls, units and prices; fail where they are beyond what was promised."""
    numbers = Numbers()
    with deployment("stream", month.moment(month.OPENS)) as found:
        users = [f"u{number}" for number in range(PRINCIPALS)]
        found.at(month.moment(13))
        found.sweep()  # it notes the settings, as the first does in every deployment
        for model in (*MODELS, *MODELS):  # the first call makes a record, each of a model is a look
            called_by = delivery(numbers.take(PRINCIPALS), users, month.moment(13), model=model)
            found.deliver(called_by)
        calls = [called(found, numbers, apart) for apart in (0, 1)]
        found.store(month.used_so_far(users, month.OPENS))
        dollars = {size: priced(found, numbers, size) for size in SIZES}
    report(
        [
            Figure("a batch of 100 records, meter and enforcer", max(calls), "calls", MOST_CALLS),
            *(
                Figure(f"a million calls in batches of {size}", each, "$", MOST_DOLLARS[size])
                for size, each in dollars.items()
            ),
        ]
    )


def called(found: Deployment, numbers: Numbers, apart: int) -> float:
    """The AWS calls for a batch of 100 records, of ten that come within a minute."""
    found.fresh()
    for batch in range(10):
        now = month.moment(13.5 + apart + batch * 5 / 3600)
        found.at(now)
        first = numbers.take(100)
        found.deliver(delivery(first, callers(first, 100, PRINCIPALS), now, apart))
    meter_rules = found.meter.calls["GetItem"]
    by_records = found.meter.calls.total() - meter_rules
    how = "one second apart" if apart else "all in one second"
    print(f"meter: 1,000 records in batches of 100 from {PRINCIPALS} principals, {how}:")
    print(
        f"meter:   {by_records} AWS calls, and {meter_rules} for the rules, read once a minute "
        f"({_named(found.meter)})"
    )
    woken = found.enforcer
    print(f"meter:   the woken enforcer adds {woken.calls.total()} ({_named(woken)})")
    return (by_records + woken.calls.total()) / 10


def priced(found: Deployment, numbers: Numbers, size: int) -> float:
    """Dollars for a million calls in batches of this size, over all hours of a day."""
    users = [f"u{number}" for number in range(PRINCIPALS)]
    found.fresh()
    for hour in range(month.OPENS, month.CLOSES):
        found.store(month.used_so_far(users, hour, today=True))
        with found.uncounted():  # the process has met everybody
            for before in (30, 10):
                now = month.moment(hour + 0.5 - before / 3600)
                found.at(now)
                found.deliver(delivery(numbers.take(2 * PRINCIPALS), 2 * users, now))
        for batch in range(1, 1 + int(MEASURED / EVERY / size)):
            now = month.moment(hour + 0.5 + batch * size * EVERY / 3600)
            found.at(now)
            first = numbers.take(size)
            found.deliver(delivery(first, callers(first, size, PRINCIPALS), now, 1))
    calls = found.meter.runs * size
    bill = prices.total((prices.of(made), 1 / calls) for made in (found.meter, found.enforcer))
    dollars = sum(bill.values()) * MILLION
    units = [1_000 * made.units.written / calls for made in (found.meter, found.enforcer)]
    took = [1_000 * min(made.cpu) for made in (found.meter, found.enforcer)]
    print(
        f"meter: batches of {size}: {units[0]:,.0f} write units for 1,000 calls, the enforcer's "
        f"{units[1]:,.0f};\n"
        f"meter:   {took[0]:.0f} ms of a processor for a batch, the enforcer's {took[1]:.0f} ms;\n"
        f"meter:   ${dollars:.2f} for a million calls: {prices.itemised(bill, MILLION)}"
    )
    return dollars


def _named(made: Made) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(made.calls.items()))


if __name__ == "__main__":
    main()
