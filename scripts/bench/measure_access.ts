import { join } from "node:path";
import type { OwnAccess } from "../../src/registry/access.ts";
import { makeCredential } from "../../src/server/access/make_credential.ts";
import { ask } from "./ask.ts";
import { checkCost } from "./check_cost.ts";
import type { Contender } from "./contenders.ts";
import { figure } from "./figure.ts";
import { makeFiles } from "./files.ts";
import { measureWrk } from "./measure_wrk.ts";
import { startNginx } from "./nginx.ts";
import type { Options } from "./options.ts";
import { PetitServer, startPetitClient } from "./petit.ts";
import { must } from "./processes.ts";
import type { Programs } from "./programs.ts";
import { median } from "./rounds.ts";
import { say } from "./say.ts";

/** What is asked of callers: nothing, an address of a list, or a token or a password besides. */
export const GUARDS = ["open", "cidr", "bearer", "basic"] as const;
export type Guard = typeof GUARDS[number];

/** The HTTP proxy with one guard in one round. */
export interface Guarded {
  /** Requests per second. */
  readonly rate: number;
  /** Seconds of the server's processor time for 1,000 of them. */
  readonly cpu: number;
  /** Both to those without a guard, of the same turn: what drifts on the machine is the same for both. */
  readonly rateToOpen: number;
  readonly cpuToOpen: number;
  /** Microseconds of the check alone. */
  readonly check: number;
}

export type AccessSample = Readonly<Record<Guard, Guarded>>;

/** Seconds of wrk that don't count. */
const WARM_UP = 2;

/** Seconds of wrk of one turn: short, since other programs on the machine come and go. */
const TURN = 1;

/** Turns of each guard in a round. */
const TURNS = 12;

interface Way {
  readonly guard: Guard;
  readonly id: string;
  /** What lets a request in; the open one is asked in the same words, so that the check is all that differs. */
  readonly shown: string;
}

const ALLOW = ["10.0.0.0/8", "192.0.2.0/24", "127.0.0.0/8"];

const RULES: Readonly<Record<Guard, OwnAccess>> = {
  open: {},
  cidr: { allow: ALLOW },
  bearer: { allow: ALLOW, require: ["bearer"] },
  basic: { allow: ALLOW, require: ["basic"] },
};

/** The options of `petit server access set` that say the same. */
function optionsOf({ allow = [], require = [] }: OwnAccess): string[] {
  return ["--allow", allow.join(","), ...(require.length === 0 ? [] : ["--require", require.join(",")])];
}

/**
 * Measures four registrations in turns, which differ in who may call them. Server, client and tunnel are the same for all: two runs of
 * one program differ by more than what is looked for here.
 */
export async function measureAccess(
  { wrk, nginx: program }: Programs,
  executable: string,
  folder: string,
  options: Options,
): Promise<AccessSample[]> {
  const files = makeFiles(join(folder, "files"), 16 * 1024 ** 2);
  const { name: file, content } = files.small;
  const nginx = await startNginx(program, join(folder, "nginx"), files);
  const server = await PetitServer.init(executable, join(folder, "server"));
  await server.start();
  const client = await startPetitClient(executable, join(folder, "client"), await server.joinCode(1), nginx.port);
  const command = async (args: readonly string[], of: string) =>
    JSON.parse(await must([executable, ...args, "--json", "-c", join(folder, of, "config.toml")]));
  const ways: Way[] = [];
  for (const guard of GUARDS) {
    const lease = ["client", "lease", "-t", guard, "-l", "127.0.0.1", "-p", String(nginx.port)];
    const id = guard === "open"
      ? client.id
      : (await command([...lease, "--register", await server.joinCode(1)], "client")).registration.id as string;
    if (guard !== "open") await command(["server", "access", "set", id, ...optionsOf(RULES[guard])], "server");
    let shown = `Bearer petit_0123456789ab_${"x".repeat(43)}`;
    if (guard === "bearer") {
      const { token } = await command(["server", "access", "grant", id, "--bearer"], "server");
      shown = `Bearer ${token}`;
    } else if (guard === "basic") {
      const { password } = await command(["server", "access", "grant", id, "--basic", "ann"], "server");
      shown = `Basic ${Buffer.from(`ann:${password}`).toString("base64")}`;
    }
    ways.push({ guard, id, shown });
  }
  const load = ({ id, shown }: Way, seconds: number) => {
    const carriers = [{ name: "petit server", end: "public", pids: () => server.pids }] as const;
    const contender: Contender = { name: "proxy", port: server.proxyPort, host: id, carriers };
    const fields = [`Authorization: ${shown}`];
    const wanted = { wrk, connections: 32, seconds, close: false, path: `/${file}`, size: content.length, fields };
    return measureWrk(contender, wanted);
  };
  for (const { guard, id } of ways) {
    const expected = guard === "open" || guard === "cidr" ? 200 : 401;
    await client.daemon.until(
      `"${guard}" is connected and guarded`,
      async () => (await ask({ port: server.proxyPort, host: id }, "GET", `/${file}`)).status === expected,
    );
  }
  for (const way of ways) await load(way, Math.min(WARM_UP, options.wrkSeconds));
  const checks = await checkCosts();
  const samples: AccessSample[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    const found = new Map<Guard, { rate: number; cpu: number }[]>(GUARDS.map((guard) => [guard, []]));
    for (let turn = 0; turn < TURNS; turn++) {
      for (const way of turned(ways, turn)) {
        const { rate = 0, publicCpu = 0 } = await load(way, TURN);
        found.get(way.guard)?.push({ rate, cpu: publicCpu });
      }
    }
    const open = found.get("open") ?? [];
    const sample = Object.fromEntries(GUARDS.map((guard) => {
      const turns = found.get(guard) ?? [];
      const of = (key: "rate" | "cpu") => median(turns.map((one) => one[key])) ?? 0;
      const toOpen = (key: "rate" | "cpu") =>
        median(turns.map((one, turn) => one[key] / (open[turn]?.[key] ?? NaN))) ?? 0;
      const ratios = { rateToOpen: toOpen("rate"), cpuToOpen: toOpen("cpu") };
      return [guard, { rate: of("rate"), cpu: of("cpu"), ...ratios, check: checks[guard] }];
    })) as AccessSample;
    samples.push(sample);
    say(
      `access, round ${round} of ${options.rounds}: ` +
        GUARDS.map((guard) =>
          `${guard} ${figure(sample[guard].rate)} requests/s, ${figure(sample[guard].cpu * 1000)} µs`
        )
          .join("; "),
    );
  }
  await client.daemon.stop();
  await server.stop();
  await nginx.daemon.stop();
  return samples;
}

async function checkCosts(): Promise<Record<Guard, number>> {
  const wishes = { registration: "1001", user: "ann", password: undefined, label: "", lifetime: null };
  const found: [Guard, number][] = [];
  for (const guard of GUARDS) {
    const kind = guard === "basic" ? "basic" : "bearer";
    const { credential, secret } = await makeCredential({ ...wishes, kind }, Date.now());
    const shown = kind === "bearer" ? `Bearer ${secret}` : `Basic ${Buffer.from(`ann:${secret}`).toString("base64")}`;
    found.push([guard, checkCost(RULES[guard], [credential], shown)]);
  }
  return Object.fromEntries(found) as Record<Guard, number>;
}

/** Each turn begins with another one, and every second one goes backwards: no guard always comes after the same. */
function turned(ways: readonly Way[], turn: number): readonly Way[] {
  const first = (turn >> 1) % ways.length;
  const order = [...ways.slice(first), ...ways.slice(0, first)];
  return turn % 2 === 0 ? order : order.reverse();
}
