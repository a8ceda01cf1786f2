"use strict";
// In the place of @cloudbase/node-sdk, which speaks to a cloud: as much of its database and log-ins as Twikoo's function uses,
// in memory. Only this is not the published platform.
const { AsyncLocalStorage } = require("node:async_hooks");

/** Who calls: `{ uid, admin, address }`. */
exports.caller = new AsyncLocalStorage();

const collections = new Map();
let number = 0;

class Command {
  constructor(test, change) {
    this.test = test;
    this.change = change;
  }
}

const command = {
  in: (wanted) => new Command((value) => wanted.includes(value ?? null) || wanted.includes(value)),
  neq: (wanted) => new Command((value) => value !== wanted),
  lt: (wanted) => new Command((value) => value < wanted),
  gt: (wanted) => new Command((value) => value > wanted),
  inc: (by) => new Command(undefined, (value) => (value ?? 0) + by),
  or: (...any) => ({ any: any.flat() }),
  aggregate: { sum: () => "sum" },
};

const fits = (row, where = {}) =>
  where.any
    ? where.any.some((one) => fits(row, one))
    : Object.entries(where).every(([key, wanted]) =>
        wanted instanceof Command ? wanted.test(row[key]) : wanted instanceof RegExp ? wanted.test(row[key]) : row[key] === wanted,
      );

class Query {
  constructor(rows, where, { order = [], from = 0, most = Infinity } = {}) {
    Object.assign(this, { rows, condition: where, order, from, most });
  }

  with(changed) {
    return new Query(this.rows, changed.where ?? this.condition, { ...this, ...changed });
  }

  where(where) {
    return this.with({ where });
  }

  orderBy(field, direction) {
    return this.with({ order: [field, direction] });
  }

  skip(from) {
    return this.with({ from });
  }

  limit(most) {
    return this.with({ most });
  }

  doc(id) {
    return this.with({ where: { _id: id } });
  }

  found() {
    const found = this.rows.filter((row) => fits(row, this.condition));
    const [field, direction] = this.order;
    if (field) found.sort((a, b) => ((a[field] ?? 0) < (b[field] ?? 0) ? -1 : 1) * (direction === "desc" ? -1 : 1));
    return found.slice(this.from, this.from + this.most);
  }

  async get() {
    return { data: this.found().map((row) => structuredClone(row)) };
  }

  async count() {
    return { total: this.found().length };
  }

  async add(data) {
    const added = [data].flat().map((one) => ({ ...one, _id: `t${++number}` }));
    this.rows.push(...added);
    return { id: added[0]._id, ids: added.map((one) => one._id), inserted: added.length };
  }

  async update(data) {
    const found = this.found();
    for (const row of found) {
      for (const [key, value] of Object.entries(data)) row[key] = value instanceof Command ? value.change(row[key]) : value;
    }
    return { updated: found.length };
  }

  async delete() {
    const gone = new Set(this.found());
    this.rows.splice(0, this.rows.length, ...this.rows.filter((row) => !gone.has(row)));
    return { deleted: gone.size };
  }

  aggregate() {
    const query = this;
    let where;
    let key;
    const steps = {
      match: (given) => ((where = given), steps),
      group: (given) => ((key = given._id.slice(1)), steps),
      end: async () => {
        const groups = new Map();
        for (const row of query.rows.filter((one) => fits(one, where))) {
          groups.set(row[key], (groups.get(row[key]) ?? 0) + 1);
        }
        return { data: [...groups].map(([_id, count]) => ({ _id, count })) };
      },
    };
    return steps;
  }
}

const collection = (name) => {
  if (!collections.has(name)) collections.set(name, []);
  return new Query(collections.get(name));
};

exports.collection = collection;
exports.SYMBOL_CURRENT_ENV = Symbol("env");
exports.getCloudbaseContext = () => ({ TCB_SOURCE: "scf" });
exports.init = () => ({
  auth: () => ({
    getClientIP: () => exports.caller.getStore().address,
    getEndUserInfo: () => {
      const { uid, admin } = exports.caller.getStore();
      return { userInfo: { uid, customUserId: admin ? "admin" : "" } };
    },
    createTicket: () => "",
  }),
  database: () => ({
    command,
    collection,
    createCollection: async (name) => void collection(name),
    RegExp: ({ regexp, options }) => new RegExp(regexp, options),
  }),
  callFunction: async () => {}, // notices to administrators, by mail and messengers
});
