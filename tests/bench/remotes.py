"""What an item costs on a remote, in requests and bytes, against `rclone copy` of the same files alone."""

import subprocess
import sysconfig
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.marks import Row
from tests.bench.table import show
from tests.destinations.contract import a_context, a_staged, an_attachment, with_files
from tests.destinations.rclone.stores import (
    Gate,
    Server,
    Shared,
    obscured,
    on_server,
    seaweed,
    served,
    shared_rclone,
    unattached,
)
from tests.fakes import a_meeting, a_user
from zoomsync.destinations.rclone.destination import RcloneDestination
from zoomsync.model import Item, Receipt

ITEMS = 5
SIZE = 2_000_000
"""Of a video."""


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Through the gate, while something was done."""

    requests: float
    bytes: float

    def __truediv__(self, count: int) -> "Spent":
        return Spent(requests=self.requests / count, bytes=self.bytes / count)

    @property
    def cells(self) -> tuple[str, str]:
        return f"{self.requests:.1f}", f"{self.bytes / 1000:,.0f} kB"


def run(folder: Path) -> Iterator[Row]:
    """One table, and the rows."""
    lines: list[tuple[str, ...]] = []
    with shared_rclone(folder) as rclone, seaweed(made(folder / "weed")) as s3:
        dav = served(rclone, "webdav", made(folder / "dav"))
        for name, server, is_crypt in (("S3", s3, False), ("WebDAV", dav, False), ("crypt over S3", s3, True)):
            gate = Gate(server)
            where = on_server(rclone, Server(gate.address), "s3" if server is s3 else "webdav")
            where = crypt(rclone, where) if is_crypt else where
            pass_, item, late, proof = costs(rclone, where, gate, made(folder / name))
            alone = copied(rclone, where, gate, made(folder / f"{name} alone"))
            lines.append((name, *pass_.cells, *item.cells, *alone.cells, *late.cells, *proof.cells))
            for what, cost, before, most in (
                ("a pass that finds nothing new", pass_, "", 4),
                ("a new item of four files", item, f"rclone copy: {alone.requests:.0f}", alone.requests + 8),
                ("one late file", late, "", 16),
                ("the proof before a deletion", proof, "", 3 + 2 * 5),
            ):
                yield Row(what=f"{name}, {what}: requests", before=before, now=cost.requests, most=most)
            gate.close()
    head = [
        "store",
        *(cell for one in ("a pass", "an item", "rclone copy", "late file", "proof") for cell in (one, "")),
    ]
    show("requests and bytes of each", head, lines)


def costs(rclone: Shared, where: str, gate: Gate, folder: Path) -> tuple[Spent, Spent, Spent, Spent]:
    """Of a pass that finds nothing new; of a new item; of one that grows; of the proof before a deletion."""
    first = attached(rclone, where, 1)
    store(first, an_item(folder, "0"), None)
    first.detach()
    nothing = spent(gate, lambda: attached(rclone, where, 2).detach())
    second = attached(rclone, where, 2)
    store(second, an_item(folder, "0", late=True), second.find("0"))
    receipts, grown = list[Receipt](), list[Receipt]()
    new = [an_item(folder, str(number)) for number in range(1, 1 + ITEMS)]
    item = spent(gate, lambda: receipts.extend(store(second, one, None) for one in new))
    more = [an_item(folder, one.uuid, late=True) for one in receipts]
    late = spent(gate, lambda: grown.extend(map(partial(store, second), more, receipts)))
    proof = spent(gate, lambda: [second.verify(one) for one in grown])
    assert all(second.verify(one).safe for one in grown)
    second.detach()
    return nothing, item / ITEMS, late / ITEMS, proof / ITEMS


def copied(rclone: Shared, where: str, gate: Gate, folder: Path) -> Spent:
    """`rclone copy` of as many folders with the same files."""
    for number in range(ITEMS):
        for file in (*an_item(folder / "staged", str(number)).files, None):
            name, data = (
                (file.name, file.source.read_bytes()) if file and file.source else ("recording.json", b"{}" * 900)
            )
            path = folder / "tree" / f"published/ada@example.org/2026/item {number}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    program = Path(sysconfig.get_path("scripts")) / "rclone"
    options = ["--config", str(rclone.config), "--s3-no-check-bucket"]
    command = [str(program), *options, "copy", str(folder / "tree"), f"{where}/alone"]
    return spent(gate, lambda: subprocess.run(command, check=True, env={"HOME": str(folder)})) / ITEMS


def spent(gate: Gate, act: Callable[[], object]) -> Spent:
    """What went through the gate meanwhile."""
    requests, size = len(gate.requests), gate.bytes
    act()
    return Spent(requests=len(gate.requests) - requests, bytes=gate.bytes - size)


def attached(rclone: Shared, where: str, number: int) -> RcloneDestination:
    destination = unattached(rclone, where, a_context())
    known = {} if number == 1 else {"known_id": "library-1", "ended": frozenset({"run-1", "run-2"})}
    destination.attach(an_attachment(number, **known))
    return destination


def store(destination: RcloneDestination, item: Item, previous: Receipt | None) -> Receipt:
    return destination.publish(item, destination.author_for(a_user()), previous)


def an_item(folder: Path, uuid: str, *, late: bool = False) -> Item:
    """A video, its sound, captions and a chat; with `late` the summary alone is new."""
    files = [
        a_staged(folder, "video.mp4", uuid.encode() * (SIZE // len(uuid))),
        a_staged(folder, "audio.m4a", b"sound" * 20_000),
        a_staged(folder, "captions.vtt", b"WEBVTT\n" * 500),
        a_staged(folder, "chat.txt", b"hello\n" * 50),
    ]
    files += [a_staged(folder, "summary.json", b"{}" * 500)] if late else []
    return with_files(a_meeting(uuid=uuid, topic=f"Meeting {uuid}", files=()), files)


def crypt(rclone: Shared, where: str) -> str:
    return f"{rclone.add(type='crypt', remote=where, password=obscured(rclone, 'sesame'))}:{uuid.uuid4().hex}"


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
