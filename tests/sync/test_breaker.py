"""Whose trouble it is: that of a few subjects, or of the service."""

import pytest

from zoomsync.errors import ServiceUnavailable, Unreachable
from zoomsync.sync.breaker import ASK_AFTER, Breaker


class Service:
    """It counts the reference questions; `down` is what it says to them."""

    def __init__(self, *, is_down: bool = False) -> None:
        self.asked = 0
        self.is_down = is_down
        self.taken_back: list[str] = []
        self.breaker = Breaker(self.ping)

    def ping(self) -> None:
        self.asked += 1
        if self.is_down:
            raise Unreachable("zoom: no answer", service="zoom")

    def fail(self, *subjects: str) -> None:
        for subject in subjects:
            self.breaker.failed(lambda one=subject: self.taken_back.append(one))  # type: ignore[misc]


def test_a_service_that_answers_is_asked_once_in_three_and_everything_goes_on() -> None:
    service = Service()

    service.fail(*"abcdefg")

    assert (service.asked, service.taken_back) == (2, [])


def test_a_service_that_is_down_is_asked_after_the_third_and_none_of_them_is_to_blame() -> None:
    service = Service(is_down=True)

    with pytest.raises(Unreachable, match="no answer"):
        service.fail(*"abcd")

    assert (service.asked, service.taken_back) == (1, ["a", "b", "c"])


def test_an_answer_in_between_shows_that_those_before_failed_by_themselves() -> None:
    service = Service(is_down=True)

    for subject in "abcd":
        service.fail(*([subject] * (ASK_AFTER - 1)))
        service.breaker.answered()

    assert (service.asked, service.taken_back) == (0, [])


def test_a_service_known_to_be_down_is_not_asked_again_until_something_is_answered() -> None:
    service = Service(is_down=True)
    with pytest.raises(Unreachable):
        service.fail(*"abc")

    with pytest.raises(Unreachable):
        service.fail("d")
    assert (service.asked, service.taken_back) == (1, [*"abcd"])

    service.breaker.answered()
    service.fail("e")
    assert (service.asked, service.taken_back) == (1, [*"abcd"])


def test_the_next_step_does_not_end_at_once_because_the_service_was_down() -> None:
    service = Service(is_down=True)
    with pytest.raises(Unreachable):
        service.fail(*"abc")
    service.is_down = False

    service.breaker.forget()
    service.fail(*"def")

    assert (service.asked, service.taken_back) == (2, [*"abc"])


@pytest.mark.parametrize(("count", "asked"), [(0, 0), (1, 1), (2, 1)])
@pytest.mark.parametrize("is_down", [True, False])
def test_at_the_end_it_is_asked_if_the_last_subjects_failed(count: int, asked: int, is_down: bool) -> None:
    service = Service(is_down=is_down)
    service.fail(*"ab"[:count])

    found = service.breaker.settle()

    assert (service.asked, found is not None) == (asked, is_down and count > 0)
    assert service.taken_back == ([*"ab"[:count]] if is_down else [])
    assert service.breaker.settle() is None


def test_a_service_may_show_by_itself_that_it_is_down() -> None:
    service = Service()
    service.fail("a", "b")

    service.breaker.is_down(ServiceUnavailable("zoom: HTTP 503"))

    assert (service.asked, service.taken_back, service.breaker.settle()) == (0, ["a", "b"], None)
    with pytest.raises(ServiceUnavailable, match="503"):
        service.fail("c")
