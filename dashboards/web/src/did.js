// After a step: what was done and, for a few seconds, a way back. The page itself follows by its
// live stream, so that the answer to the way back is not needed.

const EVENT = "linli-did";

export function showWhatWasDone() {
  const bar = document.querySelector("[data-did]");
  if (!bar) return;
  const parts = {
    bar,
    form: bar.querySelector("form"),
    text: bar.querySelector("[data-did-text]"),
    left: bar.querySelector("[data-did-left]"),
    timer: 0,
  };
  document.addEventListener(EVENT, (event) => {
    const did = event.detail;
    parts.text.textContent = did.text;
    parts.form.setAttribute("action", did.undo || "");
    parts.form.hidden = !did.undo;
    show(parts, did.seconds);
  });
  parts.form.addEventListener("submit", (event) => {
    event.preventDefault();
    takeBack(parts);
  });
  if (!bar.hidden) show(parts, Number(bar.dataset.seconds) || 10);
}

function show(parts, seconds) {
  window.clearInterval(parts.timer);
  let left = seconds;
  const tick = () => {
    parts.left.textContent = String(left);
    if (left <= 0) hide(parts);
    left -= 1;
  };
  parts.bar.hidden = false;
  tick();
  parts.timer = window.setInterval(tick, 1000);
}

function hide(parts) {
  window.clearInterval(parts.timer);
  parts.bar.hidden = true;
}

function takeBack(parts) {
  const meta = document.querySelector("meta[name=csrf]");
  const headers = { "X-CSRF-Token": meta ? meta.content : "", "HX-Request": "true" };
  window.clearInterval(parts.timer);
  parts.form.hidden = true;
  fetch(parts.form.getAttribute("action"), { method: "POST", headers }).then(
    (answer) => answered(parts, answer),
    () => say(parts, parts.bar.dataset.failed),
  );
}

function answered(parts, answer) {
  const said = answer.headers.get("HX-Trigger");
  if (answer.ok && said) {
    say(parts, JSON.parse(said)[EVENT].text);
    return;
  }
  const plain = (answer.headers.get("Content-Type") || "").startsWith("text/plain");
  if (plain) answer.text().then((text) => say(parts, text));
  else say(parts, parts.bar.dataset.failed);
}

function say(parts, text) {
  parts.text.textContent = text;
  window.clearInterval(parts.timer);
  parts.timer = window.setTimeout(() => hide(parts), 6000);
}
