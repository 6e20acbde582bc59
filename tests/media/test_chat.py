import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoomsync.media.chat import STAMP, join_chat

quick = settings(derandomize=True, max_examples=40, deadline=None)

ONE_LINE = "00:00:05\t From Alice : hello\n00:59:58\t From Bob to Carol (Privately) : at 10:00:00\tsharp\n"
NEWER = (
    "00:00:05\tFrom Alice to Everyone:\r\n\thello\r\n\t00:00:09\tquoted\r\n"
    '00:00:09\tFrom Bob to Everyone:\r\n\tReacted to "hello" with 👍\r\n'
)


@pytest.mark.parametrize(
    ("text", "later"),
    [
        pytest.param(
            ONE_LINE,
            "01:00:05\t From Alice : hello\n01:59:58\t From Bob to Carol (Privately) : at 10:00:00\tsharp\n",
            id="one line",
        ),
        pytest.param(
            NEWER,
            "01:00:05\tFrom Alice to Everyone:\r\n\thello\r\n\t00:00:09\tquoted\r\n"
            '01:00:09\tFrom Bob to Everyone:\r\n\tReacted to "hello" with 👍\r\n',
            id="indented text and reactions",
        ),
        pytest.param("0:00:05 From Alice : hello\n", "01:00:05 From Alice : hello\n", id="a space for the tab"),
        pytest.param("99:30:00\tAlice:\thello\n", "100:30:00\tAlice:\thello\n", id="more than 99 hours"),
        pytest.param("2026-03-01 10:00:05 From Alice : hello\n", None, id="a clock on the wall"),
        pytest.param("00:00:05\tA:\tone\r00:00:06\tB:\ttwo\r\n", "01:00:05\tA:\tone\r01:00:06\tB:\ttwo\r\n", id="CR"),
        pytest.param(f"{'9' * 5000}:00:05\tA:\tone\n", None, id="5,000 digits"),
        pytest.param("\0\ud800\n00:61:05\tA:\tone\n\ufeff\n", None, id="nothing of a chat"),
        pytest.param("see you\n10:15:00 is fine\n00:75:00\tno time\n00:00:05\n", None, id="no time of a message"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_the_times_of_messages_are_shifted_and_nothing_else(text: str, later: str | None) -> None:
    assert join_chat([(text, 3600.2)]) == (text if later is None else later)


def test_parts_follow_each_other_on_lines_of_their_own() -> None:
    joined = join_chat([("\ufeff00:00:01\tA:\tone", 0), ("", 5), ("\ufeff00:00:01\tB:\ttwo\r\n\tmore", 10.6)])

    assert joined == "00:00:01\tA:\tone\n00:00:12\tB:\ttwo\r\n\tmore\r\n"


texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
messages = st.tuples(st.integers(0, 500_000), texts)
chats = st.lists(messages, max_size=5)


def written(chat: list[tuple[int, str]], newline: str) -> str:
    return "".join(
        f"{at // 3600:02d}:{at // 60 % 60:02d}:{at % 60:02d}\tFrom {text}:{newline}\t{text}{newline}"
        for at, text in chat
    )


def read(text: str) -> list[tuple[int, str]]:
    """Every message with its seconds."""
    found = list(STAMP.finditer(text))
    ends = [*(one.start() for one in found), len(text)][1:]
    return [
        ((int(one[1]) * 60 + int(one[2])) * 60 + int(one[3]), re.sub(r"^\tFrom ", "", text[one.end() : end]))
        for one, end in zip(found, ends, strict=True)
    ]


@quick
@given(chats, st.sampled_from(["\n", "\r\n"]))
def test_a_shift_by_nothing_changes_not_a_byte(chat: list[tuple[int, str]], newline: str) -> None:
    assert join_chat([(written(chat, newline), 0.0)]) == written(chat, newline)


@quick
@given(st.lists(st.tuples(chats, st.integers(0, 400_000)), max_size=4), st.sampled_from(["\n", "\r\n"]))
def test_a_join_has_every_message_in_order_later_by_its_offset(
    parts: list[tuple[list[tuple[int, str]], int]], newline: str
) -> None:
    joined = join_chat([(written(chat, newline), offset) for chat, offset in parts])

    assert read(joined) == [
        (at + offset, f"{text}:{newline}\t{text}{newline}") for chat, offset in parts for at, text in chat
    ]
