// Under a pointer a chart says the value of that moment; the values are those of its table.

function listen(chart) {
  const svg = chart.querySelector("svg");
  const point = chart.querySelector("[data-point]");
  const said = chart.querySelector("[data-said]");
  const usual = said.textContent;
  const rows = Array.from(chart.querySelectorAll("tr[data-x]"));
  const show = (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * 640;
    let near = rows[0];
    rows.forEach((row) => {
      if (Math.abs(row.dataset.x - at) < Math.abs(near.dataset.x - at)) near = row;
    });
    const known = "y" in near.dataset;
    point.classList.toggle("is-on", true);
    point.setAttribute("transform", `translate(${near.dataset.x} 0)`);
    const dot = point.querySelector("circle");
    dot.setAttribute("cy", known ? near.dataset.y : 0);
    dot.setAttribute("r", known ? 5 : 0);
    said.textContent = `${near.cells[0].textContent} · ${near.cells[1].textContent}`;
  };
  svg.addEventListener("pointermove", show);
  svg.addEventListener("pointerdown", show);
  svg.addEventListener("pointerleave", () => {
    point.classList.toggle("is-on", false);
    said.textContent = usual;
  });
}

Array.from(document.querySelectorAll("[data-chart]")).forEach(listen);
