"""Where the config is found, who may have written it, and YAML that cannot be read."""

import os
from pathlib import Path

import pytest

from tests.config.builders import CREDENTIALS, a_file, library_of, refusal
from zoomsync.config import find_config, load, yaml_file
from zoomsync.config.yaml_file import EXAMPLE
from zoomsync.errors import ConfigError

ME = os.geteuid()


def homes(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}


def a_config_in(folder: Path, mode: int = 0o600) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return a_file(folder, CREDENTIALS, mode=mode)


def test_what_is_named_wins_over_the_environment_and_need_not_exist(tmp_path: Path) -> None:
    environ = {"ZOOMSYNC_CONFIG": "other.yaml"}
    a_config_in(tmp_path)

    assert find_config(Path("mine.yaml"), environ, tmp_path, ME) == tmp_path / "mine.yaml"
    assert find_config(None, environ, tmp_path, ME) == tmp_path / "other.yaml"
    assert find_config(None, {"ZOOMSYNC_CONFIG": ""}, tmp_path, ME) == tmp_path / "config.yaml"


def test_places_are_looked_at_in_their_order(tmp_path: Path) -> None:
    environ, cwd = homes(tmp_path), tmp_path / "cwd"
    there = [a_config_in(folder) for folder in (cwd, tmp_path / "xdg/zoomsync", tmp_path / "home/.config/zoomsync")]

    found = []
    for place in there:
        found.append(find_config(None, environ, cwd, ME))
        place.unlink()
        if place == there[1]:
            del environ["XDG_CONFIG_HOME"]

    assert found == there


def test_where_none_is_found_the_places_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_file, "SYSTEM_FOLDER", tmp_path / "etc/zoomsync")
    with pytest.raises(ConfigError) as caught:
        find_config(None, homes(tmp_path), tmp_path, ME)

    places = f"{tmp_path}/config.yaml, {tmp_path}/xdg/zoomsync/config.yaml, {tmp_path}/etc/zoomsync/config.yaml"
    assert str(caught.value) == f"config: none found; looked at {places}"
    assert caught.value.hint == (f"copy {EXAMPLE} to {tmp_path}/config.yaml and fill it in, or name a config with -c")
    assert EXAMPLE.read_text().startswith("# yaml-language-server")


@pytest.mark.parametrize("mode", [0o602, 0o620, 0o666])
def test_a_found_config_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    place = a_config_in(tmp_path, mode)

    with pytest.raises(ConfigError) as caught:
        find_config(None, {}, tmp_path, ME)

    assert str(caught.value) == f"{place}: was found, not named, and is writable by others"
    assert caught.value.hint == f"check what it says, then chmod go-w {place}, or name it with -c"


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640])
def test_a_found_config_that_others_can_only_read_is_taken(tmp_path: Path, mode: int) -> None:
    place = a_config_in(tmp_path, mode)

    assert find_config(None, {}, tmp_path, ME) == place


def another_user_than_the_owner_of(place: Path) -> int:
    """Root's files are everyone's; so root gives the file away first."""
    if ME == 0:
        os.chown(place, 4711, -1, follow_symlinks=False)
        return 4712
    return ME + 1


def test_a_found_config_of_another_user_is_refused(tmp_path: Path) -> None:
    place = a_config_in(tmp_path)
    uid = another_user_than_the_owner_of(place)

    with pytest.raises(ConfigError) as caught:
        find_config(None, {}, tmp_path, uid)

    assert str(caught.value) == f"{place}: was found, not named, and belongs to another user"
    assert caught.value.hint == f"check what it says, then name it with -c {place}"
    assert find_config(place, {}, tmp_path, uid) == place
    assert find_config(None, {"ZOOMSYNC_CONFIG": str(place)}, tmp_path, uid) == place


