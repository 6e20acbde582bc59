"""What moves on a terminal while a pass runs, and the log lines above it."""

import logging
import threading

import pytest
from rich.progress import Progress as Bars

from zoomsync.console import LogHandler, Terminal
from zoomsync.progress import LiveProgress, progress_shown


def test_all_that_moves_is_summed_up_in_the_first_line() -> None:
    bars = Bars()
    progress = LiveProgress(bars, lambda: 7)
    whole = bars.tasks[0]

    before = progress.described(whole)
    progress.due(2, 100_000)
    with progress.working("“Plain\n” active_speaker", 60_000) as moved:
        moved(50_000)
        with progress.working("video.mp4 is sent", 70_000, is_due=False) as sent:
            sent(60_000)
            uploaded = progress.amount(bars.tasks[-1]).partition(",")[0]
        shown = [(progress.described(task), progress.amount(task).partition(",")[0]) for task in bars.tasks]
    progress.ended()

    assert before == "asking Zoom, 7 API calls"
    assert uploaded == "60.0 kB of 70.0 kB"
    assert shown == [
        ("0 of 2 meetings, 7 API calls", "50.0 kB of 100.0 kB"),
        ("  “Plain\\n” active_speaker", "50.0 kB of 60.0 kB"),
    ]
    assert [progress.described(task) for task in bars.tasks] == ["1 of 2 meetings, 7 API calls"]


def test_log_lines_appear_above_what_moves_and_below_nothing_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(as_json=False, log_format="text")
    handler = LogHandler(terminal)
    handler.setFormatter(logging.Formatter("%(message)s"))

    with progress_shown(terminal, lambda: 1, shown=True) as progress, progress.working("“Plain” active_speaker"):
        handler.emit(logging.LogRecord("zoomsync", logging.INFO, "", 0, "a line " + 30 * "that is long ", None, None))

    said = capsys.readouterr().err.splitlines()
    assert said[0] == "a line " + 30 * "that is long "


def test_nothing_moves_for_who_does_not_watch(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_shown(Terminal(as_json=False, log_format="text"), lambda: 1, shown=False) as progress:
        progress.due(1, 10)
        with progress.working("“Plain” active_speaker", 10) as moved:
            moved(10)
        progress.ended()

    assert capsys.readouterr() == ("", "")


def test_no_line_is_lost_while_many_threads_draw(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(as_json=False, log_format="text")

    with progress_shown(terminal, lambda: 1, shown=True) as progress:

        def work(number: int) -> None:
            for step in range(20):
                with progress.working(f"“Meeting {number}” {step}", 10) as moved:
                    moved(10)
                    terminal.write_log(f"line {number}-{step}")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    said = capsys.readouterr().err.splitlines()
    assert sorted(line for line in said if line.startswith("line ")) == sorted(
        f"line {number}-{step}" for number in range(4) for step in range(20)
    )
