// Phoenix's published client of channels.
import { createRequire } from "node:module";
import WebSocket from "ws";
import { base, serve, tell, within } from "./acts.mjs";

const { Socket } = createRequire(import.meta.url)("phoenix");
let socket;
let channel;

/** A push, and the platform's reply to it: an error of it is an error here. */
const push = (event, payload) =>
  within(
    new Promise((resolve, reject) => {
      channel
        .push(event, payload, 9000)
        .receive("ok", resolve)
        .receive("error", (response) => reject(Object.assign(new Error(response.title ?? response.reason), { name: "PushError", data: response })))
        .receive("timeout", () => reject(new Error("timeout")));
    }),
    event,
  );

serve({
  login: ({ who }) => {
    class Fronted extends WebSocket {
      constructor(url, protocols) {
        super(url, protocols, { headers: { "X-User-Id": who } });
      }
    }
    socket = new Socket(`${base.replace("http", "ws")}/socket`, { transport: Fronted, heartbeatIntervalMs: 150 });
    socket.onOpen(() => tell("open"));
    socket.onError(() => tell("error"));
    socket.onClose((event) => tell("closed", { code: event.code }));
    socket.onMessage(({ topic, event, ref }) => {
      if (topic === "phoenix" && event === "phx_reply") tell("heartbeat", { ref });
      return undefined;
    });
    socket.connect();
  },
  join: ({ room = "room:1" }) => {
    channel = socket.channel(room, {});
    channel.on("new_msg", (message) => tell("new_msg", message));
    channel.on("edit_msg", (message) => tell("edit_msg", message));
    channel.onError(() => tell("channel_error"));
    return within(
      new Promise((resolve, reject) => {
        channel.join().receive("ok", resolve).receive("error", ({ reason }) => reject(new Error(reason)));
      }),
      "join",
    );
  },
  say: ({ text }) => push("new_msg", { body: text }),
  edit: ({ id, text }) => push("edit_msg", { id, body: text }),
  like: ({ id }) => push("like", { id }),
  history: () => push("history", {}),
  push: ({ event, payload }) => push(event, payload),
  state: () => ({ socket: socket.connectionState(), channel: channel.state }),
});
