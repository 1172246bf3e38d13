// What unfolds over the page folds again by Escape, and as soon as one is elsewhere.

const OPEN = "details[data-folds][open]";

export function foldAgain() {
  document.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && document.querySelector(OPEN);
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
  const left = (event) => {
    const open = document.querySelector(OPEN);
    if (open && !open.contains(event.target)) open.open = false;
  };
  document.addEventListener("focusin", left);
  document.addEventListener("click", left);
}
