"""A portal keeps the contract of a destination, in every variant that the facts name."""

from typing import Any

import pytest

from tests.destinations.contract import DestinationContract
from tests.destinations.vidizmo.portals import Open, Wired, remove, replace_content
from tests.sandbox.portal.variants import VARIANTS
from zoomsync.destinations.vidizmo.destination import VidizmoDestination
from zoomsync.model import Receipt


class PortalContract(DestinationContract):
    """What a person does at the stand-in."""

    variant = "plain"

    @pytest.fixture
    def site(self, begin: Open) -> Wired:
        """The portal of this variant, and a destination on it."""
        kind = VARIANTS[self.variant]
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


def _suite(name: str) -> type[PortalContract]:
    words = "".join(word.capitalize() for word in name.split())
    return type(f"TestPortal{words}", (PortalContract,), {"variant": name})


for _name in VARIANTS:
    _made = _suite(_name)
    globals()[_made.__name__] = _made
    del _made


def test_every_variant_is_tested() -> None:
    assert {one.variant for one in PortalContract.__subclasses__()} == set(VARIANTS)
