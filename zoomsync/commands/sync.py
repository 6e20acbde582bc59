"""`zoomsync sync`: opens what a pass needs, runs it, and reports how it ended."""

import logging
import math
import re
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import asdict, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoomsync import app
from zoomsync.app import Environment
from zoomsync.clock import ending, this_process
from zoomsync.commands.tell import Teller
from zoomsync.config import Config
from zoomsync.console import Terminal, fields
from zoomsync.destinations.base import NEW_LIBRARY, Destination
from zoomsync.errors import PassRunning, Stopped, TimeOver, UsageError, ZoomsyncError
from zoomsync.formatting import plural, size_in_words
from zoomsync.item.disk import Disk, tidy
from zoomsync.model import Outcome, Run, Zoom
from zoomsync.progress import Progress, progress_shown
from zoomsync.rules.named import Named, problem_with
from zoomsync.rules.request import SyncRequest
from zoomsync.state import State, lock, owner_check
from zoomsync.sync.engine import Connections, Pass
from zoomsync.sync.run_record import RunRecord
from zoomsync.sync.tally import Tally

if TYPE_CHECKING:  # imported once something is due, and the deleter if something is to be deleted
    from zoomsync.item.order import Engine
    from zoomsync.item.worker import WorkerContext
    from zoomsync.sync.deleter import Deleter

log = logging.getLogger(__name__)

SUMMARY = (
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
    Outcome.UNLISTED,
    Outcome.VERIFIED,
    Outcome.DIFFERS,
    Outcome.UNVERIFIED,
    Outcome.UNREAD,
    Outcome.UNADOPTED,
)
"""What the last line of a pass counts."""


def request_of(user: tuple[str, ...], meeting: tuple[str, ...], sample: str | None, **more: Any) -> SyncRequest:
    """What the options of `sync` ask for; raises `UsageError` for what does not go together."""
    share = re.fullmatch(r"(\d{1,3}(?:\.\d+)?) ?%", sample or "100%", re.ASCII)
    if share is None or not 0 < float(share[1]) <= 100:
        raise UsageError(f"--sample: {sample!r} is no share", hint="write 5%")
    if not all(one.strip() for one in user):
        raise UsageError("--user: is empty", hint="give an e-mail address; is a variable of your script unset?")
    for what in meeting:
        if problem := problem_with(what):
            raise UsageError(
                f"--meeting: {problem}", hint="`zoomsync status --meeting TOPIC` finds it by topic or host"
            )
    if more["accept_size"] and not meeting:
        hint = "say with --meeting which recording is to be stored although its size differs"
        raise UsageError("--accept-size: no meeting is named", hint=hint)
    if sample is not None and not more["verify"]:
        raise UsageError("--sample goes with --verify only", hint="add --verify")
    wishes = [wish for wish in ("new_library", "adopt_library", "reconcile") if more[wish]]
    if more["verify"] and (more["dry_run"] or more["retry_failed"] or more["accept_size"] or wishes):
        raise UsageError("--verify only reads what is stored", hint="leave the other options out")
    if len(wishes) > 1:
        names = " and ".join(f"--{wish.replace('_', '-')}" for wish in wishes)
        raise UsageError(f"{names} do not go together", hint="the manual's chapter on the life cycle says which one")
    request = SyncRequest(
        users=tuple(one.lower() for one in user), meetings=Named(meeting), **more, sample=float(share[1]) / 100
    )
    if request.since and request.until and request.since >= request.until:
        raise UsageError("--since is not before --until", hint="swap them")
    return request


def sync(named: Path | None, terminal: Terminal, env: Environment, request: SyncRequest, *, workers: int | None) -> int:
    """One pass, or its plan; returns the exit code."""
    config = env.config(named)
    request = replace(request, meetings=request.meetings.within(config.timezone))
    if workers is not None:
        config = config.model_copy(update={"workers": workers})
    owner_check(config.state, env.uid)
    tally = Tally()
    work = partial(_work, config, terminal, env, request, tally)
    audit = None if request.new_library or request.adopt_library else config.audit
    if request.dry_run:
        with ending(env.clock, lambda _: None), suppress(TimeOver):
            state = State.read(config.state, audit=audit) or State.imagined(config.state)
            work(state)
        from zoomsync.commands.plan import print_plan

        print_plan(terminal, config, state, tally)
        return tally.code
    try:
        with (
            lock(config.state, env.clock.now()),
            State.open(config.state, new_id=env.new_id(), audit=audit) as state,
        ):
            return _recorded(config, state, terminal, env, request, tally, lambda: work(state))
    except PassRunning as running:
        if request.narrowed:  # somebody waits for it
            log.warning("%s: %s", running, running.hint)
        else:
            log.info("%s", running)
        if terminal.as_json:
            terminal.document({"error": str(running), "hint": running.hint, "problems": (), "code": running.code})
        return running.code


