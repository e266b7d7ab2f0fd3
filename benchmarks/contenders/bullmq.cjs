// BullMQ as its documentation says: one queue, a worker of concurrency 10 in each process, a handful of
// completed jobs kept (its "common practice"); otherwise its defaults. `node bullmq.cjs worker|sender 10`
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");
const { Queue, Worker } = require("bullmq");
const Redis = require("ioredis");

const [role, concurrency] = process.argv.slice(2);
const connection = new (Redis.Redis || Redis)(process.env.BENCH_URL, { maxRetriesPerRequest: null });
const marks = path.join(process.env.BENCH_MARKS, String(process.pid));
const NAP_MS = 50;

function now() {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
}

function work() {
  // Node cannot map a file, so the count is written every five milliseconds while jobs run.
  const counter = fs.openSync(`${marks}.count`, "w+");
  const stamps = fs.openSync(`${marks}.stamps`, "a");
  const total = new BigUint64Array(1);
  let written = 0n;
  setInterval(() => {
    if (total[0] !== written) fs.writeSync(counter, new Uint8Array(total.buffer), 0, 8, 0);
    written = total[0];
  }, 5);
  const stamp = (token) => fs.writeSync(stamps, `${token} ${now()}\n`);
  const run = async (job) => {
    if (job.name === "noop") total[0] += 1n;
    else if (job.name === "stamp") stamp(job.data.token);
    else {
      await new Promise((resolve) => setTimeout(resolve, NAP_MS));
      stamp(job.data.token);
    }
  };
  const worker = new Worker("bench", run, {
    connection,
    concurrency: Number(concurrency),
    removeOnComplete: { count: 1000 },
  });
  process.on("SIGTERM", () => worker.close().then(() => process.exit(0)));
}

async function send() {
  const queue = new Queue("bench", { connection });
  await queue.waitUntilReady();
  const orders = {
    singles: async (count) => {
      for (let i = 0; i < count; i++) await queue.add("noop", {});
    },
    // A thousand a call: its pipeline would otherwise hold them all in memory.
    bulk: async (count) => {
      for (let sent = 0; sent < count; sent += 1000) {
        const length = Math.min(1000, count - sent);
        await queue.addBulk(Array.from({ length }, () => ({ name: "noop", data: {} })));
      }
    },
    stamp: (token, delay) => queue.add("stamp", { token }, delay ? { delay } : {}),
    naps: (tokens) => queue.addBulk(tokens.map((token) => ({ name: "nap", data: { token } }))),
  };
  const answer = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
  answer({ ready: true });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { name, args } = JSON.parse(line);
    const [began, start, cpu] = [now(), performance.now(), process.cpuUsage()];
    await orders[name](...args);
    const seconds = (performance.now() - start) / 1000;
    const used = process.cpuUsage(cpu);
    answer({ began_ns: Number(began), seconds, cpu: (used.user + used.system) / 1e6 });
  }
  process.exit(0);
}

if (role === "worker") work();
else send();
