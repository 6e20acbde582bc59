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
        ("https://evil.test%2f.zoom.us/x", "its address is malformed"),
        ("https://evil.test%5c.zoom.us/x", "its address is malformed"),
        ("https://evil_host.zoom.us/x", "its address is malformed"),
        ("https://evil.test;.zoom.us/x", "its address is malformed"),
        ("https://\u212aoom.zoom.us/x", "its address is malformed"),
        ("https://z\u043e\u043em.zoom.us/x", "its address is malformed"),
        ("https://evil..zoom.us/x", "its address is malformed"),
        ("https://.zoom.us/x", "its address is malformed"),
        ("https://zoom.us../x", "its address is malformed"),
        ("https://zoom.us:8443/x", "its address at zoom.us has port 8443"),
        ("https://ssrweb.zoom.us:80/x", "its address at ssrweb.zoom.us has port 80"),
        ("https://zoom.us:/x", "its address is malformed"),
        ("https://zoom.us:4_43/x", "its address is malformed"),
        ("https://zoom.us:443@evil.example/x", "its address is malformed"),
        ("https://zoom.us?x", ""),
        ("https://[2001:db8::1]/x", "its address is malformed"),
        ("https://zoom.us/rec/" + "x" * 2**14, "its address is malformed"),
        ("javascript://zoom.us/%0aalert(1)", "its address at zoom.us is not https"),
        ("data:text/plain,x", "its address is malformed"),
        ("ws://zoom.us/x", "its address at zoom.us is not https"),
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


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://zoom.example.org:8443/rec/x", ""),
        ("https://zoom.example.org/rec/x", ""),
        ("https://zoom.example.org:9443/rec/x", "its address at zoom.example.org has port 9443"),
        ("https://zoom.us:8443/rec/x", "its address at zoom.us has port 8443"),
    ],
)
def test_the_port_that_the_config_names_is_that_of_its_host_alone(url: str, problem: str) -> None:
    assert Addresses(HOSTS, "https://zoom.example.org:8443/v2").problem(url) == problem


def test_this_machine_may_have_an_address_of_the_new_kind() -> None:
    assert Addresses(HOSTS, "http://[::1]:8080/v2").problem("http://[::1]:9090/x") == ""


def test_another_port_of_this_machine_is_another_host() -> None:
    first = "http://127.0.0.1:8080/rec/download/x"

    assert LOCAL.may_see_token("http://127.0.0.1:8080/y", first)
    assert not LOCAL.may_see_token("http://127.0.0.1:8081/y", first)
