"""Looking at pictures: first a short signed address, then the look, which is written down."""

from __future__ import annotations

from datetime import datetime

from ingest.accounts.account import Viewer
from ingest.services.views import PictureLook


class EvidenceService:
    """Gives out pictures to people, and remembers each look."""

    def link(self, viewer: Viewer, evidence: str, now: datetime) -> str:
        """Return a path, without the prefix, that this viewer may open for the next 60 s.

        Raises NotThere when there is no such picture (not arrived yet, expired, withheld).
        """
        raise NotImplementedError

    def open(
        self, viewer: Viewer, evidence: str, expires: str, signature: str, now: datetime
    ) -> PictureLook:
        """Return the picture and write down the look. Raises NotThere, NotAllowed."""
        raise NotImplementedError

    def arrived(self, evidence: str) -> bool:
        """Tell whether the picture is here and not expired; no look is written."""
        raise NotImplementedError
