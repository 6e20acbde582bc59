"""Pages of a list, chained by tokens that end and want the same parameters again."""

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from tests.sandbox.message import Answer, Request, error, invalid, json_answer
from tests.sandbox.settings import Settings

LARGEST = 300
Shown = TypeVar("Shown")


class Pages:
    """Hands out lists page by page."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tokens: dict[str, tuple[object, int, float]] = {}
        self._numbers = itertools.count(1)

    def answer(
        self,
        request: Request,
        name: str,
        entries: Sequence[Shown],
        show: Callable[[Shown], object],
        head: Mapping[str, object],
        *,
        largest: int = LARGEST,
    ) -> Answer:
        """One page of `entries`, as `show` has them, under `name`, after the fields of `head`.

        At most `largest` may be asked for.
        """
        asked = request.query.get("page_size", "30")
        if not asked.isdigit() or not 1 <= int(asked) <= largest:
            return invalid("page_size", "Invalid field.")
        size = min(int(asked), self._settings.page_cap)
        start = self._start(request)
        if start is None:
            return error(400, 300, "The next page token is invalid or expired.")
        page = entries[start : start + size]
        is_last = start + size >= len(entries)
        return json_answer(
            {
                **head,
                "page_count": -(-len(entries) // size),
                "page_size": size if entries else 0,
                "total_records": len(entries),
                "next_page_token": "" if is_last else self._token(request, start + size),
                name: [show(entry) for entry in page],
            }
        )

    def _start(self, request: Request) -> int | None:
        token = request.query.get("next_page_token", "")
        if not token:  # the older way to turn pages still works
            return (int(request.query.get("page_number", 1)) - 1) * int(request.query.get("page_size", 30))
        key, start, until = self._tokens.get(token, (None, 0, 0.0))
        return start if key == _key(request) and time.monotonic() < until else None

    def _token(self, request: Request, start: int) -> str:
        token = f"page{next(self._numbers)}Token"
        self._tokens[token] = (_key(request), start, time.monotonic() + self._settings.page_token_lifetime)
        return token


def _key(request: Request) -> object:
    return request.path, sorted(pair for pair in request.query.items() if pair[0] != "next_page_token")
