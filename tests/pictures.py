"""The README's pictures, drawn of what its own tested blocks say. `make pictures`."""

import re
import sys
from io import StringIO

from rich.console import Console
from rich.text import Text

from tests.readme import DOC, README, blocks, chapter

LOOK = (
    (r"^\$ .*", "bold"),
    (r"^[├│└ ]*─*", "dim"),
    (r"(?<=[\w/.…]) {3,}\S.*", "dim"),
    (r"\b(?:info|ok|Finished|healthy|authorized)\b", "green"),
    (r"“[^”]*”|\[[0-9a-f]{8}\]", "cyan"),
)


def main() -> int:
    """Draw them again."""
    for name, (title, text) in pictures().items():
        (DOC / name).write_text(drawn(title, text), encoding="utf-8")
    return 0


def pictures() -> dict[str, tuple[str, str]]:
    """The title and the text of each."""
    first_pass = next(block for block in blocks("console", README) if "$ zoomsync sync\n" in block)
    return {
        "terminal.svg": ("zoomsync", first_pass[first_pass.index("$ zoomsync sync\n") :]),
        "library.svg": ("library", blocks("text", chapter("how-it-works"))[0]),
    }


def drawn(title: str, text: str) -> str:
    """The SVG; no font is fetched from anywhere."""
    lines = text.splitlines()
    console = Console(
        record=True, width=max(map(len, lines)), file=StringIO(), force_terminal=True, color_system="truecolor"
    )
    for line in lines:
        shown = Text(line)
        for pattern, style in LOOK:
            shown.highlight_regex(pattern, style)
        console.print(shown)
    svg = console.export_svg(title=title, unique_id=title)
    return re.sub(r"@font-face \{.*?\}\n*", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    sys.exit(main())
