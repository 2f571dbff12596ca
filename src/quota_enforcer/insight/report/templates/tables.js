"use strict";
// The tables: sorted by their heads, shortened, and searched from one field. Without script all
// rows are there, in the order of the page.

const make = (tag, set = {}, ...inside) => {
  const made = Object.assign(document.createElement(tag), set);
  made.append(...inside);
  return made;
};
const number = (value) => value.toLocaleString("en");
const say = (text) => { document.getElementById("said").textContent = text; };
const words = (cell) => cell.textContent.trim();
const whose = (row) => words(row.cells[0].firstChild);

const collator = new Intl.Collator(undefined, { numeric: true });
const keyOf = {
  n: (cell) => parseFloat(cell.dataset.v ?? words(cell).replace(/[^\d.%-]/g, "")),
  v: (cell) => Number(cell.dataset.v),
  rank: (cell) => Number(cell.dataset.v),
  text: words,
};

/** What is missing comes first when ascending. */
const before = (a, b) => {
  if (typeof a === "string") return collator.compare(a, b);
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : -1;
  return Number.isNaN(b) ? 1 : a - b;
};

class Rows {
  /** `open` is done to each row that becomes visible. */
  constructor(table, open) {
    this.table = table;
    this.open = open;
    this.body = table.tBodies[0];
    this.heads = [...table.tHead.rows[0].cells];
    this.rows = [...this.body.rows];
    this.found = this.rows;
    this.first = Number(table.dataset.first) || this.rows.length;
    this.all = false;
    this.heads.forEach((head, place) => {
      if (head.classList.contains("unsorted")) return;
      const button = make("button", { type: "button" }, ...head.childNodes);
      button.addEventListener("click", () => this.sort(head, place));
      head.append(button);
    });
    this.count = make("span");
    this.more = make("button", { type: "button" });
    this.more.addEventListener("click", () => { this.all = !this.all; this.show(); });
    const csv = make("button", { type: "button", textContent: "CSV" });
    csv.setAttribute("aria-label", `Save ${words(table.caption)} as CSV`);
    csv.addEventListener("click", () => save(this));
    table.parentElement.after(make("p", { className: "foot" }, this.count, this.more, csv));
    this.show();
  }

  /** Hides what is not found, and of that all but the first rows unless all are wanted; those
   * are hidden on a screen only, since paper has all. */
  show() {
    const seen = this.all ? this.found.length : Math.min(this.first, this.found.length);
    const visible = new Set(this.found.slice(0, seen));
    const kept = this.found === this.rows ? undefined : new Set(this.found);
    for (const row of this.rows) {
      const name = visible.has(row) ? "" : !kept || kept.has(row) ? "m" : "gone";
      if (row.className !== name) row.className = name;
    }
    for (const row of visible) this.open?.(row);
    const total = this.rows.length;
    const found = this.found.length;
    const shown = seen < found ? `${number(seen)} of ${number(found)}` : number(found);
    this.count.textContent = found < total
      ? `${found ? shown : "None"} found, of ${number(total)} rows` : `${shown} rows`;
    this.count.hidden = seen === total;
    this.count.className = found < total ? "" : "few";
    this.more.hidden = found <= this.first;
    this.more.textContent = this.all ? `Show only ${this.first}` : `Show all ${number(found)}`;
  }

  /** The other way round where it is sorted by this already; numbers have the largest first. */
  sort(head, place) {
    const now = head.getAttribute("aria-sort");
    const kind = head.dataset.type || "text";
    const up = now ? now === "descending" : kind === "text" || kind === "rank";
    for (const each of this.heads) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = keyOf[kind];
    const keys = new Map(this.rows.map((row) => [row, key(row.cells[place])]));
    this.rows.sort((a, b) => (up ? 1 : -1) * before(keys.get(a), keys.get(b)));
    this.body.append(...this.rows);
    const kept = this.found.length === this.rows.length ? undefined : new Set(this.found);
    this.found = kept ? this.rows.filter((row) => kept.has(row)) : this.rows;
    this.show();
    say(`Sorted by ${words(head)}, ${up ? "ascending" : "descending"}`);
  }

  find(wanted) {
    this.texts ??= new Map(this.rows.map((row) => [row, row.textContent.toLowerCase()]));
    this.found = this.rows.filter((row) => this.texts.get(row).includes(wanted));
    this.show();
    return this.found.length;
  }
}

/** The words of a cell that are not in its smaller print, which is a column of its own. */
const main = (cell) => {
  const copy = cell.cloneNode(true);
  for (const each of copy.querySelectorAll("small, title")) each.remove();
  return words(copy);
};
const small = (cell) => [...cell.querySelectorAll("small")].map(words).join("; ");
const plain = (text) => (/^[~$]*-?[\d,]+(\.\d+)?( ?%)?$/.test(text) ? text.replace(/[~$,% ]/g, "") : text);
const valueOf = {
  n: (cell) => cell.dataset.v ?? plain(main(cell)),
  v: (cell) => cell.dataset.v,
  rank: main,
  text: main,
};

/** A cell for spreadsheets: none of them takes it for a formula. */
const field = (text) => {
  const safe = /^[=+\-@\t\r]/.test(text) && !/^-?[\d.]+$/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** The rows that are found, in their order, those that are not shown too. */
const csvOf = ({ heads, rows, found }) => {
  const columns = heads.flatMap((head, place) => {
    if (head.classList.contains("unsorted")) return [];
    const kind = head.dataset.type || "text";
    const name = kind === "v" ? `${words(head)} (seconds)` : words(head);
    const own = [name, (row) => valueOf[kind](row.cells[place])];
    const more = rows.some((row) => row.cells[place].querySelector("small"));
    return more ? [own, [`${words(head)}: more`, (row) => small(row.cells[place])]] : [own];
  });
  const lines = [columns.map(([name]) => name), ...found.map((row) => columns.map(([, of]) => of(row)))];
  return lines.map((line) => `${line.map(field).join(",")}\r\n`).join("");
};

const save = (rows) => {
  const title = words(rows.table.caption);
  const name = `${document.body.dataset.file} ${title}`.replace(/[^\p{L}\p{N}-]+/gu, "-");
  const file = new Blob(["\ufeff", csvOf(rows)], { type: "text/csv" });
  const link = make("a", { href: URL.createObjectURL(file), download: `${name}.csv` });
  link.click();
  URL.revokeObjectURL(link.href);
  say(`Saved ${number(rows.found.length)} rows of ${title}`);
};

const searched = [];

const findEverywhere = (text) => {
  const wanted = text.trim().toLowerCase();
  const found = searched.map((rows) => `${number(rows.find(wanted))} ${rows.table.dataset.filter}`);
  say(wanted ? `Found ${found.join(", ")}` : "All rows are shown again");
};
