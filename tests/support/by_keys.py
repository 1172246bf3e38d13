"""Walking a page by the Tab key alone, as somebody without a mouse does."""

from __future__ import annotations

from playwright import sync_api as playwright

__all__ = ["walked"]

# What should get the focus, how it looks before; then each that gets it, and whether that shows.
BEGIN = """() => {
  const hidden = (one) => {
    const from = one.matches("summary") ? one.parentElement.parentElement : one;
    return from.closest("details:not([open])") || one.getClientRects().length === 0
      || getComputedStyle(one).visibility === "hidden";
  };
  const same = (one) => `input[type=radio][name="${one.name}"]`;
  const first = (one) => one.type !== "radio"
    || one === (document.querySelector(`${same(one)}:checked`)
      || document.querySelector(same(one)));
  const all = "a[href], button, input, select, textarea, summary, [tabindex]";
  const wanted = Array.from(document.querySelectorAll(all)).filter((one) =>
    !one.disabled && one.tabIndex >= 0 && !hidden(one) && first(one));
  const styled = (style) => [style.boxShadow, style.stroke, style.strokeWidth].join();
  const look = (one) => [one, ...Array.from(one.querySelectorAll("*")).slice(0, 20)].map((part) =>
    [null, "::after"].map((which) => styled(getComputedStyle(part, which))).join()).join();
  const before = new Map(wanted.map((one) => [one, look(one)]));
  const got = [];
  if (document.activeElement) document.activeElement.blur();
  document.addEventListener("focusin", (event) => {
    const style = getComputedStyle(event.target);
    const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    got.push([event.target, ring || look(event.target) !== before.get(event.target)]);
  });
  window.walk = { wanted, got };
  // A field of a date or time has several parts, each a stop of its own.
  const parts = wanted.filter((one) => /date|time|week|month/.test(one.type)).length;
  return wanted.length + 6 * parts + 1;
}"""
END = """() => {
  const { wanted, got } = window.walk;
  const name = (one) => one.outerHTML.slice(0, 110);
  const reached = got.map(([one]) => one);
  const missed = wanted.filter((one) => one.isConnected && reached.indexOf(one) < 0);
  const bare = got.filter(([, shown]) => !shown).map(([one]) => one);
  const once = reached.filter((one, at) => reached.indexOf(one) === at);
  const back = once.slice(1).filter((one, at) =>
    once[at].compareDocumentPosition(one) & Node.DOCUMENT_POSITION_PRECEDING);
  return [
    ...missed.map((one) => `the Tab key does not reach ${name(one)}`),
    ...bare.map((one) => `nobody sees the focus at ${name(one)}`),
    ...back.map((one) => `out of order: ${name(one)}`),
  ];
}"""


def walked(page: playwright.Page) -> list[str]:
    """Press Tab through a page; return what is not reached, out of order, or not shown.

    Whatever held the focus would show as everything behind it not being reached.
    """
    for _ in range(page.evaluate(BEGIN)):
        page.keyboard.press("Tab")
    return list(page.evaluate(END))
