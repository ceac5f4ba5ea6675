// Asks a proxy again and again until the answer is 200, and prints how many milliseconds that took: ask_until.ts PORT HOST BOUND.
// A process of its own, since it runs where the proxy is.
import { request } from "node:http";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

const [port = "", host = "", bound = ""] = process.argv.slice(2);
const begun = performance.now();
let answered: number | undefined;

function ask(): void {
  const options = {
    host: "127.0.0.1",
    port: Number(port),
    path: "/hello",
    headers: { host },
    agent: false,
    timeout: 60_000,
  };
  request(options, (answer) => {
    answer.resume();
    if (answer.statusCode === 200) answer.on("end", () => answered ??= performance.now() - begun);
  }).on("error", () => {}).end();
}

while (answered === undefined && performance.now() - begun < Number(bound)) {
  ask();
  await sleep(50);
}
process.stdout.write(`${answered ?? NaN}\n`);
process.exit(0);
