"""What is shown of servers' texts holds no secret and moves no cursor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoomsync.redaction import host_of, redact, said


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words: HTTP 400 (token: none)", "plain words: HTTP 400 (token: none)"),
        ("see https://a:b@zoom.us/rec/x?pwd=1#f now", "see https://zoom.us/rec/x now"),
        ("with url: /rec/x?sig=1&b=2 (Caused by", "with url: /rec/x?… (Caused by"),
        ("Authorization: Basic YWJjOmRlZg==", "Authorization: …"),
        ("got Bearer eyJhbGciOi.J9.x-_y", "got Bearer …"),
        ("{'access_token': 'abc', 'id': 1}", "{'access_token': '…', 'id': 1}"),
        ('{"client_secret":"abc"}', '{"client_secret":"…"}'),
        ("download_access_token=abc&x=1", "download_access_token=…&x=1"),
        ("jwt eyJhbGciOiJIUzI1.eyJhdWQi.sig done", "jwt … done"),
        (f"https://zoom.us/rec/download/{'q' * 80}", "https://zoom.us/rec/download/…"),
        ("two\nlines\x1b[31m \u202eevil", r"two\nlines\x1b[31m \u202eevil"),
    ],
)
def test_what_is_shown_is_redacted(text: str, shown: str) -> None:
    assert redact(text) == shown


@given(st.from_regex(r"[A-Za-z0-9._~+/-]{12,80}=?", fullmatch=True))
def test_no_token_survives_redaction(token: str) -> None:
    texts = [f"Authorization: Bearer {token}", f"GET https://zoom.us/x?access_token={token}", f'"token": "{token}"']

    assert token not in "".join(redact(text) for text in texts)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"code":1,"message":"No."}', "No."),
        (b'{"name":"XException","incidentId":"1f-2","exceptionDetails":[]}', "XException (incident 1f-2)"),
        (
            b'{"name":"XException","incidentId":"1f-2","exceptionDetails":["no category",{"field":"tags","code":7}]}',
            "XException: no category; tags; 7 (incident 1f-2)",
        ),
        (b'{"name":"XException","exceptionDetails":"token=abc is old"}', "XException: token=… is old"),
        (b'{"detail":"not known","status":"401"}', "not known"),
        (b'{"reason":"Account does not exist","error":"invalid_request"}', "Account does not exist"),
        (b'{"status":false,"errorCode":300,"errorMessage":"Forbidden"}', "Forbidden"),
        (b"<html><head><TITLE>\n Sign In </TITLE>", "a page titled “Sign In”"),
        (b"<p>no", "an HTML page"),
        (b"", "no reason given"),
        (b"[1]", "no reason given"),
        (b"[" * 100_000, "no reason given"),
        (b"\xff\xfe\x00", "no reason given"),
    ],
)
def test_what_a_server_says_is_found(body: bytes, shown: str) -> None:
    assert said(body) == shown


@pytest.mark.parametrize(
    ("url", "host"),
    [("https://a:b@zoom.us:8443/x", "zoom.us:8443"), ("https://zoom.us", "zoom.us"), ("nonsense", "?")],
)
def test_a_host_is_shown_without_credentials(url: str, host: str) -> None:
    assert host_of(url) == host
