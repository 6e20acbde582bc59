"""What is shown of servers' texts holds no secret and moves no cursor."""

import html
import json
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import FakeClock
from zoomsync.http import Http
from zoomsync.redaction import LONGEST_REASON, host_of, redact, said

SECRETS = ["plain-5f2c", "a&b>c\"d'e", "p w+d/%ü", "o'Brien\"s\\pw"]


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
        ("AccountName=a;AccountKey=c2VzYW1l==;Suffix=core", "AccountName=a;AccountKey=…;Suffix=core"),
        ("SharedAccessKey=c2VzYW1l&se=1", "SharedAccessKey=…&se=1"),
        ("sv=1&sig=c2VzYW1l%3D&se=2026", "sv=1&sig=…&se=2026"),
        ("X-Auth-Token: sesame-1", "X-Auth-Token: …"),
        ("x-amz-security-token: sesame-1", "x-amz-security-token: …"),
        ("access_token: ya29.sesame", "access_token: …"),
        ("api_key=sesame private_key = sesame", "api_key=… private_key = …"),
        ("design: sesame; key: sesame", "design: sesame; key: sesame"),
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
        (b'{"error":{"code":7,"message":"No."}}', '{"code": 7, "message": "No."}'),
        (b"", "no reason given"),
        (b"[1]", "no reason given"),
        (b"[" * 100_000, "no reason given"),
        (b"\xff\xfe\x00", "no reason given"),
    ],
)
def test_what_a_server_says_is_found(body: bytes, shown: str) -> None:
    assert said(body) == shown


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"name":"X","incidentId":"req:hunter2"}', "X (incident req:…)"),
        ('{"name":"X","incidentId":["hunter2"]}', 'X (incident ["…"])'),
        ('{"error":{"code":1,"value":"hunter2"}}', '{"code": 1, "value": "…"}'),
        (f"<title>{'x' * 96} hunter2</title>", f"a page titled “{'x' * 96} …”"),
        (f'{{"message":"{"y" * 296} hunter2"}}', f"{'y' * 296} …"),
    ],
)
def test_no_secret_that_a_server_says_back_is_shown_whole_or_in_part(body: str, shown: str) -> None:
    assert said(body.encode(), {"hunter2"}) == shown


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "written",
    [
        str,
        html.escape,
        quote,
        lambda secret: quote(secret, safe=""),
        quote_plus,
        json.dumps,
        lambda secret: json.dumps(secret, ensure_ascii=False),
    ],
    ids=["plain", "page", "path", "address", "form", "JSON", "JSON as UTF-8"],
)
def test_a_hidden_secret_is_cut_out_however_a_server_writes_it(secret: str, written: Callable[[str], str]) -> None:
    http = Http(name="portal", clock=FakeClock(), rate=None)
    http.hide(secret)
    echo = written(secret)
    quotes = '"' if echo.startswith('"') else ""
    shown = f"cannot use {quotes}…{quotes} here"

    texts = [
        http.said(json.dumps({"message": f"cannot use {echo} here"}).encode()),
        http.said(json.dumps({"name": "X", "exceptionDetails": [{"message": f"cannot use {echo} here"}]}).encode()),
        http.said(json.dumps({"name": "X", "incidentId": f"cannot use {echo} here"}).encode()),
        http.said(f"<title>cannot use {echo} here</title>".encode()),
    ]

    assert texts == [shown, f"X: {shown}", f"X (incident {shown})", f"a page titled “{shown}”"]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_hidden_secret_is_cut_out_of_an_object_that_says_why(secret: str) -> None:
    http = Http(name="portal", clock=FakeClock(), rate=None)
    http.hide(secret)

    texts = [
        http.said(json.dumps({"error": {"code": 1, "request": {"value": one}}}).encode())
        for one in (secret, html.escape(secret), json.dumps(secret)[1:-1])
    ]

    assert texts == ['{"code": 1, "request": {"value": "…"}}'] * 3


def test_a_secret_with_a_sign_of_markup_is_cut_out_of_a_title() -> None:
    http = Http(name="portal", clock=FakeClock(), rate=None)
    http.hide("hun<ter>2")

    assert http.said(b"<title>cannot use hun<ter>2</title>") == "a page titled \u201ccannot use \u2026\u201d"


@pytest.mark.parametrize("secrets", [{"hunter", "hunter2", "my hunter2 is"}, {"hunter", "my hunter2 is", "hunter2"}])
def test_a_secret_that_contains_another_is_cut_out_whole(secrets: set[str]) -> None:
    http = Http(name="portal", clock=FakeClock(), rate=None)
    for one in secrets:
        http.hide(one)

    texts = [
        http.said(b'{"message":"so my hunter2 is here, hunter2 and hunter"}'),
        http.said(b"<title>so my hunter2 is here, hunter2 and hunter</title>"),
        http.said(b'{"error":{"value":"my hunter2 is"}}'),
    ]

    shown = "so … here, … and …"
    assert texts == [shown, f"a page titled “{shown}”", '{"value": "…"}']


def test_only_the_beginning_of_what_a_server_says_is_looked_at() -> None:
    page = b" <html>".ljust(LONGEST_REASON - 20) + b"<title>Busy</title>"
    document = b'{"message":"No.","more":"' + b"x" * LONGEST_REASON + b'"}'

    assert [said(page), said(page[:20] + page), said(document)] == [
        "a page titled “Busy”",
        "an HTML page",
        "no reason given",
    ]


HOSTILE = [
    *("<title", "<title ", "<title>", "<", "http://", "https://a", "https://a@", "authorization", "authorization: "),
    *("bearer ", "basic  ", "'token", '"token" ', "token", "token=", "pwd ", "eyJ", "eyJaaaaaa.", ".", "?", "?a"),
    *("/", "/a", "=", "a", "scopes:[", "-->", "\\", "\t", "…", "\u202e", "api_key : ", "x-token", "a_token: "),
]
"""What patterns begin with, and what they go on with."""


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("begin", ["", "<title>"])
def test_what_a_server_says_costs_no_more_than_its_length(begin: str, unit: str) -> None:
    text = (begin + unit * LONGEST_REASON)[: LONGEST_REASON - 20]
    before = time.process_time()

    said(text.encode(), {"s3cret"})
    said(json.dumps({"message": text[: LONGEST_REASON // 8], "incidentId": text[: LONGEST_REASON // 8]}).encode())
    host_of(f"https://{text}")

    assert time.process_time() - before < 5  # the square of the length would take minutes


@pytest.mark.parametrize(
    ("url", "host"),
    [("https://a:b@zoom.us:8443/x", "zoom.us:8443"), ("https://zoom.us", "zoom.us"), ("nonsense", "?")],
)
def test_a_host_is_shown_without_credentials(url: str, host: str) -> None:
    assert host_of(url) == host
