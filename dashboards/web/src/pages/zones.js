// Draws the rows of the form on the picture and writes what is dragged back into them: the form is
// what counts, and all of it can be typed.
import { Sketch } from "../sketch.js";
import { lookNow } from "../look_now.js";
import { taking } from "../take.js";

const UNDOS = 50;
const START = { zone: "30 30, 70 30, 70 70, 30 70", mask: "5 5, 25 5, 25 25, 5 25", line: "20 60, 80 60" };

class Drawing {
  constructor(form) {
    this.form = form;
    this.rows = form.querySelector("[data-rows]");
    this.said = form.querySelector("[data-said]");
    this.undoButton = form.querySelector("[data-undo]");
    this.past = [];
    this.selected = null;
    this.count = form.querySelectorAll("[data-row]").length;
    this.sketch = new Sketch(form.querySelector("[data-canvas]"), this);
    form.querySelectorAll("[data-tools]").forEach((one) => (one.hidden = false));
    form.querySelectorAll("[data-add]").forEach((one) => one.addEventListener("click", () => this.add(one.dataset.add)));
    this.undoButton.addEventListener("click", () => this.undo());
    form.addEventListener("focusin", (event) => this.select(event.target.closest("[data-row]")));
    form.addEventListener("change", (event) => this.changed(event.target));
    // What stands in a field before it is typed over, so that typing can be undone too.
    form.addEventListener("focusin", () => (this.before = this.state()));
    this.before = this.state();
    window.addEventListener("beforeunload", (event) => this.warn(event));
    form.addEventListener("submit", () => (this.sent = true));
    this.draw();
  }

  get shapes() {
    return Array.from(this.form.querySelectorAll("[data-row]"), (row) => ({
      row,
      kind: row.dataset.row,
      name: (row.querySelector("[name^=label]") || {}).value || row.querySelector("legend").textContent.trim(),
      corners: corners(row.querySelector("[data-points]").value),
      gone: Boolean((row.querySelector("[data-gone]") || {}).checked),
    })).filter((one) => !one.gone && one.corners);
  }

  draw() {
    this.form.querySelectorAll("[data-row]").forEach((row) => {
      const gone = row.querySelector("[data-gone]");
      row.classList.toggle("is-gone", Boolean(gone && gone.checked));
      row.classList.toggle("is-chosen", row === this.selected);
    });
    this.sketch.draw(this.shapes, this.selected);
    this.undoButton.disabled = this.past.length === 0;
  }

  select(row) {
    if (!row || row === this.selected) return;
    this.selected = row;
    this.draw();
  }

  /* called by the sketch: `remember` before the first move, `put` at each, `say` at the end */

  remember() {
    this.keep(this.state());
  }

  put(row, points) {
    row.querySelector("[data-points]").value = points.map((one) => one.map(tenth).join(" ")).join(", ");
    this.draw();
  }

  say(text) {
    this.said.textContent = text;
  }

  remove(row) {
    const gone = row.querySelector("[data-gone]");
    if (!gone) return;
    this.remember();
    gone.checked = true;
    this.draw();
  }

  add(kind) {
    this.remember();
    const made = this.make(kind);
    made.querySelector("[data-points]").value = START[kind];
    this.selected = made;
    this.draw();
    (made.querySelector("[name^=label]") || made.querySelector("[data-points]")).focus();
  }

  make(kind) {
    const holder = document.createElement("div");
    const mould = this.form.querySelector(`template[data-new=${kind}]`);
    holder.innerHTML = mould.innerHTML.replace(/\.NEW"/g, `.${this.count}"`);
    this.count += 1;
    const row = holder.firstElementChild;
    const none = this.rows.querySelector("[data-none]");
    if (none) none.hidden = true;
    const last = this.rows.querySelectorAll("[data-row]");
    this.rows.insertBefore(row, last.length ? last[last.length - 1].nextSibling : this.rows.firstChild);
    return row;
  }

  changed(field) {
    const row = field.closest("[data-row]");
    if (!row) return;
    this.keep(this.before);
    if (field.matches("[data-turn]")) {
      const input = row.querySelector("[data-points]");
      const ends = corners(input.value);
      if (ends) input.value = ends.reverse().map((one) => one.map(tenth).join(" ")).join(", ");
      field.checked = false;
    }
    this.before = this.state();
    this.draw();
  }

  state() {
    return Array.from(this.form.querySelectorAll("[data-row]"), (row) => ({
      kind: row.dataset.row,
      fields: Array.from(row.querySelectorAll("input, select"), (one) => [one.value, one.checked]),
    }));
  }

  keep(state) {
    this.past.push(state);
    if (this.past.length > UNDOS) this.past.shift();
    this.touched = true;
  }

  undo() {
    const state = this.past.pop();
    if (!state) return;
    let rows = this.form.querySelectorAll("[data-row]");
    for (let at = state.length; at < rows.length; at += 1) rows[at].remove();
    rows = this.form.querySelectorAll("[data-row]");
    state.forEach((one, at) => {
      rows[at].querySelectorAll("input, select").forEach((field, number) => {
        field.value = one.fields[number][0];
        field.checked = one.fields[number][1];
      });
    });
    if (this.selected && !this.form.contains(this.selected)) this.selected = null;
    this.before = this.state();
    this.draw();
  }

  warn(event) {
    if (!this.touched || this.sent) return;
    event.preventDefault();
    event.returnValue = "";
  }
}

function tenth(value) {
  return Math.round(Math.min(100, Math.max(0, value)) * 10) / 10;
}

function corners(text) {
  const numbers = text.split(/[\s,;，；、]+/).filter(Boolean).map(Number);
  if (numbers.length < 4 || numbers.length % 2 || numbers.some((one) => !(one >= 0 && one <= 100))) return null;
  const found = [];
  for (let at = 0; at < numbers.length; at += 2) found.push([numbers[at], numbers[at + 1]]);
  return found;
}

document.querySelectorAll("[data-drawing]").forEach((form) => {
  const drawing = new Drawing(form);
  form.querySelectorAll("[data-look]").forEach((button) => lookNow(button, form, drawing.sketch));
  taking(form);
});
