// The page works without this: here are only keys, and one answer to one press.
const root = document.documentElement;
const box = document.getElementById("keys");
const kept = "emafusion-label-keys";
const turn = () => root.classList.toggle("keyless", box !== null && !box.checked);

root.classList.add("scripted");
if (box) {
  box.checked = localStorage.getItem(kept) !== "off";
  box.addEventListener("change", () => { localStorage.setItem(kept, box.checked ? "on" : "off"); turn(); });
  turn();
}

for (const form of document.forms) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
}
// A page that comes back out of the browser's own memory may show what is long dealt with.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

const grade = document.getElementById("grade");
grade?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && grade.value) { event.preventDefault(); press("grade"); }
  if (event.key === "Escape") { grade.value = ""; grade.blur(); }
});
const press = (say) => document.querySelector(`button[value="${say}"]`)?.click();

addEventListener("keydown", (event) => {
  const typing = event.target.matches?.("input, textarea, select");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat || root.classList.contains("keyless")) return;
  if (grade && /^[1-9]$/.test(event.key)) {
    grade.value = `0.${event.key}`;
    press("grade");
    return;
  }
  const found = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!found) return;
  event.preventDefault();
  if (found === grade) grade.focus(); else found.click();
});
