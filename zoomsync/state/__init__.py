"""What zoomsync remembers between passes: the head, the ledger, open intents and the last runs.

`state.json` holds everything as of the last fold and names its journal; each journal line is one step since then.
A journal is never used twice and its checksums are chained, beginning with that of its `state.json`: a flipped bit,
a lost line and a mismatched pair are found. Only the pass that has the lock may write.
"""

from zoomsync.state.lock import lock, lock_file, locked_out_since, owner_check
from zoomsync.state.schema import Head
from zoomsync.state.state import State

__all__ = ["Head", "State", "lock", "lock_file", "locked_out_since", "owner_check"]
