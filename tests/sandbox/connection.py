"""Sockets: requests read, answers written, cut, stalled or slowed as they say."""

import contextlib
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl

from tests.sandbox.message import Answer, Ending, Record, Request

CHUNK = 1 << 16
Respond = Callable[[Request, Record], Answer]


class Dating(Protocol):
    """What decides the `Date` of every answer."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """Tells the time."""

    @property
    def skew(self) -> timedelta:
        """How far the server's clock is ahead."""

    @property
    def sends_date(self) -> bool:
        """Whether there is a `Date` at all."""


class Listener:
    """An HTTP server on 127.0.0.1, and on the same port of 127.0.0.2 as the foreign host."""

    def __init__(self, respond: Respond, settings: Dating, port: int = 0) -> None:
        self._ending = threading.Event()
        self._servers = [_Server(("127.0.0.1", port), respond, settings, self._ending)]
        self.port = self._servers[0].server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        with contextlib.suppress(OSError):  # not every system has more than one loopback address
            self._servers.append(_Server(("127.0.0.2", self.port), respond, settings, self._ending))
        self._threads = [threading.Thread(target=one.serve) for one in self._servers]

    def start(self) -> None:
        """Serve in threads of its own."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End every connection and thread."""
        self._ending.set()
        for server, thread in zip(self._servers, self._threads, strict=True):
            if thread.is_alive():
                server.wake()
                thread.join()
            server.hang_up()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for them and no socket is left open
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], respond: Respond, settings: Dating, ending: threading.Event) -> None:
        self.respond = respond
        self.settings = settings
        self.ending = ending
        self.open: set[socket.socket] = set()
        self.reset: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """As its base, without asking the name service for this machine's name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # to serve again where it served before
        socket.socket.bind(self.socket, self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def serve(self) -> None:
        """Until the end. `serve_forever` looks for it a hundred times a second, while hundreds of tests run."""
        while not self.ending.is_set():
            self.handle_request()

    def wake(self) -> None:
        """Let `serve` see that it is the end."""
        socket.create_connection((self.server_name, self.server_port)).close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """As its base; remembers the connection."""
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """As its base; a connection that is to be reset gets no orderly end."""
        self.open.discard(request)
        if request in self.reset:
            self.reset.discard(request)
            request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.close()
        else:
            super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the connections that clients keep open."""
        for one in list(self.open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are no news; all else is a fault of the sandbox and shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's name
        """Nothing: `requests` is the log."""

    def do_GET(self) -> None:
        """Any method."""
        body = self._body()
        if body is None:
            self.close_connection = True
            return
        path, _, query = self.path.partition("?")
        request = Request(
            method=self.command,
            path=path,
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            host=self.server.server_name,
        )
        record = _record(request)
        self._send(self.server.respond(request, record), record)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  # the base's names

    def _body(self) -> bytes | None:
        """The whole body; None: it was cut, or is sent without saying its length."""
        length = int(self.headers.get("Content-Length") or 0)
        if "Transfer-Encoding" in self.headers:
            self.send_error(411)
            return None
        body = self.rfile.read(length)
        return body if len(body) == length else None

    def _send(self, answer: Answer, record: Record) -> None:
        record.status = answer.status
        if answer.stop_after == -1:
            self._end(answer.ending)
            return
        self._send_head(answer)
        left = answer.content.size if answer.stop_after is None else answer.stop_after
        for piece in self._pieces(answer, min(left, answer.content.size)):
            record.bytes += len(piece)  # before it is sent, so that a client that has it all finds it counted
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if answer.is_chunked else piece)
        if answer.stop_after is not None and answer.stop_after < answer.content.size:
            self._end(answer.ending)
        elif answer.is_chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _send_head(self, answer: Answer) -> None:
        settings = self.server.settings
        self.send_response_only(answer.status)
        if settings.sends_date:
            self.send_header("Date", format_datetime(settings.clock() + settings.skew, usegmt=True))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.is_chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif answer.is_open:
            self.close_connection = True
        elif answer.status != 204:
            self.send_header("Content-Length", str(answer.content.size if answer.length is None else answer.length))
        self.end_headers()

    def _pieces(self, answer: Answer, stop: int) -> Iterator[bytes]:
        step = CHUNK if answer.speed is None else max(1, min(CHUNK, int(answer.speed / 20)))
        for start in range(0, stop, step):
            if answer.speed and self.server.ending.wait(step / answer.speed):
                return
            yield answer.content.read(start, min(start + step, stop))

    def _end(self, ending: Ending) -> None:
        self.close_connection = True
        if ending is Ending.STALL:
            self.server.ending.wait(120)
        if ending is Ending.RESET:
            self.server.reset.add(self.connection)


def _record(request: Request) -> Record:
    return Record(
        method=request.method,
        path=request.path,
        query=request.query,
        host=request.host,
        has_bearer=request.bearer is not None,
        range=request.headers.get("range"),
    )
