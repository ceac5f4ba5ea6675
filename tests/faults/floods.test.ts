import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { cpuSeconds, memoryOf } from "../../scripts/bench/proc.ts";
import { FIRST } from "../world/certificates.ts";
import { ClientProcess, ServerProcess } from "../world/executable.ts";
import { Background } from "../world/processes.ts";
import { RawPeer } from "../world/raw_peer.ts";
import { type Scope, startService } from "../world/world.ts";
import { within } from "./world/daemon_status.ts";
import { figure } from "./world/figure.ts";
import { inForm, SLOW } from "./world/form.ts";
import { idleShare } from "./world/process_state.ts";
import { KeptCaller } from "./world/kept_caller.ts";
import { SteadyLoad } from "./world/steady_load.ts";
import { serveVerifiably } from "./world/verifying_service.ts";

const SOCKETS = 10_000;
/** Addresses that they come from. */
const SOURCES = 20;
/** Requests a second on the other connections, half of them on new ones. */
const RATE = 20;
/** Milliseconds for which they go on once all sockets of the flood are open. */
const BESIEGED = inForm(3000, 20_000);
/** Bytes that the server's memory may grow by for each of them. */
const MOST_EACH = 40_000;
/** How long the server waits for what does not come, in seconds; a TLS handshake may take 15. */
const PATIENCE = 8;

const FLOODER = fileURLToPath(new URL("./world/flooder.ts", import.meta.url));
const HEAD = "GET / HTTP/1.1\r\nHost: 1002.example.com\r\nX-Field: value\r\n";

interface Doors {
  readonly server: ServerProcess;
  readonly client: ClientProcess;
}

/** Each port of a server, and the beginning of what is said there. */
const DOORS: Record<string, { portOf(doors: Doors): number; beginning: Buffer }> = {
  "SSH gateway": {
    portOf: ({ server }) => server.sshPort,
    beginning: Buffer.from("SSH-2.0-OpenSSH_9.2\r\n\0\0\x04\0\x0a\x14half of a key exchange"),
  },
  "HTTP proxy": { portOf: ({ server }) => server.proxyPort, beginning: Buffer.from(HEAD) },
  "HTTPS proxy": {
    portOf: ({ server }) => server.secureProxyPort,
    // The head of a ClientHello that is longer than what follows.
    beginning: Buffer.from(`1603010200010001fc0303${"42".repeat(100)}`, "hex"),
  },
  // There time is the service's business, as long as something is said now and then.
  "reverse port": { portOf: ({ client }) => client.port, beginning: Buffer.from(HEAD.slice(0, 5)) },
  "command port": { portOf: ({ server }) => pidFileOf(server).listen, beginning: Buffer.from("STAT") },
  "REST API": { portOf: ({ server }) => pidFileOf(server).api, beginning: Buffer.from(HEAD) },
};

function pidFileOf(server: ServerProcess): { readonly listen: number; readonly api: number } {
  return JSON.parse(readFileSync(join(server.folder, "server.pid"), "utf8"));
}

/** @param launcher what the server is started by */
async function makeDoors(t: Scope, launcher: readonly string[] = []): Promise<Doors> {
  const { port } = await startService(t, serveVerifiably);
  const server = await ServerProcess.init(t, {
    "server.headTimeout": `${PATIENCE}s`,
    "server.holdFor": "20s",
    "server.connectionTimeout": `${PATIENCE}s`,
    "server.ssh.loginGraceTime": `${PATIENCE}s`,
  });
  const folder = join(server.folder, "certificates");
  mkdirSync(folder);
  writeFileSync(join(folder, "server.key"), FIRST.key, { mode: 0o600 });
  writeFileSync(join(folder, "server.crt"), FIRST.cert);
  server.launcher = launcher;
  await server.start();
  await server.daemon.logged((line) => line["port"] === server.secureProxyPort);
  await server.daemon.logged(({ msg }) => msg.startsWith("The REST API listens"));
  const client = await (await new ClientProcess(t).register(await server.joinCode(), port)).start();
  return { server, client };
}

function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** So many sockets from elsewhere, as a process of its own. */
class Flood {
  readonly #process: Background;