@pytest.mark.skipif(ME != 0, reason="only root can give a link away")
def test_a_link_that_another_user_laid_to_a_config_of_ours_is_refused(tmp_path: Path) -> None:
    target = a_config_in(tmp_path / "mine")
    (tmp_path / "config.yaml").symlink_to(target)
    uid = another_user_than_the_owner_of(tmp_path / "config.yaml")

    with pytest.raises(ConfigError, match="belongs to another user"):
        find_config(None, {}, tmp_path, uid)


def test_a_dangling_link_is_reported_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").symlink_to("gone.yaml")

    with pytest.raises(ConfigError, match=r"config\.yaml: no such file or directory"):
        find_config(None, {}, tmp_path, ME)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ("just words", "holds no keys"),
        ("- a list", "holds no keys"),
        ("a: b: c", "line 1: mapping values are not allowed here"),
        ("zoom:\n\tclient_id: x", "line 2: found character '\\t' that cannot start any token"),
        ("workers: 1\nenabled: true\nworkers: 2", "line 3: workers: written twice (first in line 1)"),
        ("zoom:\n  rate: 1\n  rate: 1", "line 3: rate: written twice (first in line 2)"),
        ("a: 1\n---\nb: 2", "line 2: found another document"),
        ("a: 1\nb: \x07", "line 2: a control character"),
        ("? [a]\n: b", "line 1: found unhashable key"),
        ("zoom: [", "line 1: expected the node content, but found '<stream end>'"),
        ("[" * 3000, "is nested too deeply"),
        ("zoom:\n  client_secret: *hunter2", "line 2: found undefined alias"),
        ("zoom:\n  client_secret: !hunter2 x", "line 2: could not determine a constructor for the tag"),
        ("zoom:\n  client_secret: !hunter'2\"x y", "line 2: expected ' ', but found"),
        ("zoom:\n  client_secret: @hunter2", "line 2: found character '@' that cannot start any token"),
        ("zoom:\n  client_secret: 'hunter2\n", "line 3: found unexpected end of stream"),
        ('zoom:\n  client_secret: "hunter2\\q"', "line 2: found unknown escape character 'q'"),
        ("zoom:\n  client_secret hunter2\n  rate: 1", "line 3: mapping values are not allowed here"),
        ("!!python/object:os.system {}", "line 1: could not determine a constructor for the tag"),
    ],
)
def test_yaml_that_cannot_be_read_is_reported_by_line_and_never_quoted(tmp_path: Path, text: str, fact: str) -> None:
    error = refusal(tmp_path, text)

    assert str(error) == f"{tmp_path}/config.yaml: {fact}"
    assert error.hint
    assert error.__cause__ is None or "hunter" not in str(error.__cause__)


@pytest.mark.parametrize(
    "text", ["zoom: {a: b, client_secret: ${X}}", "filter_accounts: [${A}, ${B}]", "a: 1\nb: {\n  c: ${X}}"]
)
def test_a_variable_that_yaml_takes_for_a_mapping_is_to_be_quoted(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, text).hint == 'within { } or [ ] write a variable in quotes: "${NAME}"'


def test_a_folder_and_a_missing_file_are_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is a directory$"):
        load(tmp_path, {})
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: no such file or directory$"):
        load(tmp_path / "nowhere.yaml", {})


def test_a_file_that_is_no_utf8_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"title: \xff")

    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load(path, {})


def test_a_byte_order_mark_and_merge_keys_are_fine(tmp_path: Path) -> None:
    text = "\ufeff" + CREDENTIALS + "recordings: &r {lookback: 3d}\ndestination: {<<: {path: a}, path: b}\n"

    assert library_of(load(a_file(tmp_path, text), {})).path == tmp_path / "b"


@pytest.mark.parametrize("written", ["0750", '"0750"', "'750'", "0o750"])
def test_modes_that_yaml_reads_in_its_own_way(tmp_path: Path, written: str) -> None:
    path = a_file(tmp_path, f"{CREDENTIALS}destination: {{dir_mode: {written}}}")

    assert library_of(load(path, {})).dir_mode == 0o750
