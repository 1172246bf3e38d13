// Shapes over a picture: an SVG of 100 by 100, and a button for each corner, so that a mouse, a
// finger and the keyboard all reach it.

const SVG = "http://www.w3.org/2000/svg";
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ARROW = 34;

export class Sketch {
  constructor(canvas, owner) {
    this.canvas = canvas;
    this.owner = owner;
    this.svg = canvas.querySelector("[data-sketch]");
    this.drag = null;
    this.marks = document.createElement("div");
    canvas.appendChild(this.marks);
    canvas.addEventListener("pointerdown", (event) => this.grab(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    ["pointerup", "pointercancel"].forEach((name) => canvas.addEventListener(name, () => this.drop()));
    canvas.addEventListener("keydown", (event) => this.key(event));
    const image = canvas.querySelector("img");
    if (image) image.addEventListener("load", () => this.again());
    window.addEventListener("resize", () => this.again());
  }

  put(image) {
    const before = this.canvas.querySelector("img");
    if (before) image.alt = before.alt;
    if (before) this.canvas.replaceChild(image, before);
    else this.canvas.insertBefore(image, this.canvas.firstChild);
    this.canvas.classList.remove("canvas-empty");
    this.again();
  }

  again() {
    if (this.shapes) this.draw(this.shapes, this.selected);
  }

  draw(shapes, selected) {
    this.shapes = shapes;
    this.selected = selected;
    const focus = this.focused();
    this.svg.textContent = "";
    this.marks.textContent = "";
    shapes.forEach((shape, index) => this.shape(shape, index));
    const chosen = shapes.findIndex((one) => one.row === selected);
    if (chosen >= 0) this.corners(shapes[chosen], chosen);
    if (focus !== null) this.focus(focus);
  }

  shape(shape, index) {
    const line = shape.kind === "line";
    const points = shape.corners.map((one) => one.join(",")).join(" ");
    const draw = (css, at) => {
      const made = document.createElementNS(SVG, line ? "polyline" : "polygon");
      made.setAttribute("points", at);
      made.setAttribute("class", css);
      made.setAttribute("data-shape", index);
      this.svg.appendChild(made);
    };
    draw("halo", points);
    draw((line ? "stroke-line" : `fill-${shape.kind}`) + (shape.row === this.selected ? " is-chosen" : ""), points);
    const middle = centre(shape.corners);
    if (line && shape.corners.length === 2) {
      const tip = this.tip(shape.corners);
      draw("stroke-arrow", `${middle.join(",")} ${tip.join(",")}`);
      this.word(tip, this.canvas.dataset.in, "way-in");
    }
    this.word(middle, shape.name, "shape-name");
  }

  // The way in is to the right of the way from the first end to the second, as seen on the screen.
  tip(ends) {
    const middle = centre(ends);
    const wide = this.canvas.clientWidth || 1;
    const high = this.canvas.clientHeight || 1;
    const right = -(ends[1][1] - ends[0][1]) * high;
    const down = (ends[1][0] - ends[0][0]) * wide;
    const length = Math.sqrt(right * right + down * down) || 1;
    const far = (100 * ARROW) / length;
    return [middle[0] + (far * right) / wide, middle[1] + (far * down) / high];
  }

  word(at, text, css) {
    const made = document.createElement("span");
    made.className = css;
    made.textContent = text;
    made.setAttribute("aria-hidden", "true");
    place(made, at);
    this.marks.appendChild(made);
  }

  corners(shape, index) {
    const points = shape.corners;
    const many = shape.kind !== "line" && points.length < 64;
    points.forEach((at, number) => {
      if (many) this.between(shape, index, number);
      const said = this.canvas.dataset.corner;
      const values = { number: number + 1, name: shape.name, x: at[0], y: at[1] };
      this.button("corner", at, index, number, said.replace(/\{(\w+)\}/g, (_, name) => values[name]));
    });
  }

  between(shape, index, number) {
    const ends = [shape.corners[number], shape.corners[(number + 1) % shape.corners.length]];
    const said = this.canvas.dataset.between.replace("{name}", shape.name);
    this.button("between", centre(ends), index, number, said);
  }

  button(css, at, shape, number, said) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = css;
    made.setAttribute("aria-label", said);
    made.dataset.of = shape;
    made.dataset.number = number;
    place(made, at);
    this.marks.appendChild(made);
  }

  grab(event) {
    const mark = event.target.closest("button");
    const body = event.target.closest("[data-shape]");
    const index = mark ? mark.dataset.of : body ? body.getAttribute("data-shape") : null;
    if (index === null || event.button > 0) return;
    const shape = this.shapes[Number(index)];
    event.preventDefault();
    this.drag = { row: shape.row, corners: shape.corners, from: this.at(event), number: null, moved: false };
    if (mark) this.drag.number = Number(mark.dataset.number);
    if (mark && mark.className === "between") this.drag.fresh = true;
    if (this.canvas.setPointerCapture) this.canvas.setPointerCapture(event.pointerId);
    this.owner.select(shape.row);
    if (mark) this.focus([index, mark.className === "between" ? null : mark.dataset.number]);
  }

  move(event) {
    const drag = this.drag;
    if (!drag) return;
    const at = this.at(event);
    const by = [at[0] - drag.from[0], at[1] - drag.from[1]];
    if (!drag.moved && Math.abs(by[0]) + Math.abs(by[1]) < 0.4) return;
    if (!drag.moved) this.begin(drag);
    this.owner.put(drag.row, drag.number === null ? whole(drag.corners, by) : one(drag.corners, drag.number, by));
  }

  begin(drag) {
    this.owner.remember();
    drag.moved = true;
    if (!drag.fresh) return;
    drag.corners = withNew(drag.corners, drag.number);
    drag.number += 1;
  }

  drop() {
    const drag = this.drag;
    this.drag = null;
    if (!drag || !drag.fresh) return;
    if (drag.moved) this.focus([String(this.index(drag.row)), String(drag.number)]);
    else this.insert(drag.row, drag.corners, drag.number);
  }

  insert(row, corners, number) {
    this.owner.remember();
    this.owner.put(row, withNew(corners, number));
    this.focus([String(this.index(row)), String(number + 1)]);
  }

  key(event) {
    const mark = event.target.closest("button");
    if (!mark) return;
    const shape = this.shapes[Number(mark.dataset.of)];
    const number = Number(mark.dataset.number);
    if (mark.className === "between") {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.insert(shape.row, shape.corners, number);
      return;
    }
    const by = KEYS[event.key];
    const least = shape.kind === "line" ? 2 : 3;
    if (by) {
      const far = event.shiftKey ? 5 : 1;
      this.owner.remember();
      this.owner.put(shape.row, one(shape.corners, number, [by[0] * far, by[1] * far]));
      this.tell();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      if (shape.corners.length <= least) this.owner.remove(shape.row);
      else {
        this.owner.remember();
        this.owner.put(shape.row, shape.corners.filter((_, at) => at !== number));
      }
    } else return;
    event.preventDefault();
  }

  tell() {
    if (document.activeElement.className === "corner") this.owner.say(document.activeElement.getAttribute("aria-label"));
  }

  index(row) {
    return this.shapes.findIndex((shape) => shape.row === row);
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(100 * (event.clientX - box.left)) / box.width, (100 * (event.clientY - box.top)) / box.height];
  }

