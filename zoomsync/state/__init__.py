"""What zoomsync remembers between passes: the head, the last runs, the ledger and open intents.

`state.json` is a page with the head and the runs, `state.db` beside it the ledger and the intents. Both say of how many
steps of the ledger they know, and whose they are: files that do not fit each other are found, and each document has
its checksum. Only the pass that has the lock may write.
"""

from zoomsync.state.ledger import Host, Ledger, Stored
from zoomsync.state.lock import lock, lock_file, locked_out_since, owner_check
from zoomsync.state.page import Head
from zoomsync.state.state import WHOLE, State

__all__ = ["WHOLE", "Head", "Host", "Ledger", "State", "Stored", "lock", "lock_file", "locked_out_since", "owner_check"]
