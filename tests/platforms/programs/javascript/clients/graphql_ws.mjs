// graphql-ws's published client: everything over one WebSocket.
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { base, serve, tell, within } from "./acts.mjs";
import { EDIT, LIKE, MESSAGES, SAY, TOLD } from "./documents.mjs";

let client;

/** One operation that has one result. */
const once = (query, variables) =>
  within(
    new Promise((resolve, reject) => {
      let result;
      client.subscribe(
        { query, variables },
        {
          next: (told) => (result = told),
          error: (errors) => reject(Array.isArray(errors) ? Object.assign(new Error(errors[0].message), { name: "GraphQLError", data: errors[0].extensions }) : errors),
          complete: () => (result?.errors ? reject(new Error(result.errors[0].message)) : resolve(result?.data)),
        },
      );
    }),
    "an operation",
  );

serve({
  login: ({ who }) => {
    class Fronted extends WebSocket {
      constructor(url, protocols) {
        super(url, protocols, { headers: { "X-User-Id": who } });
      }
    }
    client = createClient({
      url: `${base.replace("http", "ws")}/graphql`,
      webSocketImpl: Fronted,
      lazy: false,
      retryAttempts: 0,
      keepAlive: 200,
      on: {
        connected: () => tell("connected"),
        closed: (event) => tell("closed", { code: event?.code, reason: event?.reason }),
        pong: () => tell("pong"),
      },
    });
  },
  say: ({ text, room = "1" }) => once(SAY, { room, text }),
  edit: ({ id, text, room = "1" }) => once(EDIT, { room, id, text }),
  like: ({ id }) => once(LIKE, { id }),
  history: ({ room = "1" }) => once(MESSAGES, { room }),
  listen: ({ room = "1" }) => {
    client.subscribe(
      { query: TOLD, variables: { room } },
      { next: ({ data }) => tell("told", data.told), error: (error) => tell("error", { message: String(error) }), complete: () => tell("complete") },
    );
  },
  ask: ({ document, variables }) => once(document, variables),
});
