"use strict";
// JSON-RPC 2.0 by two published libraries: jayson on HTTP, json-rpc-2.0 on a WebSocket, over the same messages.
const http = require("node:http");
const jayson = require("jayson");
const { JSONRPCServer } = require("json-rpc-2.0");
const { WebSocketServer } = require("ws");
const { author, listen, text } = require("./listening.cjs");

const messages = [];

const methods = {
  "message.send": ({ room, text }, author) => {
    messages.push({ id: messages.length + 1, room, author, text, likes: 0 });
    return { id: messages.length };
  },
  "message.edit": ({ id, text }) => Object.assign(messages[id - 1], { text }),
  "message.like": ({ id }) => ({ likes: (messages[id - 1].likes += 1) }),
  "message.list": ({ room }) => messages.filter((one) => one.room === room),
};

const byHttp = new jayson.Server(
  Object.fromEntries(
    Object.entries(methods).map(([name, act]) => [
      name,
      (given, context, done) => done(null, act(given, context.author)),
    ]),
  ),
  { useContext: true },
);
const bySocket = new JSONRPCServer();
for (const [name, act] of Object.entries(methods)) bySocket.addMethod(name, (given, { author }) => act(given, author));

const server = http.createServer(async (request, response) => {
  if (request.method !== "POST" || request.url !== "/rpc") return void response.writeHead(404).end();
  byHttp.call(await text(request), { author: author(request) }, (error, answer) => {
    const told = error ?? answer;
    response.writeHead(told ? 200 : 204, { "Content-Type": "application/json" });
    response.end(told ? JSON.stringify(told) : undefined);
  });
});
new WebSocketServer({ server, path: "/rpc" }).on("connection", (socket, request) => {
  socket.on("message", async (data) => {
    const answer = await bySocket.receiveJSON(data.toString(), { author: author(request) });
    if (answer) socket.send(JSON.stringify(answer));
  });
});
listen(server);
