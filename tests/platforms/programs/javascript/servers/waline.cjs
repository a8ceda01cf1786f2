"use strict";
// Waline as published (@waline/vercel), with the storage of one's own that its documentation calls a custom model: in memory.
const http = require("node:http");
const { listen } = require("./listening.cjs");

const SERVICES = "/-/services"; // where it asks for log-ins by other sites: itself, so that nothing leaves this machine
const tables = { Comment: [], Users: [], Counter: [] };
let number = 0;

const TESTS = {
  IN: (value, wanted) => wanted.includes(value),
  "NOT IN": (value, wanted) => !wanted.includes(value),
  "!=": (value, wanted) => value !== wanted,
  ">": (value, wanted) => value > wanted,
  LIKE: (value, wanted) => String(value ?? "").includes(wanted.replaceAll("%", "")),
};

const holds = (row, key, wanted) => {
  if (Array.isArray(wanted)) return TESTS[wanted[0].toUpperCase()](row[key], wanted[1]);
  return wanted === undefined ? row[key] == null : row[key] === wanted;
};

const fits = (row, where = {}) =>
  Object.entries(where).every(([key, wanted]) => {
    if (key !== "_complex") return holds(row, key, wanted);
    const { _logic, ...any } = wanted;
    const tests = Object.entries(any).map(([name, value]) => holds(row, name, value));
    return _logic === "or" ? tests.some(Boolean) : tests.every(Boolean);
  });

class Table {
  constructor(name) {
    this.rows = tables[name];
  }

  async select(where, { desc, limit, offset = 0 } = {}) {
    const found = this.rows.filter((row) => fits(row, where));
    if (desc) found.sort((a, b) => (a[desc] < b[desc] ? 1 : -1));
    return found.slice(offset, limit === undefined ? undefined : offset + limit).map((row) => ({ ...row }));
  }

  async count(where, { group } = {}) {
    const found = this.rows.filter((row) => fits(row, where));
    if (!group) return found.length;
    const groups = new Map();
    for (const row of found) {
      const values = Object.fromEntries(group.map((key) => [key, row[key]]));
      const seen = groups.get(JSON.stringify(values)) ?? { ...values, count: 0 };
      groups.set(JSON.stringify(values), { ...seen, count: seen.count + 1 });
    }
    return [...groups.values()];
  }

  async add(data) {
    const row = { ...data, objectId: `w${++number}`, createdAt: new Date() };
    this.rows.push(row);
    return { ...row };
  }

  async update(data, where) {
    const found = this.rows.filter((row) => fits(row, where));
    for (const row of found) Object.assign(row, typeof data === "function" ? data(row) : data);
    return found.map((row) => ({ ...row }));
  }

  async delete(where) {
    const kept = this.rows.filter((row) => !fits(row, where));
    this.rows.splice(0, this.rows.length, ...kept);
  }
}

const port = Number(process.argv[2]);
Object.assign(process.env, {
  SQLITE_PATH: "unused", // some storage has to be named; the model below is asked in its place
  JWT_TOKEN: "for tests only",
  AKISMET_KEY: "false",
  IPQPS: "0",
  OAUTH_URL: `http://127.0.0.1:${port}${SERVICES}`,
});
const application = require("@waline/vercel")({ env: "production", model: (name) => new Table(name) });

listen(
  http.createServer((request, response) => {
    if (request.url === SERVICES) {
      response.setHeader("Content-Type", "application/json");
      response.end('{"services": []}');
    } else {
      application(request, response);
    }
  }),
  port,
);
