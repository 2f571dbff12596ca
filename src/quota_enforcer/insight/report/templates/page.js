// One principal: its quotas, and its days model by model, in a dialog that a name opens.

const dialog = document.getElementById("person");
let unpacking;
const unpacked = () => {
  unpacking ??= (async () => {
    const text = document.getElementById("details").textContent;
    const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).json();
  })();
  return unpacking;
};

const money = (micro) => {
  if (micro > 0 && micro < 5000) return "<$0.01";
  const cents = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  return `$${(micro / 1e6).toLocaleString("en", cents)}`;
};

const scrolling = (table) => {
  const place = make("div", { className: "scroll", tabIndex: 0 }, table);
  place.setAttribute("role", "region");
  place.setAttribute("aria-label", words(table.caption));
  return place;
};

const tableOf = (className, caption, heads, rows) => make("table", { className },
  make("caption", { textContent: caption }),
  make("thead", {}, make("tr", {}, ...heads)),
  make("tbody", {}, ...rows));

const quotasOf = (who) => {
  const table = document.querySelector("table.quotas");
  const mine = table ? [...table.tBodies[0].rows].filter((row) => whose(row) === who) : [];
  if (!mine.length) return [make("p", { className: "empty", textContent: "No quota applies." })];
  const heads = [...table.tHead.rows[0].cells].slice(1).map((head) => {
    const copy = make("th", { scope: "col", textContent: words(head) });
    Object.assign(copy.dataset, head.dataset);
    return copy;
  });
  const rows = mine.map((row) => {
    const copy = row.cloneNode(true);
    copy.className = "";
    const name = copy.cells[1];
    copy.cells[0].remove();
    const head = make("th", { scope: "row" }, ...name.childNodes);
    name.replaceWith(head);
    return copy;
  });
  return [scrolling(tableOf("quotas of-one", "Quotas now", heads, rows))];
};

const daysOf = (data, who) => (data.people[who] || [])
  .flatMap(([model, days, requests, tokens, cost, assumed]) => days.map((day, place) => ({
    day: data.days[day], model: data.models[model], requests: requests[place],
    tokens: tokens[place], cost: cost[place], assumed: assumed[place],
  })))
  .sort((a, b) => collator.compare(b.day, a.day) || b.tokens - a.tokens);

const dayTable = (days) => {
  const most = Math.max(...days.map((day) => day.tokens), 1);
  const cell = (...inside) => make("td", {}, ...inside);
  const cash = (micro, nothing = "$0.00") => {
    const made = cell(micro ? money(micro) : nothing);
    if (micro) made.dataset.v = micro / 1e6;
    return made;
  };
  const rows = days.map((day) => {
    const fill = make("i");
    fill.style.width = `${100 * day.tokens / most}%`;
    const bar = make("span", { className: "bar" }, fill);
    bar.setAttribute("aria-hidden", "true");
    return make("tr", {},
      make("th", { scope: "row", textContent: day.day }), cell(day.model),
      cell(number(day.requests)), cell(bar, number(day.tokens)), cash(day.cost), cash(day.assumed, ""));
  });
  const heads = ["Day", "Model", "Requests", "Tokens", "Cost", "Assumed"].map((text, place) => {
    const head = make("th", { scope: "col", textContent: text });
    if (place > 1) head.dataset.type = "n";
    if (!place) head.setAttribute("aria-sort", "descending");
    return head;
  });
  const table = tableOf("days", "Usage by day and model", heads, rows);
  table.dataset.first = 20;
  return table;
};

const usageOf = async (who) => {
  let data;
  try {
    data = await unpacked();
  } catch {
    const text = "This browser cannot unpack the days; a newer one can.";
    return make("p", { className: "empty", textContent: text });
  }
  const days = daysOf(data, who);
  if (!days.length) {
    return make("p", { className: "empty", textContent: "No usage by day is in this report." });
  }
  return scrolling(dayTable(days));
};

const openPerson = async (who) => {
  const usage = await usageOf(who);
  document.getElementById("person-name").textContent = who;
  document.getElementById("person-days").replaceChildren(...quotasOf(who), usage);
  for (const each of dialog.querySelectorAll("table")) new Rows(each);
  dialog.showModal();
};
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

/** Makes the name at the head of a row a button, once the row is seen. */
const openable = (row) => {
  const [cell] = row.cells;
  if (cell.firstElementChild?.className === "name") return;
  const who = whose(row);
  const button = make("button", { type: "button", className: "name" }, cell.firstChild);
  button.setAttribute("aria-haspopup", "dialog");
  button.addEventListener("click", () => openPerson(who));
  cell.prepend(button);
};
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
// Paper has the tables behind the charts too.
let closed = [];
addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details:not([open])")];
  for (const each of closed) each.open = true;
});
addEventListener("afterprint", () => { for (const each of closed) each.open = false; });
document.getElementById("find").addEventListener("input", (event) => {
  findEverywhere(event.target.value);
});
performance.mark("usable");
