"""Every rule about deleting a cloud copy, and why it stays. Pure.

A deletion is asked for three times, each time with fresher facts: from the ledger alone (`is_due`), after reading the
meeting again by its uuid (`judge`), after verifying the stored files (`decide`). Only the last can build a `Delete`.
"""

from dataclasses import dataclass
from datetime import datetime

from zoomsync.formatting import moment, plural, size_in_words
from zoomsync.model import Entry, Meeting, Phase, Receipt, RecordingFile, Verdict
from zoomsync.rules.publish import Publish, Rules, Skip, Wait, decide_due, is_delayed, is_requested
from zoomsync.rules.segments import select


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Delete these files of a meeting from the cloud. Cannot be built without a safe verdict on a receipt of theirs."""

    meeting: Meeting
    receipt: Receipt
    verdict: Verdict
    files: tuple[RecordingFile, ...]
    mode: str
    """`trash` or `delete`: Zoom's word for the action."""
    reason: str

    def __post_init__(self) -> None:
        is_same = self.verdict.receipt == self.receipt and self.receipt.uuid == self.meeting.uuid
        proven = self.verdict.safe and is_same
        if not proven or not self.files or not all(self.receipt.covers(file) for file in self.files):
            raise ValueError("a deletion needs a verified receipt that covers every file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletable:
    """A published meeting whose cloud copy may go, once its stored files are verified."""

    meeting: Meeting
    receipt: Receipt
    files: tuple[RecordingFile, ...]
    reason: str
    kept: int = 0
    """Files of it that are not selected and therefore stay in the cloud."""


def why_kept(entry: Entry, rules: Rules) -> Wait | Skip | None:
    """Why the cloud copy of a published meeting stays for now; None: it is due. Asks nobody."""
    receipt = entry.receipt
    if rules.delete == "never":
        return Skip(reason="delete_recordings is never", phase=entry.phase)
    if receipt is None or entry.stored_at is None or entry.phase is not Phase.PUBLISHED:
        return Skip(reason="not stored", phase=entry.phase)
    if entry.uuid in rules.held:
        return Skip(reason="listed in hold_meetings", phase=entry.phase)
    if not rules.selects(entry.host_id):
        return Skip(reason="its host is not selected by the config", phase=entry.phase)
    if receipt.destination != rules.destination:
        return Skip(reason="stored in another destination than the one configured", phase=entry.phase)
    return _deletion_waits(entry, entry.stored_at, rules)


def _deletion_waits(entry: Entry, stored_at: datetime, rules: Rules) -> Wait | None:
    if rules.now < stored_at + rules.delete_after:
        due = stored_at + rules.delete_after
        return Wait(reason=f"deleted from Zoom after {moment(due)}", due_at=due)
    if is_requested(entry.uuid, entry, rules):
        return Wait(reason="not deleted before it is looked at and mended, as --meeting asked for")
    if entry.retry is not None or entry.pending:
        missing = entry.retry.error if entry.retry is not None else ", ".join(entry.pending)
        return Wait(reason=f"not deleted before all of it is stored: {missing}")
    refusal = entry.refusal
    if refusal is not None and is_delayed(refusal, rules):
        when = (
            f"tried again at {moment(refusal.next_at)}" if refusal.next_at else f"given up after {refusal.tries} tries"
        )
        return Wait(reason=f"deletion refused, {when}: {refusal.error}", due_at=refusal.next_at)
    return None


def recheck(entry: Entry, found: Meeting | None, rules: Rules) -> Deletable | Publish | Wait | Skip:
    """What to do with the cloud copy of a meeting that was just read again by its uuid."""
    receipt = entry.receipt
    early = why_kept(entry, rules)
    if early is not None or receipt is None:
        return early or Skip(reason="not stored", phase=entry.phase)
    if found is None:
        return Skip(reason="stored; gone from the cloud", phase=Phase.DELETED)
    if not rules.selects(found.host_id):
        return Skip(reason="it belongs to another host now, whom the config does not select", phase=entry.phase)
    late = decide_due(found, entry, rules)
    if not isinstance(late, Skip):
        return late
    selected = select(found.files, views=rules.views, kinds=rules.kinds, only_primary=rules.only_primary)
    missing = [file for file in selected if not _is_done(file, entry)]
    if missing:
        return Wait(reason=f"not deleted before all of it is stored: {', '.join(sorted(f.label for f in missing))}")
    return _deletable(found, entry, receipt)


def _is_done(file: RecordingFile, entry: Entry) -> bool:
    return file.id in entry.deleted or (entry.receipt is not None and entry.receipt.covers(file))


def _deletable(found: Meeting, entry: Entry, receipt: Receipt) -> Deletable | Skip:
    files = tuple(
        f for f in found.files if f.id not in entry.deleted and receipt.covers(f) and not f.id.startswith("noid-")
    )
    if not files:
        return Skip(reason="stored; nothing of it that zoomsync may delete is left in the cloud", phase=Phase.DELETED)
    kept = sum(not _is_done(file, entry) for file in found.files)
    rest = f"; {plural(kept, 'file')} not stored here stay" if kept else ""
    size = size_in_words(sum(file.size or 0 for file in files))
    return Deletable(
        meeting=found,
        receipt=receipt,
        files=files,
        reason=f"stored, {plural(len(files), 'file')}, {size}{rest}",
        kept=kept,
    )


def decide_deletion(found: Deletable, verdict: Verdict, mode: str) -> Delete | Wait | Skip:
    """The deletion itself, now that the stored files were looked at."""
    if verdict.removed:
        return Skip(reason=f"left alone, cloud copy kept: {verdict.reason}", phase=Phase.REMOVED)
    if not verdict.safe or not all(verdict.receipt.covers(file) for file in found.files):
        return Wait(reason=f"not deleted: {verdict.reason}")
    action = "delete" if mode == "permanent" else "trash"
    return Delete(
        meeting=found.meeting,
        receipt=verdict.receipt,
        verdict=verdict,
        files=found.files,
        mode=action,
        reason=found.reason,
    )
