// Single keys for those who sit at the desk all day; they can be turned off, and never act while
// somebody types.

const OFF = "linli.keys";

export function listenToKeys() {
  const help = document.querySelector("[data-keys]");
  const use = help && help.querySelector("[data-keys-use]");
  if (use) {
    use.checked = read() !== "off";
    use.addEventListener("change", () => write(use.checked ? "" : "off"));
    help.querySelector("[data-keys-close]").addEventListener("click", () => close(help));
  }
  Array.from(document.querySelectorAll("[data-keys-open]")).forEach((button) => {
    button.addEventListener("click", () => open(help));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && help && help.hasAttribute("open")) close(help);
    if (isTyping(event) || read() === "off") return;
    const does = KEYS[event.key];
    if (does && does(help) !== false) event.preventDefault();
  });
  keepFocus();
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  a: () => acknowledge(),
  u: () => click("[data-did]:not([hidden]) form:not([hidden]) button"),
  n: () => note(),
  b: () => click(".back a"),
  "?": (help) => (help ? open(help) : false),
};

function isTyping(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return true;
  const at = event.target;
  return Boolean(at.closest && at.closest("input, textarea, select, [contenteditable], dialog[open]"));
}

function links() {
  return Array.from(document.querySelectorAll(".card .card-link"));
}

function move(by) {
  const all = links();
  if (!all.length) return false;
  const here = document.activeElement.closest && document.activeElement.closest(".card");
  const at = here ? all.indexOf(here.querySelector(".card-link")) : -1;
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by;
  if (next < 0 || next >= all.length) return true;
  all[next].focus();
  all[next].closest(".card").scrollIntoView({ block: "nearest" });
  return true;
}

function acknowledge() {
  const here = document.activeElement.closest && document.activeElement.closest(".card");
  const within = here || document.querySelector(".one");
  const button = within && within.querySelector("[data-acknowledge] button");
  if (!button) return false;
  const all = links();
  const at = here ? all.indexOf(here.querySelector(".card-link")) : -1;
  button.click();
  if (at >= 0 && all[at + 1]) all[at + 1].focus();
  return true;
}

function note() {
  const field = document.querySelector("[data-note]");
  if (!field) return false;
  const folded = field.closest("details");
  if (folded) folded.open = true;
  field.focus();
  return true;
}

function click(selector) {
  const found = document.querySelector(selector);
  if (!found) return false;
  found.click();
  return true;
}

// A card that changed is another element; who stood on it stays there.
function keepFocus() {
  let last = "";
  document.addEventListener("focusin", (event) => {
    const card = event.target.closest && event.target.closest(".card");
    last = card ? card.dataset.key : "";
  });
  document.addEventListener("linli-swapped", () => {
    const at = document.activeElement;
    if (!last || (at && at !== document.body)) return;
    const card = document.querySelector(`.card[data-key="${last}"] .card-link`);
    if (card) card.focus({ preventScroll: true });
  });
}

function open(help) {
  if (help.hasAttribute("open")) return;
  if (help.showModal) help.showModal();
  else help.setAttribute("open", "");
}

function close(help) {
  if (help.close) help.close();
  else help.removeAttribute("open");
}

function read() {
  try {
    return window.localStorage.getItem(OFF) || "";
  } catch (refused) {
    return "";
  }
}

function write(value) {
  try {
    window.localStorage.setItem(OFF, value);
  } catch (refused) {
    // Private windows may keep nothing; then it holds for this page.
  }
}
