"""`zoomsync sync`: what a pass is connected to, and how it is told."""

import logging
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from zoomsync import app
from zoomsync.app import Environment
from zoomsync.clock import ending, this_process
from zoomsync.config import Config
from zoomsync.console import Terminal, progress_bar
from zoomsync.errors import PassRunning, Stopped, ZoomsyncError
from zoomsync.formatting import plural, size_in_words
from zoomsync.item.disk import free_bytes
from zoomsync.item.worker import tidy
from zoomsync.media.ffmpeg import find_tools
from zoomsync.model import AuthorSource, Outcome, Run
from zoomsync.rules.publish import SyncRequest
from zoomsync.state import State, lock, owner_check
from zoomsync.state.audit import Audit
from zoomsync.sync.deleter import Deleter
from zoomsync.sync.engine import Connections, Pass
from zoomsync.sync.recorder import Tally, deletions_first
from zoomsync.sync.run_record import RunRecord

log = logging.getLogger(__name__)

MANY = 50
"""So many rows of a dry run are shown one by one; more are summed up unless `-v`."""


def sync(
    named: Path | None,
    talk: Terminal,
    env: Environment,
    order: SyncRequest,
    *,
    workers: int | None,
    begin_new: bool,
) -> int:
    """One pass, or its plan."""
    config = env.config(named)
    if workers is not None:
        config = config.model_copy(update={"workers": workers})
    owner_check(config.state, env.uid)
    if order.dry_run:
        return Session(config, talk, env, order, begin_new=begin_new).plan()
    try:
        with lock(config.state):
            return Session(config, talk, env, order, begin_new=begin_new).go()
    except PassRunning as running:
        log.info("%s", running)
        if talk.as_json:
            talk.document({"error": str(running), "hint": running.hint, "problems": (), "code": running.code})
        return running.code