  focused() {
    const mark = document.activeElement;
    return mark && this.marks.contains(mark) ? [mark.dataset.of, mark.dataset.number] : null;
  }

  focus(mark) {
    const found = this.marks.querySelector(`.corner[data-of="${mark[0]}"][data-number="${mark[1]}"]`);
    if (found) found.focus({ preventScroll: true });
  }
}

function place(element, at) {
  element.style.left = `${at[0]}%`;
  element.style.top = `${at[1]}%`;
}

function centre(points) {
  const sum = points.reduce((all, at) => [all[0] + at[0], all[1] + at[1]], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

function whole(points, by) {
  const far = [0, 1].map((axis) => {
    const all = points.map((at) => at[axis]);
    return Math.max(-Math.min(...all), Math.min(100 - Math.max(...all), by[axis]));
  });
  return points.map((at) => [at[0] + far[0], at[1] + far[1]]);
}

function one(points, number, by) {
  return points.map((at, n) => (n === number ? [0, 1].map((axis) => Math.min(100, Math.max(0, at[axis] + by[axis]))) : at));
}

function withNew(points, number) {
  const next = points[(number + 1) % points.length];
  const fresh = [(points[number][0] + next[0]) / 2, (points[number][1] + next[1]) / 2];
  return [...points.slice(0, number + 1), fresh, ...points.slice(number + 1)];
}
