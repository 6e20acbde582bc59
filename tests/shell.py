"""What a shell needs besides the program: man page and completions, made from the command line as click knows it.

`make man` writes them; the wheel installs them where man and the shells look.
"""

from collections.abc import Collection, Iterator
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from tests.readme import ROOT
from zoomsync import __version__
from zoomsync.cli import EXIT_CODES, main_group

SHARE = ROOT / "zoomsync/share"
COMPLETIONS = {"bash": "zoomsync.bash", "zsh": "_zoomsync", "fish": "zoomsync.fish"}


def shipped() -> dict[Path, str]:
    """Each file and its content."""
    found = {SHARE / "completions" / name: completion(shell) for shell, name in COMPLETIONS.items()}
    return {SHARE / "man/man1/zoomsync.1": man_page(), **found}


def completion(shell: str) -> str:
    """The script that a shell reads; it asks zoomsync itself for each completion."""
    kind = get_completion_class(shell)
    assert kind is not None
    return kind(main_group, {}, "zoomsync", "_ZOOMSYNC_COMPLETE").source().rstrip() + "\n"


def man_page() -> str:
    """In the language of man(7)."""
    context = click.Context(main_group, info_name="zoomsync")
    says, *more = paragraphs(main_group)
    lines = [f'.TH ZOOMSYNC 1 "" "zoomsync {__version__}" "User Commands"', ".SH NAME", rf"zoomsync \- {roff(says)}"]
    lines += [".SH SYNOPSIS", r".B zoomsync", r"[\fIOPTIONS\fR] \fICOMMAND\fR [\fIOPTIONS\fR]", ".SH DESCRIPTION"]
    lines += [line for text in [says, *more] for line in (".PP", roff(text))]
    lines += [".SH OPTIONS", *options(main_group, context), ".SH COMMANDS"]
    common = {one.name for one in main_group.params}
    for name, command in main_group.commands.items():
        lines.append(f'.SS "{roff(name)}"')
        lines += [line for text in paragraphs(command) for line in (".PP", roff(text))]
        lines += options(command, click.Context(command, info_name=name, parent=context), but=common)
    lines.append(".SH EXIT STATUS")
    for line in EXIT_CODES.splitlines()[2:]:
        codes, _, means = line.strip().partition("  ")
        lines += [".TP", rf"\fB{roff(codes)}\fR", roff(means.strip())]
    return "\n".join([*lines, ".SH FILES", *FILES]) + "\n"


FILES = (
    ".PP",
    "config.example.yaml, the manual, JSON schemas and systemd units lie in the package, below",
    r".I zoomsync/share\fR.",
)


def paragraphs(command: click.Command) -> list[str]:
    """Of its help."""
    return [" ".join(one.split()) for one in (command.help or "").split("\n\n")]


def options(command: click.Command, context: click.Context, but: Collection[str | None] = ()) -> Iterator[str]:
    """Each option with what it does."""
    for option in command.params:
        if option.name not in but and (record := option.get_help_record(context)):
            yield from (".TP", rf"\fB{roff(record[0])}\fR", roff(record[1]))


def roff(text: str) -> str:
    """A text as it is: no character of it is a request."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("`", r"\(ga").replace("'", r"\(aq")
    return rf"\&{text}" if text.startswith(".") else text


if __name__ == "__main__":
    for path, text in shipped().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
