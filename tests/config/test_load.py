"""From YAML to values: every key, and the sentences a user reads about what is wrong."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.config.builders import AT, CREDENTIALS, a_config, a_file, library_of, problems, refusal
from zoomsync.config import (
    Config,
    EngineSettings,
    RecordingsSettings,
    TellSettings,
    ZoomSettings,
    load,
    parse,
)
from zoomsync.config.describe import describe
from zoomsync.destinations.library.settings import LibrarySettings
from zoomsync.errors import ConfigError
from zoomsync.model import Kind
from zoomsync.rules.named import FORMS

KINDS = "video, audio, captions, chat, timeline, summary, other"
ZONES = "(write UTC, meeting or Europe/Berlin, say)"
EVERYONE = (
    "with blank filter_accounts would delete EVERY user's cloud recordings once they are stored "
    "(fill in filter_accounts, or set delete_all_accounts: true)"
)
NO_FLAG = (
    "is none of the flags that may stand here "
    "(they set the pace, like --transfers=2; the options of a store stand in rclone's own config)"
)
TITLES = "{topic}, {start}, {host}, {number} (write {topic} – {start:%Y-%m-%d %H:%M}, say)"


def test_credentials_alone_make_a_config_of_safe_defaults() -> None:
    config = a_config()

    assert {name: getattr(config, name) for name in Config.model_fields if name not in ("zoom", "recordings")} == {
        "enabled": True,
        "filter_accounts": (),
        "filter_accounts_file": None,
        "exclude_accounts": (),
        "unknown_accounts": "fail",
        "exclude_meetings": frozenset(),
        "hold_meetings": frozenset(),
        "concatenate_recordings": True,
        "reencode": True,
        "publish_as": "zoom_user",
        "me": None,
        "aliases": {},
        "publish_state": "published",
        "title": "{topic} – {start:%Y-%m-%d %H:%M}",
        "timezone": "UTC",
        "delete_recordings": "never",
        "delete_after": timedelta(days=7),
        "delete_limit": 200,
        "delete_all_accounts": False,
        "destination": config.destination,
        "state": Path("/srv/zoomsync/state/state.json"),
        "audit": Path("/srv/zoomsync/state/audit.jsonl"),
        "staging": None,
        "min_free_disk": 2_000_000_000,
        "workers": 4,
        "connections": 8,
        "bandwidth": None,
        "engine": EngineSettings(),
        "tell": TellSettings(),
    }
    assert config.destination.model_dump() == {
        "type": "library",
        "path": Path("/srv/zoomsync/library"),
        "dir_mode": 0o750,
        "file_mode": 0o640,
        "group": None,
    }
    assert config.recordings.model_dump() == {
        "since": None,
        "lookback": timedelta(days=14),
        "sweep": timedelta(days=7),
        "settle": timedelta(minutes=30),
        "min_duration": timedelta(),
        "views": "all",
        "files": frozenset(Kind),
    }
    assert config.zoom.model_dump(include={"api_url", "oauth_url", "download_hosts", "listing", "rate"}) == {
        "api_url": "https://api.zoom.us/v2",
        "oauth_url": "https://zoom.us/oauth/token",
        "download_hosts": ("zoom.us", "zoomgov.com"),
        "listing": "auto",
        "rate": 10,
    }
    assert config.path == AT


def test_the_example_says_the_defaults(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "config.example.yaml"
    said = load(example, {})
    default = load(a_file(tmp_path, CREDENTIALS), {})

    def values(config: Config) -> dict[str, object]:
        return config.model_dump(exclude={"zoom": {"account_id", "client_id", "client_secret"}})

    assert str(values(said)).replace(str(example.parent), ".") == str(values(default)).replace(str(tmp_path), ".")


def test_what_people_write_becomes_values(tmp_path: Path) -> None:
    text = f"""{CREDENTIALS}
filter_accounts: [Ada@Example.ORG, grace@example.org]
aliases: {{Ada@example.org: A.Lovelace@uni.example}}
hold_meetings: ["/abc//DEF+ghi=="]
recordings:
  since: 2026-01-01
  sweep: never
  views: [gallery_view, active_speaker]
  files: [video, chat]
