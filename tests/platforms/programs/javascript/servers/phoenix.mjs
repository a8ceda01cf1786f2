// A small platform that speaks the array protocol of Phoenix channels (version 2.0.0), for the published client. Phoenix itself is
// written in Elixir. A frame: [join_ref, ref, topic, event, payload].
import http from "node:http";
import { WebSocketServer } from "ws";
import listening from "./listening.cjs";

const rooms = new Map(); // topic → { messages, members }

const room = (topic) => {
  if (!rooms.has(topic)) rooms.set(topic, { messages: [], members: new Map() });
  return rooms.get(topic);
};

const EVENTS = {
  new_msg: ({ here, author, payload, tell }) => {
    const message = { id: here.messages.length + 1, author, body: payload.body, likes: 0 };
    here.messages.push(message);
    tell("new_msg", message);
    return { id: message.id };
  },
  edit_msg: ({ here, payload, tell }) => {
    const message = Object.assign(here.messages[payload.id - 1], { body: payload.body });
    tell("edit_msg", message);
    return { id: message.id };
  },
  like: ({ here, payload }) => ({ likes: (here.messages[payload.id - 1].likes += 1) }),
  history: ({ here }) => ({ messages: here.messages }),
  phx_leave: ({ here, socket }) => {
    here.members.delete(socket);
    return {};
  },
};

const server = http.createServer((_, response) => response.writeHead(404).end());
new WebSocketServer({ server, path: "/socket/websocket" }).on("connection", (socket, request) => {
  const author = listening.author(request);
  socket.on("message", (data) => {
    const [join, ref, topic, event, payload] = JSON.parse(data.toString());
    const reply = (status, response) => socket.send(JSON.stringify([join, ref, topic, "phx_reply", { status, response }]));
    if (topic === "phoenix" && event === "heartbeat") return reply("ok", {});
    const here = room(topic);
    if (event === "phx_join") {
      here.members.set(socket, join);
      return reply("ok", { messages: here.messages });
    }
    const act = EVENTS[event];
    if (!act || !here.members.has(socket)) return reply("error", { reason: "unmatched topic" });
    const tell = (name, told) => {
      for (const [member, ticket] of here.members) member.send(JSON.stringify([ticket, null, topic, name, told]));
    };
    return reply("ok", act({ here, author, payload, tell, socket }));
  });
  socket.on("close", () => {
    for (const here of rooms.values()) here.members.delete(socket);
  });
});
listening.listen(server);
