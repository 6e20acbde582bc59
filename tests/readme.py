"""The README and the manual's chapters as data: pages, sections, fenced blocks, tables and the words in backticks."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOC = ROOT / "zoomsync" / "share" / "doc"
PAGES = {
    str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in (ROOT / "README.md", *DOC.glob("*.md"))
}
"""Each page's text by its path."""
README = PAGES["README.md"]
MANUAL = "\n".join(PAGES.values())


def chapter(name: str) -> str:
    """The text of a chapter of the manual."""
    return PAGES[f"zoomsync/share/doc/{name}.md"]


def blocks(language: str, text: str = MANUAL) -> list[str]:
    """The fenced blocks of a language, those in a list item too."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def section(title: str) -> str:
    """From a heading of the README to the next one."""
    return README.split(f"\n## {title}\n", maxsplit=1)[1].split("\n## ", maxsplit=1)[0]


def tables(text: str) -> list[list[list[str]]]:
    """Each table's rows of cells, without its head."""
    found = re.findall(r"(?:^ *\|.*\|\n)+", text, re.MULTILINE)
    return [[_cells(line) for line in table.strip().splitlines()[2:]] for table in found]


def codes(text: str) -> list[str]:
    """What stands in backticks outside of fenced blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL))


def anchors(text: str) -> set[str]:
    """What a link can name after its `#`: each heading, as GitHub writes it."""
    headings = re.findall(
        r"^#+ (.*)", re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
