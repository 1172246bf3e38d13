// The wall screen: nobody touches it for months, so it looks after itself.
import "../old-browsers.js";
import { LiveSource, reloadWhenAnswered } from "../live.js";
import { keepTimesFresh } from "../times.js";

const OLD = 40000; // two beats of the server and some more
const LONGEST_RETRY = 10000;
const DAY = 86400000;

const root = document.documentElement;
const region = document.querySelector("[data-wall]");
const clock = document.querySelector("[data-clock]");
const since = document.querySelector("[data-since]");
const ahead = Date.parse(root.dataset.now) - Date.now();
let heard = Date.now();
let up = true;

const source = new LiveSource(region.dataset.live, LONGEST_RETRY);
source.addEventListener("wall", (event) => {
  region.innerHTML = event.data;
  hear();
});
source.addEventListener("hello", hear);
source.addEventListener("beat", hear);

function hear() {
  heard = Date.now();
  tick();
}

function tick() {
  const local = new Date(Date.now() + ahead + Number(root.dataset.offset) * 60000);
  const text = local.toISOString().slice(11, 16);
  if (clock.textContent !== text) clock.textContent = text;
  const fresh = Date.now() - heard < OLD && root.dataset.connection !== "down";
  if (fresh === up) return;
  up = fresh;
  since.setAttribute("datetime", new Date(heard + ahead).toISOString());
  since.textContent = root.dataset.agoNow;
  root.classList.toggle("is-old", !fresh);
}

keepTimesFresh();
window.setInterval(tick, 1000);
// A fresh page each day: its clock and memory start anew.
window.setTimeout(reloadWhenAnswered, DAY);
