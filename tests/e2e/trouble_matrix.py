"""The matrix of trouble: what is to come of each fault of each endpoint, however many subjects it concerns.

The outcomes were reasoned from the design, not taken from what the program did. `python -m tests.e2e.trouble_matrix`
writes the table for people, `tests/e2e/TROUBLE.md`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.destinations.rclone.stores import reply
from tests.sandbox import faults
from tests.sandbox.faults import Fault
from tests.sandbox.message import Answer, Ending
from tests.sandbox.portal.faults import busy, expired_token, portal_error

PAGE = Path(__file__).with_name("TROUBLE.md")
HOSTS = ("alice", "bob", "carol", "dora", "emil", "fred")
EXTENTS: Mapping[str, tuple[str, ...]] = {
    "one": ("bob",),
    "three in a row": ("bob", "carol", "dora"),
    "every second": ("bob", "dora", "fred"),
    "all": HOSTS,
}
SCOPE = "cloud_recording:read:list_recording_files:admin"
CLASSES: Mapping[str, tuple[str, ...]] = {
    "out of order": ("500", "429"),
    "refused": ("403", "401/124", "4711"),
    "not there": ("1010", "3301"),
    "nonsense": ("empty", "HTML", "[]", '{"x":1}'),
    "silence": ("stalled", "cut"),
}
"""The kinds of faults by what they have in common."""
UNANSWERED_DELETION = Fault(instead=lambda _: Answer(stop_after=-1, ending=Ending.STALL))
"""Not done, and no answer ever comes."""

ZOOM_KINDS: Mapping[str, Callable[[], Fault]] = {
    "500": lambda: faults.page(500, "Internal Server Error"),
    "429": faults.rate_limited,
    "403": lambda: faults.refused(403, 403, "Forbidden"),
    "401/124": faults.bad_token,
    "4711": lambda: faults.no_scope(SCOPE),
    "1010": lambda: faults.refused(400, 1010, "User does not belong to this account."),
    "3301": lambda: faults.refused(404, 3301, "There is no recording for this session."),
    "empty": lambda: faults.body("", "application/json"),
    "HTML": faults.sign_in_page,
    "[]": lambda: faults.body("[]", "application/json"),
    '{"x":1}': lambda: faults.body('{"x":1}', "application/json"),
    "stalled": faults.black_hole,
    "cut": lambda: faults.cut(1),
}
PORTAL_KINDS: Mapping[str, Callable[[], Fault]] = {
    **ZOOM_KINDS,
    "500": portal_error,
    "429": busy,
    "403": lambda: portal_error(403, "AccessDeniedException"),
    "401/124": lambda: portal_error(401, "InvalidAccessTokenException"),
    "4711": expired_token,
    "1010": lambda: portal_error(400, "InvalidRequestException"),
    "3301": lambda: portal_error(404, "ResourceNotFoundException"),
}
"""Zoom's codes mean nothing to a portal; what comes nearest stands for them."""
REMOTE_KINDS: Mapping[str, bytes | None] = {
    "500": reply(500),
    "429": reply(429),
    "403": reply(403),
    "401/124": reply(401),
    "4711": reply(423),
    "1010": reply(400),
    "3301": reply(404),
    "empty": reply(200),
    "HTML": reply(200, "<!doctype html><title>Sign in</title>"),
    "[]": reply(200, "[]"),
    '{"x":1}': reply(200, '{"x":1}'),
    "stalled": None,
    "cut": b"",
}
"""What an S3 says."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What is to come of a fault."""

    word: str
    codes: tuple[int, int]
    """Exit codes of the two passes with the fault."""
    starves: str = "broken"
    """Whose new recordings may be missing meanwhile: of the `broken` subjects, of `nobody`, of `everybody`."""


