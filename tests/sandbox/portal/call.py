"""One request to the portal on its way to its operation, and the refusals of what it brings."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.sandbox.message import Answer, Request
from tests.sandbox.portal.people import PortalUser

Check = Callable[[Any], bool]


class Refused(Exception):
    """The portal's "no": an HTTP status, the exception's name, and what is wrong."""

    def __init__(self, status: int, name: str, *details: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(name, *details)
        self.status = status
        self.name = name
        self.details = details
        self.headers = headers or {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What an operation is asked."""

    request: Request
    arguments: Mapping[str, str]
    """What stands for the names in the path, unquoted."""
    caller: PortalUser

    def fields(self, required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> dict[str, Any]:
        """The fields of the JSON object sent; refuses what is missing, unknown or of the wrong type."""
        return checked(self.json(), required, optional or {})

    def json(self) -> Any:
        """The document sent."""
        if not self.request.headers.get("content-type", "").startswith("application/json"):
            raise Refused(415, "UnsupportedMediaTypeException", "the body must be application/json")
        try:
            return json.loads(self.request.body)
        except ValueError:
            raise Refused(400, "InvalidRequestException", "the body is not JSON") from None

    def nothing(self) -> None:
        """Refuses any body."""
        if self.request.body:
            raise Refused(400, "InvalidRequestException", "this operation has no body")


Handler = Callable[[Call], Answer]


def checked(document: object, required: Mapping[str, Check], optional: Mapping[str, Check]) -> dict[str, Any]:
    """The document, if it is an object of exactly these fields."""
    if not isinstance(document, dict):
        raise Refused(400, "InvalidRequestException", "not an object")
    checks = {**required, **optional}
    wrong = [f"{name}: missing" for name in required if name not in document]
    wrong += [f"{name}: unknown field" for name in document if name not in checks]
    wrong += [f"{name}: wrong value" for name in document if name in checks and not checks[name](document[name])]
    if wrong:
        raise Refused(400, "InvalidRequestException", *wrong)
    return document


def is_text(value: Any) -> bool:
    """A string."""
    return isinstance(value, str)


def is_value(value: Any) -> bool:
    """What a custom attribute can hold, by its type."""
    return isinstance(value, str | bool | int | float) or (isinstance(value, list) and all(map(is_text, value)))


def is_filled(value: Any) -> bool:
    """A string that is not blank."""
    return isinstance(value, str) and value.strip() != ""


def is_count(value: Any) -> bool:
    """A number from 0 on."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_flag(value: Any) -> bool:
    """true or false."""
    return isinstance(value, bool)


def is_id(value: Any) -> bool:
    """A number or a string of digits."""
    return is_count(value) or (isinstance(value, str) and value.isdigit())


def object_of(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """A check for an object of exactly these fields."""

    def check(value: Any) -> bool:
        try:
            checked(value, required, optional or {})
        except Refused:
            return False
        return True

    return check


def list_of(one: Check) -> Check:
    """A check for a list."""
    return lambda value: isinstance(value, list) and all(one(each) for each in value)


def one_of(*values: str) -> Check:
    """A check for one of these."""
    return lambda value: value in values
