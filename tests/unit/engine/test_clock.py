from __future__ import annotations

import datetime
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyctr.engine import clock
from pyctr.errors import InvalidParameter

HOUR, DAY = 3600, 86400


@given(st.integers(1, 4_102_444_800 * 10**9))
def test_there_and_back(nano: int) -> None:
    assert clock.parse_rfc3339(clock.rfc3339(nano)) == nano


@given(
    st.datetimes(datetime.datetime(1970, 1, 2), datetime.datetime(2200, 1, 1)), st.integers(-14 * 60, 14 * 60)
)
def test_parse_agrees_with_datetime(when: datetime.datetime, offset: int) -> None:
    aware = when.replace(tzinfo=datetime.timezone(datetime.timedelta(minutes=offset)))
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    expected = (aware - epoch) // datetime.timedelta(microseconds=1) * 1000
    assert clock.parse_rfc3339(aware.isoformat()) == expected


def test_forms() -> None:
    assert clock.rfc3339(0) == clock.NEVER
    assert clock.parse_rfc3339(clock.NEVER) == 0
    assert clock.rfc3339(1_700_000_000_120_000_000) == "2023-11-14T22:13:20.12Z"
    assert clock.rfc3339(1_700_000_000 * 10**9) == "2023-11-14T22:13:20Z"
    assert clock.parse_rfc3339("2023-11-14") == 1_699_920_000 * 10**9
    assert clock.parse_rfc3339("2023-11-14T22:13Z") == 1_699_999_980 * 10**9


@pytest.mark.parametrize(
    "text", ["", "x", "2023-13-01T00:00:00Z", "2023-01-01T25:00:00Z", "2023-01", "2023-01-01Tx"]
)
def test_no_times(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever int() says is fine
        clock.parse_rfc3339(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1h30m", 5400), ("1.5s", 1.5), ("300ms", 0.3), ("2m", 120), ("5us", 5e-6), ("7ns", 7e-9)],
)
def test_durations(text: str, seconds: float) -> None:
    assert clock.parse_duration(text) == int(seconds * 10**9)


@pytest.mark.parametrize("text", ["", "1", "h", "1x", "1h2", "-1h"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        clock.parse_duration(text)


def test_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 10**18)
    assert clock.parse_moment("since", None) is None
    assert clock.parse_moment("since", "1700000000.5") == 1_700_000_000_500_000_000
    assert clock.parse_moment("since", "10m") == 10**18 - 600 * 10**9
    assert clock.parse_moment("since", "2023-11-14T22:13:20Z") == 1_700_000_000 * 10**9
    assert clock.parse_moment("since", "2023-11-15T00:13:20+02:00") == 1_700_000_000 * 10**9
    assert clock.parse_moment("since", "2023-11-14Z") == 1_699_920_000 * 10**9
    assert clock.parse_moment("until", "-1h") == 10**18 + 3600 * 10**9  # in an hour
    assert clock.parse_moment("until", "0") == 0


def test_a_moment_without_a_zone_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert clock.parse_moment("since", "2023-11-14T23:13:20.25") == 1_700_000_000_250_000_000
        assert clock.parse_moment("since", "2023-07-01") == 1_688_162_400 * 10**9  # summer time
        assert clock.parse_moment("since", "2023-07-01T00:00:00Z") == 1_688_169_600 * 10**9
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "text", ["soon", "1x", "1d", "2013-01", "2013-01-02 13:23:37", "2013-13-45", "9" * 20, "1.x", "--1h", "-"]
)
def test_no_moments(text: str) -> None:
    message = f'invalid value for "since": failed to parse value as time or duration: "{text}"'
    with pytest.raises(InvalidParameter, match=re.escape(message)):
        clock.parse_moment("since", text)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (119, "About a minute"),
        (120, "2 minutes"),
        (59 * 60, "59 minutes"),
        (HOUR, "About an hour"),
        (HOUR + 29 * 60, "About an hour"),
        (2 * HOUR, "2 hours"),
        (47 * HOUR, "47 hours"),
        (3 * DAY, "3 days"),
        (15 * DAY, "2 weeks"),
        (70 * DAY, "2 months"),
        (800 * DAY, "2 years"),
    ],
)
def test_spans_in_dockers_words(seconds: int, words: str) -> None:
    assert clock.human_duration(seconds) == words
