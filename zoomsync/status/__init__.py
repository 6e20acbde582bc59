"""What the state alone says, without network, secret or lock: for people, for scripts, for monitoring. Pure.

`document` is what `status --json` prints, `lines` what a person reads of it, `health` what `status --check` judges by,
`stories` and `story_lines` what `status --meeting` shows.
"""

from zoomsync.status.document import document
from zoomsync.status.health import health
from zoomsync.status.story import stories, story_lines
from zoomsync.status.text import lines

__all__ = ["document", "health", "lines", "stories", "story_lines"]
