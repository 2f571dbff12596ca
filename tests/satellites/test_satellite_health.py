"""How a satellite is, by what home knows: a table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from quota_enforcer.core.usage.place import Place
from quota_enforcer.satellites.health import SILENT_AFTER, SatelliteState, lag, states
from quota_enforcer.satellites.names import VERSION
from quota_enforcer.satellites.registry import Satellite

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WELL = Satellite(
    Place("444455556666", "eu-west-1"), VERSION, "/inv", "arn", NOW - 100 * HOUR, "now",
    newest_record=NOW - HOUR, last_delivery=NOW - HOUR + timedelta(seconds=4),
)  # fmt: skip
LONG_AGO = NOW - SILENT_AFTER - HOUR


@pytest.mark.parametrize(
    ("satellite", "unreachable", "expected"),
    [
        (WELL, (), [SatelliteState.OK]),
        (WELL, ("111122223333",), [SatelliteState.OK]),
        (WELL, ("444455556666",), [SatelliteState.UNREACHABLE]),
        (replace(WELL, version=VERSION + 1), (), [SatelliteState.VERSION_DIFFERS]),
        (replace(WELL, parameters="before"), (), [SatelliteState.PARAMETERS_DIFFER]),
        (replace(WELL, last_delivery=LONG_AGO), (), [SatelliteState.SILENT]),
        (replace(WELL, last_delivery=LONG_AGO, announced=NOW), (), [SatelliteState.OK]),
        (replace(WELL, last_delivery=None, announced=NOW - HOUR), (), [SatelliteState.OK]),
        (replace(WELL, last_delivery=None, announced=LONG_AGO), (), [SatelliteState.SILENT]),
        (
            replace(WELL, version=0, parameters="", last_delivery=LONG_AGO),
            ("444455556666",),
            [
                SatelliteState.UNREACHABLE,
                SatelliteState.VERSION_DIFFERS,
                SatelliteState.PARAMETERS_DIFFER,
                SatelliteState.SILENT,
            ],
        ),
    ],
)
def test_all_that_holds_is_said_and_ok_where_nothing_does(
    satellite: Satellite, unreachable: tuple[str, ...], expected: list[SatelliteState]
) -> None:
    assert list(states(satellite, "now", unreachable, NOW)) == expected


def test_the_lag_is_that_of_the_last_delivery() -> None:
    assert lag(WELL) == timedelta(seconds=4)
    assert lag(replace(WELL, newest_record=None)) is None
    ahead = replace(WELL, newest_record=NOW, last_delivery=NOW - HOUR)
    assert lag(ahead) == timedelta(0), "clocks apart"
