// A live picture: asked for by number while the page is looked at, with boxes and zones drawn over
// it. The look is prolonged only while somebody can see it; what is hidden ends by itself.

const EVERY = 500;
const RENEW = 10000;
const SVG = "http://www.w3.org/2000/svg";

function watch(root) {
  const find = (name) => document.querySelector(`[data-${name}]`);
  const frame = find("frame");
  const picture = find("picture");
  const sights = find("sights");
  const said = find("said");
  const age = find("age");
  const seen = find("seen");
  const left = find("left");
  const toggle = find("toggle");
  const api = root.dataset.live;
  const words = JSON.parse(root.dataset.words);
  const token = document.querySelector("meta[name=csrf]").content;
  const shown = { number: -1, loading: false };
  let renewed = Date.now();
  let over = false;

  const name = (label) => words[`class-${label}`] || label;
  const line = (box) => `${name(box.label)} ${Math.round(box.confidence * 100)} %`;

  function say(view) {
    frame.classList.toggle("is-away", view.why !== "showing");
    const text = words[`${view.why}-${view.code}`] || words[view.why];
    if (said.textContent !== text) said.textContent = text;
    left.textContent = left.dataset.text.replace("#", Math.round(view.left));
    const old = view.age === undefined || view.age === null;
    age.textContent = old || view.why !== "showing" ? "" : age.dataset.text.replace("#", view.age.toFixed(1));
    const things = (view.boxes || []).map(line).join(", ") || seen.dataset.nothing;
    if (seen.textContent !== things) seen.textContent = things;
  }

  function show(view) {
    if (view.why !== "showing" || view.number === shown.number || shown.loading) return;
    const next = new Image();
    shown.loading = true;
    next.onload = () => {
      shown.loading = false;
      shown.number = view.number;
      picture.src = next.src;
      draw(sights, view, next, line);
    };
    next.onerror = () => {
      shown.loading = false;
    };
    next.src = `${api}/picture?n=${view.number}`;
  }

  function renew() {
    if (Date.now() - renewed < RENEW) return;
    renewed = Date.now();
    fetch(`${api}/renew`, { method: "POST", headers: { "X-CSRF-Token": token }, credentials: "same-origin" }).catch(() => {});
  }

  function turn() {
    if (over) return;
    if (document.hidden) {
      window.setTimeout(turn, EVERY);
      return;
    }
    renew();
    fetch(api, { credentials: "same-origin", cache: "no-store" })
      .then((answer) => {
        if (answer.status === 404 || answer.status === 401) {
          over = true;
          window.location.reload();
          return null;
        }
        return answer.ok ? answer.json() : null;
      })
      .then((view) => {
        if (!view) return;
        say(view);
        show(view);
      })
      .catch(() => {})
      .then(() => window.setTimeout(turn, EVERY));
  }

  toggle.addEventListener("change", () => {
    sights.style.display = toggle.checked ? "" : "none";
  });
  // Who goes on to draw has the picture there; it ends by itself within the minute.
  let draws = false;
  document.querySelectorAll("[data-draws]").forEach((one) => one.addEventListener("click", () => (draws = true)));
  window.addEventListener("pageshow", () => (draws = false));
  window.addEventListener("pagehide", () => {
    if (over || draws || !navigator.sendBeacon) return;
    const form = new FormData();
    form.append("csrf_token", token);
    navigator.sendBeacon(root.dataset.stop, form);
  });
  find("renew").hidden = true;
  turn();
}

function draw(sights, view, image, line) {
  const high = Math.round((1000 * image.naturalHeight) / image.naturalWidth) || 1000;
  const at = (points) => points.map((one) => `${one[0] * 1000},${one[1] * high}`).join(" ");
  while (sights.firstChild) sights.removeChild(sights.firstChild);
  sights.setAttribute("viewBox", `0 0 1000 ${high}`);
  const add = (kind, attributes, text) => {
    const made = document.createElementNS(SVG, kind);
    Object.keys(attributes).forEach((key) => made.setAttribute(key, attributes[key]));
    if (text) made.textContent = text;
    sights.appendChild(made);
  };
  const shape = (kind, colour, one) => {
    add(kind, { points: at(one.points), class: "halo" });
    add(kind, { points: at(one.points), class: colour });
    add("text", { x: one.points[0][0] * 1000 + 8, y: Math.max(one.points[0][1] * high + 28, 28) }, one.id);
  };
  (view.zones || []).forEach((one) => shape("polygon", "zone", one));
  (view.lines || []).forEach((one) => shape("polyline", "line", one));
  (view.boxes || []).forEach((one) => {
    const edges = one.bbox;
    const box = { x: edges[0] * 1000, y: edges[1] * high, width: (edges[2] - edges[0]) * 1000, height: (edges[3] - edges[1]) * high };
    add("rect", Object.assign({ class: "halo" }, box));
    add("rect", Object.assign({ class: "sight" }, box));
    add("text", { x: box.x + 6, y: Math.max(box.y - 10, 26) }, line(one));
  });
}

Array.from(document.querySelectorAll("[data-live]")).forEach(watch);