delete_recordings: permanent
destination: {{path: /srv/library, group: 1000}}
state: ../s.json
timezone: Europe/Berlin
"""

    config = load(a_file(tmp_path, text), {})

    assert config.filter_accounts == ("ada@example.org", "grace@example.org")
    assert config.aliases == {"ada@example.org": "a.lovelace@uni.example"}
    assert config.hold_meetings == {"/abc//DEF+ghi=="}
    assert config.recordings.since == datetime(2026, 1, 1, tzinfo=UTC)
    assert config.recordings.sweep is None
    assert config.recordings.views == ("gallery_view", "active_speaker")
    assert config.recordings.files == {Kind.VIDEO, Kind.CHAT}
    assert config.delete_recordings == "permanent"
    assert (library_of(config).path, library_of(config).group) == (Path("/srv/library"), "1000")
    assert (config.state, config.audit) == (tmp_path.parent / "s.json", tmp_path.parent / "audit.jsonl")
    assert config.timezone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("../library", "library"),
        ("a/../../library", "library"),
        ("./library/", "here/library"),
        ("library", "here/library"),
        ("link", "here/link"),
        ("link/../library", "far/library"),
        ("loop/../library", "here/library"),
        ("/srv/../library", "/library"),
    ],
)
def test_a_path_goes_up_as_the_system_goes_and_is_kept_else_as_it_was_written(
    tmp_path: Path, written: str, place: str
) -> None:
    for name in ("here", "far/away"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "here" / "link").symlink_to(tmp_path / "far" / "away")
    (tmp_path / "here" / "loop").symlink_to("loop")
    text = f"{CREDENTIALS}destination: {{path: {written}}}\nstate: {written}/state.json\n"

    config = load(a_file(tmp_path / "here", text), {})

    expected = tmp_path / place
    assert (library_of(config).path, config.state) == (expected, expected / "state.json")


def test_modes_can_be_left_to_the_mount(tmp_path: Path) -> None:
    config = load(a_file(tmp_path, f"{CREDENTIALS}destination: {{dir_mode: keep, file_mode: keep}}\n"), {})

    assert (library_of(config).dir_mode, library_of(config).file_mode) == (None, None)


@pytest.mark.timeout(10)
def test_a_filter_file_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "users.txt")

    found = problems(tmp_path, f"{CREDENTIALS}filter_accounts_file: users.txt\n")

    assert found == ["filter_accounts_file: <folder>/users.txt: not a regular file (make it readable for this user)"]


@pytest.mark.parametrize(
    ("written", "since"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ('"2026-01-31"', datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31 09:30:00", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
        ("2026-01-31T09:30:00Z", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
        ("2026-01-31T09:30:00+02:00", datetime(2026, 1, 31, 7, 30, tzinfo=UTC)),
        ('"2026-01-31T09:30:00+02:00"', datetime(2026, 1, 31, 7, 30, tzinfo=UTC)),
    ],
)
def test_since_is_a_date_or_a_timestamp_and_means_utc(tmp_path: Path, written: str, since: datetime) -> None:
    config = load(a_file(tmp_path, f"{CREDENTIALS}recordings: {{since: {written}}}"), {})

    assert config.recordings.since == since


def test_a_key_without_a_value_has_its_default(tmp_path: Path) -> None:
    text = f"{CREDENTIALS}filter_accounts:\n  # - ada@example.org\nrecordings:\naudit: null\nworkers: ~\n"

    config = load(a_file(tmp_path, text), {})

    assert (config.filter_accounts, config.recordings, config.workers) == ((), a_config().recordings, 4)


def test_systemd_says_where_the_state_is_unless_the_config_does() -> None:
    environ = {"STATE_DIRECTORY": "/var/lib/zoomsync:/var/lib/other"}

    by_systemd, by_config = a_config(environ), a_config(environ, state="/x/y.json")

    assert (by_systemd.state, by_systemd.audit) == (
        Path("/var/lib/zoomsync/state.json"),
        Path("/var/lib/zoomsync/audit.jsonl"),
    )
    assert (by_config.state, by_config.audit) == (Path("/x/y.json"), Path("/x/audit.jsonl"))


def test_variables_are_filled_in_everywhere_and_can_be_numbers_and_switches() -> None:
    environ = {"ROOT": "/srv", "N": "7", "OFF": "false", "ADA": "ada@example.org"}

    config = a_config(
        environ,
        workers="${N}",
        enabled="${OFF}",
        filter_accounts=["${ADA}"],
        destination={"path": "${ROOT}/lib"},
        title="$${topic} {topic}"[:2] + " {topic}",
    )

    assert (config.workers, config.enabled, config.filter_accounts) == (7, False, ("ada@example.org",))
    assert library_of(config).path == Path("/srv/lib")


def test_two_dollars_make_a_literal() -> None:
    assert library_of(a_config(destination={"path": "/srv/$${x}"})).path == Path("/srv/${x}")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/v2", "http://localhost/v2", "http://[::1]:1/v2/"])
def test_loopback_may_do_without_https(url: str) -> None:
    assert a_config(zoom={"api_url": url}).zoom.api_url == url.rstrip("/")


def test_a_filter_file_counts_with_comments_and_blank_lines(tmp_path: Path) -> None:
    a_file(tmp_path, "\ufeff# ours\nAda@example.org   # the first\n\n  grace@example.org\r\n", "users.txt")

    config = load(a_file(tmp_path, f"{CREDENTIALS}filter_accounts: []\nfilter_accounts_file: users.txt\n"), {})

    assert config.filter_accounts == ("ada@example.org", "grace@example.org")
    assert config.filter_accounts_file == tmp_path / "users.txt"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("# none\n", "holds no address, which would mean every user (fill it in, or remove the key)"),
        ("ada@example.org\nBob\n", 'line 2: "Bob" is not an e-mail address (write name@example.org)'),
        ("a@b.c,d@e.f", 'line 1: "a@b.c,d@e.f" is not an e-mail address (write name@example.org)'),
        (None, "no such file or directory (make it readable for this user)"),
    ],
)
def test_a_filter_file_that_would_widen_the_selection_is_refused(
    tmp_path: Path, content: str | None, sentence: str
) -> None:
    if content is not None:
        a_file(tmp_path, content, "users.txt")

    found = problems(tmp_path, f"{CREDENTIALS}filter_accounts_file: users.txt\ndelete_recordings: trash\n")

    assert found == [f"filter_accounts_file: <folder>/users.txt: {sentence}"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("recordings: {lookbak: 3d}", "recordings.lookbak: unknown key (did you mean lookback?)"),
        ("lookback: 3d", "lookback: unknown key (did you mean recordings.lookback?)"),
        ("recordings: {title: x}", "recordings.title: unknown key (did you mean title at the top level?)"),
        ("zzz: 3", "zzz: unknown key (remove it)"),
        ("on: 3", "true: unknown key (remove it)"),
        ('"a\\eb": 3', "a\\x1bb: unknown key (remove it)"),
        ("a: &a [*a, *a]", "a: is nested too deeply (write it as config.example.yaml does)"),
        ("recordings: 3", "recordings: is not a mapping (write its keys below it, indented)"),
        ("enabled: yep", 'enabled: "yep" is neither true nor false (write one of them)'),
        ("workers: four", 'workers: "four" is not a whole number (write 1 to 64)'),
        ("workers: 0", "workers: 0 is not between 1 and 64 (write 1 to 64)"),
        ("workers: 2.5", "workers: 2.5 is not a whole number (write 1 to 64)"),
        ("workers: true", "workers: true is not a whole number (write 1 to 64)"),
        ("workers: .inf", "workers: inf is not a whole number (write 1 to 64)"),
        (f"workers: '{'9' * 5000}'", f'workers: "{"9" * 59}…" is not a whole number (write 1 to 64)'),
        ("delete_limit: 0", "delete_limit: 0 is not between 1 and 1000000 (write 1 to 1000000)"),
        ("unknown_accounts: wran", 'unknown_accounts: "wran" is none of fail, warn (did you mean warn?)'),
        ("delete_recordings: no", "delete_recordings: false is none of never, trash, permanent (write never, say)"),
        ("recordings: {files: [vidoe]}", f'recordings.files.0: "vidoe" is none of {KINDS} (did you mean video?)'),
        ("recordings: {files: []}", "recordings.files: is an empty list (remove the key to have its default)"),
        ("recordings: {views: []}", "recordings.views: is an empty list (write all, or name a view)"),
        (
            "recordings: {views: worst}",
            'recordings.views: "worst" is neither all nor best nor a list (write - gallery_view, say)',
        ),
        ("recordings: {settle: 30}", "recordings.settle: 30 has no unit (write 30m, 30h or 30d)"),
        (
            "recordings: {since: 2026-13-45}",
            'recordings.since: "2026-13-45" is not a date (write 2026-01-31 or 2026-01-31T09:30:00Z)',
        ),
        (
            "recordings: {since: 30d}",
            'recordings.since: "30d" is not a date (write 2026-01-31 or 2026-01-31T09:30:00Z)',
        ),
        ("connections: 0", "connections: 0 is not between 1 and 64 (write 1 to 64)"),
        ("connections: 65", "connections: 65 is not between 1 and 64 (write 1 to 64)"),
        (
            "engine: {type: dask}",
            "engine.scheduler: missing, but engine.type is dask (write tls://host:8786)",
        ),
        (
            "engine: {scheduler: tls://host:8786}",
            "engine.scheduler: is for type: dask (write that, or remove it)",
        ),
        (
            "engine: {type: dask, scheduler: tls://host:8786, tls: {ca: ca.pem, key: key.pem}}",
            "engine.tls.cert: missing (share/doc/cluster.md makes the certificates)",
        ),
        (
            "engine: {type: dask, scheduler: tcp://host:8786}",
            'engine.scheduler: "tcp://host:8786" would let the network run programs here (write tls://host:8786)',
        ),
        (
            "engine: {type: dask, scheduler: host:8786}",
            'engine.scheduler: "host:8786" is not the address of a scheduler (write tls://host:8786)',
        ),
        ("engine: {type: dusk}", 'engine.type: "dusk" is none of threads, dask (did you mean dask?)'),
        ("bandwidth: 50", "bandwidth: 50 has no unit (write 50B, 50MB or 50GB)"),
        ("bandwidth: 0", "bandwidth: 0 is too little to fetch anything with (write 50MB, or nothing for no limit)"),
        (
            "bandwidth: 9.9KB",
            'bandwidth: "9.9KB" is too little to fetch anything with (write 50MB, or nothing for no limit)',
        ),
        ("bandwidth: 50Mbit", 'bandwidth: "50Mbit" is not a size (write 500MB, 2GB or 1GiB)'),
        ("min_free_disk: 1e999", 'min_free_disk: "1e999" is not a size (write 500MB, 2GB or 1GiB)'),
        (
            "filter_accounts: ada@example.org",
            'filter_accounts: "ada@example.org" is not a list (write each entry on its own line after a dash)',
        ),
        ("filter_accounts: [ada]", 'filter_accounts.0: "ada" is not an e-mail address (write name@example.org)'),
        ("exclude_accounts: ['']", "exclude_accounts.0: is empty (fill it in, or remove it)"),
        ("filter_accounts:\n  -", "filter_accounts.0: is empty (fill it in, or remove it)"),
        ("recordings: {files: [video, ~]}", "recordings.files.1: is empty (fill it in, or remove it)"),
        ("recordings: {views: [~]}", "recordings.views.0: is empty (fill it in, or remove it)"),
        ("aliases: {ada@x.org: 3}", "aliases.ada@x.org: 3 is not text (write it in quotes)"),
        ("aliases: {ada: a@x.org}", 'aliases.ada: "ada" is not an e-mail address (write name@example.org)'),
        (
            "hold_meetings: [ada@example.org]",
            f"hold_meetings.0: 'ada@example.org' names no meeting: write {FORMS}",
        ),
        ("publish_as: me", "me: missing, but publish_as is me (write the e-mail of the author)"),
        ("title: '{topic.x}'", f"title: {{topic.x}} is not one of {TITLES}"),
        ('me: "a\\ud83d@b.c"', 'me: "a\\ud83d@b.c" has half of a character (write it again)'),
        ('title: "{topic}\\r{start}"', "title: has control characters or lines (write it on one line)"),
        ("title: ''", "title: is empty (fill it in, or remove it)"),
        (
            "timezone: Europe/Berln",
            'timezone: "Europe/Berln" is not a time zone of this machine (did you mean Europe/Berlin?)',
        ),
        (
            "timezone: ../../etc/passwd",
            f'timezone: "../../etc/passwd" is not a time zone of this machine {ZONES}',
        ),
        (
            "delete_recordings: trash",
            f'delete_recordings: "trash" {EVERYONE}',
        ),
        (
            "destination: {type: rclone, remote: x}",
            'destination.remote: "x" is no remote (write one of rclone\'s config, a colon and a path: s3:bucket/zoom)',
        ),
        (
            "destination: {type: rclone, remote: 's3:box', flags: [--dry-run]}",
            f"destination.flags.0: --dry-run {NO_FLAG}",
        ),
        (
            "destination: {type: rclone, remote: 's3:box', flags: [--s3-secret-access-key=x]}",
            f"destination.flags.0: --s3-secret-access-key {NO_FLAG}",
        ),
        (
            "destination: {type: rclone, remote: 's3:box', flags: ['--header=Authorization: x']}",
            f"destination.flags.0: --header {NO_FLAG}",
        ),
        (
            "destination: {type: rclone, remote: 's3:box', flags: [--dump=auth]}",
            f"destination.flags.0: --dump {NO_FLAG}",
        ),
        *(
            (
                f"destination: {{type: rclone, remote: 's3:box', flags: ['{flag}']}}",
                f"destination.flags.0: {flag.partition('=')[0]} {NO_FLAG}",
            )
            for flag in (
                *("--quiet", "--internxt-mnemonic=x", "--mega-session-id=x", "--metrics-addr=:1", "--s3-versions"),
                *("--metadata-mapper=x", "--memory-discard", "--s3-storage-class=GLACIER", "--no-check-certificate"),
                *("--sftp-sha256sum-command=x", "--oos-disable-checksum=false", "--s3-disable-checksum=false"),
            )
        ),
        *(
            (
                f"destination: {{type: rclone, remote: 's3:{path}'}}",
                f'destination.remote: "s3:{path}" has a path that stores change (write it without //, ., .. and \\)',
            )
            for path in ("a//b", "zoom//", "a/../b", "./a", "../x", "a/.", "a\\b")
        ),
        (
            "destination: {type: rclone, remote: 's3:box', flags: [transfers]}",
            'destination.flags.0: "transfers" is no flag of rclone (write --name=value)',
        ),
        (
            "destination: {type: libary}",
            'destination.type: "libary" is none of library, vidizmo, rclone (did you mean library?)',
        ),
        (
            "destination: {dir_mode: 750}",
            'destination.dir_mode: 750 is not a mode (write it in quotes with its zero, such as "0750")',
        ),
        (
            "destination: {file_mode: 0666}",
            'destination.file_mode: 0666 lets everyone change what is stored (write "0664")',
        ),
        (
            "destination: {dir_mode: '0640'}",
            'destination.dir_mode: 0640 does not let zoomsync enter and write the folders (write "0740")',
        ),
        ("staging: ~/x", 'staging: "~/x" begins with ~, which is not expanded (write ${HOME}/…)'),
        ("state: ''", "state: is empty (fill it in, or remove it)"),
        (
            "state: ${NOPE}/state.json",
            "state: environment variable NOPE is not set (set it, or write $${ for a literal ${)",
        ),
        ("me: '${a-b}'", "me: has a ${…} that is no variable's name (write $${ for a literal ${)"),
        (
            "state: a.json\naudit: ./a.json",
            "audit: is the same file as state (remove the key to have audit.jsonl beside the state)",
        ),
    ],
)
def test_a_problem_is_reported_with_its_path_and_its_remedy(tmp_path: Path, text: str, sentence: str) -> None:
    assert problems(tmp_path, CREDENTIALS + text) == [sentence]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("api_url: http://zoom.us", 'zoom.api_url: "http://zoom.us" would send secrets unencrypted (write https://…)'),
        ("api_url: zoom.us", 'zoom.api_url: "zoom.us" is not an address (write https://…)'),
        (
            "api_url: https://evil.test%2f.zoom.us/v2",
            'zoom.api_url: "https://evil.test%2f.zoom.us/v2" is not an address (write https://…)',
        ),
        (
            "oauth_url: 'https://evil.test;.zoom.us/oauth'",
            'zoom.oauth_url: "https://evil.test;.zoom.us/oauth" is not an address (write https://…)',
        ),
        ("api_url: 'http://127.0.0.1.example.org'", "zoom.api_url: "),
        (
            "oauth_url: 'https://me:hunter2@zoom.us/oauth'",
            "zoom.oauth_url: has a user, password, query or fragment (write https://host/path alone)",
        ),
        ("oauth_url: 'https://me:hunter2@[zoom.us'", "zoom.oauth_url: is not an address (write https://…)"),
        (
            "download_hosts: ['https://zoom.us']",
            'zoom.download_hosts.0: "https://zoom.us" is not a host name (write zoom.us, without https:// or *)',
        ),
        (
            "download_hosts: [com]",
            'zoom.download_hosts.0: "com" is not a host name (write zoom.us, without https:// or *)',
        ),
        ("rate: 100", "zoom.rate: 100 is not between 1 and 80 (write 1 to 80)"),
        ("listing: atuo", 'zoom.listing: "atuo" is none of auto, account, users (did you mean auto?)'),
        ("client_secrte: hunter2", "zoom.client_secrte: unknown key (did you mean client_secret?)"),
    ],
)
def test_a_problem_of_the_zoom_section_is_reported_without_secrets(tmp_path: Path, text: str, sentence: str) -> None:
    credentials = "zoom:\n  account_id: a\n  client_id: b\n  client_secret: hunter2\n  "

    (found,) = problems(tmp_path, credentials + text)

    assert found.startswith(sentence)
    assert "hunter2" not in found


def test_missing_credentials_are_reported_with_both_ways_to_give_them(tmp_path: Path) -> None:
    expected = [
        "zoom.account_id: missing (write ${ZOOM_ACCOUNT_ID}, or set account_id_file)",
        "zoom.client_id: missing (write ${ZOOM_CLIENT_ID}, or set client_id_file)",
        "zoom.client_secret: missing (write ${ZOOM_CLIENT_SECRET}, or set client_secret_file)",
    ]

    assert problems(tmp_path, "enabled: true") == expected
    assert problems(tmp_path, "zoom:\n") == expected
    assert problems(tmp_path, "zoom: hunter2") == ["zoom: is not a mapping (write its keys below it, indented)"]


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    a_file(tmp_path, "ada@example.org", "users.txt")
    text = """
