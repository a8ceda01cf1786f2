/* What every page of the console does by itself: keys, the overlay that tells them, times as the reader's clock has them,
   the switch of language and look before anybody is logged in. A button or link that has data-key is pressed by that key. */
"use strict";

const typing = (one) => one instanceof HTMLElement && one.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]");

function named(event) {
  if (event.key === " ") return "space";
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

function keyed(key) {
  const top = document.querySelector("dialog[open]") ?? document;
  return [...top.querySelectorAll("[data-key]")].find(
    (one) => one.dataset.key.split(" ").includes(key) && !one.disabled && (one.offsetParent !== null || one.id === "keys-show"));
}

function showKeys() {
  const dialog = document.getElementById("keys"), list = document.getElementById("keys-list");
  list.replaceChildren();
  const seen = new Set();
  for (const one of document.querySelectorAll("[data-key]")) {
    const told = one.dataset.says ?? one.textContent.replace(/\s+/g, " ").trim();
    if (seen.has(one.dataset.key + told) || (one.offsetParent === null && one.id !== "keys-show" && !one.hasAttribute("data-says"))) continue;
    seen.add(one.dataset.key + told);
    const key = document.createElement("dt"), says = document.createElement("dd"), mark = document.createElement("kbd");
    mark.textContent = one.dataset.shows ?? one.dataset.key;
    key.append(mark);
    says.textContent = told.replace(new RegExp(" " + mark.textContent.replace(/[^\w]/g, "\\$&") + "$"), "");
    list.append(key, says);
  }
  if (!dialog.open) dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const key = named(event);
  if (document.dispatchEvent(new CustomEvent("console:key", { detail: key, cancelable: true })) === false) {
    event.preventDefault();
    return;
  }
  if ((key === "Enter" || key === "space") && event.target instanceof HTMLElement && event.target.closest("button, a, summary, [role=button]")) return;
  const found = keyed(key);
  if (!found) return;
  event.preventDefault();
  if (found.matches("input, textarea, select")) found.focus(); else found.click();
});

document.addEventListener("click", (event) => {
  const one = event.target instanceof Element && event.target.closest("#keys-show, [data-language], [data-look]");
  if (!one) return;
  if (one.id === "keys-show") return showKeys();
  const [name, value] = one.dataset.language ? ["tidegate-language", one.dataset.language] : ["tidegate-theme", one.dataset.look];
  document.cookie = `${name}=${value}; path=/console; max-age=31536000; samesite=strict${location.protocol === "https:" ? "; secure" : ""}`;
  if (one.dataset.look) document.documentElement.dataset.theme = value; else location.reload();
});

/* A form whose answer was a refusal is gone back to as it was filled in. */
for (const one of document.querySelectorAll("[data-back]")) {
  one.hidden = history.length < 2;
  one.addEventListener("click", () => history.back());
}

/* A form is sent once, however often its button is pressed; not at all while there is no network, so that what was chosen
   on the page is still there when there is one. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.method === "dialog" || event.defaultPrevented) return;
  if (!navigator.onLine) { event.preventDefault(); offline(true); return; }
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
});
window.addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; });

function localise(root) {
  for (const one of root.querySelectorAll("time[datetime]")) {
    const at = new Date(one.dateTime);
    if (Number.isNaN(at.valueOf()) || one.dataset.local) continue;
    one.dataset.local = "1";
    one.title = one.textContent;
    one.textContent = at.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  }
}

document.addEventListener("htmx:configRequest", (event) => {
  if (document.body.dataset.csrf) event.detail.headers["X-CSRF-Token"] = document.body.dataset.csrf;
});
function offline(shown) {
  const line = document.getElementById("offline");
  line.textContent = shown ? document.body.dataset.offline : "";
  line.hidden = !shown;
}
window.addEventListener("online", () => offline(false));
document.addEventListener("htmx:sendError", () => offline(true));
document.addEventListener("htmx:afterOnLoad", () => offline(false));
document.addEventListener("htmx:afterSettle", (event) => localise(event.target));
localise(document);
/* On a phone the menu is one row that slides: where one is stands in it. */
const current = document.querySelector(".slides [aria-current]");
if (current) current.closest(".slides").scrollLeft = current.offsetLeft - 40;
