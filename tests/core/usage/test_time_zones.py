"""Time zones: a mistyped name is refused with the nearest one."""

from zoneinfo import available_timezones

import pytest

from quota_enforcer.core.errors import ConfigError
from quota_enforcer.core.usage.window import nearest, time_zone


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Europe/Berln", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Europa/Berlin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("Asia/Kolkatta", "Asia/Kolkata"),
        ("America/New York", "America/New_York"),
        ("new york", "America/New_York"),
        ("Germany/Berlin", "Europe/Berlin"),
        ("US/Pacfic", "US/Pacific"),
        ("utc", "UTC"),
        ("UTC+1", "Etc/GMT-1"),
        ("GMT-05:00", "Etc/GMT+5"),
        ("UTC+99", ""),
        ("Middle-earth", ""),
        ("", ""),
    ],
)
def test_a_mistyped_zone_is_told_with_the_nearest_name(name: str, near: str) -> None:
    assert nearest(name) == near
    with pytest.raises(ConfigError) as refused:
        time_zone(name)
    expected = f"the nearest is {near}" if near else "name one such as Europe/Berlin"
    assert str(refused.value) == f"{name!r} is no IANA time zone; {expected}"


@pytest.mark.parametrize("name", ["Europe", "../etc/passwd", "/etc/localtime", "a\0b", "x" * 300])
def test_whatever_is_no_zone_is_refused_in_words(name: str) -> None:
    with pytest.raises(ConfigError, match="is no IANA time zone"):
        time_zone(name)


@pytest.mark.parametrize("name", sorted(available_timezones())[::40])
def test_a_zone_of_iana_is_taken(name: str) -> None:
    assert time_zone(name).key == name
