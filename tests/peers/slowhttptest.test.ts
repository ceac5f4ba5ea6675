import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../world/processes.ts";
import { BesiegedWorld } from "./bad_callers.ts";
import { peerTest, program } from "./peer_test.ts";

/** Its kinds of attack, with what each of them needs. */
const ATTACKS: Record<string, string[]> = {
  "slow heads (slowloris)": ["-H", "-i", "1"],
  "slow bodies": ["-B", "-i", "1", "-s", "8192"],
  "ranges": ["-R", "-a", "10", "-b", "3000"],
  "slow reading": ["-X", "-w", "10", "-y", "20", "-n", "1", "-z", "32"],
};

const CONNECTIONS = 400;
/** Seconds. */
const LASTS = 8;

for (const [name, words] of Object.entries(ATTACKS)) {
  peerTest(`slowhttptest, ${name}: callers are served meanwhile`, ["slowhttptest"], async (t) => {
    const world = await BesiegedWorld.make(t, "3s");
    const attack = run(program("slowhttptest"), [
      ...words,
      ...["-c", CONNECTIONS, "-r", CONNECTIONS / 2, "-l", LASTS, "-p", 5].map(String),
      ...["-u", `http://${world.host}/`, "-d", `127.0.0.1:${world.portOf("HTTP proxy")}`],
    ]);
    let over = false;
    attack.finally(() => over = true);
    while (!over) {
      await world.assertAnswers();
      await sleep(200);
    }
    const { stdout } = await attack;
    // deno-lint-ignore no-control-regex
    const said = stdout.replace(/\u001b\[[0-9;]*[A-Za-z]/g, "");
    const available = [...said.matchAll(/service available:\s+(\w+)/g)].map(([, word]) => word);
    assert.ok(available.length > 0, said);
    assert.deepEqual(available.filter((word) => word !== "YES"), [], said);
    if (name.startsWith("slow heads")) assert.match(said, /No open connections left/);
    await world.assertAnswers();
  });
}
