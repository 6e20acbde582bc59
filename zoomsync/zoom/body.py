"""The body of the answer to a download: piece by piece, or the page that came instead of it."""

from collections.abc import Iterator

import requests
import urllib3.exceptions

from zoomsync.files import CHUNK
from zoomsync.http.connection import TooSlow, beginning_of
from zoomsync.redaction import said
from zoomsync.zoom import content
from zoomsync.zoom.keys import DownloadRefused


class CutAway(Exception):
    """The transfer ended before the file was whole and proven; another one may go on."""

    def __init__(self, fact: str, hint: str = "it is tried again", *, is_slow: bool = False) -> None:
        super().__init__(fact)
        self.hint = hint
        self.is_slow = is_slow


def chunks(answer: requests.Response) -> Iterator[bytes]:
    """The body piece by piece, each as soon as it is there, so that a cut loses nothing of it; raises `CutAway`."""
    try:
        while chunk := answer.raw.read1(CHUNK, decode_content=False):
            yield chunk
    except urllib3.exceptions.HTTPError as error:
        # not `from error`: its text may hold the URL
        if isinstance(error.__cause__, TooSlow):
            raise CutAway("it came too slowly", is_slow=True) from None
        raise CutAway("the connection broke or stalled") from None


def is_page(answer: requests.Response) -> bool:
    """Whether it is served as a web page; only its bytes say whether it is one."""
    return answer.headers.get("Content-Type", "").lower().startswith("text/html")


def page(answer: requests.Response) -> DownloadRefused:
    """What a page says in place of the file."""
    return DownloadRefused(f"HTTP {answer.status_code}, {said(beginning(answer))}")


def beginning(answer: requests.Response) -> bytes:
    """The first bytes of a body that is no file."""
    return beginning_of(answer, content.HEAD)
