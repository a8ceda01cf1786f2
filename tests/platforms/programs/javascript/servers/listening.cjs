"use strict";
// What the platforms of this folder share: a port of loopback, and people whom a front has logged in.

/** Listens on the port that was asked for (0: any), and says so on standard output in one line of JSON. */
exports.listen = (server, port = Number(process.argv[2] ?? 0)) =>
  new Promise((resolve) => {
    server.listen(port, "127.0.0.1", () => {
      console.log(JSON.stringify({ listening: server.address().port }));
      resolve(server.address().port);
    });
    process.on("SIGTERM", () => process.exit(0));
  });

/** Who the front says sends, as a platform behind one knows people. */
exports.author = (request) => request.headers["x-user-id"] ?? "nobody";

/** The whole body of a request as text. */
exports.text = async (request) => {
  let body = "";
  request.setEncoding("utf8");
  for await (const piece of request) body += piece;
  return body;
};
