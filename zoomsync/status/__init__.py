"""What the state alone tells, without network, secret or lock: for people, for scripts, for monitoring. Pure.

`document` is what `status --json` prints, `lines` what a person reads of it, `health` what `status --check` judges by,
`stories` and `story_lines` what `status --meeting` tells.
"""

from zoomsync.status.alarm import health
from zoomsync.status.facts import document
from zoomsync.status.memory import Memory, Terms
from zoomsync.status.page import lines
from zoomsync.status.story import Story, stories, story_lines

__all__ = ["Memory", "Story", "Terms", "document", "health", "lines", "stories", "story_lines"]
