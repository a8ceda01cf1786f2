// Twikoo's published client in a page of jsdom's: what is typed, clicked and read is what a person would.
import fs from "node:fs";
import { createRequire } from "node:module";
import { JSDOM, VirtualConsole } from "jsdom";
import { base, serve, within } from "./acts.mjs";

const where = `${base}/`;
const script = fs.readFileSync(createRequire(import.meta.url).resolve("twikoo/dist/twikoo.nocss.js"), "utf8");
const { window } = new JSDOM('<!doctype html><html><body><div id="comments"></div></body></html>', {
  url: `${base}/post/1`,
  runScripts: "outside-only",
  pretendToBeVisual: true,
  virtualConsole: new VirtualConsole(), // what it logs of refusals is for developers
});
const { document } = window;

// The next comment that its form sends, answered, and the page drawn after it.
let answered = () => {};
const { send } = window.XMLHttpRequest.prototype;
window.XMLHttpRequest.prototype.send = function (body) {
  if (JSON.parse(body).event === "COMMENT_SUBMIT") this.addEventListener("loadend", () => setTimeout(answered));
  send.call(this, body);
};

/** Waits until a look at the page finds something. */
const until = (look, what) =>
  within(
    new Promise((resolve) => {
      const seen = () => {
        const found = look();
        if (found) resolve(found);
        else setTimeout(seen, 10);
      };
      seen();
    }),
    what,
  );

const type = (field, text) => {
  field.value = text;
  for (const event of ["input", "change"]) field.dispatchEvent(new window.Event(event, { bubbles: true }));
};

const read = () =>
  [...document.querySelectorAll(".tk-comment")].map((one) => ({
    id: one.id,
    nick: one.querySelector(".tk-nick")?.textContent.trim(),
    text: one.querySelector(".tk-content")?.textContent.trim(),
    likes: one.querySelector(".tk-action-count")?.textContent.trim(),
  }));

/** A request of its administration's page. */
const call = async (event, more = {}) => {
  const answer = await fetch(where, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ event, accessToken: window.localStorage.getItem("twikoo-access-token"), ...more }),
  });
  const told = await answer.json();
  if (told.code) throw Object.assign(new Error(told.message), { code: told.code });
  return told;
};

serve({
  open: async () => {
    window.eval(script);
    window.twikoo.init({ envId: where, el: "#comments", path: "/post/1", lang: "en" });
    await until(() => document.querySelector(".tk-meta-input input[name=nick]"), "the form");
    await until(() => !document.querySelector(".tk-comments-container.__loading"), "the comments");
    return read();
  },

  say: async ({ text, nick = "visitor" }) => {
    type(document.querySelector(".tk-meta-input input[name=nick]"), nick);
    type(document.querySelector(".tk-meta-input input[name=mail]"), "visitor@example.org");
    const field = document.querySelector(".tk-submit textarea");
    type(field, text);
    const button = document.querySelector(".tk-send");
    await until(() => !button.disabled, "a button to send");
    const sent = new Promise((resolve) => (answered = resolve));
    button.click();
    await within(sent, "an answer");
    if (field.value !== "") throw new Error(document.querySelector(".tk-error-message").textContent);
    return { typed: field.value };
  },

  // What the form shows now: the refused text is still there to be changed.
  form: () => ({
    typed: document.querySelector(".tk-submit textarea").value,
    told: document.querySelector(".tk-error-message").textContent,
  }),

  history: async () => (await call("COMMENT_GET", { url: "/post/1" })).data,
  like: ({ id }) => call("COMMENT_LIKE", { id }),
  visit: () => call("COUNTER_GET", { url: "/post/1", href: base, title: "post" }),
  call: ({ event, more }) => call(event, more),

  // The digest of its password is what an administrator's browser is known by.
  login: async ({ digest }) => {
    const told = await call("LOGIN", { password: digest });
    window.localStorage.setItem("twikoo-access-token", digest);
    return told;
  },
});
