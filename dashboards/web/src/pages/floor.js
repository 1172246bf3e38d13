// Marks on a floor plan are moved by pointer or arrow keys; the numbers in their forms go along,
// and the form is what is sent, so that nothing here knows more than the page without script.

const STEP = 0.5;
const REST = 600;

function arrange(root) {
  const plan = root.querySelector(".marks");
  const said = document.querySelector("[data-said]");
  const token = document.querySelector("meta[name=csrf]").content;
  Array.from(root.querySelectorAll(".mark")).forEach((mark) => {
    const form = Array.from(root.querySelectorAll("[data-form]")).find(
      (one) => one.dataset.form === mark.dataset.thing,
    );
    let waits = 0;
    const put = (left, top) => {
      form.left.value = held(left);
      form.top.value = held(top);
      mark.setAttribute("x", `${form.left.value}%`);
      mark.setAttribute("y", `${form.top.value}%`);
    };
    const save = () => {
      window.clearTimeout(waits);
      send(form, token).then((ok) => {
        said.textContent = `${mark.getAttribute("aria-label")}: ${ok ? said.dataset.saved : said.dataset.failed}`;
      });
    };
    mark.addEventListener("pointerdown", (down) => {
      down.preventDefault();
      mark.focus();
      mark.setPointerCapture(down.pointerId);
      const move = (event) => {
        const box = plan.getBoundingClientRect();
        put(((event.clientX - box.left) / box.width) * 100, ((event.clientY - box.top) / box.height) * 100);
      };
      const end = () => {
        mark.removeEventListener("pointermove", move);
        save();
      };
      mark.addEventListener("pointermove", move);
      mark.addEventListener("pointerup", end, { once: true });
      mark.addEventListener("pointercancel", end, { once: true });
    });
    mark.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!way) return;
      event.preventDefault();
      const far = event.shiftKey ? STEP * 10 : STEP;
      put(Number(form.left.value) + way[0] * far, Number(form.top.value) + way[1] * far);
      window.clearTimeout(waits);
      waits = window.setTimeout(save, REST);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      put(Number(form.left.value), Number(form.top.value));
      save();
    });
  });
}

function held(percent) {
  return String(Math.round(Math.max(0, Math.min(100, percent)) * 10) / 10);
}

async function send(form, token) {
  const body = new URLSearchParams();
  ["thing", "left", "top"].forEach((name) => body.append(name, form[name].value));
  const headers = { "X-CSRF-Token": token, "HX-Request": "true" };
  try {
    return (await fetch(form.action, { method: "POST", headers, body })).ok;
  } catch (error) {
    return false;
  }
}

Array.from(document.querySelectorAll("[data-arrange]")).forEach(arrange);
