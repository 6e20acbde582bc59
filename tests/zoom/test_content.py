"""The first bytes tell a file from Zoom's "no"."""

import pytest

from zoomsync.zoom.content import mismatch, refusal_in

FORBIDDEN = b'{"status":false,"errorCode":300,"errorMessage":"Forbidden","result":null}'


@pytest.mark.parametrize(
    ("head", "extension", "said"),
    [
        (b"\xef\xbb\xbf\n <!DOCTYPE html><title>Sign In</title>", "mp4", "a page titled “Sign In”"),
        (b"<HTML><body>no", "txt", "an HTML page"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "vtt", "an HTML page"),
        (b"<html>", "html", ""),
        (FORBIDDEN, "mp4", "Forbidden"),
        (FORBIDDEN, "json", "Forbidden"),
        (b'{"code":124,"message":"Invalid access token."}', "txt", "Invalid access token."),
        (b'{"error":"invalid_token","reason":"Expired."}', "csv", "Expired."),
        (b'{"error":"access_denied","error_description":"No."}', "json", "access_denied"),
        (b'{"code":300,"message":"No.","errors":[],"requestId":"1","traceId":"2"}', "txt", "No."),
        (b'{"timeline":[],"code":1,"message":"a","x":1,"y":2}', "json", ""),
        (b'{"timeline":[],"error":"a","reason":"b","x":1,"y":2}', "json", ""),
        (b'{"timeline":[{"ts":"00:00:01"', "json", ""),
        (b"00:00:01 Ada: <html> is a tag", "txt", ""),
        (b"", "txt", ""),
        (b"[" * 4096, "json", ""),
    ],
)
def test_a_no_is_recognised(head: bytes, extension: str, said: str) -> None:
    assert refusal_in(head, extension) == said


@pytest.mark.parametrize(
    ("head", "extension", "said"),
    [
        (b"WEBVTT\r\n", "vtt", ""),
        (b"\xef\xbb\xbfWEBVTT", "vtt", ""),
        (b"\0\0\0\x18ftypisom", "mp4", ""),
        (b"\xff\xd8\xff\xe0", "jpg", ""),
        (b' {"timeline":[', "json", ""),
        (b"00:00:01\t From Ada: hello", "txt", ""),
        (b"\xef\xbb\xbfname,votes", "csv", ""),
        (b"<title>Sign In</title>", "html", ""),
        (FORBIDDEN, "json", "Forbidden"),
        (b"<title>Sign In</title>", "txt", "a page titled “Sign In”"),
        (b"\n<!-- a --><html><title>Sign In</title>", "csv", "a page titled “Sign In”"),
        (b"<title>Sign In</title>", "xml", "a page titled “Sign In”"),
        (b"Enter the passcode", "vtt", "no reason given"),
        (b"Enter the passcode", "mp4", "no reason given"),
        (b"<!DOCTYPE html><title>WEBVTT</title>", "vtt", "a page titled “WEBVTT”"),
        (b"", "vtt", "no reason given"),
    ],
)
def test_the_bytes_decide_whether_what_is_served_as_a_page_is_one(head: bytes, extension: str, said: str) -> None:
    assert refusal_in(head, extension, is_page=True) == said


@pytest.mark.parametrize(
    ("head", "extension", "problem"),
    [
        (b"\0\0\0\x18ftypisom", "mp4", ""),
        (b"\0\0\0\x18ftypM4A ", "m4a", ""),
        (b"ftyp", "mp4", "does not begin like an MP4 file"),
        (b"", "m4a", "does not begin like an MP4 file"),
        (b"WEBVTT\r\n", "vtt", ""),
        (b"\xef\xbb\xbfwebvtt", "vtt", ""),
        (b"1\n00:00:01.000 --> 00:00:02.000\n", "vtt", ""),
        (b"", "vtt", ""),
        (b"hello", "vtt", "does not begin like a WebVTT file"),
        (b' {"a":1}', "json", ""),
        (b"[]", "json", ""),
        (b"", "json", "does not begin like a JSON file"),
        (b"anything", "txt", ""),
        (b"\xff\xd8\xff", "jpg", ""),
    ],
)
def test_a_file_begins_as_its_extension_says(head: bytes, extension: str, problem: str) -> None:
    assert mismatch(head, extension) == problem
