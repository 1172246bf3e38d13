"""What the doctor finds, in words for who stands at the desk: what, what it means, what to do."""

from __future__ import annotations

from typing import NamedTuple

from dashboards.web.language import msg


class Advice(NamedTuple):
    """Words for one code; `path` is the page where it can be done, empty where none can."""

    title: str
    means: str
    do: str
    path: str = ""


_START = msg("The system does not start again with it.")
_SERVER = msg("Tell whoever looks after the server.")
_NOTHING = msg(
    "Nothing that happens is stored or shown, and nobody is called. Edge boxes still act by "
    "themselves."
)
_NONE = msg("Residents notice nothing.")
_LATE = msg(
    "Alarms may come late or not at all: look after the place more often until it is mended."
)
_WAIT = msg("Nothing at once: it goes on by itself.")
_TOLD = msg("Somebody may not be told of an alarm: stay at the screen, or share out who looks.")
_BOX = msg(
    "What this box watches is not reported here. Its doors and voices may still work by themselves."
)
_BOXDO = msg(
    "See that the box has power and network, and switch it off and on once. If it stays so, "
    "call the installer."
)
_MODEL = msg("The one that worked before goes on.")
_BOARDS = msg("Nothing here: only the boards in Grafana stand still.")
_LOST = msg(
    "Nobody notices anything. If the server's disk breaks, incidents, people and pictures "
    "since then are gone."
)

