"""Renders the clips of guidance points and of speakers, with espeak-ng (Debian package espeak-ng).

    python scripts/clips.py     writes edge/{guide,speech}/clips/*.wav: mono, 16 bit, 11,025 Hz

Run once, the clips are kept in the repository: what a synthesiser says is not under its licence.
"""

from __future__ import annotations

import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

Sound = npt.NDArray[np.float64]
EDGE = Path(__file__).resolve().parents[1] / "edge"
GUIDE = {
    "recyclable": ("可回收物", "Recyclable"),
    "hazardous": ("有害垃圾", "Hazardous waste"),
    "food": ("厨余垃圾", "Food waste"),
    "residual": ("其他垃圾", "Residual waste"),
    "ask": ("请转一转", "Please turn it"),
}
SPEECH = {
    "ebike-out": (
        "电动车不能进电梯，请推出去。",
        "Please take the e-bike out of the lift.",
    ),
    "keep-clear": ("请勿占用消防通道。", "Please keep this way clear."),
    "help-is-coming": ("工作人员马上就到，请稍候。", "Somebody is on the way."),
    "closed-now": ("此处现在不开放，请离开。", "This place is closed now. Please leave."),
    "no-dumping": ("请勿在此堆放大件垃圾。", "Please leave no bulky waste here."),
}
VOICES = {"zh": "cmn", "en": "en-us"}
WORD, SENTENCE = {"zh": "140", "en": "140"}, {"zh": "190", "en": "150"}  # words a minute
HALF = 22_050 // 2
TAPS = 63


def main() -> None:
    """Write all clips."""
    render(EDGE / "guide/clips", GUIDE, WORD)
    render(EDGE / "speech/clips", SPEECH, SENTENCE)


def render(folder: Path, said: dict[str, tuple[str, str]], speed: dict[str, str]) -> None:
    """Write a clip of each text in each tongue."""
    folder.mkdir(parents=True, exist_ok=True)
    for word, texts in said.items():
        for (tongue, voice), text in zip(VOICES.items(), texts, strict=True):
            sound = half_rate(spoken(text, voice, speed[tongue]))
            write(folder / f"{word}.{tongue}.wav", trimmed(sound))


def spoken(text: str, voice: str, speed: str) -> Sound:
    """Return what espeak-ng says, -1..1 at 22,050 Hz."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        command = ["espeak-ng", "-v", voice, "-s", speed, "-w", str(path), text]
        subprocess.run(command, check=True)
        with wave.open(str(path)) as file:
            return np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32768


def half_rate(sound: Sound) -> Sound:
    """Return it at half the rate, what is too high for that taken out (a windowed sinc)."""
    at = np.arange(TAPS) - TAPS // 2
    taps = 0.46 * np.sinc(0.46 * at) * np.hamming(TAPS)
    return np.convolve(sound, taps, "same")[::2]


def trimmed(sound: Sound) -> Sound:
    """Return it without silence before and after, as loud as it may be."""
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    sound = sound[max(loud[0] - 200, 0) : loud[-1] + 1200]
    return sound / float(np.abs(sound).max()) * 0.9


def write(path: Path, sound: Sound) -> None:
    """Write a WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(HALF)
        file.writeframes((sound * 32767).astype("<i2").tobytes())


if __name__ == "__main__":
    main()
