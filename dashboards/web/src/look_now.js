// One live picture to draw on: asked for, waited for, and put below what is drawn already, which
// stays. The look is not prolonged: it ends by itself within a minute.

const EVERY = 700;
const TRIES = 40;

export function lookNow(button, form, sketch) {
  const api = button.dataset.look;
  const said = form.querySelector("[data-look-said]");
  const words = JSON.parse(said.dataset.words);
  const headers = { "X-CSRF-Token": document.querySelector("meta[name=csrf]").content, "Content-Type": "application/json" };

  function end(text) {
    button.disabled = false;
    said.textContent = text;
  }

  function show(view) {
    const next = new Image();
    next.onload = () => {
      sketch.put(next);
      form.dispatchEvent(new CustomEvent("live"));
      const caption = form.querySelector("[data-caption]");
      caption.textContent = caption.dataset.liveCaption;
      end(words.showing);
    };
    next.onerror = () => end(button.dataset.failed);
    next.alt = "";
    next.src = `${api}/picture?n=${view.number}`;
  }

  function ask(tries) {
    fetch(api, { credentials: "same-origin", cache: "no-store" })
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
      .then((view) => {
        if (view.why === "showing") {
          show(view);
          return;
        }
        said.textContent = words[`${view.why}-${view.code}`] || words[view.why];
        if (view.why === "refused" || tries <= 0) button.disabled = false;
        else window.setTimeout(() => ask(tries - 1), EVERY);
      })
      .catch(() => end(button.dataset.failed));
  }

  button.addEventListener("click", (event) => {
    event.preventDefault();
    button.disabled = true;
    said.textContent = button.dataset.asking;
    fetch(api, { method: "POST", headers, credentials: "same-origin", body: JSON.stringify({ purpose: "setup" }) })
      .then((answer) => (answer.ok ? ask(TRIES) : end(button.dataset.failed)))
      .catch(() => end(button.dataset.failed));
  });
}
