// The phone: what is tapped is sent, or kept until it can be; the page follows what happens.

import { forget, keep, renew, tapsOf } from "../store.js";
import { send, tapOf } from "../taps.js";

const MOST = 50;
const AGAIN = 15000;
const LONGEST = 10000;
const html = document.documentElement;
const told = (name) => {
  const found = document.querySelector(`meta[name=${name}]`);
  return found ? found.content : "";
};
let sending = false;

function begin() {
  if (!("fetch" in window) || !("indexedDB" in window)) return;
  if ("serviceWorker" in navigator) navigator.serviceWorker.register(told("worker")).catch(() => 0);
  document.addEventListener("submit", tapped, true);
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-queue] button");
    if (button) clearFinished();
  });
  window.addEventListener("online", () => follow());
  document.addEventListener("visibilitychange", () => document.hidden || follow());
  window.setInterval(() => document.hidden || follow(), AGAIN);
  show().then(flush);
}

function tapped(event) {
  const form = event.target;
  if (!form.dataset || !form.dataset.deed) return;
  const tap = tapOf(form, told("who"));
  if (!tap) return;
  event.preventDefault();
  Array.from(document.querySelectorAll("form[data-deed] button")).forEach((one) => {
    one.disabled = true;
  });
  take(tap).catch(() => form.submit());
}

async function take(tap) {
  const waiting = await tapsOf(tap.who);
  if (waiting.length >= MOST) tap = { ...tap, state: "refused", why: "full" };
  else await keep(tap);
  await show(tap);
  await flush();
  await refresh();
}

async function flush() {
  if (sending) return;
  sending = true;
  try {
    const taps = (await tapsOf(told("who"))).filter((one) => one.state === "waiting");
    if (!taps.length) return;
    const api = told("api");
    const asked = await soon(fetch(`${api}/session`, { credentials: "same-origin" }));
    const session = asked.ok ? await asked.json() : null;
    for (const tap of taps) {
      if (session === null) await renew({ ...tap, why: asked.status === 401 ? "login" : "waiting" });
      else await renew(await soon(send(tap, api, session)));
    }
  } catch (error) {
    html.dataset.waits = "1"; // no network: they stay as they are
  } finally {
    sending = false;
    await show();
  }
}

// A network that is there and carries nothing counts as none.
function soon(promise) {
  return Promise.race([
    promise,
    new Promise((_, failed) => window.setTimeout(() => failed(new Error("slow")), LONGEST)),
  ]);
}

async function show(unkept) {
  const box = document.querySelector("[data-queue]");
  if (!box) return;
  const taps = await tapsOf(told("who"));
  if (unkept && unkept.why === "full") taps.push(unkept);
  const list = box.querySelector("ul");
  list.textContent = "";
  const waits = (form) =>
    taps.some((one) => one.state === "waiting" && one.incident === form.dataset.incident);
  Array.from(document.querySelectorAll("form[data-deed]")).forEach((form) => {
    form.querySelector("button").disabled = waits(form);
  });
  taps.forEach((tap) => list.appendChild(line(tap, box.dataset)));
  box.hidden = !taps.length;
  box.querySelector("button").hidden = !taps.some((one) => one.state !== "waiting");
}

function line(tap, words) {
  const item = document.createElement("li");
  const title = document.createElement("strong");
  item.dataset.state = tap.state;
  title.textContent = tap.what;
  item.appendChild(title);
  const text = (words[tap.why] || words.waiting).replace("{who}", tap.by);
  item.appendChild(document.createTextNode(`${words[tap.deed]}: ${text}`));
  return item;
}

async function clearFinished() {
  const taps = await tapsOf(told("who"));
  await Promise.all(taps.filter((one) => one.state !== "waiting").map((one) => forget(one.key)));
  await show();
}

async function follow() {
  await flush();
  await refresh();
}

// The page as it is now; without a network the worker gives the last one, which says so itself.
async function refresh() {
  let text;
  try {
    const answer = await soon(fetch(location.href, { credentials: "same-origin" }));
    if (answer.redirected || !answer.ok) return;
    text = await answer.text();
  } catch (error) {
    html.dataset.kept = "1";
    return;
  }
  const next = new DOMParser().parseFromString(text, "text/html");
  const main = next.getElementById("main");
  if (!main || busy()) return;
  if (next.documentElement.dataset.kept) html.dataset.kept = "1";
  else delete html.dataset.kept;
  const before = document.getElementById("main");
  ["[data-queue]", "[data-push]"].forEach((what) => {
    const kept = before.querySelector(what);
    const place = main.querySelector(what);
    if (kept && place) place.replaceWith(kept);
  });
  before.replaceWith(main);
  await show();
}

const busy = () => /^(INPUT|SELECT|TEXTAREA)$/.test((document.activeElement || {}).tagName || "");

begin();