zoom: {account_id: 12, client_id: x, client_id_file: y, client_secret: ''}
filter_accounts: [ada@example.org]
filter_accounts_file: users.txt
workers: many
recordings: {lookbak: 3d, sweep: 7}
state: ${NOPE}
destination: {type: rclone}
"""

    error = refusal(tmp_path, text)

    assert str(error) == f"{tmp_path}/config.yaml: 9 problems"
    assert error.hint == "config.example.yaml shows every key"
    assert sorted(error.problems) == [
        "destination.remote: missing (config.example.yaml shows it)",
        "filter_accounts: is set, and filter_accounts_file too (keep one)",
        "recordings.lookbak: unknown key (did you mean lookback?)",
        "recordings.sweep: 7 has no unit (write 7m, 7h or 7d)",
        "state: environment variable NOPE is not set (set it, or write $${ for a literal ${)",
        'workers: "many" is not a whole number (write 1 to 64)',
        "zoom.account_id: is empty or not text (write it in quotes, or better as ${NAME})",
        "zoom.client_id: is set, and client_id_file too (keep one)",
        "zoom.client_secret: is empty or not text (write it in quotes, or better as ${NAME})",
    ]


def test_deleting_for_everyone_must_be_said(tmp_path: Path) -> None:
    a_file(tmp_path, "ada@example.org", "users.txt")

    for allowed in ("delete_all_accounts: true", "filter_accounts: [a@b.c]", "filter_accounts_file: users.txt"):
        text = f"{CREDENTIALS}delete_recordings: trash\n{allowed}\n"
        assert load(a_file(tmp_path, text), {}).delete_recordings == "trash"

    assert len(problems(tmp_path, f"{CREDENTIALS}delete_recordings: trash\ndelete_all_accounts: false\n")) == 1


def test_a_message_shows_what_was_written_not_what_a_variable_holds(tmp_path: Path) -> None:
    found = problems(tmp_path, CREDENTIALS + "me: ${PASSWORD}\nworkers: ${PASSWORD}", {"PASSWORD": "hunter2"})

    assert found == [
        'me: "${PASSWORD}" is not an e-mail address (write name@example.org)',
        'workers: "${PASSWORD}" is not a whole number (write 1 to 64)',
    ]


PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["${A}", "${", "$${x}", "0750", "1h", "a@b.c", "~", "/", "never", "all", "https://[", "{start:%"])
    | st.dates()
    | st.datetimes()
)
KEYS = sorted(
    {
        *Config.model_fields,
        *RecordingsSettings.model_fields,
        *ZoomSettings.model_fields,
        *LibrarySettings.model_fields,
        "x.y",
    }
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | PLAIN, inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4))
@settings(max_examples=300)
def test_whatever_is_written_becomes_a_config_or_sentences(keys: dict[str, object]) -> None:
    credentials = {"account_id": "a", "client_id": "b", "client_secret": "hunter2"}
    try:
        describe(parse({"zoom": credentials, **keys}, AT, {"A": "hunter2"}))
    except ConfigError as error:
        assert error.problems
        assert all(problem.endswith(")") and "hunter2" not in problem for problem in error.problems)
