"""The machine that makes up histories."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.history.disk import Blow, Strike
from tests.history.history import OTHERS, History
from tests.history.place import a_place

NUMBER = st.integers(0, 5)
FILES = st.sampled_from(["A1", "A1 T1", "A1 A2", "A1 B1 T1 H1", "A1 A2 T1 T2", "B1", "S1 H1", "A1 B2 L1"])
FILE = st.sampled_from(["A1", "A2", "A3", "B1", "B2", "S1", "T1", "T2", "H1", "L1"])
MEDIA = st.sampled_from(["", "", "", "~", "!"])
ZOOM = ["alters", "lists_badly", "expires", "comes_back", "processes", "finishes", "misreads"]
PERSON = ["renames", "writes", "edits", "removes_file", "removes", "backs_up", "backs_up"]
PERSON += ["restores_state", "restores_library", "restores_both"]
DAYS = st.sampled_from([0, 1, 3, 8])


def strikes(*blows: Blow) -> st.SearchStrategy[Strike]:
    """At any step, or at one of those that count most, of which there are few."""
    blow = st.sampled_from(blows)
    few = st.builds(
        Strike, blow, st.integers(1, 40), st.sampled_from(["replace", "rename", "unlink", "mkdir", "request", "commit"])
    )
    return st.one_of(few, st.builds(Strike, blow, st.integers(1, 60)), st.builds(Strike, blow, st.integers(1, 300)))


class Weeks(RuleBasedStateMachine):
    """Weeks of one account; every rule is something that happens, mostly a pass."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="history-"))
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

    @rule(what=st.sampled_from(ZOOM), number=NUMBER)
    def zoom(self, what: str, number: int) -> None:
        getattr(self.history, what)(number)

    @rule(what=st.sampled_from(PERSON), item=NUMBER, file=NUMBER)
    def person(self, what: str, item: int, file: int) -> None:
        getattr(self.history, what)(item, file)

    @rule(number=st.integers(0, len(OTHERS) + 1), days=DAYS)
    def configures(self, number: int, days: int) -> None:
        self.history.configures(number)
        self.history.waits(days=days)
        self.history.syncs()

    @rule(days=DAYS, cuts=st.sampled_from([0, 0, 1, 3, 40]))
    def syncs(self, days: int, cuts: int) -> None:
        self.history.waits(days=days, hours=1)
        self.history.syncs(cuts=cuts)

    @rule(strike=strikes(Blow.KILL, Blow.POWER), seed=NUMBER, days=DAYS)
    def dies(self, strike: Strike, seed: int, days: int) -> None:
        self.history.waits(days=days, hours=1)
        self.history.syncs(strike=strike, seed=seed)

    @rule(strike=strikes(Blow.FULL, Blow.IO), days=DAYS)
    def stumbles(self, strike: Strike, days: int) -> None:
        self.history.waits(days=days, hours=1)
        self.history.syncs(strike=strike)

    @rule(files=FILES, strike=strikes(*Blow), seed=NUMBER)
    def meets_trouble(self, files: str, strike: Strike, seed: int) -> None:
        self.history.meets(files, hours=3)
        self.history.syncs(strike=strike, seed=seed)

    @rule(meeting=NUMBER, name=FILE, strike=strikes(*Blow), seed=NUMBER)
    def adds_trouble(self, meeting: int, name: str, strike: Strike, seed: int) -> None:
        self.history.adds(meeting, name)
        self.history.waits(hours=1)
        self.history.syncs(strike=strike, seed=seed)

    def teardown(self) -> None:
        try:
            self.history.rests()
            self.history.check()
        finally:
            self._stack.close()
