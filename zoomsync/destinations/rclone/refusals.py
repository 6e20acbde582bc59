"""What rclone says went wrong, as the error that says what can be done. Pure."""

import re

from zoomsync.errors import (
    ConfigError,
    Forbidden,
    LibraryUnusable,
    MeetingFailed,
    NotAuthorized,
    ServiceUnavailable,
    Unfit,
    Unreachable,
    ZoomsyncError,
)
from zoomsync.redaction import redact


class ColdStorage(MeetingFailed):
    """The store has it, and does not read it out now."""

    service = "remote"


_CREDENTIAL = (
    "check the credentials in rclone's config: `rclone --config FILE lsd REMOTE:` must list the remote; "
    "`rclone --config FILE config reconnect REMOTE:` signs in again where a browser is needed for it"
)
_RIGHT = "give rclone's user the right to list, read, write and delete there; or check the credentials in its config"
_CONFIG = "check destination.remote and destination.config; `rclone --config FILE listremotes` names what there is"
_ROOM = "free space at the remote, or raise its quota"
_ROOT = "check destination.remote: the bucket, as in s3:bucket/path, or share must exist before the first pass"
_NAME = "the store takes no such name: see its limits at https://rclone.org/overview/#restricted-filenames"
_SIZE = "the store takes no file of this size: see its limits, or wrap the remote in rclone's chunker"
_WAY = "look at this path at the remote; what stands in the way may be moved aside"
_DAMAGED = "was it altered by hand, or is the password of rclone's crypt another one?"
_COLD = "it lies in cold storage: restore it there, then it can be read"
_NET = "check the network, and the address in rclone's config; the next pass tries again"
_OTHER = (
    "the next pass sends it again; of a bucket that is encrypted with KMS rclone's config must say so: "
    "`server_side_encryption = aws:kms` (https://rclone.org/s3/#key-management-system-kms)"
)
_LATER = "the next pass tries again; if it goes on, look at what `rclone --config FILE -vv lsd REMOTE:` says"
_ODD = "has the store room, and may rclone's user write there? this answer can mean either; the next pass tries again"
_LOCKED = "rclone's config is encrypted: give the pass its password as RCLONE_CONFIG_PASS or RCLONE_PASSWORD_COMMAND"


def _status(number: str) -> str:
    """A pattern for this status of HTTP, where it is said to be one: a size or a port may be the same number."""
    return rf"(?i:status|code|error|response|http)\W{{1,2}}{number}\b|\({number} \w|(^|: ){number}( [A-Z]|$)"


# Each store has its own words, which rclone passes on: these are S3's, Azure's, Google's, Microsoft's, those of HTTP
# and of Go's library. The first row that fits counts.
_ROWS: tuple[tuple[type[ZoomsyncError], str, str], ...] = (
    (Unfit, _LOCKED, "Failed to read line: EOF"),
    (ConfigError, _CONFIG, r"didn't find (section|backend)|config file|[Uu]nable to decrypt|Can't decrypt"),
    (
        NotAuthorized,
        _CREDENTIAL,
        (
            r"SignatureDoesNotMatch|InvalidAccessKeyId|InvalidClientTokenId|ExpiredToken|InvalidToken|AuthenticationFailed"
            rf"|{_status('401')}|[Uu]nauthorized|[Ll]ogin incorrect|AADSTS(?!90)\d|couldn't fetch token"
            r"|invalid_grant|invalid_client|unable to authenticate"
            r"|NoCredentialProviders|failed to refresh cached credentials|empty token found|InvalidAuthenticationToken"
        ),
    ),
    (
        LibraryUnusable,
        _ROOT,
        r"NoSuchBucket|(?i:invalid ?bucket ?name)|ContainerNotFound|ShareNotFound|bucket (does not exist|not found)",
    ),
    (
        ServiceUnavailable,
        _LATER,
        rf"{_status('429')}|SlowDown|TooManyRequests|(daily|activity)Limit|[Rr]ate ?[Ll]imit|[Qq]uota metric",
    ),
    (  # not `DiskFull`, which a smaller meeting may not meet: here each has to be fetched to find out
        Unfit,
        _ROOM,
        (
            r"[Nn]o space left|[Qq]uota|[Ii]nsufficient[ _]?([Ss]torage|space)|not enough (free )?space"
            rf"|remaining disk space|{_status('507')}"
            r"|[Ff]ileLimitExceeded|disk full|XMinioStorageFull|storage[ _](cap|limit)[ _]exceeded"
        ),
    ),
    (Unfit, _RIGHT, "(?i:read-only file ?system)"),
    (ServiceUnavailable, _OTHER, r"corrupted on transfer: \w+ hashes differ"),
    (MeetingFailed, _DAMAGED, r"failed to authenticate decrypted block|bad decryption|not an encrypted file"),
    (MeetingFailed, _WAY, r"[Nn]ot a directory|[Ii]s a directory|[Ff]ile exists"),
    (ColdStorage, _COLD, r"InvalidObjectState|BlobArchived"),
    (MeetingFailed, _SIZE, rf"EntityTooLarge|RequestBodyTooLarge|{_status('413')}|file too (large|big)|maximum.*size"),
    (
        MeetingFailed,
        _NAME,
        r"(?i:name too long|path ?is ?too ?long|KeyTooLong|invalid (character|file ?name|name)|InvalidBlobName)",
    ),
    (ServiceUnavailable, _ODD, _status("40[59]")),
    (ServiceUnavailable, _LATER, _status("50[0-9]")),
    (
        Forbidden,
        _RIGHT,
        rf"{_status('403')}|[Aa]ccess ?[Dd]enied|[Ff]orbidden|[Pp]ermission denied|AuthorizationPermissionMismatch",
    ),
    (
        Unreachable,
        _NET,
        (
            r"connection re(fused|set)|no such host|i/o timeout|TLS handshake|x509|EOF|broken pipe"
            r"|network is unreachable|deadline exceeded|no route to host|connection (closed|lost)|server misbehaving"
        ),
    ),
)
_PLACE = re.compile(r'https?://[^\s"]+|directory( entry)? "(\\.|[^"\\])*"')
_NOISE = re.compile(
    r", (RequestID|HostID): [^,]*|error in ListJSON: |failed to (find|open source) object: "
    r'|(?<=": )(open|lstat) /.*: (?=[^:]*$)'  # the same path again
)


def refusal(said: str, where: str) -> ZoomsyncError:
    """The error for what rclone `said` of `where`; what nobody knows is the trouble of the store."""
    said = _NOISE.sub("", said)
    plain = _PLACE.sub("", said)
    for name in sorted(filter(None, where.partition(":")[2].split("/")), key=len, reverse=True):
        plain = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "", plain)  # a topic may be called “Quota” or “401”
    rows = ((kind, hint) for kind, hint, words in _ROWS if re.search(words, plain))
    kind, hint = next(rows, (ServiceUnavailable, _LATER))
    return kind(f"{where}: {redact(said)[:300]}", hint=hint, service="remote")
