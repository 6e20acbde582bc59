"""What a receipt proves: what need not be fetched again, and what may be deleted on it."""

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes import SHA, START, a_cloud_file, a_file, a_meeting, a_receipt
from zoomsync.model import MINUTE, Arrival, Receipt

CAME: dict[str, tuple[dict[str, Any], tuple[bool, bool]]] = {
    "the listed size": ({}, (True, True)),
    "the listed size, and twice": ({"arrival": Arrival.TWICE}, (True, True)),
    "the listed size, and twice without an end": ({"arrival": Arrival.OPEN}, (True, True)),
    "shorter": ({"fetched_size": 999}, (False, False)),
    "longer": ({"fetched_size": 1001}, (False, False)),
    "shorter, twice": ({"fetched_size": 999, "arrival": Arrival.TWICE}, (False, True)),
    "longer, twice": ({"fetched_size": 1001, "arrival": Arrival.TWICE}, (False, True)),
    "shorter, twice without an end": ({"fetched_size": 999, "arrival": Arrival.OPEN}, (False, True)),
    "nothing": ({"fetched_size": 0}, (False, False)),
    "nothing of no size": ({"size": 0, "fetched_size": 0}, (False, False)),
    "nothing of unknown size, twice": (
        {"size": None, "fetched_size": 0, "arrival": Arrival.TWICE},
        (False, True),
    ),
    "unknown size": ({"size": None}, (False, False)),
    "unknown size, twice": ({"size": None, "arrival": Arrival.TWICE}, (True, True)),
    "unknown size, twice without an end": ({"size": None, "arrival": Arrival.OPEN}, (False, True)),
    "nobody knows what": ({"sha256": ""}, (False, False)),
}
"""How a file came → whether it is proven to be whole, and whether it need not be fetched again."""


@pytest.mark.parametrize("case", CAME)
def test_what_a_cloud_file_proves(case: str) -> None:
    changes, expected = CAME[case]
    file = a_cloud_file(a_file(size=1000), **changes)

    assert (file.is_whole, file.is_settled) == expected


LISTED: dict[str, tuple[dict[str, Any], tuple[bool, bool]]] = {
    "the same": ({}, (True, True)),
    "another id": ({"id": "file-other"}, (False, False)),
    "another size": ({"size": 999}, (False, False)),
    "no size": ({"size": None}, (True, False)),
    "another start": ({"start": START + MINUTE}, (False, False)),
    "no start": ({"start": None}, (True, False)),
    "neither": ({"size": None, "start": None}, (True, False)),
}
"""How Zoom lists a stored file now → whether the receipt covers it, and whether it proves enough to delete it."""


def of(receipt: Receipt, **changes: Any) -> tuple[bool, bool]:
    file = a_file(**changes)
    return receipt.covers(file), receipt.proof(file) is not None


@pytest.mark.parametrize("case", LISTED)
def test_what_a_receipt_says_of_a_file_as_zoom_lists_it(case: str) -> None:
    changes, expected = LISTED[case]

    assert of(a_receipt(), **changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"fetched_size": 999}, (False, False)),
        ({"fetched_size": 999, "arrival": Arrival.TWICE}, (True, False)),
        ({"stored": "gone.mp4"}, (False, False)),
    ],
)
def test_a_receipt_proves_no_more_than_what_came_of_a_file_and_is_stored(
    changes: dict[str, Any], expected: tuple[bool, bool]
) -> None:
    receipt = a_receipt()

    assert of(replace(receipt, cloud=(replace(receipt.cloud[0], **changes),))) == expected


def test_a_size_that_zoom_lists_by_now_is_no_proof_yet() -> None:
    receipt = a_receipt(a_meeting(files=(a_file(size=None),)))

    assert (of(receipt, size=None), of(receipt, size=10)) == ((True, True), (False, False))


def test_the_proof_is_the_file_as_it_came_and_where_it_is_stored() -> None:
    receipt = a_receipt()

    assert receipt.proof(a_file()) == (receipt.cloud[0], receipt.files[0])
    assert (receipt.cloud[0].sha256, receipt.files[0].name) == (SHA, "video.mp4")
