"""What goes wrong with one request to the portal; `tests.sandbox.faults` has what can happen to any server."""

import time
from collections.abc import Callable, Mapping

from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, Ending, Request, json_answer

INCIDENT = "0badcafe-0000-4000-8000-000000000001"
"""The incidentId of every fault here."""


def portal_error(
    status: int = 500, name: str = "InternalServerException", headers: Mapping[str, str] | None = None
) -> Fault:
    """Any of the portal's errors."""
    body = {"name": name, "incidentId": INCIDENT, "exceptionDetails": []}
    return Fault(instead=lambda _: json_answer(body, status=status, headers=headers))


def expired_token(status: int = 400) -> Fault:
    """The token has ended; 401 on some versions."""
    return portal_error(status, "InvalidAccessTokenException")


def busy(seconds: int = 1) -> Fault:
    """429 with `Retry-After`."""
    return portal_error(429, "TooManyRequestsException", {"Retry-After": str(seconds)})


def lost_request() -> Fault:
    """What was asked is not done, and the connection dies before an answer."""
    return Fault(instead=lambda _: Answer(stop_after=-1, ending=Ending.RESET))


def late(seconds: float = 0.2) -> Fault:
    """The answer takes its time."""
    return on_answer(lambda: time.sleep(seconds))


def on_arrival(action: Callable[[], object]) -> Fault:
    """The action runs before what was asked is done: to kill a client, to change the portal."""

    def ask(request: Request) -> Request:
        action()
        return request

    return Fault(ask=ask)


def on_answer(action: Callable[[], object]) -> Fault:
    """The action runs after what was asked is done, before it is answered."""

    def change(_: Request, answer: Answer) -> Answer:
        action()
        return answer

    return Fault(change=change)


MAKERS: Mapping[str, Callable[..., Fault]] = {
    maker.__name__: maker for maker in (portal_error, expired_token, busy, lost_request, late)
}
"""By name, for `POST /sandbox/faults`."""
