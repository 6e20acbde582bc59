"""Real stores on loopback, and an rclone that tests share: to start one for each would take most of their time."""

import http.client
import json
import os
import random
import re
import socket
import struct
import subprocess
import sysconfig
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from tests.destinations.contract import a_context, an_attachment
from tests.fakes import FakeClock
from zoomsync.destinations.base import DestinationContext
from zoomsync.destinations.rclone.client import Client
from zoomsync.destinations.rclone.destination import RcloneDestination
from zoomsync.destinations.rclone.process import Rclone
from zoomsync.destinations.rclone.process import _guard as process_guard
from zoomsync.destinations.rclone.settings import RcloneSettings


@dataclass(slots=True)
class Shared:
    """An rclone that no destination ends."""

    config: Path
    process: Rclone
    _names: list[str] = field(default_factory=list)

    def add(self, **options: str) -> str:
        """One more remote in its config; returns its name."""
        name = f"{options['type']}{len(self._names)}"
        self._names.append(name)
        lines = "".join(f"{key} = {value}\n" for key, value in options.items())
        with self.config.open("a") as file:
            file.write(f"[{name}]\n{lines}\n")
        return name


class Endless(Rclone):
    """It goes on when a destination lets go of it."""

    def stop(self) -> None:
        """Not now."""


BOUNDED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""What runs a program for which modes count, although root starts it."""


@cache
def modes_count() -> bool:
    """Whether a mode closes a folder to the rclone of the tests."""
    if os.geteuid():
        return True
    try:
        return subprocess.run([*BOUNDED, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@contextmanager
def shared_rclone(folder: Path, lines: str = "", environ: Mapping[str, str] = {}) -> Iterator[Shared]:
    """Its config begins with these lines; `environ` is what it sees further."""
    config = folder / "rclone.conf"
    config.write_text(lines)
    config.chmod(0o600)
    process = Endless(
        config=config,
        flags=(),
        bandwidth=None,
        tries=1,
        environ={"PATH": os.environ["PATH"], "HOME": str(folder), **environ},
        new_id=lambda: uuid.uuid4().hex,
        check=lambda: None,
    )
    process.start(Client(rclone=process, clock=FakeClock()).version)
    try:
        yield Shared(config, process)
    finally:
        Rclone.stop(process)


def unattached(
    shared: Shared, remote: str, context: DestinationContext | None = None, **changes: Any
) -> RcloneDestination:
    """A remote that no pass has taken yet."""
    context = context or a_context(me="media@example.org")
    settings = RcloneSettings(type="rclone", remote=remote, **changes)
    return RcloneDestination(settings, replace(context, new_id=lambda: uuid.uuid4().hex), shared.process)


def a_remote(
    shared: Shared, remote: str, context: DestinationContext | None = None, *, number: int = 1, **changes: Any
) -> RcloneDestination:
    """A remote attached by pass `number` of the state `state-1`, which knew it as `library-1` from pass 2 on."""
    destination = unattached(shared, remote, context, **changes)
    destination.attach(an_attachment(number))
    return destination


KEY, SECRET = "AKZOOMSYNC", "sesame-of-the-tests"
READER = "AKREADER"
"""Of who may not write."""


@dataclass(frozen=True, slots=True)
class Server:
    """A store that listens on loopback."""

    address: str
    """`127.0.0.1:port`"""

    @property
    def host(self) -> str:
        return self.address.partition(":")[0]

    @property
    def port(self) -> str:
        return self.address.partition(":")[2]

    def as_s3(self, secret: str = SECRET, **more: str) -> dict[str, str]:
        """How rclone's config has it."""
        keys = {"access_key_id": KEY, "secret_access_key": secret}
        return {"type": "s3", "provider": "SeaweedFS", "endpoint": f"http://{self.address}", **keys, **more}

    def make_bucket(self, name: str, folder: Path) -> None:
        """By an rclone of its own, whose config lies in this folder."""
        program = Path(sysconfig.get_path("scripts")) / "rclone"
        subprocess.run([program, "--config", folder / "rclone.conf", "mkdir", f"s3:{name}"], check=True, env={})


@contextmanager
def seaweed(folder: Path) -> Iterator[Server]:
    """SeaweedFS: a production store with S3, which refuses wrong secrets and buckets that are not there."""
    identity = {"name": "zoomsync", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin"]}
    reader = {
        "name": "reader",
        "credentials": [{"accessKey": READER, "secretKey": SECRET}],
        "actions": ["Read", "List"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity, reader]}))
    (folder / "data").mkdir()
    names = ("s3", "master", "volume", "filer", "admin")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    options = {f"{name}.port": port for name, port in ports.items()} | {"ip": "127.0.0.1", "ip.bind": "127.0.0.1"}
    off = {"master.telemetry": "false", "webdav": "false", "s3.iam": "false", "s3.autoCreateBucket": "false"}
    off |= {"s3.port.iceberg": "0", "s3.port.lance": "0"}
    options |= {"dir": str(folder / "data"), "s3.config": str(folder / "s3.json"), **off}
    program = Path(sysconfig.get_path("scripts")) / "weed"
    outlives_nobody = process_guard(os.environ["PATH"])  # a session that is killed ends nothing by itself
    command = [*outlives_nobody, str(program), "mini", *(f"-{name}={value}" for name, value in options.items())]
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)}
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(ports["s3"], process)
        yield Server(f"127.0.0.1:{ports['s3']}")
    finally:
        process.kill()
        process.wait()
        for port in ports.values():  # it makes them there, whatever it is told, and names them after its ports
            for name in (f"seaweedfs-*-{port}.sock", f"seaweedfs-*-{port + 10_000}.sock"):
                for left in Path("/tmp").glob(name):
                    left.unlink(missing_ok=True)


