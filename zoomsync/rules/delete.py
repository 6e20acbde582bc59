"""Every rule about deleting a cloud copy, and why it stays. Pure.

A cloud file is deleted only if all six conditions hold that README lists under "What it deletes, and when":

1. An earlier pass published its meeting, and `delete_after` has passed since the last new file of it was stored.
2. The config selects its host, and the meeting is not listed in `hold_meetings`.
3. Every file of the meeting that the config wants is stored; nothing of it waits, failed or is still being processed.
4. It came whole, and Zoom, asked again, still shows it with the id, size and start that the receipt has.
5. The stored files were just read again, in full, and are those of the receipt.
6. The proof is in the audit, durable, before Zoom is asked to delete. `sync.deleter` does that, after all rules here.

They are checked in three steps, each with fresher facts: `why_kept` goes by the ledger alone, `recheck` by the meeting
as it was just read from Zoom, `decide_deletion` by the verdict on the stored files. Only the last builds a `Delete`.
"""

from dataclasses import dataclass

from zoomsync.formatting import moment, plural, size_in_words
from zoomsync.model import CloudFile, Entry, Meeting, Phase, Receipt, RecordingFile, Verdict
from zoomsync.rules.publish import Publish, Rules, Skip, Wait, decide_due, is_requested
from zoomsync.rules.retry import is_delayed

