"""An HTTP server for few visitors: a thread for each, no more of them than it has room for."""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer
from typing import Any


class FewServer(ThreadingHTTPServer):
    """Turns away whoever comes while `most` are served; nobody it serves keeps it from ending."""

    daemon_threads = True
    block_on_close = False
    most = 4

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._room = threading.BoundedSemaphore(self.most)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Turn away whoever comes while too many are served."""
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one, then make room."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever went away in the middle is nobody's fault."""