def _recorded(
    config: Config,
    state: State,
    terminal: Terminal,
    env: Environment,
    request: SyncRequest,
    tally: Tally,
    work: Callable[[], None],
) -> int:
    """Do the work on the record of the state, whatever ends it, and report."""
    record = RunRecord(state, env.clock, run_id=env.new_id()[:8], process=this_process(), request=request)
    terminal.run_id = record.run.id
    teller = Teller(config, env, request)
    record.begin()
    teller.started()
    with ending(env.clock, lambda signum: record.end(tally, code=128 + signum, why="stopped")):
        try:
            run, error = record.go(work, tally)
            _report(terminal, run, error, tally)
        except Stopped as stop:
            is_open = request.adopt_library and not state.head.adopting  # it has ended, or was stopped before it began
            again = "; if that one does not go on with the adoption, adopt again" if is_open else ""
            log.warning("%s: the state is saved, the next pass goes on from here%s", stop, again)
            _report(terminal, record.run, None, tally)
            raise
        finally:
            teller.ended(state, record.run, summary(record.run))
    return run.code or 0


def _work(
    config: Config, terminal: Terminal, env: Environment, request: SyncRequest, tally: Tally, state: State
) -> None:
    """Open everything, run the pass, close everything."""
    if not config.enabled:
        log.info("disabled: enabled is false in %s", config.path)
        return
    run_id, is_dry = terminal.run_id, request.dry_run
    with ExitStack() as stack:
        connection = app.connect(config, env.clock, stack, tries=app.TRIES, rate=config.own_rate)
        progress = stack.enter_context(
            progress_shown(terminal, lambda: connection.api.calls, shown=terminal.colour and not terminal.quiet)
        )
        destination = app.destination(config, env, connection.zoom, state, stack, tries=app.TRIES, progress=progress)
        request = _attach(destination, env, state, request, tally, run_id)
        executor = _pool(stack, 2 * config.workers, "meeting")
        if request.verify:
            from zoomsync.sync.verifier import Verifier

            excluded = config.named_meetings["exclude_meetings"]
            verifier = Verifier(destination, state, tally, env.clock, progress, request, excluded)
            verifier.run(run_id, executor, config.workers)
            return
        staging = app.staging(config, state.head.id)
        _expect_engine(config, env)
        if not is_dry:
            tidy(staging, state.entries.of_folder)
        connections = Connections(
            config=config,
            request=request,
            state=state,
            executor=executor,
            zoom=connection.zoom,
            destination=destination,
            clock=env.clock,
            progress=progress,
            worker_context=partial(_worker_context, config, env, stack, connection, destination, staging, progress),
            deleter=None if is_dry else _deleter(config, connection.zoom, state, env, run_id, stack),
        )
        try:
            Pass(connections, tally).run()
        except TimeOver as over:  # before it was known whose lists to read
            tally.left.append(f"whatever is to be listed: {over}")
            raise
        finally:
            tally.calls += connection.api.calls
            tally.downloads += connection.files.calls


def _expect_engine(config: Config, env: Environment) -> None:
    """Raise `ToolMissing` or `ConfigError` for what is missing where items are made, before anything is asked."""
    if config.engine.type == "dask":
        from zoomsync.cluster.client import require_dask

        require_dask()
    else:
        app.expect_tools(path=env.environ.get("PATH", ""))


def _worker_context(
    config: Config,
    env: Environment,
    stack: ExitStack,
    connection: app.ZoomConnection,
    destination: Destination,
    staging: Path,
    progress: Progress,
) -> "WorkerContext":
    """What the workers share, once something is due."""
    from zoomsync.item.build import ItemStyle
    from zoomsync.item.worker import WorkerContext

    return WorkerContext(
        style=ItemStyle.of(config, can_replace=destination.can_replace),
        zoom=connection.zoom,
        destination=destination,
        engine=_engine(config, env, stack, connection, staging, progress),
        staging=staging,
        storage=config.destination.storage,
        disk=Disk(keep_free=config.min_free_disk, clock=env.clock),
        clock=env.clock,
        progress=progress,
    )


