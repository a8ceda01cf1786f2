// Node as Express 4 and its body-parser read: qs for queries and forms, JSON.parse, busboy for multipart.
"use strict";
const http = require("http");
const qs = require("qs");
const busboy = require("busboy");

const texts = (found, nested) => {
  if (found === null || typeof found !== "object") return [];
  const comment = found.comment && typeof found.comment === "object" ? found.comment : {};
  return [nested ? comment.body : found.content].flat(9).filter((text) => typeof text === "string");
};
const attempt = (views, name, nested, read) => {
  try { views[name] = texts(read(), nested); } catch (error) { /* refused: nothing is read */ }
};

http.createServer((request, response) => {
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
    if (type === "application/json" || type.endsWith("+json")) attempt(views, "json", nested, () => JSON.parse(body.toString("utf8")));
    if (type === "" || type === "application/x-www-form-urlencoded") {
      attempt(views, "form", nested, () => qs.parse(body.toString("utf8")));
      attempt(views, "form, URLSearchParams", false, () => ({ content: new URLSearchParams(body.toString("utf8")).getAll(field) }));
    }
    const done = () => {
      const told = Buffer.from(JSON.stringify(views));
      response.writeHead(201, { "Content-Type": "application/json", "Content-Length": told.length });
      response.end(told);
    };
    if (type !== "multipart/form-data") return done();
    try {
      const reader = busboy({ headers: request.headers });
      const fields = [];
      reader.on("field", (name, value) => fields.push([name, value]));
      reader.on("error", done);
      reader.on("close", () => {
        views.multipart = fields.filter(([name]) => name === field).map(([, value]) => value);
        // What multer makes of names with brackets.
        views["multipart, qs"] = texts(qs.parse(fields.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&")), nested);
        done();
      });
      reader.end(body);
    } catch (error) { done(); }
  });
}).listen(Number(process.argv[2]), "127.0.0.1");
