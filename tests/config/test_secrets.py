"""Secrets: read when used, from text, environment or file; shown nowhere; kept from others' eyes."""

import os
from pathlib import Path

import pytest

from tests.config.builders import CREDENTIALS, a_config, a_file
from zoomsync.config import Config, load
from zoomsync.config.describe import describe
from zoomsync.errors import ConfigError

ME = os.geteuid()


def a_config_with(folder: Path, secret: str, environ: dict[str, str] | None = None, mode: int = 0o600) -> Config:
    text = f"zoom:\n  account_id: ${{A}}\n  client_id: ${{B}}\n  {secret}\n"
    return load(a_file(folder, text, mode=mode), {} if environ is None else environ)


def revealing(config: Config) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        config.zoom.client_secret.reveal()
    return caught.value


def test_a_config_loads_while_its_secrets_are_not_there_and_says_so_when_they_are_used(tmp_path: Path) -> None:
    error = revealing(a_config_with(tmp_path, "client_secret: ${SECRET}"))

    assert str(error) == "zoom.client_secret: environment variable SECRET is not set"
    assert error.hint == "set it, or write $${ for a literal ${"


def test_by_hand_there_are_no_credentials_of_systemd_and_the_hint_says_how_to_have_them(tmp_path: Path) -> None:
    error = revealing(a_config_with(tmp_path, "client_secret_file: ${CREDENTIALS_DIRECTORY}/secret"))

    assert str(error) == "zoom.client_secret_file: environment variable CREDENTIALS_DIRECTORY is not set"
    assert error.hint == (
        "systemd sets it for its service; by hand: sudo systemd-run --pipe --wait --uid=zoomsync "
        "-p LoadCredential=NAME:FILE zoomsync …"
    )


def test_a_secret_is_read_again_each_time(tmp_path: Path) -> None:
    environ = {"SECRET": "first"}
    of_variable = a_config_with(tmp_path, "client_secret: ${SECRET}", environ).zoom.client_secret
    of_file = a_config_with(tmp_path, "client_secret_file: ${DIR}/secret", environ).zoom.client_secret
    environ["DIR"] = str(tmp_path)
    a_file(tmp_path, "first\n", "secret")

    before = of_variable.reveal(), of_file.reveal()
    environ["SECRET"] = "second"
    a_file(tmp_path, "second\r\n", "secret")

    assert before == ("first", "first")
    assert (of_variable.reveal(), of_file.reveal()) == ("second", "second")


def test_a_literal_may_have_dollars(tmp_path: Path) -> None:
    assert a_config_with(tmp_path, "client_secret: a$b$${c}").zoom.client_secret.reveal() == "a$b${c}"


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"hunter2\nhunter3\n", "has more than one line or control characters"),
        (b"hunter2\xff", "is not text"),
        (None, "no such file or directory"),
    ],
)
def test_a_secret_file_that_holds_no_secret_is_reported_without_its_content(
    tmp_path: Path, content: bytes | None, fact: str
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)

    error = revealing(a_config_with(tmp_path, "client_secret_file: secret"))

    assert str(error).startswith("zoom.client_secret_file: ")
    assert str(error).endswith(fact)
    assert "hunter" not in f"{error!r} {error.hint} {error.__cause__!r}"


@pytest.mark.timeout(10)
def test_a_secret_file_that_never_ends_is_not_waited_for(tmp_path: Path) -> None:
    config = a_config_with(tmp_path, "client_secret_file: secret")
    os.mkfifo(tmp_path / "secret")
    pipe = revealing(config)
    (tmp_path / "secret").unlink()
    (tmp_path / "secret").symlink_to("/dev/zero")
    device = revealing(config)
    (tmp_path / "secret").unlink()
    (tmp_path / "secret").write_bytes(b"x" * 65537)

    said = [str(one).rpartition(": ")[2] for one in (pipe, device, revealing(config))]

    assert said == ["not a regular file", "not a regular file", "larger than 65,536 bytes"]


def test_a_secret_file_may_be_a_link(tmp_path: Path) -> None:
    a_file(tmp_path, "hunter2\n", "..data")
    (tmp_path / "secret").symlink_to("..data")

    assert a_config_with(tmp_path, "client_secret_file: secret").zoom.client_secret.reveal() == "hunter2"


