"use strict";
// Socket.IO as published: a chat room, to which its client comes by polling first and then by an upgrade, as it does by default.
const http = require("node:http");
const { Server } = require("socket.io");
const { listen } = require("./listening.cjs");

const server = http.createServer();
const messages = [];
const io = new Server(server, { pingInterval: 500, pingTimeout: 5000 });
io.on("connection", (socket) => {
  socket.on("chat message", (text, heard) => {
    messages.push(text);
    io.emit("chat message", text);
    heard({ number: messages.length, transport: socket.conn.transport.name });
  });
  socket.on("history", (heard) => heard(messages));
});
listen(server);
