"""What the state alone tells, without network, secret or lock: for people, for scripts, for monitoring. Pure.

`document` is what `status --json` prints, `lines` what a person reads of it, `health` what `status --check` judges by,
`stories` and `story_lines` what `status --meeting` tells.
"""

from zoomsync.status.document import document
from zoomsync.status.health import health
from zoomsync.status.query import Memory, Terms
from zoomsync.status.story import Story, stories, story_lines
from zoomsync.status.text import lines

__all__ = ["Memory", "Story", "Terms", "document", "health", "lines", "stories", "story_lines"]
