// Published clients of JSON-RPC: jayson on HTTP, json-rpc-2.0 on a WebSocket ("by": "socket").
import { createRequire } from "node:module";
import WebSocket from "ws";
import { base, serve, tell, within } from "./acts.mjs";

const require = createRequire(import.meta.url);
const jayson = require("jayson");
const { JSONRPCClient } = require("json-rpc-2.0");
let byHttp;
let bySocket;

const call = (by, method, params) =>
  within(
    by === "socket"
      ? bySocket.request(method, params)
      : new Promise((resolve, reject) => {
          byHttp.request(method, params, (failed, error, result) => {
            if (failed) reject(failed);
            else if (error) reject(Object.assign(new Error(error.message), { name: "RPCError", code: error.code, data: error.data }));
            else resolve(result);
          });
        }),
    method,
  );

serve({
  login: async ({ who }) => {
    const headers = { "X-User-Id": who };
    const { hostname, port } = new URL(base);
    byHttp = jayson.Client.http({ hostname, port, path: "/rpc", headers });
    const socket = new WebSocket(`${base.replace("http", "ws")}/rpc`, { headers });
    bySocket = new JSONRPCClient((request) => socket.send(JSON.stringify(request)));
    socket.on("message", (data) => bySocket.receive(JSON.parse(data.toString())));
    socket.on("close", (code) => tell("closed", { code }));
    await within(new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject)), "a socket");
  },
  say: ({ by, text, room = "1" }) => call(by, "message.send", { room, text }),
  edit: ({ by, id, text, room = "1" }) => call(by, "message.edit", { room, id, text }),
  like: ({ by, id }) => call(by, "message.like", { id }),
  history: ({ by, room = "1" }) => call(by, "message.list", { room }),
  call: ({ by, method, params }) => call(by, method, params),
  // Several calls in one request.
  batch: ({ calls }) =>
    within(
      new Promise((resolve, reject) => {
        const requests = calls.map(({ method, params }) => byHttp.request(method, params, undefined));
        byHttp.request(requests, (failed, responses) => (failed ? reject(failed) : resolve(responses)));
      }),
      "a batch",
    ),
});
