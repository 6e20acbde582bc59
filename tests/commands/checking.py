"""What `auth-check` reports, without what differs from one machine and moment to another."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.harness import Result, Site

Begin = Callable[..., Site]
"""`begin(workers=2, …)`: a site over a small world whose app may read, and no more."""
DELETES: dict[str, Any] = {"delete_recordings": "trash", "delete_all_accounts": True}


def auth_check(site: Site, *arguments: str) -> Result:
    """One `auth-check`, which shows no secret even when it shows all."""
    result = site.run("-v", "auth-check", *arguments)
    shown = result.stdout + result.stderr
    secrets = (site.sandbox.client_secret, site.sandbox.client_id, site.sandbox.account_id, "sandbox.token", "Basic ")
    assert not [secret for secret in secrets if secret in shown]
    return result


def reported(site: Site, *arguments: str, all_of_it: bool = False) -> tuple[int, list[str]]:
    """The exit code, and what is not ok: level, name and message."""
    result = auth_check(site, "--json", *arguments)
    assert result.document["code"] == result.code
    rows = [f"{row['level']} {row['name']}: {row['message']}" for row in result.document["checks"]]
    return result.code, [plain(site, row) for row in rows if all_of_it or not row.startswith("ok ")]


def hints(site: Site, *arguments: str) -> list[str]:
    """The remedies, in order."""
    rows = auth_check(site, "--json", *arguments).document["checks"]
    return [plain(site, row["hint"]) for row in rows if row["hint"]]


def plain(site: Site, text: str) -> str:
    """Without what differs from one machine and moment to another."""
    text = text.replace(str(site.folder), "<site>").replace(site.sandbox.url.removeprefix("http://"), "<zoom>")
    return re.sub(r"[\d.]+ [kMGTP]B free", "<room> free", text)


def listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
