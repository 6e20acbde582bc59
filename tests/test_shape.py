"""What the import contracts in `pyproject.toml` cannot say of the package."""

from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "zoomsync"


def test_only_the_command_line_reads_clock_and_environment() -> None:
    forbidden = ("datetime.now(", "time.time(", "os.environ", "getenv(", "uuid4(", "sys.argv", "date.today(")
    modules = {path.relative_to(PACKAGE).as_posix(): path.read_text() for path in PACKAGE.rglob("*.py")}

    readers = {name for name, text in modules.items() if any(word in text for word in forbidden)}

    assert readers <= {"cli.py", "clock.py"}
