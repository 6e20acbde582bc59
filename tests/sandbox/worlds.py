"""Ready-made worlds, relative to a `now`; their names, numbers, uuids and file ids are fixed."""

from datetime import datetime

from tests.sandbox import awkward
from tests.sandbox.stage import Stage
from tests.sandbox.world import World


def empty_world(now: datetime) -> World:
    """One user, no recording."""
    world = World(now)
    world.add_user("Alice Example")
    return world


def small_world(now: datetime, *, has_media: bool = True) -> World:
    """Three meetings of Alice: `plain`; `pair` of two joinable segments; `texts` with every kind of file.

    Without media the videos are filler that no decoder could show, and ffmpeg is not needed.
    """
    stage = Stage(empty_world(now), has_media=has_media)
    stage.meeting("plain", "alice", 2, "Plain meeting")
    stage.video("plain")
    stage.meeting("pair", "alice", 3, "Stopped and started")
    stage.video("pair", 1)
    stage.video("pair", 2, at=60)
    stage.meeting("texts", "alice", 4, "With texts", uuid="/texT0Text//Text0TextA==")
    stage.video("texts")
    stage.texts("texts", chat="cloud")
    return stage.world


def large_world(now: datetime, *, users: int = 1, meetings: int, days: float) -> World:
    """So many users, and in the last so many days so many meetings, each with a short transcript and nothing else."""
    world = World(now)
    for number in range(users):
        world.add_user(f"User{number} Example")
    stage = Stage(world, has_media=False)
    for number in range(meetings):
        name = f"meeting-{number}"
        stage.meeting(name, f"user{number % users}", 0.2 + number * days / meetings, f"Meeting {number}")
        stage.transcript(name)
    return world


def full_world(now: datetime, *, has_media: bool = True) -> World:
    """Every awkward case; `world.names` tells the uuid of each, `world.held` what can still arrive."""
    stage = Stage(World(now), has_media=has_media)
    awkward.people(stage)
    awkward.segments(stage)
    awkward.streams(stage)
    awkward.identities(stage)
    awkward.topics(stage)
    awkward.kinds(stage)
    awkward.times(stage)
    awkward.lists(stage)
    awkward.latecomers(stage)
    awkward.many(stage)
    return stage.world
