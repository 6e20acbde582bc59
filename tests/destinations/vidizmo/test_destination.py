"""A portal keeps the contract of a destination, in every variant that the facts name."""

from typing import Any

import pytest

from tests.destinations.contract import DestinationContract
from tests.destinations.vidizmo.portals import Open, Wired, remove, replace_content
from tests.sandbox.portal.variants import VARIANTS, combined
from zoomsync.destinations.vidizmo.destination import VidizmoDestination
from zoomsync.model import Receipt


class PortalContract(DestinationContract):
    """What a person does at the stand-in."""

    variants: tuple[str, ...] = ("plain",)

    @pytest.fixture
    def site(self, begin: Open) -> Wired:
        """The portal that differs in these ways, and a destination on it."""
        kind = combined(*self.variants)
        return begin(destination=dict(kind.destination), **kind.settings)

    @pytest.fixture
    def destination(self, site: Wired) -> VidizmoDestination:
        self.site_in_use = site
        return site.destination

    def in_a_later_pass(self, destination: Any) -> VidizmoDestination:
        del destination
        self.site_in_use.settle()
        return self.site_in_use.later()

    def remove_item(self, destination: Any, receipt: Receipt) -> None:
        del destination
        remove(self.site_in_use.portal, receipt)

    def damage(self, destination: Any, receipt: Receipt, name: str, content: bytes | None) -> None:
        del destination
        (place,) = [file.place for file in receipt.files if file.name == name]
        replace_content(self.site_in_use.portal, place, content)


TOGETHER = (
    ("plain",),
    ("lists elsewhere", "ids as strings", "a search for words", "tokens that end with a 401"),
    ("bare lists", "ids of both kinds", "a search that chokes on signs", "whole addresses"),
    (
        "pageIndex counts items",
        "groups of other names",
        "a search that tells no attributes",
        "a token without quotes",
    ),
    ("offset", "roles", "a search that shows attributes as empty", "captions take the place of others"),
    ("moderation", "blocks listed backwards"),
    ("blocks listed twice", "contents in detail"),
    ("no list of blocks", "operations elsewhere"),
)
"""Portals that differ in several ways at once, each way once; each alone is for `make soak`."""


def _suite(variants: tuple[str, ...], *marks: pytest.MarkDecorator) -> type[PortalContract]:
    words = "".join(word.capitalize() for name in variants for word in name.split())
    return type(f"TestPortal{words}", (PortalContract,), {"variants": variants, "pytestmark": list(marks)})


for _made in (
    *(_suite(some) for some in TOGETHER),
    *(_suite((name,), pytest.mark.soak) for name in VARIANTS if (name,) not in TOGETHER),
):
    globals()[_made.__name__] = _made
del _made


def test_every_variant_is_tested_alone_and_beside_another() -> None:
    tested = [one.variants for one in PortalContract.__subclasses__()]

    assert {one for one in tested if len(one) == 1} == {(name,) for name in VARIANTS}
    assert sorted(name for some in TOGETHER for name in some) == sorted(VARIANTS)