def free_ports(count: int) -> list[int]:
    """Ports that are free, each with the one 10,000 above it, which SeaweedFS takes for its own calls."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", port))
            other.bind(("127.0.0.1", port + 10_000))
            found += [port] if port not in found else []
    return found


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Until it answers over HTTP."""
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/")
            connection.getresponse().read()
            connection.close()
            return
        time.sleep(0.05)
    raise AssertionError("the store does not begin")


def served(shared: Shared, kind: str, folder: Path) -> Server:
    """A folder, served by the rclone that runs, with a password, until that ends; of an S3 its folders are buckets."""
    client = Client(rclone=shared.process, clock=FakeClock())
    wanted: dict[str, Any] = {"type": kind, "fs": str(folder), "addr": "127.0.0.1:0"}
    wanted |= {"auth_key": [f"{KEY},{SECRET}"]} if kind == "s3" else {"user": KEY, "pass": SECRET}
    return Server(str(client.call("serve/start", **wanted).document["addr"]))


def obscured(shared: Shared, secret: str) -> str:
    """As rclone's config wants passwords."""
    client = Client(rclone=shared.process, clock=FakeClock())
    return str(client.call("core/obscure", clear=secret).document["obscured"])


def on_server(rclone: Shared, server: Server, kind: str) -> str:
    """`remote:path` of a new place on a server that is there."""
    if kind == "s3":
        return f"{a_bucket(rclone, server)}/zoom"
    secret = obscured(rclone, SECRET)
    if kind == "webdav":
        options = {"url": f"http://{server.address}", "user": KEY, "pass": secret}
    else:
        options = {"host": server.host, "port": server.port, "user": KEY, "pass": secret}
    return f"{rclone.add(type=kind, **options)}:zoom"


def a_bucket(rclone: Shared, server: Server, **options: str) -> str:
    """`remote:bucket` of a new bucket."""
    name, bucket = rclone.add(**server.as_s3(**options)), uuid.uuid4().hex
    answer = Client(rclone=rclone.process, clock=FakeClock()).call(
        "operations/mkdir", fs=f"{name},no_check_bucket=false:{bucket}", remote=""
    )
    assert answer.is_good, answer.error
    return f"{name}:{bucket}"


def reply(status: int, body: str = "") -> bytes:
    """An answer of a store, after which the connection ends."""
    head = f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return (head + body).encode()


def answer(client: socket.socket, begun: bytes, said: bytes | None) -> None:
    """Answer a request, of which so much has come, once all of it has: `b""` cuts it, None says nothing for good."""
    head, _, body = begun.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    left = (int(length[1]) if length else 0) - len(body)
    while left > 0 or said is None:
        more = client.recv(65536)
        if not more:
            return
        left -= len(more)
    if said == b"":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.sendall(said.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if begun.startswith(b"HEAD ") else said)


@contextmanager
def woken(one: socket.socket) -> Iterator[None]:
    """At the end whoever waits at this socket is woken.

    Closing it wakes nobody: a call that is begun again after a signal then waits at the socket that has its number by
    now, and takes what was meant for others.
    """
    try:
        yield
    finally:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


class Gate:
    """Stands between rclone and a store: counts what goes through, cuts it, or lets it wait."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.cut_after: int | None = None
        """Once so many bytes went to the store on one connection, it is cut."""
        self.is_closed = False
        """Nothing goes through, and nobody is told."""
        self.hold = ""
        """Pattern of the request at which it closes."""
        self.holds = threading.Event()
        self.replies: dict[str, bytes | None] = {}
        """Pattern of `PUT /bucket/key` → what the gate says instead of the store (see `answer`)."""
        self.delay = 0.0
        """Seconds that each piece takes."""
        self.requests: list[str] = []
        """`PUT /bucket/key`, in order."""
        self.bytes = 0
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        with self._listener, woken(self._listener):
            pass
        self._accepting.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection((self._server.host, int(self._server.port)))
                for one, other, is_up in ((near, far, True), (far, near, False)):
                    threading.Thread(target=self._pass, args=(one, other, is_up), daemon=True).start()

    def _pass(self, near: socket.socket, far: socket.socket, is_up: bool) -> None:
        sent = 0
        with suppress(OSError), near, far, woken(near), woken(far):
            while data := near.recv(65536):
                while self.is_closed:
                    time.sleep(0.02)
                time.sleep(self.delay)
                self.bytes += len(data)
                sent += len(data)
                if is_up and (found := re.match(rb"([A-Z]+) (\S+) HTTP/1.1\r\n", data)):
                    self.requests.append(f"{found[1].decode()} {found[2].decode()}")
                    if self.hold and re.search(self.hold, self.requests[-1]):
                        self.hold, self.is_closed = "", True
                        self.holds.set()
                    for said in (said for one, said in self.replies.items() if re.search(one, self.requests[-1])):
                        answer(near, data, said)
                        return
                if is_up and self.cut_after is not None and sent > self.cut_after:
                    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                far.sendall(data)
