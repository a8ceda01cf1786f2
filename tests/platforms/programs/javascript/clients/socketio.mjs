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
    // The upgrade may be through before the namespace has answered, so the engine is listened to from its beginning.
    const { engine } = socket.io;
    const began = [];
    engine.once("open", () => began.push(engine.transport.name));
    engine.on("ping", () => tell("ping"));
    const upgraded = new Promise((resolve) => engine.once("upgrade", ({ name }) => resolve(began.push(name))));
    const connected = new Promise((resolve, reject) => socket.once("connect", resolve).once("connect_error", reject));
    return within(
      Promise.all([connected, transports ? began : upgraded]).then(() => began),
      "an upgrade",
    );
  },
  say: ({ text }) => within(socket.emitWithAck("chat message", text), "a word"),
  history: () => within(socket.emitWithAck("history"), "the history"),
  state: () => ({ connected: socket.connected, transport: socket.io.engine.transport.name }),
});
