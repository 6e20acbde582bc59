"""The text files beside a recording, in the forms that Zoom writes; every line says when it was said."""

import json

from tests.sandbox.content import Text

SPEAKERS = ("Alice Example", "Bob Example", "Zoë Łukasz-Ng")


def at(second: float) -> str:
    """`hh:mm:ss.mmm`."""
    whole = int(second)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{round((second - whole) * 1000):03}"


def captions(segment: int = 1, seconds: int = 8) -> Text:
    """A transcript: numbered cues of 1.5 s every two seconds, each with its speaker."""
    lines = ["WEBVTT", ""]
    for number, second in enumerate(range(0, seconds - 1, 2), 1):
        speaker = SPEAKERS[number % len(SPEAKERS)]
        said = f"{speaker}: This is second {second} of segment {segment}."
        lines += [str(number), f"{at(second + 0.25)} --> {at(second + 1.75)}", said, ""]
    return Text("\r\n".join(lines).encode())


def chat(segment: int = 1, form: str = "cloud") -> Text:
    """Two chat messages as `cloud` (one line), `meeting` (sender and receiver, text below) or `old` (one line)."""
    written = {"cloud": "{t}\t{who}:\t{text}\r\n", "meeting": "{t}\tFrom {who} to Everyone:\n\n\t{text}\n",
               "old": "{t}\t From  {who} to  Everyone : {text}\r\n"}[form]  # fmt: skip
    said = [
        (2, "Alice Example", f"Hello from segment {segment}"),
        (5, "Zoë Łukasz-Ng", "See https://example.org/a?b=c 👍"),
    ]
    return Text("".join(written.format(t=at(t)[:8], who=who, text=text) for t, who, text in said).encode())


def timeline(seconds: int = 8) -> Text:
    """Who spoke when."""
    turns = [
        {
            "ts": at(second),
            "users": [
                {"username": SPEAKERS[second % 3], "multiple_people": False, "user_id": "", "zoom_userid": ""},
            ],
        }
        for second in range(0, seconds, 2)
    ]
    return Text(json.dumps({"timeline": turns}).encode())


def summary(topic: str) -> Text:
    """What was talked about."""
    return Text(
        json.dumps({"summary_title": topic, "overall_summary": "They looked at a clock.", "items": []}).encode()
    )
