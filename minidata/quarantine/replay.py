"""Replay: a quarantined original goes back where it came from, to be judged anew."""

import hashlib
import tempfile

from minidata.errors import PermanentError
from minidata.ledger import File
from minidata.settings import Settings
from minidata.store import ObjectStore

_IN_MEMORY = 8 * 2**20  # bytes; a larger file waits on disk until its hash is checked


def put_back(store: ObjectStore, settings: Settings, file: File) -> str:
    """Put the bytes of a quarantined file into `raw` under its key, as a new upload.

    The ledger will see a new version; the old one, and what lies in quarantine, stay as they are.

    Args:
        store: with the pipeline's key.
        settings: names of the buckets.
        file: a file in the state `quarantined`.

    Returns:
        The id of the new version.

    Raises:
        ObjectGoneError: if quarantine does not hold it any more.
        PermanentError: if it holds other bytes than the ones that were judged.
    """
    place = str(file.archive_key)
    digest = hashlib.sha256()
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as original:
        for chunk in store.read(settings.quarantine_bucket, place):
            digest.update(chunk)
            original.write(chunk)
        if digest.hexdigest() != file.sha256:
            raise PermanentError(
                f"{settings.quarantine_bucket}/{place} is not the file that was put there: its content has changed. "
                "Upload what you mean to load with `./mdp upload`."
            )
        original.seek(0)
        return store.write(settings.raw_bucket, file.key, original)
