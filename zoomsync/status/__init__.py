"""What the state alone says, without network, secret or lock: for people, for scripts, for monitoring. Pure.

`document` is what `status --json` prints, `lines` what a person reads of it, `health` what `status --check` judges by,
`stories` and `story_lines` what `status --meeting` shows, `metrics` what Prometheus reads.
"""

from zoomsync.status.document import Facts, document
from zoomsync.status.health import health
from zoomsync.status.metrics import metrics
from zoomsync.status.story import stories, story_lines
from zoomsync.status.text import lines

__all__ = ["Facts", "document", "health", "lines", "metrics", "stories", "story_lines"]
