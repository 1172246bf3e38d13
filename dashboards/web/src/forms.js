// Live fragments are the same for everyone, so the token against forged requests is put in here.

export function sendFormsSafely() {
  const meta = document.querySelector("meta[name=csrf]");
  const token = meta ? meta.content : "";
  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRF-Token"] = token;
  });
  document.addEventListener("submit", (event) => {
    const field = event.target.querySelector("input[name=csrf_token]");
    if (field && !field.value) field.value = token;
  });
  document.addEventListener("htmx:beforeRequest", () => showTrouble(null));
  document.addEventListener("htmx:responseError", (event) => showTrouble(event.detail.xhr, event.detail.elt));
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) emptied(event.detail.elt);
  });
  document.addEventListener("htmx:sendError", (event) => showTrouble({}, event.detail.elt));
}

// A form that stays while the page changes around it was sent: what was typed is done with.
function emptied(form) {
  const fold = form.closest("details");
  if (!form.reset || !fold) return;
  form.reset();
  fold.open = false;
}

// A refusal comes as one plain sentence; anything else gets the sentence of this page.
function showTrouble(answer, form) {
  const line = document.querySelector("[data-trouble]");
  if (!line) return;
  line.hidden = answer === null;
  if (answer === null) {
    delete document.documentElement.dataset.troubled;
    return;
  }
  document.documentElement.dataset.troubled = "1";
  const kind = answer.getResponseHeader ? answer.getResponseHeader("Content-Type") || "" : "";
  line.textContent = kind.startsWith("text/plain") ? answer.responseText : line.dataset.text;
  const button = form && form.querySelector("button[type=submit]");
  if (button) uncover(button, line.parentElement);
}

// The line stays at the top of the screen, and moves the page down: what was pressed stays in sight.
function uncover(pressed, notices) {
  const at = pressed.getBoundingClientRect();
  const above = notices.getBoundingClientRect().bottom + 8 - at.top;
  const below = at.bottom + 8 - window.innerHeight;
  if (above > 0 && at.bottom > 0) window.scrollBy(0, -above);
  else if (below > 0 && below < notices.offsetHeight + at.height) window.scrollBy(0, below);
}
