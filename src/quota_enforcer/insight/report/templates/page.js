// The page comes alive: what a mark of a chart says under the pointer (for others the tables say it),
// the tables, and the search field.

const tip = make("div", { className: "tip", hidden: true });
tip.setAttribute("aria-hidden", "true");
document.body.append(tip);
for (const chart of document.querySelectorAll(".chart")) {
  chart.addEventListener("pointermove", (event) => {
    const text = event.target.getAttribute("aria-label");
    tip.hidden = !text || event.target === chart;
    if (tip.hidden) return;
    tip.textContent = text;
    tip.style.left = `${Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.max(event.clientY - tip.offsetHeight - 10, 4)}px`;
  });
  chart.addEventListener("pointerleave", () => { tip.hidden = true; });
}

document.body.classList.add("scripted");
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const ofPeople = table.matches(".stopped, .quotas, .usage, .blocks");
  const rows = new Rows(table, ofPeople ? openable : undefined);
  if (table.dataset.filter) searched.push(rows);
}
document.getElementById("find").addEventListener("input", (event) => {
  findEverywhere(event.target.value);
});
performance.mark("usable");
