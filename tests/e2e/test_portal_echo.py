"""Portals that say back what they were sent: no secret stands in a line, a document or the state, whatever it is."""

from typing import Any

import pytest

from tests.e2e.harness import Result, a_stage
from tests.e2e.portal_site import AtPortal, PortalSite

SECRETS = {
    "portal-password-5f2c": ["portal-pass", "5f2c"],
    'say "Grüße" \\ 会🎓': ["Grüße", "u00fc", "会", "u4f1a"],
    "one two&three=four/'<five>": ["two", "three", "four", "five"],
}
"""And by what parts of it each would be known, as it is and as JSON writes it."""


def everything(site: PortalSite, *results: Result) -> str:
    """All that came out of it."""
    return site.seen_text() + "".join(result.stdout + result.stderr for result in results)


@pytest.mark.parametrize("secret", SECRETS, ids=["plain", "escaped", "signs"])
@pytest.mark.parametrize("mode", ["password", "client_secret"])
def test_what_signs_in_is_not_shown_though_every_error_repeats_it(at_portal: AtPortal, secret: str, mode: str) -> None:
    stage = a_stage()
    stage.meeting("plain", "alice", 2, "Plain")
    stage.video("plain", seconds=1)
    below: dict[str, Any] = {"password": None, mode: secret}
    site = at_portal(stage, below, echoes_secrets=True, **{mode: "another"})

    refused = [site.run("-v", "--json", "sync"), site.run("auth-check"), site.run("status")]
    site.portal.settings.password = site.portal.settings.client_secret = secret
    site.portal.settings.manages_users = False
    forbidden = [site.run("-v", "--json", "sync"), site.run("auth-check"), site.run("--json", "users")]

    said = everything(site, *refused, *forbidden)
    assert (refused[0].code, forbidden[0].code) == (3, 3)
    assert "sign-in refused" in refused[0].stderr
    assert "cannot take" in forbidden[0].stderr
    assert [part for part in SECRETS[secret] if part in said] == []
    assert "portal.token" not in said
