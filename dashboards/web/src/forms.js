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
  document.addEventListener("htmx:responseError", (event) => showTrouble(event.detail.xhr));
  document.addEventListener("htmx:sendError", () => showTrouble({}));
}

// A refusal comes as one plain sentence; anything else gets the sentence of this page.
function showTrouble(answer) {
  const line = document.querySelector("[data-trouble]");
  if (!line) return;
  line.hidden = answer === null;
  if (answer === null) return;
  const kind = answer.getResponseHeader ? answer.getResponseHeader("Content-Type") || "" : "";
  line.textContent = kind.startsWith("text/plain") ? answer.responseText : line.dataset.text;
}