ADVICE: dict[str, Advice] = {
    "settings-unusable": Advice(
        msg("A settings file cannot be used"),
        _START,
        _SERVER,
    ),
    "edge-settings-unusable": Advice(
        msg("The settings of an edge box cannot be used"),
        _START,
        _SERVER,
    ),
    "database-unusable": Advice(
        msg("The database cannot be used"),
        _NOTHING,
        _SERVER,
    ),
    "secret-unusable": Advice(
        msg("A password file cannot be read"),
        _START,
        _SERVER,
    ),
    "secret-open": Advice(
        msg("Others on the server can read a password"),
        _NONE,
        _SERVER,
    ),
    "folder-missing": Advice(
        msg("The data folder is not there"),
        _NOTHING,
        _SERVER,
    ),
    "folder-not-writable": Advice(
        msg("The data folder cannot be written"),
        _NOTHING,
        _SERVER,
    ),
    "disk-low": Advice(
        msg("The server's disk is nearly full"),
        msg(
            "Soon the oldest readings are deleted, then the oldest pictures. When it is full "
            "nothing new is stored; edge boxes hold what they saw for a while."
        ),
        msg(
            "Tell whoever looks after the server today: make room, or keep pictures for fewer days."
        ),
    ),
    "disk-giving-up": Advice(
        msg("The server's disk is full: old data is being deleted"),
        msg(
            "Older charts lose their detail and older incidents their pictures. Alarms, and "
            "pictures that somebody holds, stay."
        ),
        msg("Tell whoever looks after the server now: make room, or get a larger disk."),
    ),
    "evidence-filling": Advice(
        msg("The room for pictures will be used up within two weeks"),
        msg("Nothing yet. Then the oldest pictures go before their time."),
        msg("Tell whoever looks after the server: more room for pictures, or fewer days."),
    ),
    "disk-filling": Advice(
        msg("The server's disk will be full within two weeks"),
        msg("Nothing yet. When it is full nothing new is stored."),
        msg(
            "Tell whoever looks after the server this week: make room, or keep pictures for "
            "fewer days."
        ),
    ),
    "memory-high": Advice(
        msg("The server's program holds too much memory"),
        msg("Live views end first. Above its limit the program starts again, in some seconds."),
        msg("Tell whoever looks after the server; a restart at a quiet hour helps for a while."),
    ),
    "ingest-down": Advice(
        msg("The system does not run"),
        _NOTHING,
        _SERVER,
    ),
    "web-down": Advice(
        msg("The pages do not answer"),
        msg("Pages do not open and incidents are not made; what edge boxes send is still stored."),
        _SERVER,
    ),
    "broker-unreachable": Advice(
        msg("The message broker cannot be reached"),
        msg("Nothing comes in. Edge boxes act by themselves and hold what they saw."),
        _SERVER,
    ),
    "broker-unwatched": Advice(
        msg("The message broker says nothing of itself"),
        msg("Residents notice nothing; but nobody would see that somebody tries to break in."),
        _SERVER,
    ),
    "share-waiting": Advice(
        msg("The district is not told what is over"),
        _NONE,
        _SERVER,
    ),
    "broker-strangers": Advice(
        msg("Somebody tries to get in at the message broker"),
        msg("Nothing, as long as nobody gets in. A box of ours with an old password is not heard."),
        msg(
            "If it is a box of ours, let it join again. Otherwise tell whoever looks after the "
            "network."
        ),
        "/settings/joining",
    ),
    "broker-retained": Advice(
        msg("A box floods the message broker"),
        msg("When its memory is full it takes nothing from anybody."),
        msg("Shut out the box that sends so much; whoever looks after the server can tell which."),
        "/settings/joining",
    ),
    "authority-ends": Advice(
        msg("The certificate authority of the boxes ends soon"),
        msg("Nothing until that day; then no box is heard any more."),
        msg("Make an appointment with the installer: each box must join again."),
    ),
    "store-unreadable": Advice(
        msg("The stored data cannot be read"),
        msg("Nothing that happened can be shown."),
        _SERVER,
    ),
    "receiver-silent": Advice(
        msg("No reports are received"),
        msg("Nothing that edge boxes send arrives; they act by themselves and hold what they saw."),
        _SERVER,
    ),
    "consumer-behind": Advice(
        msg("Work on reports is behind"),
        _LATE,
        msg(
            "Wait some minutes: it catches up by itself. If it does not, tell whoever looks "
            "after the server."
        ),
    ),
    "chain-silent": Advice(
        msg("Test reports do not come through"),
        _LATE,
        msg("Mend first what else stands here."),
    ),
    "chain-lost": Advice(
        msg("Test reports are lost on their way"),
        _LATE,
        msg("Mend first what else stands here."),
    ),
    "chain-slow": Advice(
        msg("Test reports are slow"),
        _LATE,
        msg("Mend first what else stands here."),
    ),
    "chain-starting": Advice(
        msg("Just started: the next test will tell"),
        msg("It is not known yet whether alarms come through."),
        _WAIT,
    ),
    "rows-skipped": Advice(
        msg("Some stored reports could not be used"),
        msg("What they said does not stand on the pages."),
        _SERVER,
    ),
    "series-refused": Advice(
        msg("A device sends too many kinds of readings"),
        msg("Its further readings are not in the charts. Alarms are not affected."),
        msg("Tell whoever set up that device."),
    ),
    "quarantine-full": Advice(
        msg("A device sends what nobody can read, over and over"),
        _NONE,
        msg("Let whoever looks after the server find it, then mend it or switch it off."),
    ),
    "evidence-full": Advice(
        msg("The room for pictures is nearly used up"),
        msg("The oldest pictures go before their time, so an older incident may have none."),
        msg("Tell whoever looks after the server: more room for pictures, or fewer days."),
    ),
    "pictures-missing": Advice(
        msg("Pictures of incidents have not come"),
        msg("Whoever opens such an incident sees no picture: look on site."),
        msg("See that the boxes reach this server; let the box join again if they do."),
        "/settings/joining",
    ),
    "notify-silent": Advice(
        msg("Nobody looks after notifications"),
        _TOLD,
        _SERVER,
        "/channels",
    ),
    "notify-trouble": Advice(
        msg("Notifications go out late or not at all"),
        _TOLD,
        msg("Send a test by each channel of messages."),
        "/channels",
    ),
    "notify-plans": Advice(
        msg("Who is called does not hold"),
        msg("Somebody who should be told of an alarm is not, or nobody is."),
        msg("Mend the plan: who is called, and their contacts."),
        "/settings/calls",
    ),
    "notify-dead": Advice(
        msg("Some notifications were given up"),
        msg("Somebody was not told this way; the next person was, if there is one."),
        msg("Send a test by the channel of messages."),
        "/channels",
    ),
    "edge-never-heard": Advice(
        msg("An edge box has never reported"),
        msg("What it is to watch is not watched."),
        msg("Let it join with a new code, or ask the installer."),
        "/settings/joining",
    ),
    "edge-silent": Advice(
        msg("Nothing is heard of an edge box"),
        _BOX,
        _BOXDO,
        "/devices",
    ),
    "edge-off": Advice(
        msg("An edge box was switched off"),
        msg("What this box watches is not reported while it is off; its doors are not held."),
        msg("Was that meant? Then nothing. Otherwise switch it on again."),
        "/devices",
    ),
    "edge-fell": Advice(
        msg("An edge box fell and was started again"),
        msg("For some seconds it watched nothing."),
        msg("If it happens again, call the installer."),
        "/devices",
    ),
    "edge-model": Advice(
        msg("An edge box cannot use its new model"),
        _MODEL,
        msg("Ask the installer for the right file."),
    ),
    "edge-disk": Advice(
        msg("The disk of an edge box is nearly full"),
        msg(
            "When it is full and the network is away, readings of that time are given up "
            "first, then alarms."
        ),
        msg("Ask the installer to make room on the box."),
        "/devices",
    ),
    "edge-backlog": Advice(
        msg("Reports of an edge box wait to be sent"),
        msg("Alarms of this box come late; late ones call nobody."),
        msg("See to its network; what waits is sent by itself."),
        "/devices",
    ),
    "edge-gave-up": Advice(
        msg("An edge box had to give up reports"),
        msg("These are lost: the record of that time has a gap."),
        msg("See to its network, or ask for a bigger disk."),
        "/devices",
    ),
    "edge-turned-away": Advice(
        msg("An edge box sends what nobody can read"),
        msg("Alarms of this box may come late."),
        msg("Call the installer; or switch the box off if others suffer."),
        "/devices",
    ),
    "edge-clock": Advice(
        msg("The clock of an edge box is ahead"),
        msg(
            "Hours on this box begin and end too early; its incidents carry the time of "
            "receiving, not of happening."
        ),
        msg("Ask the installer to let it set its clock by the network."),
        "/devices",
    ),
    "edge-clock-behind": Advice(
        msg("The clock of an edge box is behind"),
        msg("Hours on this box begin and end too late: by night a closed zone may not be watched."),
        msg("Ask the installer to let it set its clock by the network."),
        "/devices",
    ),
    "edge-certificate": Advice(
        msg("The certificate of an edge box ends soon"),
        msg("From that day on nothing is heard of this box."),
        msg("Let the box join again before that day."),
        "/settings/joining",
    ),
    "edge-version": Advice(
        msg("An edge box runs another version"),
        _NONE,
        msg("Bring the box to the same version when it suits."),
    ),
    "influx-refused": Advice(
        msg("The copy for Grafana is refused"),
        _BOARDS,
        _SERVER,
    ),
    "influx-away": Advice(
        msg("The copy for Grafana cannot be reached"),
        _BOARDS,
        _WAIT,
    ),
    "influx-behind": Advice(
        msg("The copy for Grafana is behind"),
        _BOARDS,
        _WAIT,
    ),
    "influx-parked": Advice(
        msg("Some figures for Grafana were refused"),
        _BOARDS,
        _SERVER,
    ),
    "backup-none": Advice(
        msg("No backup is made"),
        _LOST,
        msg("Ask whoever looks after the server to set up a backup each night."),
    ),
    "backup-missing": Advice(
        msg("There is no backup of the last two nights"),
        _LOST,
        msg(
            "See that the place of the backups is connected; then tell whoever looks after the "
            "server."
        ),
    ),
    "backup-failed": Advice(
        msg("The last backup did not arrive"),
        msg("Nobody notices anything; the backup before is there."),
        msg("It is tried again each hour. See that the place of the backups is connected."),
    ),
    "backup-untold": Advice(
        msg("The backups do not know yet who left"),
        msg("Nobody notices anything; an older backup alone would bring them back."),
        msg("It is tried again each hour. See that the place of the backups is connected."),
    ),
    "upgrade-cut-short": Advice(
        msg("An upgrade of the server was cut short"),
        _NONE,
        msg(
            "Tell whoever looks after the server: the upgrade is to be run again, it goes on or "
            "back."
        ),
    ),
    "model-wrong": Advice(
        msg("A model file is not the right one"),
        msg("The edge may see nothing, or the wrong things."),
        _SERVER,
    ),
}
OTHER = Advice(
    msg("Something else is wrong"),
    "",
    _SERVER,
)
"""For a code that these words are older than."""
