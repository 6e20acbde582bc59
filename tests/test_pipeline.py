"""The check of an account in a pipeline, as the README shows it: Python, five lines, secrets from the environment."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import documents
from tests.readme import ROOT, blocks, tables
from tests.sandbox.server import Sandbox
from tests.sandbox.settings import READING, wall_clock
from tests.sandbox.worlds import small_world

(CONFIG,) = [yaml.safe_load(block) for block in blocks("yaml") if "${ZOOM_CLIENT_SECRET}" in block]
(STEP,) = [line for line in "".join(blocks("sh")).splitlines() if "auth-check --only zoom" in line]


def run(folder: Path, sandbox: Sandbox, *, only: str = "zoom", url: str = "", **environ: str) -> tuple[int, Any]:
    """The step's exit code and document, where PATH and HOME lead nowhere."""
    known = {"ZOOM_ACCOUNT_ID": sandbox.account_id, "ZOOM_CLIENT_ID": sandbox.client_id}
    known |= {"ZOOM_CLIENT_SECRET": sandbox.client_secret, "PATH": "/nowhere", "HOME": "/nowhere"}
    known |= {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    url = url or sandbox.url
    zoom = CONFIG["zoom"] | {"api_url": f"{url}/v2", "oauth_url": f"{url}/oauth/token"}
    below_a_file = {"destination": {"path": "zoom-check.yaml/library"}, "state": "zoom-check.yaml/state.json"}
    config = {"zoom": zoom, "filter_accounts": ["alice@example.org"], **below_a_file}
    (folder / "zoom-check.yaml").write_text(yaml.safe_dump(config))
    _, *arguments = STEP.replace("--only zoom", f"--only {only}").split()
    environ = {name: value for name, value in (known | environ).items() if value != "unset"}
    ran = subprocess.run(
        [sys.executable, "-m", "zoomsync", *arguments], cwd=folder, env=environ, stdout=subprocess.PIPE, check=False
    )
    return ran.returncode, json.loads(ran.stdout)


def a_closed_port() -> str:
    with socket.socket() as here:
        here.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{here.getsockname()[1]}"


@pytest.mark.parametrize(
    ("code", "failed", "given", "scopes"),
    [
        (0, [], {}, READING),
        (2, ["config"], {"ZOOM_CLIENT_SECRET": "unset"}, READING),
        (2, ["config"], {"ZOOM_CLIENT_ID": ""}, READING),
        (3, ["token"], {"ZOOM_CLIENT_SECRET": "another"}, READING),
        (3, ["scopes"], {}, READING[:-1]),
        (5, ["state", "audit", "staging"], {"only": "local"}, READING),
        (6, ["token"], {"url": a_closed_port()}, READING),
    ],
)
def test_the_step_ends_as_the_table_says_and_needs_and_leaves_nothing(
    code: int, failed: list[str], given: dict[str, str], scopes: tuple[str, ...], tmp_path: Path
) -> None:
    with Sandbox(small_world(wall_clock()), scopes=scopes) as sandbox:
        ended, found = run(tmp_path, sandbox, **given)

    documents.check("auth-check", found)
    assert (ended, found["code"]) == (code, code)
    assert [one["name"] for one in found["checks"] if one["level"] == "fail"] == failed
    assert [path.name for path in tmp_path.iterdir()] == ["zoom-check.yaml"]


def test_the_table_has_each_of_these_codes_and_the_config_five_lines() -> None:
    pages = (ROOT / "README.md", *(ROOT / "zoomsync/share/doc").glob("*.md"))
    found = [rows for page in pages for rows in tables(page.read_text(encoding="utf-8"))]
    (table,) = [rows for rows in found if rows[-1][0] == "6" and "run it again" in rows[-1][1]]

    assert [row[0] for row in table] == ["0", "2", "3", "5", "6"]
    assert len(CONFIG) + len(CONFIG["zoom"]) == 5
