// Node as Express 4 reads: its router, body-parser (qs, JSON.parse), busboy, cookie, method-override; and ws.
"use strict";
const http = require("http");
const { Readable } = require("stream");
const bodyParser = require("body-parser");
const busboy = require("busboy");
const cookie = require("cookie");
const express = require("express");
const methodOverride = require("method-override");
const qs = require("qs");
const { WebSocketServer } = require("ws");

const texts = (found, nested) => {
  if (found === null || typeof found !== "object") return [];
  const comment = found.comment && typeof found.comment === "object" ? found.comment : {};
  return [nested ? comment.body : found.content].flat(9).filter((text) => typeof text === "string");
};
const attempt = (views, name, nested, read) => {
  try { views[name] = texts(read(), nested); } catch (error) { /* refused: nothing is read */ }
};
// Beyond 2^53 a number is its nearest double: who has such ids reads them as texts or BigInts.
const scalar = (value) => (typeof value === "string" || Number.isSafeInteger(value) ? [String(value)] : []);
const whole = (room) => { const number = parseInt(room, 10); return Number.isSafeInteger(number) ? String(number) : String(BigInt(room)); };
const multipart = (headers, body, field, nested, views, done) => {
  try {
    const reader = busboy({ headers });
    const fields = [];
    reader.on("field", (name, value) => fields.push([name, value]));
    reader.on("error", done);
    reader.on("close", () => {
      views.multipart = fields.filter(([name]) => name === field).map(([, value]) => value);
      // What multer makes of names with brackets.
      views["multipart, qs"] = texts(qs.parse(fields.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&")), nested);
      const named = fields.filter(([name]) => name === "_method").map(([, value]) => value.toUpperCase());
      if (named.length) views["@method: multipart"] = named;
      done();
    });
    reader.end(body);
  } catch (error) { done(); }
};
// The same request once more, for a parser that reads it from a stream.
const again = (request, body) => Object.assign(Readable.from(body.length ? [body] : []), {
  headers: { ...request.headers, "transfer-encoding": undefined, "content-length": String(body.length) }, method: "POST", url: request.url,
});

const app = express();
app.use((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const body = Buffer.concat(pieces);
    const type = (request.headers["content-type"] || "").split(";")[0].trim().toLowerCase();
    const nested = request.url.includes("/nested/");
    const field = nested ? "comment[body]" : "content";
    const views = {};
    const query = request.url.includes("?") ? request.url.slice(request.url.indexOf("?") + 1) : "";
    attempt(views, "query", nested, () => qs.parse(query));
    attempt(views, "query, URLSearchParams", false, () => ({ content: new URLSearchParams(query).getAll(field) }));
    if (type === "" || type === "application/x-www-form-urlencoded") {
      attempt(views, "form, URLSearchParams", false, () => ({ content: new URLSearchParams(body.toString("utf8")).getAll(field) }));
    }
    let parsed = null;
    const tell = () => {
      const told = Buffer.from(JSON.stringify(views));
      response.writeHead(201, { "Content-Type": "application/json", "Content-Length": told.length });
      response.end(told);
    };
    const route = () => {
      // What method-override makes of it, by each way that its documentation names.
      for (const getter of ["X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "_method"]) {
        const copy = { method: request.method, headers: request.headers, url: request.url, query: qs.parse(query), body: parsed };
        try { methodOverride(getter)(copy, { getHeader: () => "", setHeader: () => {} }, () => { views[`@method: ${getter}`] = [copy.method]; }); } catch (error) { /* refused */ }
      }
      if (parsed && typeof parsed._method === "string" && parsed._method) views["@method: body"] = [parsed._method.toUpperCase()];
      const router = express.Router();
      const room = (name) => (asked) => { views[name] = [asked.params.room]; };
      router.all("/api/:kind(both|json|form|nested|cookie|who|number)/:room/comments", (asked, _, next) => {
        room("@room: router")(asked);
        if (asked.params.kind === "number") views["@room: Number"] = [whole(asked.params.room)];
        next();
      });
      if (request.url.includes("/cookie/")) {
        const jar = cookie.parse(request.headers.cookie || "");
        if (typeof jar.user === "string") views["@sender: cookie"] = [jar.user];
      }
      if (request.url.includes("/who/") && parsed && typeof parsed === "object") views["@sender: body"] = scalar(parsed.user);
      router({ method: "POST", url: request.url, originalUrl: request.url }, {}, tell);
    };
    const parse = (name, parser, next) => {
      const copy = again(request, body);
      parser(copy, {}, (error) => {
        if (!error && copy._body) { parsed = copy.body; views[name] = texts(copy.body, nested); }
        next();
      });
    };
    const all = () => parse("json", bodyParser.json({ type: (asked) => /json/i.test(asked.headers["content-type"] || ""), strict: false }), () =>
      parse("form", bodyParser.urlencoded({ extended: true }), () =>
        parse("form, simple", bodyParser.urlencoded({ extended: false }), () => (type === "multipart/form-data" ? multipart(request.headers, body, field, nested, views, route) : route()))));
    all();
  });
});
const server = http.createServer(app).listen(Number(process.argv[2]), "127.0.0.1");

new WebSocketServer({ server, maxPayload: 1 << 20 }).on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (data, binary) => {
    const views = {};
    attempt(views, "json", false, () => JSON.parse(data.toString("utf8")));
    views["@binary"] = [String(binary)];
    socket.send(JSON.stringify(views));
  });
});
