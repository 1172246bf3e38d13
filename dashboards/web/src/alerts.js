// Sound and notifications of this computer for what newly waits; muted only with an end. What is
// critical is heard again while it waits.

const ON = "linli.alerts";
const MUTED = "linli.muted";
const RANG = "linli.rang";
const AGAIN = 30000;

export function ring() {
  const box = document.querySelector("[data-alerts]");
  if (!box) return;
  box.hidden = false;
  const part = (name) => box.querySelector(`[data-alerts-${name}]`);
  const desk = { box, part, known: new Set(waiting().map(idOf)), audio: null, heard: Date.now() };
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
    const critical = waiting().some((card) => card.dataset.severity === "critical");
    if (critical && Date.now() - desk.heard >= AGAIN) sound(desk, "critical");
  }, 5000);
  if (read(ON)) wake(desk);
  show(desk);
}

function waiting() {
  return Array.from(document.querySelectorAll(".group-waiting .card"));
}

function idOf(card) {
  return card.dataset.key;
}

function look(desk) {
  const cards = waiting();
  const fresh = cards.filter((card) => !desk.known.has(idOf(card)));
  desk.known = new Set(cards.map(idOf));
  if (!fresh.length) return;
  const worst = fresh[0].dataset.severity;
  sound(desk, worst);
  notify(desk, fresh);
}

function quiet() {
  return !read(ON) || Number(read(MUTED)) > Date.now();
}

function sound(desk, severity) {
  if (quiet()) return;
  desk.heard = Date.now();
  // Of several pages of this browser one sounds.
  if (Date.now() - Number(read(RANG)) < 1500) return;
  write(RANG, String(Date.now()));
  document.documentElement.dataset.rang = String(Number(document.documentElement.dataset.rang || 0) + 1);
  const tones = { critical: [880, 660, 880, 660], high: [784, 659] }[severity] || [659];
  tones.forEach((tone, index) => beep(desk.audio, tone, index * 0.22));
}

function beep(audio, tone, after) {
  if (!audio || audio.state !== "running") return;
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
  fresh.slice(0, 3).forEach((card) => {
    const text = (name) => {
      const found = card.querySelector(name);
      return found ? found.textContent.trim() : "";
    };
    try {
      const title = `${text(".tag")} · ${text(".what")}`;
      const note = new Notification(title, { body: text(".where"), tag: idOf(card) });
      note.onclick = () => {
        window.focus();
        window.location.assign(card.querySelector(".card-link").href);
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
  wake(desk).then(() => {
    beep(desk.audio, 784, 0);
    beep(desk.audio, 659, 0.22);
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
  if (on && !muted && desk.audio && desk.audio.state !== "running") say(desk, desk.box.dataset.click);
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