def test_an_empty_variable_is_no_secret(tmp_path: Path) -> None:
    error = revealing(a_config_with(tmp_path, "client_secret: ${SECRET}", {"SECRET": ""}))

    assert str(error) == "zoom.client_secret: is empty"


def test_no_output_of_a_config_shows_a_secret() -> None:
    config = a_config({"PASSWORD": "hunter3"}, zoom={"client_id": "${PASSWORD}"})

    shown = f"{config!r} {config} {config.zoom!r} {config.model_dump()} {describe(config)} {config.secret_findings()}"

    assert config.zoom.client_secret.reveal() == "hunter2"
    assert "hunter" not in shown


@pytest.mark.parametrize(
    ("mode", "can"),
    [(0o604, "read"), (0o640, "read"), (0o644, "read"), (0o602, "write"), (0o666, "read and write")],
)
def test_a_secret_file_that_others_can_read_or_write_fails(tmp_path: Path, mode: int, can: str) -> None:
    secret = a_file(tmp_path, "hunter2", "secret", mode)

    findings = a_config_with(tmp_path, "client_secret_file: secret").secret_findings()

    said = f"zoom.client_secret_file: {secret}: others can {can} it"
    assert findings == [("fail", said, f"chmod 600 {secret}")]


def test_a_key_for_a_cluster_that_others_can_read_fails(tmp_path: Path) -> None:
    key = a_file(tmp_path, "hunter2", "key.pem", 0o644)
    tls = "{ca: ca.pem, cert: cert.pem, key: key.pem}"
    text = f"{CREDENTIALS}\nengine: {{type: dask, scheduler: 'tls://host:8786', tls: {tls}}}\n"

    findings = load(a_file(tmp_path, text), {}).secret_findings()

    assert findings == [("fail", f"engine.tls.key: {key}: others can read it", f"chmod 600 {key}")]


def test_a_secret_that_only_its_owner_reads_is_no_finding(tmp_path: Path) -> None:
    a_file(tmp_path, "hunter2", "secret", 0o400)

    assert a_config_with(tmp_path, "client_secret_file: secret", mode=0o644).secret_findings() == []


def test_a_credential_of_systemd_is_shown_to_its_group_by_design(tmp_path: Path) -> None:
    a_file(tmp_path, "hunter2", "secret", 0o440)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}

    config = a_config_with(tmp_path, "client_secret_file: ${CREDENTIALS_DIRECTORY}/secret", environ)

    assert config.zoom.client_secret.reveal() == "hunter2"
    assert config.secret_findings() == []
    del environ["CREDENTIALS_DIRECTORY"]
    assert config.secret_findings() == []


@pytest.mark.skipif(ME != 0, reason="only root can give a file to a service's group")
def test_a_group_that_root_gave_may_read(tmp_path: Path) -> None:
    os.chown(a_file(tmp_path, "hunter2", "secret", 0o640), 0, 4711)

    assert a_config_with(tmp_path, "client_secret_file: secret").secret_findings() == []


def test_a_config_that_others_can_write_warns(tmp_path: Path) -> None:
    a_file(tmp_path, "hunter2", "secret", 0o400)
    config = tmp_path / "config.yaml"

    findings = a_config_with(tmp_path, "client_secret_file: secret", mode=0o620).secret_findings()

    assert findings == [("warn", f"{config}: others can write it", f"chmod go-w {config}")]


def test_a_secret_written_in_a_config_that_others_can_read_warns(tmp_path: Path) -> None:
    readable = load(a_file(tmp_path, CREDENTIALS, mode=0o644), {}).secret_findings()
    private = load(a_file(tmp_path, CREDENTIALS, mode=0o600), {}).secret_findings()

    config = tmp_path / "config.yaml"
    assert readable == [
        ("warn", f"zoom.{name}: is written in {config}, which others can read", f"chmod 600 {config}")
        for name in ("account_id", "client_id", "client_secret")
    ]
    assert private == []


def test_a_variable_in_a_config_that_others_can_read_is_no_finding(tmp_path: Path) -> None:
    assert a_config_with(tmp_path, "client_secret: ${SECRET}", mode=0o644).secret_findings() == []
