"""Where an answer holds its list."""

from collections.abc import Sequence


def enclosed(place: str, entries: Sequence[object], total: int) -> object:
    """The list at a dotted path, the total beside it; without a path the list alone."""
    if not place:
        return list(entries)
    *outer, name = place.split(".")
    whole: dict[str, object] = {name: list(entries), "totalCount": total}
    for one in reversed(outer):
        whole = {one: whole}
    return whole