def _engine(
    config: Config,
    env: Environment,
    stack: ExitStack,
    connection: app.ZoomConnection,
    staging: Path,
    progress: Progress,
) -> "Engine":
    """Where items are made."""
    if config.engine.type == "dask":
        from zoomsync.cluster.client import Cluster
        from zoomsync.cluster.engine import DaskEngine

        cluster = Cluster(config, staging, env.clock)
        stack.callback(cluster.close)
        return DaskEngine(cluster, staging, env.clock, progress)
    from zoomsync.item.order import Slots, ThreadEngine, Workshop
    from zoomsync.media.ffmpeg import find_tools

    workshop = Workshop(
        downloads=connection.downloads(),
        transfers=_pool(stack, config.connections, "file"),
        tools=cache(partial(find_tools, path=env.environ.get("PATH", ""), environ=env.environ)),
        stitching=Slots(config.workers, env.clock),
        clock=env.clock,
        progress=progress,
    )
    return ThreadEngine(executor=_pool(stack, 2 * config.workers, "item"), workshop=workshop)


def _pool(stack: ExitStack, size: int, name: str) -> Executor:
    """So many threads of this name, until the stack ends."""
    executor = ThreadPoolExecutor(max_workers=size, thread_name_prefix=name)
    stack.callback(executor.shutdown, wait=False, cancel_futures=True)
    return executor


def _attach(
    destination: Destination, env: Environment, state: State, request: SyncRequest, tally: Tally, run_id: str
) -> SyncRequest:
    """Take the destination, as the request wants it; what the pass is asked for now that it has it.

    An adoption that did not come to its end goes on, whatever ended it.
    """
    limit = request.max_duration and request.max_duration / 2  # the other half is for what is new
    over_at = math.inf if limit is None else env.clock.monotonic() + limit.total_seconds()
    app.attach(destination, env, state, request, run=run_id)
    if state.head.adopting == NEW_LIBRARY and destination.last_change is not None and not request.dry_run:
        state.update(adopting=destination.id)
    is_begun = destination.id == state.head.adopting != ""
    if request.adopt_library or is_begun:
        from zoomsync.sync.reconciler import adopt

        if not request.adopt_library:
            log.info("an adoption did not come to its end, this pass goes on with it")
        request = replace(request, no_delete=True)
        if destination.last_change is None:
            log.info("what is stored is found as Zoom lists its meetings; nothing is deleted in this pass")
        else:
            request = replace(request, max_duration=limit)
            adopt(state, destination, env.clock, tally, is_dry=request.dry_run, over_at=over_at)
    if request.reconcile:
        from zoomsync.sync.reconciler import reconcile

        reconcile(state, destination, is_dry=request.dry_run)
        if not request.dry_run:
            app.remember(destination, state)
    return request


def _deleter(
    config: Config, zoom: Zoom, state: State, env: Environment, run_id: str, stack: ExitStack
) -> "Deleter | None":
    """None: nothing is to be deleted, and no earlier deletion waits to be settled."""
    is_unsettled = any(intent.action == "delete" for intent in state.open_intents())
    if config.delete_recordings == "never" and not is_unsettled:
        return None
    from zoomsync.state.audit import Audit
    from zoomsync.sync.deleter import Deleter

    audit = stack.enter_context(Audit(config.audit, env.clock, pass_id=run_id))
    return Deleter(zoom, state, audit, env.clock, env.new_id)


def summary(run: Run) -> str:
    """How a pass ended, in one line."""
    counts = [f"{count:,} {name.replace('_', ' ')}" for name in SUMMARY if (count := run.counts.get(name))]
    counts += [size_in_words(run.counts.get("bytes", 0)), plural(run.counts.get("calls", 0), "API call")]
    counts += [plural(run.counts.get("downloads", 0), "download request")]
    return f"pass {run.number} ended with exit code {run.code or 0}: {', '.join(counts)}"


def _report(terminal: Terminal, run: Run, error: ZoomsyncError | None, tally: Tally) -> None:
    """Say how the pass ended."""
    for line in tally.left:
        log.info("left for the next pass: %s", line)
    if isinstance(error, PassRunning):
        log.info("%s%s", error, f": {error.hint}" if error.hint else "")
    elif error is not None:
        terminal.error(error)
    level = logging.ERROR if run.code not in (0, PassRunning.code) else logging.INFO
    facts = {"event": "pass_ended", "code": run.code or 0, "why": run.why, **tally.counts}
    log.log(level, "%s", summary(run), extra=fields(**facts))
    if terminal.as_json:
        terminal.document({"run": asdict(run), "rows": [asdict(row) for row in tally.rows], "left": tally.left})
