// Sound and notifications of this computer for what newly waits; muted only with an end. What is
// critical is heard again while it waits. What newly waits the server says, in the order in which it
// came: what takes the place of something acknowledged is nothing new.

const ON = "linli.alerts";
const MUTED = "linli.muted";
const RANG = "linli.rang";
const HEARD = "linli.heard";
const AGAIN = 30000;
const TOGETHER = 1500;

export function ring() {
  const box = document.querySelector("[data-alerts]");
  if (!box) return;
  box.hidden = false;
  const part = (name) => box.querySelector(`[data-alerts-${name}]`);
  const desk = { box, part, audio: null, heard: null };
  part("on").addEventListener("click", () => turnOn(desk));
  part("mute").querySelector("select").addEventListener("change", (event) => {
    const minutes = Number(event.target.value);
    if (minutes) write(MUTED, String(Date.now() + minutes * 60000));
    event.target.value = "";
    show(desk);
  });
  part("unmute").addEventListener("click", () => {
    write(MUTED, "");
    show(desk);
  });
  ["pointerdown", "keydown"].forEach((kind) => {
    document.addEventListener(kind, () => wake(desk), { passive: true });
  });
  document.addEventListener("linli-swapped", () => look(desk));
  window.addEventListener("storage", () => show(desk));
  window.setInterval(() => {
    show(desk);
    const found = alarms();
    const critical = found && Number(found.dataset.critical);
    if (critical && sinceRang() >= AGAIN) sound(desk, "critical");
  }, 5000);
  if (read(ON)) wake(desk);
  show(desk);
}

function alarms() {
  return document.querySelector("[data-alarms]");
}

function look(desk) {
  const found = alarms();
  if (!found) return;
  const newest = Number(found.dataset.newest);
  const heard = lastHeard(desk, newest);
  const fresh = Array.from(found.children).filter((one) => Number(one.dataset.number) > heard);
  // It may be less than what was heard: a server was restored to an earlier day.
  desk.heard = newest;
  keep(newest);
  if (!fresh.length) return;
  const kinds = fresh.map((one) => one.dataset.severity);
  sound(desk, ["critical", "high", "medium"].find((one) => kinds.includes(one)));
  notify(desk, fresh);
}

// The page before, in this tab, may have heard less than what waits now.
function lastHeard(desk, newest) {
  if (desk.heard !== null) return desk.heard;
  try {
    const kept = window.sessionStorage.getItem(HEARD);
    return kept === null ? newest : Number(kept);
  } catch (refused) {
    return newest;
  }
}

function keep(newest) {
  try {
    window.sessionStorage.setItem(HEARD, String(newest));
  } catch (refused) {
    // Private windows may keep nothing.
  }
}

function quiet() {
  return !read(ON) || Number(read(MUTED)) > Date.now();
}

// Of several pages of this browser one sounds, among those that are let: where the browser can tell
// them apart, else the first to say so.
function sound(desk, severity) {
  if (quiet() || !able(desk)) return;
  const turn = () => take(desk, severity);
  if (!navigator.locks) {
    window.setTimeout(turn, Math.random() * 300);
    return;
  }
  navigator.locks.request(RANG, { ifAvailable: true }, (lock) => {
    if (!lock) return undefined;
    turn();
    return new Promise((done) => window.setTimeout(done, TOGETHER));
  });
}

function take(desk, severity) {
  if (sinceRang() < TOGETHER) return;
  write(RANG, String(Date.now()));
  document.documentElement.dataset.rang = String(Number(document.documentElement.dataset.rang || 0) + 1);
  const tones = { critical: [880, 660, 880, 660], high: [784, 659] }[severity] || [659];
  tones.forEach((tone, index) => beep(desk.audio, tone, index * 0.22));
}

function sinceRang() {
  return Date.now() - Number(read(RANG));
}

function able(desk) {
  return Boolean(desk.audio) && desk.audio.state === "running";
}

function beep(audio, tone, after) {
  const at = audio.currentTime + after;
  const source = audio.createOscillator();
  const level = audio.createGain();
  source.frequency.value = tone;
  level.gain.setValueAtTime(0.0001, at);
  level.gain.exponentialRampToValueAtTime(0.4, at + 0.02);
  level.gain.exponentialRampToValueAtTime(0.0001, at + 0.2);
  source.connect(level);
  level.connect(audio.destination);
  source.start(at);
  source.stop(at + 0.21);
}

function notify(desk, fresh) {
  if (quiet() || !allowed() || (document.hasFocus && document.hasFocus())) return;
  fresh.slice(0, 3).forEach((one) => {
    const link = one.querySelector("a");
    try {
      const body = one.querySelector("span").textContent;
      const note = new Notification(link.textContent, { body, tag: one.dataset.id });
      note.onclick = () => {
        window.focus();
        window.location.assign(link.href);
      };
    } catch (refused) {
      // Phones allow them only to a worker, which brings them by push.
    }
  });
}

function allowed() {
  return "Notification" in window && Notification.permission === "granted";
}

function turnOn(desk) {
  write(ON, "on");
  write(RANG, String(Date.now() - TOGETHER)); // what is critical is not heard on top of the test
  wake(desk).then(() => {
    if (able(desk)) [784, 659].forEach((tone, index) => beep(desk.audio, tone, index * 0.22));
    say(desk, desk.box.dataset.test);
    window.setTimeout(() => say(desk, ""), 4000);
    show(desk);
  });
  if (!("Notification" in window)) return;
  Promise.resolve(Notification.requestPermission()).then((answer) => {
    if (answer === "denied") say(desk, desk.box.dataset.denied);
  });
}

// A browser lets a page sound only after a person has touched it.
function wake(desk) {
  const Audio = window.AudioContext || window.webkitAudioContext;
  if (!read(ON) || !Audio) return Promise.resolve();
  if (!desk.audio) desk.audio = new Audio();
  if (desk.audio.state === "running") return Promise.resolve();
  return Promise.race([
    desk.audio.resume().then(() => show(desk)),
    new Promise((done) => window.setTimeout(done, 300)),
  ]);
}

function show(desk) {
  const on = Boolean(read(ON));
  const until = Number(read(MUTED));
  const muted = on && until > Date.now();
  desk.part("on").hidden = on;
  desk.part("state").hidden = !on || muted;
  desk.part("mute").hidden = !on || muted;
  desk.part("muted").hidden = !muted;
  desk.part("unmute").hidden = !muted;
  const words = desk.part("muted").querySelector("strong");
  words.textContent = muted ? desk.box.dataset.until.replace("{time}", clock(desk, until)) : "";
  const line = desk.part("said");
  if (muted) say(desk, "");
  if (on && !muted && desk.audio && !able(desk)) say(desk, desk.box.dataset.click);
  else if (line.textContent === desk.box.dataset.click) say(desk, "");
}

function say(desk, text) {
  desk.part("said").textContent = text;
}

// On the site's clock, as every other time of the page.
function clock(desk, at) {
  const form = { hour: "2-digit", minute: "2-digit", timeZone: desk.box.dataset.zone };
  return new Date(at).toLocaleTimeString("en-GB", form);
}

function read(name) {
  try {
    return window.localStorage.getItem(name) || "";
  } catch (refused) {
    return "";
  }
}

function write(name, value) {
  try {
    window.localStorage.setItem(name, value);
  } catch (refused) {
    // Private windows may keep nothing.
  }
}
