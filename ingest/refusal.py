"""What a service may answer instead of doing what it was asked.

```
Refusal               (HTTP status)
├── SignInNeeded      401  nobody is signed in, or the credentials are wrong
├── NotAllowed        403  this person may not do that
├── NotThere          404  no such thing, or none that this person may see
├── Clash             409  it contradicts what is already kept
├── Gone              410  it was there and is no more
├── Outdated          412  it was changed since the caller looked at it
├── TooMuch           413  larger than allowed
├── WrongKind         415  not the format that is taken here
├── RulesBroken       422  what was sent breaks rules, each of them named
├── NotLookedAt       428  the caller must say which state of it is being changed
├── NotUsable         400  the request breaks a rule
└── Busy              503  too many at once
```
"""

from __future__ import annotations

from linli.errors import LinliError


class Refusal(LinliError):  # noqa: N818 - an answer, not a failure
    """Base of all; `what` is written for the person who asked and names no secret."""

    status = 400
    title = "Bad request"


class SignInNeeded(Refusal):
    """Nobody is signed in, or the credentials are wrong."""

    status = 401
    title = "Sign in first"


class NotAllowed(Refusal):
    """This person may not do that."""

    status = 403
    title = "Not allowed"


class NotThere(Refusal):
    """No such thing, or none that this person may see."""

    status = 404
    title = "Not found"


class Clash(Refusal):
    """It contradicts what is already kept."""

    status = 409
    title = "Conflict"


class Gone(Refusal):
    """It was there and is no more."""

    status = 410
    title = "Gone"


class TooMuch(Refusal):
    """Larger than allowed."""

    status = 413
    title = "Too large"


class WrongKind(Refusal):
    """Not the format that is taken here."""

    status = 415
    title = "Unsupported format"


class Outdated(Refusal):
    """It was changed since the caller looked at it."""

    status = 412
    title = "Changed meanwhile"


class RulesBroken(Refusal):
    """What was sent breaks rules; `faults` names each as a pair: where, and what."""

    status = 422
    title = "The request breaks a rule"

    def __init__(self, what: str, faults: tuple[tuple[str, str], ...]) -> None:
        super().__init__(what)
        self.faults = faults


class NotLookedAt(Refusal):
    """The caller must say which state of it is being changed."""

    status = 428
    title = "Say what you have seen"


class NotUsable(Refusal):
    """The request breaks a rule."""

    status = 400
    title = "Bad request"


class Busy(Refusal):
    """Too many at once; try again later."""

    status = 503
    title = "Too busy"
