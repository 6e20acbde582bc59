"""Downloads go where they may, and the token no further than it must."""

import pytest

from zoomsync.zoom.allowlist import Addresses

HOSTS = ("zoom.us", "zoomgov.com")
PUBLIC = Addresses(HOSTS, "https://api.zoom.us/v2")
LOCAL = Addresses((*HOSTS, "127.0.0.3"), "http://127.0.0.1:8080/v2")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://zoom.us/rec/download/x", ""),
        ("https://us02web.ZOOM.us./rec/download/x", ""),
        ("https://ssrweb.zoomgov.com:443/x", ""),
        ("https://api.zoom.us/x", ""),
        ("https://evilzoom.us/x", "it is at evilzoom.us, which is none of zoom.download_hosts"),
        ("https://zoom.us.evil.example/x", "it is at zoom.us.evil.example, which is none of zoom.download_hosts"),
        ("https://127.0.0.1/x", "it is at 127.0.0.1, which is none of zoom.download_hosts"),
        ("https://169.254.169.254/x", "it is at 169.254.169.254, which is none of zoom.download_hosts"),
        ("http://zoom.us/x", "its address at zoom.us is not https"),
        ("ftp://zoom.us/x", "its address at zoom.us is not https"),
        ("file:///etc/passwd", "its address is malformed"),
        ("https://zoom.us@evil.example/x", "its address is malformed"),
        ("https://zoom.us:pw@zoom.us/x", "its address is malformed"),
        ("https://evil.example\\@zoom.us/x", "its address is malformed"),
        ("https://zoom.us/a b", "its address is malformed"),
        ("https://zoom.us/\r\nX: y", "its address is malformed"),
        ("https://[zoom.us/", "its address is malformed"),
        ("/rec/download/x", "its address is malformed"),
        ("", "its address is malformed"),
    ],
)
def test_nothing_is_fetched_from_elsewhere(url: str, problem: str) -> None:
    assert PUBLIC.problem(url) == problem


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://127.0.0.1:8080/x", ""),
        ("http://127.0.0.1:9999/x", ""),
        ("http://127.0.0.3/x", ""),
        ("https://zoom.us/x", ""),
        ("http://zoom.us/x", "its address at zoom.us is not https"),
        ("http://127.0.0.2:8080/x", "it is at 127.0.0.2, which is none of zoom.download_hosts"),
    ],
)
def test_http_is_for_this_machine_alone(url: str, problem: str) -> None:
    assert LOCAL.problem(url) == problem


@pytest.mark.parametrize(
    ("url", "sees"),
    [
        ("https://zoom.us/rec/download/x?Signature=1", True),
        ("https://zoom.us/rec/download/y", True),
        ("https://us02web.zoom.us/rec/download/y", True),
        ("https://ssrweb.zoomgov.com/y?x=1", True),
        ("https://ssrweb.zoom.us/y?response=1&Policy=a&Signature=b&Key-Pair-Id=c", False),
        ("https://ssrweb.zoom.us/y?X-Amz-Signature=b", False),
        ("https://zoom.us/y?signature=b", False),
        ("https://files.example.org/y", False),
        ("https://zoom.us.evil.example/y", False),
        ("http://zoom.us/rec/download/y", False),
        ("https://zoom.us@evil.example/", False),
    ],
)
def test_the_token_goes_to_zoom_where_no_signature_speaks_for_it(url: str, sees: bool) -> None:
    assert PUBLIC.may_see_token(url, "https://zoom.us/rec/download/x?Signature=1") is sees


def test_another_port_of_this_machine_is_another_host() -> None:
    first = "http://127.0.0.1:8080/rec/download/x"

    assert LOCAL.may_see_token("http://127.0.0.1:8080/y", first)
    assert not LOCAL.may_see_token("http://127.0.0.1:8081/y", first)
