"""The audit log in words: who, and what they did."""

from __future__ import annotations

from collections.abc import Callable

from dashboards.web.language import msg

ACTS = {
    "account-changed": msg("changed the account"),
    "account-made": msg("made the account"),
    "backed-up": msg("made a backup in"),
    "channel-changed": msg("changed the channel"),
    "channel-removed": msg("removed the channel"),
    "commanded": msg("sent a command to"),
    "config-changed": msg("changed what is watched by"),
    "contacts-changed": msg("changed the contacts of"),
    "contacts-removed": msg("removed the contacts of"),
    "deadlines-changed": msg("changed the deadlines"),
    "deadlines-removed": msg("removed the deadlines"),
    "drill-begun": msg("began the drill"),
    "drill-ended": msg("ended the drill"),
    "broker-password-asked": msg("asked for a password at the broker for"),
    "broker-password-ended": msg("ended the password at the broker of"),
    "broker-password-refused": msg("refused a password at the broker for"),
    "broker-password-set": msg("set the password at the broker of"),
    "broker-refused": msg("was not let in by the broker, from"),
    "broker-rendered": msg("wrote the broker's files:"),
    "certificate-asked": msg("asked for a certificate for"),
    "certificate-refused": msg("refused a certificate for"),
    "certificate-revoked": msg("revoked the certificates of"),
    "certificate-signed": msg("signed a certificate for"),
    "edge-joined": msg("joined as"),
    "edge-key-made": msg("made a new key for"),
    "edge-shut-out": msg("shut out the box"),
    "evidence-asked": msg("asked to keep the picture"),
    "evidence-held": msg("agreed to keep the picture"),
    "evidence-release-asked": msg("asked to release the picture"),
    "evidence-released": msg("agreed to release the picture"),
    "exported": msg("saved as a file"),
    "floor-plan-drawn": msg("brought in the floor plan"),
    "floor-plan-marked": msg("put a device on the floor plan"),
    "floor-plan-removed": msg("removed the floor plan"),
    "floor-plan-renamed": msg("renamed the floor plan"),
    "floor-plan-unmarked": msg("took a device off the floor plan"),
    "join-code-ended": msg("ended the code for"),
    "join-code-made": msg("made a code for"),
    "join-refused": msg("could not join from"),
    "ladder-changed": msg("changed the escalation"),
    "ladder-removed": msg("removed the escalation"),
    "looked": msg("looked at the picture"),
    "looked-live": msg("looked at the live picture of"),
    "message-tried": msg("sent a test message by"),
    "password-changed": msg("changed their own password"),
    "password-reset": msg("gave a new password to"),
    "people-imported": msg("brought in the list of people"),
    "personal-shown": msg("looked at phones and addresses of"),
    "refused": msg("was refused"),
    "registry-changed": msg("changed in the registry"),
    "pictures-deleted": msg("deleted the pictures that were asked for, of"),
    "pictures-exported": msg("handed over the pictures that were asked for, of"),
    "registry-exported": msg("saved the registry as a file"),
    "registry-imported": msg("brought a list into the registry"),
    "registry-removed": msg("removed from the registry"),
    "restored": msg("restored a backup"),
    "roster-changed": msg("changed the roster of"),
    "roster-imported": msg("brought in the roster of"),
    "roster-removed": msg("removed the roster of"),
    "routes-changed": msg("changed who is told"),
    "routes-removed": msg("removed who is told"),
    "rules-changed": msg("changed the rules"),
    "screen-claimed": msg("opened the screen"),
    "screen-made": msg("let the screen in"),
    "screen-revoked": msg("shut the screen out"),
    "seal-key-made": msg("made a new key that pictures are sealed with"),
    "sessions-ended": msg("signed out everywhere"),
    "sign-in-refused": msg("could not sign in as"),
    "signed-in": msg("signed in"),
    "signed-out": msg("signed out"),
    "silence-ended": msg("ended the silence"),
    "silence-made": msg("made the silence"),
    "token-made": msg("made an API token for"),
    "token-revoked": msg("revoked an API token of"),
}


def who(actor: str, say: Callable[[str], str]) -> str:
    """Return who did something: a name, somebody unknown, or the command line."""
    kind, _, name = actor.partition(":")
    if kind == "nobody":
        return say(msg("Somebody"))
    if kind == "cli":
        told = say(msg("Command line"))
        return f"{told} ({name})" if name else told
    if kind == "keeper":
        return say(msg("The broker's keeper"))
    return name or actor


def did(act: str, say: Callable[[str], str]) -> str:
    """Return what somebody did, in words."""
    known = ACTS.get(act)
    return act if known is None else say(known)
