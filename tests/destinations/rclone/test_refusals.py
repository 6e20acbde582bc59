"""What stores say, as rclone passes it on, and what it means for a pass."""

import json

import pytest

from zoomsync.destinations.rclone.refusals import ColdStorage, refusal
from zoomsync.errors import (
    Forbidden,
    LibraryUnusable,
    MeetingFailed,
    NotAuthorized,
    ServiceUnavailable,
    Unfit,
    Unreachable,
    ZoomsyncError,
)

S3 = "operation error S3: PutObject, https response error StatusCode: "


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (f"{S3}403, RequestID: 18EB, HostID: x, api error InvalidAccessKeyId: The key is not known", NotAuthorized),
        (f"{S3}403, RequestID: 18EB, HostID: , api error AccessDenied: Access Denied", Forbidden),
        (f"{S3}404, api error NoSuchBucket: The specified bucket does not exist", LibraryUnusable),
        (f"{S3}400, api error InvalidBucketName: The specified bucket is not valid.", LibraryUnusable),
        ("googleapi: Error 400: Invalid bucket name: '.zoomsync', invalid", LibraryUnusable),
        (f"{S3}503, api error SlowDown: Please reduce your request rate", ServiceUnavailable),
        ("couldn't fetch token: invalid_grant: maybe token expired? - try refreshing", NotAuthorized),
        ("googleapi: Error 403: The user's Drive storage quota has been exceeded., storageQuotaExceeded", Unfit),
        ("googleapi: Error 403: Quota exceeded for quota metric 'Queries', rateLimitExceeded", ServiceUnavailable),
        ("Cannot upload files, storage cap exceeded. (403 storage_cap_exceeded)", Unfit),
        ("quotaLimitReached: Insufficient Space Available", Unfit),
        ("write /srv/zoom/x: no space left on device", Unfit),
        ("invalidRequest: Invalid character in name", MeetingFailed),
        ("api error EntityTooLarge: Your proposed upload exceeds the maximum allowed size", MeetingFailed),
        ("api error InvalidObjectState: The operation is not valid for the object's storage class", ColdStorage),
        ('corrupted on transfer: md5 hashes differ src(:memory:) "a3" vs dst(S3 bucket box) "4f"', ServiceUnavailable),
        ('Put "https://s3.example.org/x": dial tcp: lookup s3.example.org: no such host', Unreachable),
        ('Put "https://s3.example.org/x": read tcp: connection reset by peer', Unreachable),
        ("corrupted on transfer: sizes differ src(Local at /s) 401 vs dst(WebDAV root 'x') 0", ServiceUnavailable),
        ("corrupted on transfer: sizes differ src(Local at /s) 507 vs dst(S3 bucket x) 10", ServiceUnavailable),
        (f"{S3}0, request send failed, dial tcp 10.0.0.1:507: connect: no route to host", Unreachable),
        (f"{S3}403, api error Odd: it", Forbidden),
        ("Unknown problem (401 bad_auth_token)", NotAuthorized),
        ("WebDAV says: 507 Insufficient Room", Unfit),
        ("preallocate: file too big for remaining disk space", Unfit),
        ("mkdir /mnt/zoom: read-only file system", Unfit),
        ("mkdir failed: 401 No", NotAuthorized),
        ("googleapi: Error 429: slower", ServiceUnavailable),
        ("panic received: fatal error: Failed to read line: EOF", Unfit),  # a config that is encrypted
        ("pathIsTooLong: The path is too long", MeetingFailed),
        ("googleapi: Error 403: The file limit has been exceeded, teamDriveFileLimitExceeded", Unfit),
        ("googleapi: Error 403: too many today, dailyLimitExceeded", ServiceUnavailable),
        ("smb: Access Denied", Forbidden),
        ("ftp: 530 Login incorrect.", NotAuthorized),
        ("AADSTS7000222: The provided client secret keys for app are expired", NotAuthorized),
        ("something that nobody has read before", ServiceUnavailable),
    ],
)
def test_what_is_said_is_the_error_that_says_what_can_be_done(said: str, kind: type[ZoomsyncError]) -> None:
    error = refusal(said, "s3:box/zoom/x")

    assert type(error) is kind
    assert (error.service, str(error).startswith("s3:box/zoom/x: ")) == ("remote", True)
    assert error.hint
    assert "RequestID" not in str(error)


@pytest.mark.parametrize("said", ["Method Not Allowed: 405 Method Not Allowed", "Conflict: 409 Conflict"])
def test_an_answer_of_webdav_that_means_much_asks_for_room_and_rights(said: str) -> None:
    hint = refusal(said, "dav:zoom/x").hint

    assert ("room" in hint, "may rclone's user write" in hint) == (True, True)


@pytest.mark.parametrize(
    "said",
    [
        "open /srv/zoom/published/2026/HTTP 401 and Quota [0300a520]/video.mp4: connection refused",
        'Put "https://s3.example.org/published/HTTP-401-and-Quota/video.mp4": connection refused',
    ],
)
def test_what_a_topic_is_called_says_nothing_of_the_store(said: str) -> None:
    assert type(refusal(said, "s3:zoom/published/2026/HTTP 401 and Quota [0300a520]/video.mp4")) is Unreachable


def test_a_folder_that_is_closed_is_named_once_and_its_name_says_nothing_of_the_store() -> None:
    folder = '/mnt/published/ada/2026/HTTP 401: "Quota"'
    error = refusal(f"failed to open directory {json.dumps(folder)}: open {folder}: permission denied", "disk:mnt")

    assert type(error) is Forbidden
    assert str(error) == f"disk:mnt: failed to open directory {json.dumps(folder)}: permission denied"


def test_no_secret_of_an_address_is_repeated() -> None:
    error = refusal('Put "https://u:sesame@host/x?X-Amz-Signature=0123&sig=456": connection refused', "azure:box")

    assert "sesame" not in str(error)
    assert "0123" not in str(error)
    assert "456" not in str(error)
