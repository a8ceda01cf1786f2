// urql's published client to GraphQL Yoga: HTTP for what is asked and changed, an event stream for subscriptions.
import { Client, fetchExchange } from "@urql/core";
import { base, serve, tell } from "./acts.mjs";
import { EDIT, LIKE, MESSAGES, SAY, TOLD } from "./documents.mjs";

let who = "";
const client = new Client({
  url: `${base}/graphql`,
  exchanges: [fetchExchange],
  fetchSubscriptions: true,
  preferGetMethod: false,
  fetch: (url, options) => fetch(url, { ...options, headers: { ...options.headers, "X-User-Id": who } }),
});

const done = ({ data, error }) => {
  if (error) throw Object.assign(new Error(error.message), { name: error.name, data: error.graphQLErrors.map((one) => one.extensions) });
  return data;
};

serve({
  login: ({ who: name }) => void (who = name),
  say: ({ text, room = "1" }) => client.mutation(SAY, { room, text }).toPromise().then(done),
  edit: ({ id, text, room = "1" }) => client.mutation(EDIT, { room, id, text }).toPromise().then(done),
  like: ({ id }) => client.mutation(LIKE, { id }).toPromise().then(done),
  history: ({ room = "1" }) => client.query(MESSAGES, { room }, { requestPolicy: "network-only" }).toPromise().then(done),
  listen: ({ room = "1" }) => {
    client.subscription(TOLD, { room }).subscribe((result) => tell(result.error ? "error" : "told", { ...result.data?.told, error: result.error?.message }));
  },
  ask: ({ document, variables }) => client.query(document, variables, { requestPolicy: "network-only" }).toPromise().then(done),
});
