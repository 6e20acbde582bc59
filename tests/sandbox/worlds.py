"""Ready-made worlds, relative to a `now`; names, numbers and uuids are fixed."""

from datetime import datetime, timedelta

from tests.sandbox.content import Filler, Text
from tests.sandbox.world import World, ZoomMeeting


def empty_world(now: datetime) -> World:
    """One user, no recording."""
    world = World(now)
    world.add_user("Alice Example")
    return world


def small_world(now: datetime) -> World:
    """A plain meeting, one of two segments, one with text files."""
    world = empty_world(now)
    alice = world.users["id_alice"]
    for number, uuid in enumerate(
        ("plainPlainPlainPlain00A==", "twoTwoTwoTwoTwoTwo/00A==", "/textTextText//Text00A==")
    ):
        start = (now - timedelta(days=3 + number)).replace(microsecond=0)
        world.add_meeting(
            ZoomMeeting(uuid=uuid, number=81000000001 + number, host_id=alice.id, topic=uuid[:3], start=start)
        )
        world.add_file(uuid, Filler(50_000 + number))
        if number == 1:
            world.add_file(uuid, Filler(40_000), at=60)
        if number == 2:
            world.add_file(uuid, Text(b"WEBVTT\r\n"), type="TRANSCRIPT", view="audio_transcript", extension="VTT")
    return world


def full_world(now: datetime) -> World:
    """For now the small one."""
    return small_world(now)