KEPT = "stored, but kept in Zoom"
CHANGED = "Zoom lists it no more as it did when it was fetched"


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
        if not proven or not self.files or not all(self.receipt.proof(file) for file in self.files):
            raise ValueError("a deletion needs a verified receipt that covers every file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletable:
    """A published meeting whose cloud copy may go, once its stored files are verified."""

    meeting: Meeting
    receipt: Receipt
    files: tuple[RecordingFile, ...]
    reason: str
    kept: str = ""
    """Why other files of it stay although they are stored; empty: none do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep(Wait):
    """What is left of the cloud copy is stored, but it is not proven that all of it came: a person decides."""


def doubt(file: CloudFile) -> str:
    """Why it is not proven that a file came whole; empty: it is."""
    label = file.as_listed().label
    if file.is_whole:
        return ""
    if not file.is_settled:
        return f"{label}: it is not proven that all of it came"
    listed = "no size" if file.size is None else f"{file.size:,}"
    return f"{label}: {plural(file.fetched_size, 'byte')} came twice, Zoom lists {listed}"


def doubts(entry: Entry) -> str:
    """Why the stored files of a meeting prove too little to delete all of its cloud copy; empty: they do not."""
    return ", ".join(filter(None, map(doubt, _left(entry))))


def is_doubtful(entry: Entry) -> bool:
    """Whether nothing that is left of the cloud copy is proven to have come whole, and fetching it again is no use."""
    left = _left(entry)
    return bool(left) and all(one.is_settled and not one.is_whole for one in left)


def _left(entry: Entry) -> list[CloudFile]:
    """Its stored cloud files that may still be there; an id of our making is none of Zoom's."""
    cloud = entry.receipt.cloud if entry.receipt is not None else ()
    return [one for one in cloud if one.id not in entry.deleted and not one.id.startswith("noid-")]


def why_kept(entry: Entry, rules: Rules) -> Wait | Skip | None:
    """Why the cloud copy of a published meeting stays for now; None: it is due. Goes by the ledger alone."""
    receipt = entry.receipt
    if rules.delete == "never":
        return Skip(reason="delete_recordings is never", phase=entry.phase)
    # 1: published
    if receipt is None or entry.stored_at is None or entry.phase is not Phase.PUBLISHED:
        return Skip(reason="not stored", phase=entry.phase)
    # 2: selected, and not listed in hold_meetings
    if entry in rules.kept_in_zoom:
        return Skip(reason="listed in hold_meetings", phase=entry.phase)
    if not rules.selects(entry.host_id, entry.host_email):
        return Skip(reason="its host is not selected by the config", phase=entry.phase)
    # 1: to the destination now configured, and delete_after has passed
    if receipt.destination != rules.destination:
        return Skip(reason="stored in another destination than the one configured", phase=entry.phase)
    if rules.now < entry.stored_at + rules.delete_after:
        due = entry.stored_at + rules.delete_after
        return Wait(reason=f"deleted from Zoom after {moment(due)}", due_at=due)
    return _why_not_yet(entry, rules)


def _why_not_yet(entry: Entry, rules: Rules) -> Wait | None:
    # 3: nothing of it waits or failed, as far as the ledger knows
    if is_requested(entry, entry, rules):
        return Wait(reason="not deleted before it is looked at and mended, as --meeting asked for")
    if entry.retry is not None or entry.pending:
        missing = entry.retry.error if entry.retry is not None else ", ".join(entry.pending)
        return Wait(reason=f"not deleted before all of it is stored: {missing}")
    refusal = entry.refusal
    if refusal is not None and not rules.retry_failed and is_delayed(refusal, rules.now):
        again = f"tried again at {moment(refusal.next_at)}" if refusal.next_at else None
        when = again or f"given up after {refusal.tries} tries"
        return Wait(reason=f"deletion refused, {when}: {refusal.error}", due_at=refusal.next_at)
    # 4: something may go; a sweep looks whether what may not is still there
    if not rules.is_sweep and is_doubtful(entry):
        return Keep(reason=f"{KEPT}: {doubts(entry)}")
    return None


def recheck(entry: Entry, found: Meeting | None, rules: Rules) -> Deletable | Publish | Wait | Skip:
    """What to do with the cloud copy of a meeting that was just read again by its uuid."""
    receipt = entry.receipt
    early = why_kept(entry, rules)
    if early is not None or receipt is None:
        return early or Skip(reason="not stored", phase=entry.phase)
    if found is None:
        return Skip(reason="stored; gone from the cloud", phase=Phase.DELETED)
    # 2: its host is still selected; by the day in its own time zone it may be listed in hold_meetings
    if found in rules.kept_in_zoom:
        return Skip(reason="listed in hold_meetings", phase=entry.phase)
    if not rules.selects(found.host_id, found.host_email):
        return Skip(reason="it belongs to another host now, whom the config does not select", phase=entry.phase)
    # 3: nothing new came, nothing is still being processed, every selected file is stored
    late = decide_due(found, entry, rules)
    if not isinstance(late, Skip):
        return late
    done = [file for file in found.files if file.id in entry.deleted or receipt.covers(file)]
    missing = sorted(file.label for file in rules.selected(found.files) if file not in done)
    if missing:
        return Wait(reason=f"not deleted before all of it is stored: {', '.join(missing)}")
    # 4: only files that came whole and that Zoom shows with the id, size and start of the receipt
    left = [file for file in done if file.id in {one.id for one in _left(entry)}]
    files = tuple(file for file in left if receipt.proof(file))
    known = {one.id: one for one in receipt.cloud}
    doubtful = (doubt(known[file.id]) or f"{file.label}: {CHANGED}" for file in left if file not in files)
    kept = ", ".join(doubtful)
    if kept and not files:
        return Keep(reason=f"{KEPT}: {kept}")
    if not files:
        return Skip(reason="stored; nothing of it that zoomsync may delete is left in the cloud", phase=Phase.DELETED)
    unstored = len(found.files) - len(done)
    rest = f"; {plural(unstored, 'file')} not stored here stay" if unstored else ""
    size = size_in_words(sum(file.size or 0 for file in files))
    reason = f"stored, {plural(len(files), 'file')}, {size}{rest}"
    reason += f"; {KEPT}: {kept}" if kept else ""
    return Deletable(meeting=found, receipt=receipt, files=files, reason=reason, kept=kept and f"{KEPT}: {kept}")


def decide_deletion(found: Deletable, verdict: Verdict, mode: str) -> Delete | Wait | Skip:
    """The deletion itself, now that the stored files were read again."""
    if verdict.removed:
        reason = f"left alone, cloud copy kept: {verdict.reason}"
        return Skip(reason=reason, phase=Phase.REMOVED, is_altered=verdict.altered)
    # 5: the stored files are those of the receipt; 4 again, by the receipt as it is now
    if not verdict.safe or not all(verdict.receipt.proof(file) for file in found.files):
        return Wait(reason=f"not deleted: {verdict.reason}")
    return Delete(
        meeting=found.meeting,
        receipt=verdict.receipt,
        verdict=verdict,
        files=found.files,
        mode="delete" if mode == "permanent" else "trash",
        reason=found.reason,
    )
