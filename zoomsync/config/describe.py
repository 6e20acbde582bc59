"""What a config means, in sentences for a person."""

from collections.abc import Iterator

from zoomsync.config.schema import Config
from zoomsync.formatting import moment, plural, size_in_words, span_in_words
from zoomsync.model import Kind


def describe(config: Config) -> list[str]:
    """What `auth-check` says first; names what would surprise, shows no secret."""
    return [
        *([] if config.enabled else ["DISABLED: sync does nothing (enabled: false)"]),
        f"config {config.path}",
        f"state {config.state}, audit {config.audit}",
        config.destination.sentence(),
        _accounts(config),
        *_recordings(config),
        *_items(config),
        _deletion(config),
        *_engine(config),
        f"{_limits(config)}, {size_in_words(config.min_free_disk)} of disk kept free",
    ]


def _engine(config: Config) -> Iterator[str]:
    engine = config.engine
    if engine.type == "dask":
        how = "by TLS" if engine.tls.ca else "WITHOUT encryption, on this machine alone"
        yield f"fetches and stitches on the workers of {engine.scheduler}, {how}"


def _limits(config: Config) -> str:
    most = f", {size_in_words(config.bandwidth)} a second at most" if config.bandwidth else ""
    return f"{plural(config.workers, 'worker')}, {plural(config.connections, 'connection')}{most}"


def _accounts(config: Config) -> str:
    but = f", but not {_names(config.exclude_accounts)}" if config.exclude_accounts else ""
    if not config.filter_accounts:
        return f"ALL users: filter_accounts is blank{but}"
    source = f" (from {config.filter_accounts_file})" if config.filter_accounts_file else ""
    return f"{plural(len(config.filter_accounts), 'user')}: {_names(config.filter_accounts)}{source}{but}"


def _names(names: tuple[str, ...]) -> str:
    further = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + further


def _recordings(config: Config) -> Iterator[str]:
    recordings = config.recordings
    since = moment(recordings.since) if recordings.since else "30 days before the first pass"
    sweep = (
        f"everything again every {span_in_words(recordings.sweep)}" if recordings.sweep else "never everything again"
    )
    yield f"recordings since {since}: each pass lists {span_in_words(recordings.lookback)} back, {sweep}"
    shorter = f", none shorter than {span_in_words(recordings.min_duration)}" if recordings.min_duration else ""
    views = recordings.views if isinstance(recordings.views, str) else ", ".join(recordings.views)
    kinds = ", ".join(kind for kind in Kind if kind in config.kinds)
    alone = ", of each segment the best alone" if config.destination.only_primary else ""
    yield f"fetches {kinds}; views: {views}{alone}; {span_in_words(recordings.settle)} after the end{shorter}"


def _items(config: Config) -> Iterator[str]:
    if not config.concatenate_recordings:
        yield "stitches nothing: each segment stays its own video"
    elif not config.reencode:
        yield "stitches by copying only: segments that do not agree stay separate videos"
    else:
        yield "stitches the segments of a meeting into one video, re-encoded if they do not agree"
    fallback = config.me or config.destination.account
    author = fallback if config.publish_as == "me" else "the host"
    otherwise = f", else {fallback}" if fallback and config.publish_as != "me" else ""
    visibility = "as drafts" if config.publish_state == "draft" else config.destination.visibility
    yield f"publishes as {author}{otherwise}, {visibility}"


def _deletion(config: Config) -> str:
    if config.delete_recordings == "never":
        return "deletes nothing"
    how = "to Zoom's trash" if config.delete_recordings == "trash" else "PERMANENTLY from Zoom"
    when = f"{span_in_words(config.delete_after)} after" if config.delete_after else "in the pass after"
    but = f", but for {plural(len(config.hold_meetings), 'meeting')} in hold_meetings" if config.hold_meetings else ""
    return f"deletes {how} {when} publishing, at most {plural(config.delete_limit, 'meeting')} a pass{but}"
