import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Socket } from "node:net";
import { FIRST } from "../../world/certificates.ts";
import { mkdirSync } from "node:fs";
import { within } from "../../faults/world/daemon_status.ts";
import { stateOf } from "../../faults/world/process_state.ts";
import { ClientProcess, type Executables, startExecutables } from "../../world/executable.ts";
import { exchange, head } from "../../world/raw_http.ts";
import { type Scope, startService } from "../../world/world.ts";
import { FUZZ_SERVER_SETTINGS } from "./fuzz_server_settings.ts";

/** Milliseconds in which a daemon that was fuzzed has to have closed everything again. */
const REST = 30_000;

/** Server and client as processes of their own, which get hostile input while a well-behaved caller goes on. */
export class FuzzDaemons {
  readonly daemons: Executables;
  readonly #scope: Scope;
  readonly #descriptors: number;

  private constructor(scope: Scope, daemons: Executables) {
    this.#scope = scope;
    this.daemons = daemons;
    this.#descriptors = stateOf(daemons.server.daemon.pid).descriptors;
  }

  /** @param onConnection what the service does; it answers each connection with 200 by default */
  static async start(scope: Scope, onConnection: (socket: Socket) => void = answer): Promise<FuzzDaemons> {
    const service = await startService(scope, onConnection);
    const daemons = await startExecutables(scope, service.port, { server: FUZZ_SERVER_SETTINGS });
    const { server } = daemons;
    mkdirSync(join(server.folder, "certificates"), { recursive: true });
    writeFileSync(join(server.folder, "certificates", "server.key"), FIRST.key, { mode: 0o600 });
    writeFileSync(join(server.folder, "certificates", "server.crt"), FIRST.cert);
    await server.daemon.logged((line) => line["port"] === server.secureProxyPort);
    const fuzzed = new FuzzDaemons(scope, daemons);
    await fuzzed.stillWell();
    return fuzzed;
  }

  /** The key of another client that is registered, and does not run. */
  async anotherKey(): Promise<string> {
    const other = await new ClientProcess(this.#scope).register(await this.daemons.server.joinCode(), 1);
    return readFileSync(other.keyFile, "utf8");
  }

  /** A request still goes through the tunnel, and neither daemon has found a fault of its own. */
  async stillWell(): Promise<void> {
    const { server, client, proxyPort, host } = this.daemons;
    const text = await exchange(proxyPort, head("GET /well HTTP/1.1", `Host: ${host}`, "Connection: close"));
    assert.match(text, /^HTTP\/1\.1 200 /);
    for (const { daemon } of [server, client]) {
      const faults = daemon.log.filter(({ code, level }) => code === "internal" || level === "not JSON");
      assert.deepEqual(faults.slice(0, 3), []);
    }
  }

  /** At the end: all is well, and what the hostile connections held is free again. */
  async atRest(): Promise<void> {
    await this.stillWell();
    const { pid } = this.daemons.server.daemon;
    // The caller's connection to the client is kept for a few seconds.
    if (process.platform === "linux") await within(REST, () => stateOf(pid).descriptors <= this.#descriptors);
    const now = stateOf(pid).descriptors;
    assert.ok(now <= this.#descriptors, `the server holds ${now} descriptors, and ${this.#descriptors} before`);
  }

  /** Bytes of the server's resident memory. */
  memory(): number {
    return stateOf(this.daemons.server.daemon.pid).memory * 1024 ** 2;
  }
}

function answer(socket: Socket): void {
  socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"));
  socket.on("end", () => socket.end());
}
