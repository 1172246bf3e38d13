// hx-swap="keyed": children are matched by data-key. One with data-keyed is walked into; any other
// is replaced only when its data-v changed. So pictures are not fetched again, and what a person
// has focused or unfolded stays as it is.

export function keepRegionsKeyed(htmx) {
  htmx.defineExtension("keyed", {
    isInlineSwap: (style) => style === "keyed",
    handleSwap: (style, target, fragment) => {
      if (style !== "keyed") return false;
      reconcile(target, fragment, htmx);
      showCount();
      document.dispatchEvent(new CustomEvent("linli-swapped"));
      return [];
    },
  });
  showCount();
}

function reconcile(target, fragment, htmx) {
  const fresh = Array.from(fragment.children);
  const wanted = new Set(fresh.map((child) => child.dataset.key));
  const old = new Map();
  Array.from(target.children).forEach((child) => {
    if (wanted.has(child.dataset.key)) old.set(child.dataset.key, child);
    else target.removeChild(child);
  });
  let place = target.firstElementChild;
  fresh.forEach((next) => {
    const kept = old.get(next.dataset.key);
    const child = kept && canStay(kept, next, htmx) ? kept : next;
    if (child === place) {
      place = place.nextElementSibling;
      return;
    }
    if (kept && child === next) {
      if (kept === place) place = place.nextElementSibling;
      target.removeChild(kept);
    }
    if (!kept && "arrivals" in target.dataset) next.classList.add("is-new");
    target.insertBefore(child, place);
    if (child === next) htmx.process(next);
  });
}

function canStay(kept, next, htmx) {
  if ("keyed" in kept.dataset && "keyed" in next.dataset) {
    Array.from(next.attributes).forEach((one) => kept.setAttribute(one.name, one.value));
    reconcile(kept, next, htmx);
    return true;
  }
  return kept.dataset.v !== undefined && kept.dataset.v === next.dataset.v;
}

// How many wait is in the title too, for a page that is behind another.
function showCount() {
  const counter = document.querySelector("[data-open-count]");
  if (!counter) return;
  const title = document.title.replace(/^\(\d+\) /, "");
  const count = Number(counter.dataset.openCount);
  document.title = count ? `(${count}) ${title}` : title;
}
