/* The desk: a grave text is shown when it is asked for; a page of lines is walked through by keys, and sent when every line
   was on the screen; an offer to take something back goes when it cannot be taken back any more. */
"use strict";

document.getElementById("reveal")?.addEventListener("click", (event) => {
  for (const one of document.querySelectorAll(".veiled")) { one.classList.remove("veiled"); one.removeAttribute("aria-hidden"); }
  event.target.closest("#veil-hint").hidden = true;
});

/* A page in the background asks nobody whether all is as it was. */
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.target.id === "now") event.preventDefault();
});

for (const form of document.querySelectorAll("form[data-until]")) {
  const left = Number(form.dataset.until) / 1000 - Date.now();
  if (left < 86_400_000) setTimeout(() => {  // what is read meanwhile stays where it is
    form.classList.add("gone");
    for (const button of form.querySelectorAll("button")) button.disabled = true;
  }, Math.max(0, left));
}

const lines = document.getElementById("lines");
if (lines) {
  const rows = [...lines.querySelectorAll(".line")], send = document.getElementById("submit"), counts = document.getElementById("counts");
  const unread = new Set(rows);
  let here = 0;
  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  /* Marks outlive a closer look and a reload, in this window, for as long as a case is as it was. */
  const MARKS = "tidegate-marks", named = (row) => row.querySelector("[name=case]").value;
  const keep = (values) => sessionStorage.setItem(MARKS, JSON.stringify(Object.fromEntries(rows.map((row, at) => [named(row), values[at]]))));
  const before = JSON.parse(sessionStorage.getItem(MARKS) ?? "{}");
  for (const row of rows) {
    const select = row.querySelector("select"), mark = before[named(row)];
    if ([...select.options].some((one) => one.value === mark)) select.value = mark;
  }

  const told = () => {
    const values = rows.map((row) => row.querySelector("select").value);
    rows.forEach((row, at) => {
      row.classList.toggle("refused", /^\d$/.test(values[at]));
      row.classList.toggle("left", values[at] === "leave");
    });
    const sums = { refused: values.filter((value) => /^\d$/.test(value)).length, left: values.filter((value) => value === "leave").length };
    sums.pass = rows.length - sums.refused - sums.left;
    send.disabled = unread.size > 0;
    keep(values);
    counts.textContent = filled(lines.dataset.counts, sums) + (unread.size ? " · " + filled(lines.dataset.unread, { count: unread.size }) : "");
  };
  const go = (at) => {
    rows[here]?.classList.remove("here");
    here = Math.max(0, Math.min(rows.length - 1, at));
    rows[here].classList.add("here");
    rows[here].focus({ preventScroll: true });
    rows[here].scrollIntoView({ block: "nearest" });
  };
  const set = (value) => {
    const select = rows[here].querySelector("select");
    if (![...select.options].some((one) => one.value === value)) return false;
    select.value = value;
    told();
    return true;
  };
  /* What lies beneath the row that sends is not seen yet. */
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { unread.delete(entry.target); seen.unobserve(entry.target); }
    told();
  }, { threshold: 0.6, rootMargin: `0px 0px -${send.parentElement.offsetHeight}px` });
  for (const row of rows) seen.observe(row);
  lines.addEventListener("change", told);
  lines.addEventListener("focusin", (event) => {
    const row = event.target.closest(".line");
    if (row && rows.indexOf(row) !== here) { rows[here].classList.remove("here"); here = rows.indexOf(row); row.classList.add("here"); }
  });
  document.addEventListener("console:key", (event) => {
    const key = event.detail;
    if (document.querySelector("dialog[open]")) return;
    if (key === "j" || key === "ArrowDown") go(here + 1);
    else if (key === "k" || key === "ArrowUp") go(here - 1);
    else if (key === "p") { set("pass"); go(here + 1); }
    else if (key === "x") { set("leave"); go(here + 1); }
    else if (/^[1-9]$/.test(key)) { if (set(key)) go(here + 1); }
    else if (key === "space") rows[here].querySelector(".closer").click();
    else if (key === "Enter") { if (!send.disabled) lines.requestSubmit(send); }
    else return;
    event.preventDefault();
  });
  lines.addEventListener("submit", (event) => { if (unread.size) event.preventDefault(); }, true);
  go(0);
  told();
}
