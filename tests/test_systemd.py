"""The shipped systemd units: systemd finds nothing to complain about, and they keep what README and manual promise."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.readme import blocks, chapter

SHIPPED = Path(__file__).parent.parent / "zoomsync" / "share" / "systemd"
ANALYZE = shutil.which("systemd-analyze")
WORST = 20
"""Tenths of systemd's exposure score, from 0 (sealed off) to 100; what remains is the network, which a pass needs."""

MANUAL = blocks("ini", chapter("life-cycle"))
"""Each begins with its place as a comment."""

needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed on this machine")


def settings(unit: str) -> dict[str, list[str]]:
    """`Section.Key` → its values."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in (SHIPPED / unit).read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(f"{section}.{key}", []).append(value)
    return found


def analyzed(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What systemd-analyze says of the units; in place of zoomsync, which need not be installed, stands a program."""
    for unit in SHIPPED.iterdir():
        text = unit.read_text().replace("/opt/zoomsync/bin/zoomsync", shutil.which("true") or "")
        (tmp_path / unit.name).write_text(text)
    assert ANALYZE is not None
    return subprocess.run([ANALYZE, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)


@needs_systemd
def test_systemd_has_nothing_to_say_about_the_units(tmp_path: Path) -> None:
    checked = analyzed(tmp_path, "verify", *(f"./{unit.name}" for unit in sorted(SHIPPED.iterdir())))

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@needs_systemd
def test_systemd_has_nothing_to_say_about_the_units_of_the_manual(tmp_path: Path) -> None:
    units = [tmp_path / Path(block.split()[1]).relative_to("/etc/systemd/system") for block in MANUAL]
    for unit, block in zip(units, MANUAL, strict=True):
        unit.parent.mkdir(exist_ok=True)
        unit.write_text(block.replace("/opt/zoomsync/bin/zoomsync", shutil.which("true") or ""))

    checked = analyzed(
        tmp_path, "verify", "./zoomsync.service", *(f"./{one.name}" for one in units if one.parent == tmp_path)
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@needs_systemd
def test_a_misspelt_setting_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "other.service").write_text("[Service]\nType=oneshot\nExecStart=/bin/true\nProtectSytem=strict\n")

    checked = analyzed(tmp_path, "verify", "./other.service")

    assert "ProtectSytem" in checked.stderr


@needs_systemd
@pytest.mark.parametrize("unit", ["zoomsync.service", "zoomsync@.service"])
def test_the_service_is_sealed_off_but_for_the_network(unit: str, tmp_path: Path) -> None:
    checked = analyzed(tmp_path, "security", "--offline=true", f"--threshold={WORST}", "--no-pager", f"./{unit}")

    assert checked.returncode == 0, checked.stdout


def test_the_service_runs_one_pass_as_its_own_user_with_the_secret_handed_over() -> None:
    service = settings("zoomsync.service")

    assert {key: service[f"Service.{key}"] for key in ("Type", "User", "UMask", "StateDirectory", "ExecStart")} == {
        "Type": ["oneshot"],
        "User": ["zoomsync"],
        "UMask": ["0027"],
        "StateDirectory": ["zoomsync"],
        "ExecStart": ["/opt/zoomsync/bin/zoomsync --config /etc/zoomsync/config.yaml sync"],
    }
    assert service["Service.LoadCredential"] == ["zoom-client-secret:/etc/zoomsync/zoom-client-secret"]


def test_the_service_writes_to_its_state_and_the_mounted_library_alone() -> None:
    service = settings("zoomsync.service")

    assert service["Service.ProtectSystem"] == ["strict"]
    assert service["Service.ReadWritePaths"] == service["Unit.RequiresMountsFor"] == ["/srv/zoomsync"]


def test_another_pass_running_is_no_failure_and_a_stopped_one_has_time_to_save_its_state() -> None:
    service = settings("zoomsync.service")

    assert service["Service.SuccessExitStatus"] == ["4"]
    assert service["Service.TimeoutStopSec"] == ["30"]
    assert service["Service.KillMode"] == ["mixed"]


def test_the_timer_catches_up_and_does_not_strike_at_the_full_hour() -> None:
    assert settings("zoomsync.timer") == {
        "Unit.Description": ["Zoom cloud recordings to the library, every hour"],
        "Timer.OnCalendar": ["hourly"],
        "Timer.RandomizedDelaySec": ["10min"],
        "Timer.Persistent": ["true"],
        "Install.WantedBy": ["timers.target"],
    }


@pytest.mark.parametrize(
    ("own", "further"), [("zoomsync.service", "zoomsync@.service"), ("zoomsync.timer", "zoomsync@.timer")]
)
def test_the_units_of_a_further_account_differ_in_their_places_alone(own: str, further: str) -> None:
    first, second = settings(own), settings(further)

    assert list(first) == list(second)
    assert {key: second[key] for key in first if first[key] != second[key]} == {
        key: value
        for key, value in {
            "Unit.Description": [first["Unit.Description"][0].replace("recordings to", "recordings of %i to")],
            "Service.ExecStart": ["/opt/zoomsync/bin/zoomsync --config /etc/zoomsync/%i/config.yaml sync"],
            "Service.LoadCredential": ["zoom-client-secret:/etc/zoomsync/%i/zoom-client-secret"],
            "Service.StateDirectory": ["zoomsync-%i"],
        }.items()
        if key in first
    }
