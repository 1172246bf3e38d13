// The button by which a phone is added to those that hear by web push. Without script, or where the
// browser cannot do it, the button stays hidden.

export function offerPush() {
  const box = document.querySelector("[data-push]");
  if (!box || !("serviceWorker" in navigator) || !("PushManager" in window)) return;
  const button = box.querySelector("button");
  const line = box.querySelector("p");
  box.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    add(box.dataset).then(
      (outcome) => {
        line.textContent = line.dataset[outcome];
        button.hidden = outcome === "done";
        button.disabled = false;
      },
      () => {
        line.textContent = line.dataset.failed;
        button.disabled = false;
      },
    );
  });
}

async function add(given) {
  if ((await Notification.requestPermission()) !== "granted") return "denied";
  await navigator.serviceWorker.register(given.worker);
  const ready = await navigator.serviceWorker.ready;
  const found = await ready.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: bytesOf(given.key),
  });
  const answer = await fetch(given.to, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": given.csrf || "" },
    body: JSON.stringify(found.toJSON()),
  });
  return answer.ok ? "done" : "failed";
}

function bytesOf(text) {
  const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
}