OWN = Outcome(word="own", codes=(1, 1))
AROUND = Outcome(word="around", codes=(0, 0), starves="nobody")
LESS = Outcome(word="less", codes=(1, 1), starves="nobody")
NOTHING = Outcome(word="nothing", codes=(0, 0))
FOUND_OUT = Outcome(word="found out", codes=(1, 0), starves="nobody")
LATER = Outcome(word="later", codes=(1, 0))
SERVICE = Outcome(word="service", codes=(6, 6), starves="everybody")
CREDENTIAL = Outcome(word="credential", codes=(3, 3), starves="everybody")
UNFIT = Outcome(word="unfit", codes=(5, 5), starves="everybody")
MAY_NOT = Outcome(word="may not", codes=(3, 3))
MEANINGS: Mapping[str, str] = {
    "own": "the trouble is the subjects' own: all others are published, exit 1",
    "less": "all new recordings are published, what fails is something less (a deletion, a text), exit 1",
    "found out": "likewise; the next pass finds out that it was done, exit 1, then 0",
    "later": "the trouble is the subjects' own; it was done, but not answered; exit 1, then 0",
    "nothing": "the answer means that there is nothing, or that it is done, exit 0",
    "around": "there is another way to the same: everything is published, exit 0",
    "service": "no subject is asked about, and the service does not answer properly: nothing is begun, exit 6",
    "credential": "no subject is asked about, and the credential is refused: nothing is begun, exit 3",
    "unfit": "no subject is asked about, and what is there is not what zoomsync wrote: nothing is begun, exit 5",
    "may not": "the account may not do it for anybody: what needs it is not done, exit 3",
}


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """What can be broken."""

    name: str
    usual: Outcome
    """Of every kind and extent that is not among the exceptions."""
    but: Mapping[str, Outcome] = field(default_factory=dict)
    """By kind, or by kind and extent: `403`, `403, all`, `all`."""
    is_portal: bool = False
    is_remote: bool = False
    has_subjects: bool = True
    """False: it is asked about nobody, so that it fails for all or for none."""
    why: str = ""

    def expected(self, kind: str, extent: str) -> Outcome:
        """The outcome of one cell."""
        names = (f"{kind}, {extent}", kind, extent)
        return next((self.but[name] for name in names if name in self.but), self.usual)

    def fault(self, kind: str) -> Fault:
        """What goes wrong here."""
        kinds = dict(PORTAL_KINDS if self.is_portal else ZOOM_KINDS)
        if self.name in ("deletion", "download address", "upload_start", "upload_block"):  # no body to be cut
            kinds["cut"] = faults.lost_answer
        if self.name == "deletion":
            kinds["stalled"] = lambda: UNANSWERED_DELETION
        if self.name == "signed download":
            kinds |= {"cut": lambda: faults.cut(100), "stalled": lambda: faults.stall(100)}
        return kinds[kind]()


