"""Durations, sizes and modes: what is read, and the sentences for what is not."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoomsync.config.types import Octal, parse_duration, parse_mode, parse_size, shown_value
from zoomsync.formatting import escaped


@given(st.integers(0, 3000), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_a_duration_is_the_sum_of_its_parts(days: int, hours: int, minutes: int, seconds: int) -> None:
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"))
    text = "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"

    assert parse_duration(text) == timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


@given(st.integers(0, 10**12), st.sampled_from(sorted(UNITS)))
def test_a_size_is_its_number_times_its_unit(number: int, unit: str) -> None:
    assert parse_size(f"{number}{unit}") == number * UNITS[unit]


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_a_sentence(text: str) -> None:
    try:
        assert parse_duration(text) >= timedelta()
    except ValueError as problem:
        assert escaped(str(problem)) == str(problem)
        assert str(problem).endswith(")")


@given(st.integers(0, 0o777))
def test_a_mode_is_read_as_it_is_shown(mode: int) -> None:
    assert parse_mode(f"{mode:04o}") == parse_mode(Octal(mode)) == parse_mode(f"0o{mode:03o}") == mode


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("90s", 90), ("30m", 1800), ("26h", 93600), ("14d", 1209600), ("1h30m", 5400), (0, 0), ("0", 0), (" 30m ", 1800)],
)
def test_durations_that_people_write(written: object, seconds: int) -> None:
    assert parse_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("2GB", 2 * 10**9),
        ("500MB", 5 * 10**8),
        ("1GiB", 2**30),
        ("1.5TB", 15 * 10**11),
        ("100kB", 10**5),
        ("2g", 2 * 10**9),
        ("1 gib", 2**30),
        ("20 GB", 2 * 10**10),
        (0, 0),
    ],
)
def test_sizes_that_people_write(written: object, size: int) -> None:
    assert parse_size(written) == size


WRONG_DURATION = "(write 90s, 30m, 26h, 14d or 1h30m)"


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (14, "14 has no unit (write 14m, 14h or 14d)"),
        ("14", '"14" has no unit (write 14m, 14h or 14d)'),
        ("", f'"" is not a duration {WRONG_DURATION}'),
        ("30m1h", f'"30m1h" is not a duration {WRONG_DURATION}'),
        ("-1h", f'"-1h" is not a duration {WRONG_DURATION}'),
        ("٣d", f'"٣d" is not a duration {WRONG_DURATION}'),
        (False, f"false is not a duration {WRONG_DURATION}"),
        (["1h"], f"a list is not a duration {WRONG_DURATION}"),
        ("40000d", '"40000d" is longer than 100 years (write 36500d at most)'),
        ("999999999d", '"999999999d" is longer than 100 years (write 36500d at most)'),
        ("999999999h", '"999999999h" is longer than 100 years (write 36500d at most)'),
    ],
)
def test_what_is_no_duration_is_reported_with_the_remedy(written: object, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_duration(written)

    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (2, "2 has no unit (write 2B, 2MB or 2GB)"),
        ("2 gigs", '"2 gigs" is not a size (write 500MB, 2GB or 1GiB)'),
        (True, "true is not a size (write 500MB, 2GB or 1GiB)"),
        ({"a": "secret"}, "a mapping is not a size (write 500MB, 2GB or 1GiB)"),
    ],
)
def test_what_is_no_size_is_reported_with_the_remedy(written: object, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_size(written)

    assert str(caught.value) == sentence


@pytest.mark.parametrize(("written", "named"), [(750, "750"), (440, "440"), ("u=rwx", '"u=rwx"'), ("0999", '"0999"')])
def test_a_mode_without_its_zero_is_refused_for_it_may_mean_another(written: object, named: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_mode(written)

    assert str(caught.value) == f'{named} is not a mode (write it in quotes with its zero, such as "0750")'


def test_a_shown_value_is_short_and_moves_no_cursor() -> None:
    assert shown_value("\x1b[2J") == '"\\x1b[2J"'
    assert shown_value("x" * 100) == f'"{"x" * 59}…"'
