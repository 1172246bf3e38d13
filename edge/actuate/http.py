"""A lamp or relay that is switched by a web request."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx2

from edge.actuate.actuator import TIMEOUT, checked
from linli.actuator_config import HttpActuator
from linli.errors import LinkError


class HttpSwitch:
    """A device with a web address; an answer 2xx says that it obeyed."""

    def __init__(self, config: HttpActuator, client: httpx2.Client) -> None:
        parts = urlsplit(config.url)
        self.far_end = f"http {parts.hostname}:{parts.port or 80}"
        self._config = config
        self._client = client

    def drive(self, level: float, ramp: float = 0.0) -> None:
        """Ask for a level. Raises LinkError, ValueError."""
        del ramp
        url = self._config.at(checked(level))
        try:
            answer = self._client.request(
                "POST" if self._config.post else "GET", url, timeout=TIMEOUT
            )
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise LinkError(f"cannot be reached ({reason})", where=self.far_end) from None
        if not answer.is_success:
            raise LinkError(f"HTTP {answer.status_code}", where=self.far_end)
