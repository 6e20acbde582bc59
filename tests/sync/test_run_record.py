"""The record of a run says how it ended only once that is durable."""

from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeClock
from zoomsync.clock import this_process
from zoomsync.errors import StateUnusable
from zoomsync.rules.request import SyncRequest
from zoomsync.state import State
from zoomsync.sync.run_record import RunRecord
from zoomsync.sync.tally import Tally


def test_a_run_whose_end_could_not_be_recorded_has_not_ended_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise StateUnusable("state.json: no space left on device")

    with State.open(tmp_path / "state.json", new_id="f" * 32) as state:
        record = RunRecord(state, FakeClock(), run_id="1", process=this_process(), request=SyncRequest())
        record.begin()
        monkeypatch.setattr(state, "record", refuse)

        with pytest.raises(StateUnusable):
            record.go(lambda: None, Tally())

        assert record.run.code is None
