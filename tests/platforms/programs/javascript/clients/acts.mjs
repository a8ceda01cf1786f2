// How tests speak to a published client: `{ call, … }` is a line in, and a line out is `{ answer: { value } }`, or with `failed`
// what the client library made of a refusal. Besides `heard` tells what the client heard by itself since it was last asked.
// Arguments: where to connect, and which of this machine's addresses to come from.
import net from "node:net";
import readline from "node:readline";

export const base = process.argv[2];
const localAddress = process.argv[3];

// Senders that the gateway tells apart by their address are so here as well.
const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (...given) {
  const [first] = given;
  if (Array.isArray(first)) Object.assign(first[0], { localAddress });
  else if (typeof first === "object") Object.assign(first, { localAddress });
  return connect.apply(this, given);
};

let heard = [];

/** Keeps something that the client heard by itself. */
export const tell = (what, more = {}) => heard.push({ what, ...more });

const shown = (error) => ({
  name: error?.name ?? typeof error,
  message: error?.message ?? String(error),
  ...(error?.code === undefined ? {} : { code: error.code }),
  ...(error?.data === undefined ? {} : { data: error.data }),
});

/** Does acts one after the other, as they are asked for; ends when standard input does. */
export const serve = async (acts) => {
  // A refusal that reaches nobody is one that the client did not survive.
  process.on("unhandledRejection", (error) => tell("unhandled", shown(error)));
  process.on("uncaughtException", (error) => tell("unhandled", shown(error)));
  const all = {
    ...acts,
    heard: () => {
      const told = heard;
      heard = [];
      return told;
    },
  };
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { call, ...given } = JSON.parse(line);
    const answer = {};
    try {
      answer.value = (await all[call](given)) ?? null;
    } catch (error) {
      answer.failed = shown(error);
    }
    process.stdout.write(`${JSON.stringify({ answer })}\n`);
  }
  process.exit(0);
};

/** Settles as a promise that fails when nothing came of it within ten seconds. */
export const within = (promise, what) =>
  Promise.race([
    promise,
    new Promise((_, reject) => setTimeout(() => reject(new Error(`${what}: nothing within ten seconds`)), 10000).unref()),
  ]);
