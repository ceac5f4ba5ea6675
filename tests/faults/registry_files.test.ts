import assert from "node:assert/strict";
import { chmodSync, copyFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { ClientProcess, configure, petit, petitExecutable, ServerProcess } from "../world/executable.ts";
import { run } from "../world/processes.ts";
import { exchange, head } from "../world/raw_http.ts";
import { AnsweringService } from "../world/raw_service.ts";
import { SmallDisk } from "../world/small_disk.ts";
import { type Scope, startService } from "../world/world.ts";
import { UNPRIVILEGED } from "./unprivileged.ts";

const SLOW = { timeout: 120_000 };

/** A server with everything that happens to its registry. */
class Guarded {
  readonly server: ServerProcess;
  readonly registry: string;
  readonly #scope: Scope;
  #code = "";
  /** Every id and port that a client was ever given. */
  readonly given: { id: string; port: number }[] = [];

  private constructor(scope: Scope, server: ServerProcess) {
    this.#scope = scope;
    this.server = server;
    this.registry = join(server.folder, "registry.db");
  }

  /** It has run and has given two ids away: 1002 and 1003, since the tests' server has one for itself. A copy of the registry from before the second one is kept. */
  static async make(scope: Scope): Promise<Guarded> {
    const guarded = new Guarded(scope, await ServerProcess.init(scope));
    await guarded.server.start();
    await guarded.mayJoin();
    await guarded.register();
    await guarded.server.daemon.stop();
    copyFileSync(guarded.registry, guarded.backup);
    await guarded.server.start();
    await guarded.register();
    assert.deepEqual(guarded.given.map(({ id }) => id), ["1002", "1003"]);
    return guarded;
  }

  get backup(): string {
    return `${this.registry}.backup`;
  }

  /** A join code for as many clients as there may be. */
  async mayJoin(): Promise<void> {
    this.#code = await this.server.joinCode(100);
  }

  /** A new client registers, which has to succeed, and is given what nobody ever had. */
  async register(servicePort = 9): Promise<ClientProcess> {
    const client = await new ClientProcess(this.#scope).register(this.#code, servicePort);
    const { id, port } = client;
    assert.deepEqual(this.given.filter((one) => one.id === id || one.port === port), [], "given away twice");
    this.given.push({ id, port });
    return client;
  }

  /** A new client tries to register, which has to be refused. @returns what it was told */
  async refusedRegistration(): Promise<string> {
    const { code, stderr } = await new ClientProcess(this.#scope).tryRegister(this.#code, 9);
    assert.equal(code, 1, stderr);
    return stderr;
  }

  run(...args: string[]) {
    return petit([...args, "-c", this.server.config], { env: { HOME: this.server.folder } });
  }

  runUnprivileged(...args: string[]) {
    const [program, ...words] = [...UNPRIVILEGED as string[], petitExecutable, ...args, "-c", this.server.config];
    return run(program as string, words, { env: { HOME: this.server.folder } });
  }

  /** The server is started, which has to be refused. */
  async refusedStart(): Promise<{ told: string; ms: number }> {
    const begun = performance.now();
    const { code, stderr } = await this.run("server");
    const ms = Math.round(performance.now() - begun);
    assert.equal(code, 1, stderr);
    assert.doesNotMatch(stderr, /internal|fault of petit/);
    return { told: stderr, ms };
  }

  /** Begins anew and starts; the next client is given what nobody ever had. @returns its id */
  async beginAnew(): Promise<string> {
    const { code, stdout, stderr } = await this.run("server", "registry", "begin-anew", "--json");
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as { lastId: string }).lastId, this.given.at(-1)?.id);
    await this.server.start();
    await this.mayJoin();
    return (await this.register()).id;
  }
}

const losses: Record<string, [lose: (file: string) => void, told: RegExp]> = {
  lost: [(file) => rmSync(file), /is gone, and ids up to 1003 have been given away/],
  emptied: [(file) => truncateSync(file), /is empty, and ids up to 1003 have been given away/],
  "cut to half": [(file) => truncateSync(file, statSync(file).size / 2), /malformed|damaged/],
  "overwritten with garbage": [
    (file) => writeFileSync(file, Buffer.alloc(statSync(file).size, "garbage ")),
    /not a database/,
  ],
};
for (const [what, [lose, wanted]] of Object.entries(losses)) {
  test(`registry ${what}: refused, and after beginning anew no id is given away twice`, SLOW, async (t) => {
    const guarded = await Guarded.make(t);
    await guarded.server.daemon.stop();
    lose(guarded.registry);
    const { told, ms } = await guarded.refusedStart();
    assert.match(told, wanted);
    assert.match(told, /registry\.db/);
    assert.match(told, /backup.*"petit server registry begin-anew"/);
    // Commands beside it make no registry either.
    for (const args of [["server", "join"], ["server", "addalias", "1002", "db.example.com"]]) {
      assert.match((await guarded.run(...args)).stderr, wanted);
    }
    const next = await guarded.beginAnew();
    assert.equal(next, "1004");
    console.log(`registry ${what}: refused in ${ms} ms, next id after begin-anew ${next}`);
  });

  test(
    `registry ${what} while the server runs: callers are served, nothing is acknowledged and lost`,
    SLOW,
    async (t) => {
      const guarded = await Guarded.make(t);
      const service = new AnsweringService(head("HTTP/1.1 200 OK", "Content-Length: 0"));
      const client = await (await guarded.register((await startService(t, service.accept)).port)).start();
      lose(guarded.registry);
      const call = async () => {
        const answer = await exchange(guarded.server.proxyPort, head("GET / HTTP/1.0", `Host: ${client.id}`));
        assert.match(answer, /^HTTP\/1\.1 200 /);
      };
      await call();
      const told = await guarded.refusedRegistration();
      assert.match(told, /cannot write its registry/);
      assert.doesNotMatch(told, /registry\.db/, "paths of the server are none of the client's business");
      await guarded.server.daemon.logged(({ level, code }) => level === "error" && /^registry-/.test(String(code)));
      // Its tunnel may go and come back meanwhile.
      await client.daemon.stop();
      await client.start();
      await call();
      await client.daemon.stop();
      await guarded.server.daemon.stop();
      const { ms } = await guarded.refusedStart();
      const next = await guarded.beginAnew();
      assert.equal(next, "1005");
      console.log(
        `registry ${what} while the server runs: served on; then refused in ${ms} ms, next id after begin-anew ${next}`,
      );
    },
  );
}

test(
  "an older backup of the registry: the server goes on after the last id, and says which are missing",
  SLOW,
  async (t) => {
    const guarded = await Guarded.make(t);
    await guarded.server.daemon.stop();
    copyFileSync(guarded.backup, guarded.registry);
    await guarded.server.start();
    const older = ({ code }: { code?: unknown }) => code === "registry-older";
    const line = await guarded.server.daemon.logged(older);
    assert.match(line.msg, /id 1003 is missing/);
    assert.equal(line.level, "error");
    const { id } = await guarded.register();
    assert.equal(id, "1004");
    await guarded.server.daemon.stop();
    await guarded.server.start();
    assert.deepEqual(guarded.server.daemon.log.filter(older), [], "it is said once");
    console.log(`registry replaced by an older backup: mended at the start, next id ${id}`);
  },
);

test(
  "an older backup put in place while the server runs: registrations are refused until it is restarted",
  SLOW,
  async (t) => {
    const guarded = await Guarded.make(t);
    renameSync(guarded.backup, guarded.registry);
    await guarded.server.daemon.logged(({ msg }) => /was replaced by another file/.test(msg));
    assert.match(await guarded.refusedRegistration(), /cannot write its registry/);
    await guarded.server.daemon.stop();
    for (const journal of ["-wal", "-shm"]) rmSync(guarded.registry + journal, { force: true });
    await guarded.server.start();
    await guarded.mayJoin();
    const { id } = await guarded.register();
    assert.equal(id, "1004");
    console.log(
      `registry replaced by an older backup while the server runs: refused until it was restarted, next id ${id}`,
    );
  },
);

test(
  "an older backup beside the journal that a killed server has left: nothing is given away twice",
  SLOW,
  async (t) => {
    const guarded = await Guarded.make(t);
    await guarded.register();
    await guarded.server.kill();
    copyFileSync(guarded.backup, guarded.registry);
    const { code } = await guarded.run("server", "join");
    let how = "mended at the start";
    if (code === 0) await guarded.server.start();
    else {
      how = "refused";
      await guarded.beginAnew();
    }
    await guarded.mayJoin();
    const { id } = await guarded.register();
    console.log(`registry replaced by an older backup after kill -9, its journal left: ${how}, next id ${id}`);
  },
);

test("a registry that cannot be written: refused at the start; served on while the server runs", SLOW, async (t) => {
  if (UNPRIVILEGED === undefined) {
    return t.skip("this user may write everything, and there is no setpriv to change that");
  }
  const guarded = await Guarded.make(t);
  const { server, registry } = guarded;
  await server.daemon.stop();
  server.launcher = UNPRIVILEGED;
  await server.start();
  const service = new AnsweringService(head("HTTP/1.1 200 OK", "Content-Length: 0"));
  const client = await (await guarded.register((await startService(t, service.accept)).port)).start();
  chmodSync(registry, 0o400);
  chmodSync(server.folder, 0o500);
  assert.match(await guarded.refusedRegistration(), /cannot write its registry/);
  const line = await server.daemon.logged(({ code }) => code === "state-unwritable");
  assert.match(line.msg, /registry\.db\.highest.*permission denied/i);
  await client.daemon.stop();
  configure(client.config, { "client.vitae.bundle": "another" });
  await client.start();
  assert.match(await exchange(server.proxyPort, head("GET / HTTP/1.0", `Host: ${client.id}`)), /^HTTP\/1\.1 200 /);
  chmodSync(registry, 0o600);
  chmodSync(server.folder, 0o700);
  const { id } = await guarded.register();
  assert.equal(id, "1005", "what was refused has used nothing up");
  await client.daemon.stop();
  await server.daemon.stop();

  const refusals: number[] = [];
  for (const [what, mode] of [[registry, 0o400], [server.folder, 0o500]] as const) {
    const before = statSync(what).mode;
    chmodSync(what, mode);
    const begun = performance.now();
    const { code, stderr } = await guarded.runUnprivileged("server");
    refusals.push(Math.round(performance.now() - begun));
    chmodSync(what, before);
    assert.equal(code, 1, stderr);
    assert.match(stderr, what === registry ? /registry\.db.*\n?.*this user may write/s : /Cannot|permission/i);
  }
  console.log(`registry not writable: served on, next id ${id}; at the start refused in ${refusals.join(" and ")} ms`);
});

test(
  "a full disk: callers and returning clients are served, registrations refused, and no id is used up",
  SLOW,
  async (t) => {
    const disk = SmallDisk.mount(t);
    if (disk === undefined) return t.skip("only root may mount a small disk, and only on Linux");
    const guarded = await Guarded.make(t);
    const { server, registry } = guarded;
    await server.daemon.stop();
    const moved = join(disk.folder, "registry.db");
    for (const suffix of ["", ".highest"]) copyFileSync(registry + suffix, moved + suffix);
    configure(server.config, { "server.registryUrl": `sqlite:${moved}` });
    await server.start();
    const service = new AnsweringService(head("HTTP/1.1 200 OK", "Content-Length: 0"));
    const client = await (await guarded.register((await startService(t, service.accept)).port)).start();
    disk.fill();
    for (let time = 0; time < 3; time++) {
      assert.match(await guarded.refusedRegistration(), /cannot write its registry/);
    }
    const line = await server.daemon.logged(({ level, msg }) => level === "error" && /A client was refused/.test(msg));
    assert.match(String(line["hint"]), /room/);
    await client.daemon.stop();
    configure(client.config, { "client.vitae.bundle": "another" });
    await client.start();
    assert.match(await exchange(server.proxyPort, head("GET / HTTP/1.0", `Host: ${client.id}`)), /^HTTP\/1\.1 200 /);
    await server.daemon.logged(({ level, msg }) => level === "error" && /tells of itself could not be kept/.test(msg));
    disk.empty();
    const { id } = await guarded.register();
    assert.equal(id, "1005", "what was refused has used nothing up");
    await client.daemon.stop();
    await server.daemon.stop();
    disk.fill();
    const { told, ms } = await guarded.refusedStart();
    assert.match(told, /registry\.db/);
    assert.match(told, /room/);
    console.log(`registry on a full disk: served on, next id ${id}; at the start refused in ${ms} ms`);
  },
);