  constructor(t: Scope, port: number, beginning: Buffer, sockets = SOCKETS) {
    const words = [FLOODER, port, sockets, SOURCES, beginning.toString("base64")].map(String);
    this.#process = new Background(process.execPath, words);
    t.after(async () => void await this.#process.stop("SIGKILL"));
  }

  /** How many the server's kernel has let in so far, and how many of these the server has ended. */
  get told(): { readonly opened: number; readonly ended: number } {
    return JSON.parse(this.#process.lines.at(-1) ?? '{"opened":0,"ended":0}');
  }
}

/** Whether the gateway speaks to a client's address. */
async function greets(t: Scope, port: number): Promise<boolean> {
  const peer = new RawPeer(connect({ port, host: "127.0.0.1" }));
  t.after(() => peer.socket.destroy());
  return await peer.untilText("SSH-2.0-petit").then(() => true, () => false);
}

for (const [door, { portOf, beginning }] of Object.entries(DOORS)) {
  test(`${SOCKETS} connections that lead nowhere, to the ${door}, harm nobody and are ended`, SLOW, async (t) => {
    const doors = await makeDoors(t);
    const { server, client } = doors;
    const fault = `${SOCKETS} connections to the ${door}`;
    const reach = { proxyPort: server.proxyPort, rawPort: client.port, host: `${client.id}.example.com` };
    const loads = [
      new SteadyLoad(reach, RATE),
      new SteadyLoad({ ...reach, proxyPort: server.secureProxyPort, ca: FIRST.cert }, RATE / 2),
      // The service speaks HTTP on its reverse port too.
      new SteadyLoad({ ...reach, proxyPort: client.port }, RATE / 2),
    ];
    await sleep(1000);
    const { pid } = server.daemon;
    const memory = () => memoryOf([pid]).resident;
    const before = memory();
    let most = before;
    const watch = setInterval(() => most = Math.max(most, memory()), 200);
    t.after(() => clearInterval(watch));
    const cpuBefore = cpuSeconds([pid]);
    const flood = new Flood(t, portOf(doors), beginning);
    const opened = await within(30_000, () => flood.told.opened === SOCKETS);
    assert.ok(opened !== undefined, `only ${flood.told.opened} connections were opened`);
    figure(fault, "all are opened after", opened / 1000, "s");
    await sleep(BESIEGED);
    figure(fault, "processor time of the server until then", cpuSeconds([pid]) - cpuBefore, "s");
    assert.ok(await greets(t, server.sshPort), "the gateway turns a client's address away");
    const tallies = await Promise.all(loads.map((load) => load.stop()));
    for (const [index, { reasons, total, slowest }] of tallies.entries()) {
      const way = ["HTTP proxy", "HTTPS proxy", "reverse port"][index] as string;
      figure(fault, `requests meanwhile, ${way}`, total, "");
      figure(fault, `requests failed meanwhile, ${way}`, Object.values(reasons).reduce((sum, one) => sum + one, 0), "");
      figure(fault, `slowest request, ${way}`, slowest, "ms");
      assert.deepEqual(reasons, {}, way);
    }
    // Its own end may never hear of those that the server's kernel had no room for.
    const gone = await within(30_000, () => descriptorsOf(pid) < 200);
    assert.ok(gone !== undefined, `${descriptorsOf(pid)} descriptors are open`);
    clearInterval(watch);
    const each = (most - before) / SOCKETS;
    figure(fault, "memory of the server for each, at most", each / 1000, "kB");
    assert.ok(each < MOST_EACH, `${each} bytes each`);
  });
}

/** Files that a server may have open which is given few. */
const FEW_FILES = 300;

for (const door of ["SSH gateway", "HTTP proxy", "HTTPS proxy", "reverse port"]) {
  const name = `a server that may have ${FEW_FILES} files open serves on while the ${door} is asked for more`;
  test(name, SLOW, async (t) => {
    const doors = await makeDoors(t, ["sh", "-c", `ulimit -n ${FEW_FILES}; exec "$0" "$@"`]);
    const { server, client } = doors;
    const { pid } = server.daemon;
    const { portOf, beginning } = DOORS[door] as typeof DOORS[string];
    const reach = { proxyPort: server.proxyPort, rawPort: client.port, host: `${client.id}.example.com` };
    const kept = new KeptCaller(reach);
    t.after(() => kept.close());
    assert.equal((await kept.ask()).class, "correct");
    const flood = new Flood(t, portOf(doors), beginning, 2 * FEW_FILES);
    assert.ok(await within(30_000, () => flood.told.opened === 2 * FEW_FILES), "not all were opened");
    const busy = await idleShare(pid, 2000);
    figure(`${FEW_FILES} open files, ${door}`, "processors that the server uses meanwhile", busy, "");
    const open = descriptorsOf(pid);
    assert.ok(open < FEW_FILES - 10, `${open} descriptors are open`);
    assert.ok(await greets(t, server.sshPort), "the gateway turns a client's address away");
    const load = new SteadyLoad(reach, RATE);
    await sleep(2000);
    const { reasons } = await load.stop();
    assert.deepEqual(reasons, {});
    assert.equal((await kept.ask()).class, "correct");
    assert.equal(kept.opened, 1, "a connection that was there before is there still");
  });
}
