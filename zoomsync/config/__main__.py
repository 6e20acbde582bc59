"""`python -m zoomsync.config` writes the JSON schema anew that ships as `share/config.schema.json`."""

from pathlib import Path

from zoomsync.config.schema import schema_text

if __name__ == "__main__":
    shipped = Path(__file__).parents[1] / "share" / "config.schema.json"
    shipped.write_text(schema_text(), encoding="utf-8")
