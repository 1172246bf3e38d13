// The live picture that is shown becomes one of the files that teach: it goes up with the form, and
// is kept nowhere. Where a browser cannot fill such a field, nothing is offered.

export function taking(form) {
  const rows = form.querySelectorAll("[data-taking]");
  if (!rows.length || !canFill()) return;
  form.addEventListener("live", () => rows.forEach((row) => (row.hidden = false)));
  rows.forEach((row) => {
    const button = row.querySelector("[data-take]");
    button.addEventListener("click", () => take(form, button, row.querySelector("[data-taken]")));
  });
}

function canFill() {
  try {
    return Boolean(new DataTransfer().items.add && new File([""], "a"));
  } catch (error) {
    return false;
  }
}

function take(form, button, said) {
  const field = form.querySelector(`[name="${button.dataset.take}"]`);
  button.disabled = true;
  fetch(form.querySelector("[data-canvas] img").src, { credentials: "same-origin", cache: "no-store" })
    .then((answer) => (answer.ok ? answer.blob() : Promise.reject(new Error(String(answer.status)))))
    .then((blob) => {
      const all = new DataTransfer();
      Array.from(field.files).forEach((one) => all.items.add(one));
      all.items.add(new File([blob], `live-${Date.now()}.jpg`, { type: "image/jpeg" }));
      field.files = all.files;
      said.textContent = said.dataset.taken.replace("#", String(all.files.length));
    })
    .catch(() => {
      said.textContent = button.dataset.failed;
    })
    .then(() => {
      button.disabled = false;
    });
}
