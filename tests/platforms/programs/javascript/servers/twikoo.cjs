"use strict";
// Twikoo's function as published (twikoo-func), called as its own servers call it: JSON by POST, and an access token that the
// browser keeps, made for whoever has none.
const http = require("node:http");
const Module = require("node:module");
const { listen, text } = require("./listening.cjs");
const cloud = require("./cloudbase.cjs");

process.env.TWIKOO_THROTTLE = "1000000";
process.env.TWIKOO_LOG_LEVEL = "error";
const load = Module._load;
Module._load = function (name, ...rest) {
  return name === "@cloudbase/node-sdk" ? cloud : load.call(this, name, ...rest);
};
const { main } = require("twikoo-func");
const md5 = require("blueimp-md5");

const settings = cloud.collection("config");
settings.add({
  ADMIN_PASS: md5(md5("for tests only")), // the browser sends the digest of what is typed, and is known by it
  CREDENTIALS: "{}",
  LIMIT_PER_MINUTE: "0",
  LIMIT_PER_MINUTE_ALL: "0",
  SHOW_EMOTION: "false", // pictures, fonts and scripts would come from elsewhere
  HIGHLIGHT: "false",
  SHOW_IMAGE: "false",
});

const server = http.createServer(async (request, response) => {
  const tell = (status, body) => {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(body));
  };
  let event;
  try {
    event = JSON.parse((await text(request)) || "{}");
  } catch {
    return tell(400, { code: 1000, message: "no JSON" });
  }
  const uid = event.accessToken || crypto.randomUUID().replaceAll("-", "");
  const [{ ADMIN_PASS }] = (await settings.get()).data;
  const caller = { uid, admin: md5(uid) === ADMIN_PASS, address: request.headers["x-forwarded-for"] ?? "127.0.0.1" };
  const answer = await cloud.caller.run(caller, () => main(event, { function_name: "twikoo" }));
  if (!answer.code && !event.accessToken) answer.accessToken = uid;
  return tell(200, answer);
});
listen(server);