REFUSED_TO_ALL = {f"{kind}, all": MAY_NOT for kind in ("403", "401/124", "4711")}
"""The portal lets nobody do it, though it takes the sign-in."""
REFUSED_IN_S3 = {"403, all": MAY_NOT, "401/124, all": MAY_NOT}
DONE = {"stalled": FOUND_OUT, "cut": FOUND_OUT}
"""It was done, but for the answer."""
RESUMED = {"stalled": LATER, "cut": LATER}
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        name="token",
        usual=SERVICE,
        but={"403": CREDENTIAL, "401/124": CREDENTIAL, "4711": CREDENTIAL, "1010": CREDENTIAL},
        has_subjects=False,
        why="400, 401 and 403 refuse the app, whatever code is in the body",
    ),
    Endpoint(
        name="/users",
        usual=SERVICE,
        but={"403": CREDENTIAL, "401/124": CREDENTIAL, "4711": CREDENTIAL},
        has_subjects=False,
        why="it is the reference question, and with a blank filter no pass can do without it",
    ),
    Endpoint(
        name="/users/{id}",
        usual=AROUND,
        but={"1010": NOTHING},
        why="only the id is asked for, which the ledger knows of these hosts; whom Zoom does not know has departed",
    ),
    Endpoint(
        name="account list",
        usual=AROUND,
        has_subjects=False,
        why="whatever is wrong with it, the lists of the users stand in for it",
    ),
    Endpoint(
        name="user list",
        usual=OWN,
        but={"3301": NOTHING},
        why="3301 is Zoom's empty list; 1010 contradicts the list of users, so it is a gap",
    ),
    Endpoint(
        name="meeting",
        usual=LESS,
        but={"3301": AROUND},
        why="read before a deletion: what cannot be read stays; what is gone needs no deletion",
    ),
    Endpoint(
        name="deletion",
        usual=LESS,
        but={"3301": AROUND, "empty": AROUND, '{"x":1}': AROUND, "cut": FOUND_OUT, "cut, all": LESS},
        why="3301: gone already; an empty or unknown 200 is Zoom's older way to say that it is done; cut: it was done",
    ),
    Endpoint(name="download address", usual=OWN, why="the list says that the file is there: no answer means nothing"),
    Endpoint(name="signed download", usual=OWN, why="likewise"),
    Endpoint(
        name="sign_in",
        usual=SERVICE,
        but={"403": CREDENTIAL, "401/124": CREDENTIAL, "4711": CREDENTIAL, "1010": CREDENTIAL},
        is_portal=True,
        has_subjects=False,
        why="it is the portal's reference question",
    ),
    Endpoint(
        name="user_find",
        usual=OWN,
        but={"403, all": CREDENTIAL, "401/124, all": CREDENTIAL, "4711, all": CREDENTIAL, "all": SERVICE},
        is_portal=True,
        why="all: the account that signs in is not found either, and nothing is begun",
    ),
    Endpoint(
        name="group_list",
        usual=SERVICE,
        but={"403": AROUND, "401/124": AROUND, "4711": AROUND},
        is_portal=True,
        has_subjects=False,
        why="asked before anything is begun; an account that may not read groups can still publish",
    ),
    Endpoint(name="upload_start", usual=OWN, but=REFUSED_TO_ALL | RESUMED, is_portal=True),
    Endpoint(name="upload_block", usual=OWN, but=REFUSED_TO_ALL | RESUMED, is_portal=True),
    Endpoint(name="upload_commit", usual=OWN, but=REFUSED_TO_ALL, is_portal=True),
    Endpoint(name="media_create", usual=OWN, but=REFUSED_TO_ALL | DONE, is_portal=True),
    Endpoint(name="media_get", usual=OWN, but=REFUSED_TO_ALL, is_portal=True),
    Endpoint(name="media_search", usual=OWN, but=REFUSED_TO_ALL, is_portal=True),
    Endpoint(
        name="media_update",
        usual=LESS,
        but=dict.fromkeys(("403", "401/124", "4711", "1010", "3301", "empty", "[]", '{"x":1}'), AROUND) | DONE,
        is_portal=True,
        why="it notes at the media item what it holds; where the portal refuses that, the state alone knows",
    ),
    Endpoint(
        name="caption_add",
        usual=LESS,
        but={"403": AROUND, "401/124": AROUND, "4711": AROUND, "1010": AROUND} | DONE,
        is_portal=True,
        why="no text keeps a video back; what is refused as captions goes out as a handout",
    ),
    Endpoint(name="handout_add", usual=LESS, but=DONE, is_portal=True, why="no text keeps a video back"),
    Endpoint(
        name="marker",
        usual=SERVICE,
        but={"403": CREDENTIAL, "401/124": CREDENTIAL}
        | dict.fromkeys(("3301", "empty", "HTML", "[]", '{"x":1}'), UNFIT),
        is_remote=True,
        has_subjects=False,
        why="it is the remote's reference question; one that is gone or damaged is an error, never a new library",
    ),
    Endpoint(
        name="look",
        usual=OWN,
        but=REFUSED_IN_S3 | {"3301": LESS},
        is_remote=True,
        why="recording.json is asked for; where a stored item is known to be, one that is not there is no answer",
    ),
    Endpoint(
        name="list",
        usual=OWN,
        but=REFUSED_IN_S3,
        is_remote=True,
        why="the files of an item; a list that lacks the recording.json that was just read is none",
    ),
    Endpoint(name="upload", usual=OWN, but=REFUSED_IN_S3, is_remote=True, why="of a video"),
    Endpoint(
        name="document", usual=OWN, but=REFUSED_IN_S3, is_remote=True, why="recording.json, which completes an item"
    ),
)
NOT_YET: Mapping[tuple[str, str, str], str] = {}
"""Cells in which the program is not right yet: endpoint, kind and extent (`*`: any) → the reason."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One field of the matrix."""

    endpoint: Endpoint
    kind: str
    extent: str

    def __str__(self) -> str:
        return f"{self.endpoint.name}-{self.kind}-{self.extent}".replace("/", "|")

    @property
    def expected(self) -> Outcome:
        """What is to come of it."""
        return self.endpoint.expected(self.kind, self.extent)

    @property
    def broken(self) -> tuple[str, ...]:
        """The hosts whom it concerns."""
        return EXTENTS[self.extent]

    @property
    def not_yet(self) -> str:
        """Why the program is not right here yet; empty: it is."""
        names = ((self.endpoint.name, kind, extent) for kind in (self.kind, "*") for extent in (self.extent, "*"))
        return next((NOT_YET[name] for name in names if name in NOT_YET), "")


