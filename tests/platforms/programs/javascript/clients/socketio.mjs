// Socket.IO's published client with nothing set: it polls, then it upgrades.
import { io } from "socket.io-client";
import { base, serve, tell, within } from "./acts.mjs";

let socket;

serve({
  // Nothing is set, but where a test asks for one of its transports alone.
  connect: ({ transports }) => {
    socket = io(base, transports ? { transports } : {});
    socket.on("chat message", (text) => tell("message", { text }));
    socket.on("disconnect", (reason) => tell("disconnected", { reason }));
    return within(
      new Promise((resolve, reject) => {
        const began = [];
        socket.on("connect_error", reject);
        socket.on("connect", () => {
          began.push(socket.io.engine.transport.name);
          if (transports) resolve(began);
          socket.io.engine.once("upgrade", ({ name }) => resolve([...began, name]));
          socket.io.engine.on("ping", () => tell("ping"));
        });
      }),
      "an upgrade",
    );
  },
  say: ({ text }) => within(socket.emitWithAck("chat message", text), "a word"),
  history: () => within(socket.emitWithAck("history"), "the history"),
  state: () => ({ connected: socket.connected, transport: socket.io.engine.transport.name }),
});