class Session:
    """One `sync`: opens what a pass needs, runs it, tells how it ended."""

    def __init__(
        self, config: Config, talk: Terminal, env: Environment, order: SyncRequest, *, begin_new: bool
    ) -> None:
        self._config = config
        self._talk = talk
        self._env = env
        self._order = order
        self._begin_new = begin_new
        self._tally = Tally()

    def go(self) -> int:
        """The pass, on the record of the state."""
        env = self._env
        with State.open(self._config.state, new_id=env.new_id()) as state:
            run_id = env.new_id()[:8]
            self._talk.run_id = run_id
            process = this_process()
            running = RunRecord(state, env.clock, run_id=run_id, process=process, request=self._order)
            running.begin()
            with ending(env.clock, lambda signum: running.end(self._tally, code=128 + signum, why="stopped")):
                try:
                    run, error = running.go(lambda: self._work(state), self._tally)
                except Stopped as stop:
                    log.warning("%s: the state is saved, the next pass goes on from here", stop)
                    self._tell(running.run, None)
                    raise
            self._tell(run, error)
            return run.code or 0

    def plan(self) -> int:
        """The plan, printed; nothing is written."""
        state = State.read(self._config.state) or State.imagined(self._config.state)
        with ending(self._env.clock, lambda _: None):
            self._work(state)
        self._tell_plan()
        return int(self._tally.has_failures)

    def _work(self, state: State) -> None:
        """Open everything, run the pass, close everything."""
        if not self._config.enabled:
            log.info("disabled: enabled is false in %s", self._config.path)
            return
        config, env, is_dry = self._config, self._env, self._order.dry_run
        with ExitStack() as stack:
            connection = app.connect(config, env.clock, tries=app.TRIES)
            stack.callback(connection.close)
            destination = app.destination(config, env, connection.zoom, state, tries=app.TRIES)
            stack.callback(destination.detach)
            run, new_id = self._talk.run_id, env.new_id()
            app.attach(destination, state, run=run, new_id=new_id, begin_new=self._begin_new, dry_run=is_dry)
            tools = find_tools(path=env.environ.get("PATH", ""), environ=env.environ)
            progress = stack.enter_context(
                progress_bar(shown=self._talk.colour and not self._talk.quiet and not is_dry)
            )
            executor = app.executor(config.workers)
            stack.callback(executor.shutdown, wait=False, cancel_futures=True)
            deleter = None
            if not is_dry:
                tidy(app.staging(config, state.head.id), state.entries.values())
                is_unsettled = any(intent.action == "delete" for intent in state.open_intents())
                if is_unsettled or config.delete_recordings != "never":
                    audit = stack.enter_context(Audit(config.audit, env.clock, pass_id=self._talk.run_id))
                    deleter = Deleter(connection.zoom, state, audit, env.clock, env.new_id)
            connections = Connections(
                config=config,
                request=self._order,
                zoom=connection.zoom,
                clock=env.clock,
                state=state,
                destination=destination,
                deleter=deleter,
                executor=executor,
                shop=app.shop(
                    config,
                    env.clock,
                    connection=connection,
                    destination=destination,
                    tools=tools,
                    state_id=state.head.id,
                    progress=progress,
                ),
            )
            try:
                Pass(connections, self._tally).run()
            finally:
                self._tally.calls, self._tally.downloads = connection.api.calls, connection.files.calls

    def _tell(self, run: Run, error: ZoomsyncError | None) -> None:
        """How the pass ended."""
        tally = self._tally
        for line in tally.left:
            log.info("left for the next pass: %s", line)
        if isinstance(error, PassRunning):
            log.info("%s", error)
        elif error is not None:
            self._talk.error(error)
        level = logging.ERROR if run.code not in (0, PassRunning.code) else logging.INFO
        log.log(level, "pass %d ended with exit code %d: %s", run.number, run.code or 0, summary(tally))
        if self._talk.as_json:
            rows = [asdict(row) for row in tally.rows]
            self._talk.document({"run": asdict(run), "rows": rows, "left": tally.left})

    def _tell_plan(self) -> None:
        tally = self._tally
        rows = deletions_first(tally.rows)
        folder = self._config.destination.storage
        free = free_bytes(folder or app.staging(self._config, ""))
        if self._talk.as_json:
            counts = tally.counts | {f"author_{source}": tally.authors[source] for source in AuthorSource}
            plan = {"rows": [asdict(row) for row in rows], "counts": counts, "not_looked_at": tally.left}
            self._talk.document(plan | {"free_bytes": free})
            return
        shown = rows if self._talk.verbose or len(rows) <= MANY else [row for row in rows if row.action == "delete"]
        if shown:
            head = ("action", "start", "host", "topic", "size", "reason")
            cells = ((r.action, r.start[:16], r.host, r.topic[:40], size_in_words(r.size), r.reason) for r in shown)
            self._talk.table(head, cells)
        if len(shown) < len(rows):
            totals = ((a, h, str(n), size_in_words(s), r) for a, r, h, n, s in tally.totals() if a != "delete")
            self._talk.table(("action", "host", "meetings", "size", "reason"), totals)
        due = sum(row.size for row in rows if row.action == "publish")
        where = "at the destination" if folder is not None else "for staging"
        lines = [f"to fetch: {size_in_words(due)}; free {where}: {size_in_words(free)}"]
        lines += [f"authors: {text}" for text in authors_in_words(tally)]
        lines += [f"API calls: {tally.calls}"]
        lines += [f"not looked at: {line}" for line in tally.left]
        self._talk.lines(lines)


def authors_in_words(tally: Tally) -> list[str]:
    """What a dry run found out about authors, where they are more than folders."""
    shown = {
        AuthorSource.NEW: "would be created",
        AuthorSource.RAISED: "would be raised",
        AuthorSource.FALLBACK: "fall back to me",
    }
    counts = {text: tally.authors[source] for source, text in shown.items()}
    return [", ".join(f"{count:,} {text}" for text, count in counts.items() if count)] if any(counts.values()) else []


def summary(tally: Tally) -> str:
    """The counts of a pass in a line."""
    shown = (
        Outcome.PUBLISHED,
        Outcome.UPDATED,
        Outcome.DELETED,
        Outcome.UP_TO_DATE,
        Outcome.WAITING,
        Outcome.SKIPPED,
        Outcome.FAILED,
        Outcome.PARKED,
        Outcome.LOST,
        Outcome.REFUSED,
    )
    parts = [f"{count:,} {name.replace('_', ' ')}" for name in shown if (count := tally.outcomes[name])]
    parts += [size_in_words(tally.bytes), plural(tally.calls, "API call")]
    return ", ".join([*parts, plural(tally.downloads, "download request")])
