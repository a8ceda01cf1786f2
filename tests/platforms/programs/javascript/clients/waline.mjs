// Waline's published client library, and the two requests of its own pages for log-ins, which open a window there.
import { addComment, deleteComment, fetchCommentCount, getComment, updateComment, updatePageview } from "@waline/api";
import { base, serve } from "./acts.mjs";

const site = { serverURL: base, lang: "en" };
let token;

/** A request of its own pages. */
const page = async (path, json, method = "POST") => {
  const headers = { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const answer = await fetch(`${base}/api/${path}`, { method, headers, body: json && JSON.stringify(json) });
  const told = await answer.json();
  if (told.errno) throw new Error(told.errmsg);
  return told.data;
};

/** As @waline/client does: what has an errmsg is shown to the person, and what was typed stays. */
const shown = (answer) => {
  if (answer.errmsg) throw new Error(answer.errmsg);
  if (!answer.data) throw new TypeError(`no comment in the answer: ${JSON.stringify(answer)}`);
  return { id: answer.data.objectId };
};

serve({
  register: ({ who }) =>
    page("user", { display_name: who, email: `${who}@example.org`, password: `of ${who}`, url: "" }),

  login: async ({ who }) => {
    const person = await page("token", { email: `${who}@example.org`, password: `of ${who}` });
    token = person.token;
    return { id: person.objectId, type: person.type, token };
  },

  me: () => page("token", undefined, "GET"),
  rename: ({ to }) => page("user", { display_name: to }, "PUT"),

  say: async ({ text, nick, url = "/post/1" }) =>
    shown(
      await addComment({
        ...site, token, comment: { comment: text, nick, mail: "visitor@example.org", link: "", ua: "test", url },
      }),
    ),

  edit: async ({ id, text }) => {
    const { data } = await updateComment({ ...site, token, objectId: id, comment: { comment: text } });
    return { id: data.objectId ?? id };
  },

  administer: ({ id, change }) => updateComment({ ...site, token, objectId: id, comment: change }),
  like: async ({ id }) => (await updateComment({ ...site, token, objectId: id, comment: { like: true } })).data.like,
  remove: ({ id }) => deleteComment({ ...site, token, objectId: id }),

  history: async ({ url = "/post/1" }) => {
    const found = await getComment({ ...site, token, path: url, page: 1, pageSize: 100, sortBy: "insertedAt_asc" });
    const all = found.data.flatMap(({ children, ...one }) => [one, ...children]);
    return all.map(({ objectId, orig, comment, nick, like }) => ({ id: objectId, text: orig, comment, nick, like }));
  },

  count: ({ url = "/post/1" }) => fetchCommentCount({ ...site, paths: [url] }),
  visit: ({ url = "/post/1" }) => updatePageview({ ...site, path: url }),
});
