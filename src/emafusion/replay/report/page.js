"use strict";
// What a mark tells stands beside it while it is pointed at, or reached by the arrow keys.
const told = document.body.appendChild(Object.assign(document.createElement("div"), { className: "told", hidden: true }));
told.setAttribute("role", "status");
const MARK = ".role-mark [aria-label]";
let on = null;
const tell = (mark) => {
  if (on) on.classList.remove("on");
  on = mark;
  told.hidden = !mark;
  if (!mark) return;
  mark.classList.add("on");
  told.textContent = mark.getAttribute("aria-label").split("; ").join("\n");
  const at = mark.getBoundingClientRect(), own = told.getBoundingClientRect();
  const left = Math.min(at.right + 10, innerWidth - own.width - 8);
  const above = at.top - own.height - 10;
  told.style.left = Math.max(8, left) + "px";
  told.style.top = (above > 8 ? above : Math.min(at.bottom + 10, innerHeight - own.height - 8)) + "px";
};
const marksOf = (picture) => [...picture.querySelectorAll(MARK)].filter((mark) => mark.getClientRects().length);
for (const picture of document.querySelectorAll(".picture")) {
  picture.addEventListener("pointerover", (event) => tell(event.target.closest(MARK)));
  picture.addEventListener("pointerleave", () => tell(null));
  picture.addEventListener("blur", () => tell(null));
  picture.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") tell(null);
    if (!step) return;
    event.preventDefault();
    const marks = marksOf(picture), here = marks.indexOf(on);
    tell(marks[here < 0 ? (step > 0 ? 0 : marks.length - 1) : (here + step + marks.length) % marks.length]);
  });
}
addEventListener("scroll", () => tell(null), { passive: true });

// The dial: a row of its table at a time.
const box = document.querySelector(".dial"), table = document.getElementById("table-dial");
if (box && table) {
  const [input, output, list] = ["input", "output", "dl"].map((name) => box.querySelector(name));
  const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const rows = [...table.tBodies[0].rows];
  const drawn = [...document.querySelectorAll("#curve svg, #curve-linear svg")].map((svg) => [...svg.querySelectorAll(".dial_marks [aria-label]")]);
  const setting = (mark) => parseFloat(mark.getAttribute("aria-label").split(" ")[1]);
  const turn = () => {
    const cells = [...rows[input.value].cells].map((cell) => cell.textContent);
    output.textContent = cells[0];
    list.replaceChildren(...names.slice(1).flatMap((name, place) => {
      if (cells[place + 1] === "-") return [];
      const row = document.createElement("div");
      row.append(Object.assign(document.createElement("dt"), { textContent: name }), Object.assign(document.createElement("dd"), { textContent: cells[place + 1] }));
      return [row];
    }));
    for (const marks of drawn) for (const mark of marks) mark.classList.toggle("set", setting(mark) === parseFloat(cells[0]));
  };
  for (const marks of drawn) for (const mark of marks) mark.addEventListener("click", () => {
    const place = rows.findIndex((row) => parseFloat(row.cells[0].textContent) === setting(mark));
    if (place >= 0) { input.value = place; turn(); }
  });
  input.addEventListener("input", turn);
  box.hidden = false;
  turn();
}

// A table to the clipboard, as a sheet takes it.
for (const place of document.querySelectorAll(".scroll")) {
  const rows = [...place.querySelectorAll("tr")];
  const button = Object.assign(document.createElement("button"), { className: "copy", type: "button", textContent: "Copy" });
  button.addEventListener("click", async () => {
    const text = rows.map((row) => [...row.cells].map((cell) => cell.textContent).join("\t")).join("\n");
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(place.querySelector("table"));
      button.textContent = "Selected";
    }
  });
  place.before(button);
}

// On paper, tables of a page or less are open.
addEventListener("beforeprint", () => {
  for (const each of document.querySelectorAll("details")) if (each.querySelectorAll("tr").length <= 60) each.open = true;
});
