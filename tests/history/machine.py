"""The machine that makes up histories."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.history.disk import Blow
from tests.history.history import History
from tests.history.place import a_place

NUMBER = st.integers(0, 5)
FILES = st.sampled_from(["A1", "A1 T1", "A1 A2", "A1 B1 T1 H1", "A1 A2 T1 T2", "B1", "S1 H1", "A1 B2 L1"])
FILE = st.sampled_from(["A1", "A2", "A3", "B1", "B2", "S1", "T1", "T2", "H1", "L1"])
MEDIA = st.sampled_from(["", "", "", "~", "!"])
STEP = st.one_of(st.integers(1, 60), st.integers(1, 300))
DAYS = st.sampled_from([0, 1, 3, 8])


class Weeks(RuleBasedStateMachine):
    """Weeks of one account; every rule is something that happens, mostly a pass."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        in_memory = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="history-", dir=in_memory))
        self.history = History(self._stack.enter_context(a_place(Path(folder))))

    @initialize(files=FILES, media=MEDIA)
    def begins(self, files: str, media: str) -> None:
        self.history.meets(files, hours=30, media=media)

    @rule(files=FILES, hours=st.sampled_from([1, 3, 30, 300]), media=MEDIA)
    def meets(self, files: str, hours: int, media: str) -> None:
        self.history.meets(files, hours=hours, media=media)

    @rule(meeting=NUMBER, name=FILE)
    def adds(self, meeting: int, name: str) -> None:
        self.history.adds(meeting, name)

    @rule(what=st.sampled_from(["alters", "lists_badly", "expires", "comes_back"]), number=NUMBER)
    def zoom(self, what: str, number: int) -> None:
        getattr(self.history, what)(number)

    @rule(what=st.sampled_from(["renames", "writes", "edits", "removes_file", "removes"]), item=NUMBER, file=NUMBER)
    def person(self, what: str, item: int, file: int) -> None:
        getattr(self.history, what)(item, file)

    @rule(days=DAYS)
    def syncs(self, days: int) -> None:
        self.history.waits(days=days, hours=1)
        self.history.syncs()

    @rule(blow=st.sampled_from([Blow.KILL, Blow.POWER]), step=STEP, seed=NUMBER, days=DAYS)
    def dies(self, blow: Blow, step: int, seed: int, days: int) -> None:
        self.history.waits(days=days, hours=1)
        self.history.syncs(blow=(blow, step), seed=seed)

    @rule(blow=st.sampled_from([Blow.FULL, Blow.IO]), step=STEP, days=DAYS)
    def stumbles(self, blow: Blow, step: int, days: int) -> None:
        self.history.waits(days=days, hours=1)
        self.history.syncs(blow=(blow, step))

    @rule(files=FILES, blow=st.sampled_from(Blow), step=STEP, seed=NUMBER)
    def meets_trouble(self, files: str, blow: Blow, step: int, seed: int) -> None:
        self.history.meets(files, hours=3)
        self.history.syncs(blow=(blow, step), seed=seed)

    @rule(meeting=NUMBER, name=FILE, blow=st.sampled_from(Blow), step=STEP, seed=NUMBER)
    def adds_trouble(self, meeting: int, name: str, blow: Blow, step: int, seed: int) -> None:
        self.history.adds(meeting, name)
        self.history.waits(hours=1)
        self.history.syncs(blow=(blow, step), seed=seed)

    def teardown(self) -> None:
        try:
            self.history.rests()
            self.history.check()
        finally:
            self._stack.close()