def cells() -> Iterator[tuple[Cell, bool]]:
    """Every cell, and whether it is in the suite: of each endpoint of Zoom every third class in turn, of the portal's
    and of a remote's every fourth; kinds and extents in turn, of a remote one subject alone, since rclone waits for
    nobody's clock. What becomes of a class is one rule, whatever endpoint it strikes.
    """
    for row, endpoint in enumerate(ENDPOINTS):
        extents = [*EXTENTS] if endpoint.has_subjects else ["all"]
        turns = extents[:1] if endpoint.is_remote else extents
        for column, kinds in enumerate(CLASSES.values()):
            is_turn = (row + column) % (4 if endpoint.is_portal or endpoint.is_remote else 3) == 0
            chosen = (kinds[row % len(kinds)], turns[(row + column) % len(turns)]) if is_turn else None
            for kind in kinds:
                for extent in extents:
                    yield Cell(endpoint=endpoint, kind=kind, extent=extent), (kind, extent) == chosen


def page() -> str:
    """The table for people."""
    lines = [
        "# What is to come of trouble",
        "",
        "Written by `python -m tests.e2e.trouble_matrix` from `tests/e2e/trouble_matrix.py`; change it there.",
        "Each endpoint fails for good in each way, for one subject of six, three in a row, every second one, or all;",
        "`test_trouble_matrix.py` tries it: the suite one cell of each endpoint of Zoom and every third class (of the",
        "portal's and of a remote's every fourth), `make soak` all of them.",
        f"The classes: {'; '.join(f'{name} ({chr(44).join(kinds)})' for name, kinds in CLASSES.items())}.",
        "",
        *(f"- **{word}**: {meaning}" for word, meaning in MEANINGS.items()),
        "",
        "Where one word stands alone it holds for all extents. Endpoints with — are asked about no subject: they fail",
        "for all or for nobody. Zoom's codes mean nothing to a portal; there 4711 stands for a token that is refused",
        "right after signing in (400), 1010 for a request refused with 400, and 3301 for one refused with 404.",
        "The last five are of a remote, an S3: there 4711 stands for 423, 1010 for 400, and 3301 for 404.",
        "",
        f"| endpoint | subjects | {' | '.join(ZOOM_KINDS)} | why |",
        f"|{' --- |' * (len(ZOOM_KINDS) + 3)}",
    ]
    for endpoint in ENDPOINTS:
        subjects = "—" if not endpoint.has_subjects else "hosts" if "user" in endpoint.name else "meetings"
        row = [_field(endpoint, kind) for kind in ZOOM_KINDS]
        lines.append(f"| {endpoint.name} | {subjects} | {' | '.join(row)} | {endpoint.why} |")
    reasons: dict[tuple[str, str], list[str]] = {}
    for (endpoint_name, kind, extent), why in NOT_YET.items():
        reasons.setdefault((endpoint_name, why), []).append(kind if extent == "*" else f"{kind} ({extent})")
    if reasons:
        lines += ["", "Not right yet, and expected to fail until it is:", ""]
        lines += [f"- {name}: {', '.join(kinds)}: {why}" for (name, why), kinds in reasons.items()]
    return "\n".join(lines) + "\n"


def _field(endpoint: Endpoint, kind: str) -> str:
    usual, whole = endpoint.expected(kind, "one"), endpoint.expected(kind, "all")
    if not endpoint.has_subjects or whole == usual:
        return whole.word
    return f"{usual.word}; all: {whole.word}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
