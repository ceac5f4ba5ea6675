import process from "node:process";
import { Pinger } from "../../client/ping.ts";
import { loadConfig } from "../../config/load.ts";
import { stopSignal } from "../../platform/stop_signal.ts";
import type { Invocation } from "../commands/command.ts";
import { paceOf, probeSeries } from "./probe_series.ts";
import { withProgress } from "../terminal/progress.ts";
import { warnings } from "../terminal/warnings.ts";
import { configFile } from "../values.ts";

/** Milliseconds for one answer. */
const TIMEOUT = 5000;

export async function clientPing(invocation: Invocation): Promise<number> {
  const pace = paceOf(invocation);
  const { config: { client }, folder } = loadConfig(configFile(invocation));
  const json = invocation.values["json"] === true;
  const server = `${client.host}:${client.port}`;
  const stopping = new AbortController();
  const pinger = new Pinger(client, folder, stopping.signal, warnings);
  try {
    const begun = performance.now();
    // Where there is no login, there is nothing to be measured: it says why, and ends.
    await withProgress(`Logging in at ${server}`, () => pinger.connect());
    const login = performance.now() - begun;
    if (!json) process.stdout.write(`Logged in at ${server} in ${login.toFixed(1)} ms\n`);
    // Until here Ctrl-C ends the process as it does by itself; from here on there is a summary to be printed.
    const signal = stopSignal();
    signal.addEventListener("abort", () => stopping.abort(), { once: true });
    return await probeSeries({
      probe: async () => [{ told: `Answer from ${server}`, milliseconds: await pinger.ping(TIMEOUT) }],
      facts: { server: { host: client.host, port: client.port }, login: Math.round(login * 1000) / 1000 },
      ...{ pace, json, signal },
    });
  } finally {
    pinger.close();
  }
}
