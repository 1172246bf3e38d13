"""Links: bound to recipient and incident, for a day, and nothing else is taken for one."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.notify.links import KEY_FILE, LinkKey, PersonalLinks
from linli.errors import InputError

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
INCIDENT = "019536a1-0000-7000-8000-000000000001"


@pytest.fixture
def links(tmp_path: Path) -> PersonalLinks:
    return PersonalLinks("https://linli.example/community/", LinkKey(tmp_path))


def test_a_link_says_who_what_and_until_when(links: PersonalLinks) -> None:
    address = links.link_for(INCIDENT, "person:li", NOW)
    assert address is not None
    base, _, token = address.rpartition("/")
    assert base == "https://linli.example/community/i"
    assert len(address) < 140  # fits into a text message
    bound = links.read(token)
    assert bound is not None
    assert (bound.incident, bound.recipient) == (INCIDENT, "person:li")
    assert (bound.made, bound.expires) == (NOW, NOW + timedelta(hours=24))


def test_the_key_is_private_and_stays(tmp_path: Path) -> None:
    token = PersonalLinks("http://x", LinkKey(tmp_path)).token(INCIDENT, "team:security", NOW)
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert PersonalLinks("http://x", LinkKey(tmp_path)).read(token) is not None
    other = tmp_path / "other"
    other.mkdir()
    assert PersonalLinks("http://x", LinkKey(other)).read(token) is None


def test_an_empty_key_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text("\n")
    with pytest.raises(InputError, match="empty"):
        PersonalLinks("http://x", LinkKey(tmp_path)).token(INCIDENT, "person:li", NOW)


def test_no_other_text_is_a_link(links: PersonalLinks) -> None:
    token = links.token(INCIDENT, "person:li", NOW)
    for index in range(len(token)):
        other = "A" if token[index] != "A" else "B"
        changed = links.read(token[:index] + other + token[index + 1 :])
        # The last character has bits that mean nothing; whatever is read must be the same.
        assert changed is None or (index == len(token) - 1 and changed == links.read(token))
    for text in ("", "x", token[:-4], token + "AAAA", "链接", "A" * 5000, token.upper()):
        assert links.read(text) is None


@given(st.text(max_size=120))
def test_whatever_is_asked_for_never_breaks(text: str) -> None:
    class Fixed(LinkKey):
        def __call__(self) -> bytes:
            return b"key"

    assert PersonalLinks("http://x", Fixed(Path())).read(text) is None


def test_who_is_no_person_and_no_team_signs_in(links: PersonalLinks) -> None:
    for recipient in ("supervisor", "person:", "user:li", "person:../x"):
        address = links.link_for(INCIDENT, recipient, NOW)
        assert address == f"https://linli.example/community/incidents/{INCIDENT}"


def test_without_a_base_there_is_no_link(tmp_path: Path) -> None:
    assert PersonalLinks(None, LinkKey(tmp_path)).link_for(INCIDENT, "person:li", NOW) is None
    assert not (tmp_path / KEY_FILE).exists()
