"""What can be asked of a portal: a table of operations as data, whose rows a config can override. Pure.

The config reads it to check what a site overrides, the destination to know what to send.
"""

from zoomsync.operations.operation import Filled, Operation, fill, picked
from zoomsync.operations.overriding import METHODS, override
from zoomsync.operations.table import RECEIPT_ATTRIBUTE, TABLE

__all__ = ["METHODS", "RECEIPT_ATTRIBUTE", "TABLE", "Filled", "Operation", "fill", "override", "picked"]
