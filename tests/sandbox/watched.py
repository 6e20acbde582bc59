"""What every stand-in can do: remember its requests, let some of them fail, serve from `with` to its end."""

import re
import threading
from collections.abc import Mapping
from typing import Self

from tests.sandbox.connection import Dating, Listener
from tests.sandbox.faults import Fault, Rule
from tests.sandbox.message import Answer, Record, Request


class Watched:
    """A server on loopback; `requests` holds what came in, oldest first."""

    def __init__(self, settings: Dating, port: int) -> None:
        self.requests: list[Record] = []
        self.rules: list[Rule] = []
        self._lock = threading.Lock()
        self._dating = settings
        self._listener = Listener(self.respond, settings, port)
        self.url = self._listener.url

    def __enter__(self) -> Self:
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End serving, stalled connections included."""
        self._listener.close()

    def go_down(self) -> None:
        """Break every connection and refuse new ones; not to be called where a request is answered."""
        self._listener.close()

    def come_up(self) -> None:
        """Serve again at the same address, with all that was there before."""
        self._listener = Listener(self.respond, self._dating, self._listener.port)
        self._listener.start()

    def fail(
        self,
        path: str = "",
        *,
        with_: Fault,
        method: str | None = None,
        operation: str | None = None,
        times: int | None = 1,
        skip: int = 0,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Rule:
        """Let requests whose raw path contains the pattern fail; rules added earlier come first."""
        rule = Rule(path=path, method=method, fault=with_, times=times, skip=skip, headers=headers or {},
                    query=query or {}, operation=operation)  # fmt: skip
        with self._lock:
            self.rules.append(rule)
        return rule

    def heal(self) -> None:
        """End all faults."""
        with self._lock:
            self.rules.clear()

    @property
    def is_silent(self) -> bool:
        """Whether the next request may get no answer."""
        with self._lock:
            return any(rule.fault.is_silent and rule.times != rule.struck for rule in self.rules)

    def count(self, method: str = "", path: str = "") -> int:
        """How many requests came with this method whose raw path contains the pattern."""
        return len(self.seen(method, path))

    def seen(self, method: str = "", path: str = "") -> list[Record]:
        """The requests that came with this method whose raw path contains the pattern."""
        with self._lock:
            return [one for one in self.requests if method in ("", one.method) and re.search(path, one.path)]

    def forget(self) -> None:
        """Forget the requests so far."""
        with self._lock:
            self.requests.clear()

    def respond(self, request: Request, record: Record) -> Answer:
        """The answer to a request, faults included."""
        record.operation = self.operation_of(request)
        with self._lock:
            self.requests.append(record)
            fault = next((rule.fault for rule in self.rules if rule.strikes(request, record.operation)), None)
        if fault is None:
            return self.answer(request, record)
        if fault.instead:
            return fault.instead(request)
        answer = self.answer(fault.ask(request) if fault.ask else request, record)
        return fault.change(request, answer) if fault.change else answer

    def operation_of(self, request: Request) -> str:  # noqa: ARG002  # for those who have operations
        """What a portal calls it; elsewhere nothing."""
        return ""

    def answer(self, request: Request, record: Record) -> Answer:
        """The answer to a request that does not fail."""
        raise NotImplementedError
