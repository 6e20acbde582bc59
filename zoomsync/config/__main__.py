"""`python -m zoomsync.config` prints the JSON schema that ships as `share/config.schema.json`."""

import sys

from zoomsync.config.schema import schema_text

sys.stdout.write(schema_text())
