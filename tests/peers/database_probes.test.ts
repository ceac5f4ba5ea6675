import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { connect } from "../../src/server/probe/connect.ts";
import { converse, type Dialogue } from "../../src/server/probe/converse.ts";
import { mysql } from "../../src/server/probe/mysql.ts";
import { postgresql } from "../../src/server/probe/postgresql.ts";
import type { FullStatus } from "../../src/server/server_status.ts";
import { type Executables, petit, startExecutables } from "../world/executable.ts";
import { eventually } from "../world/eventually.ts";
import { freePort } from "../world/ports.ts";
import { Background, output } from "../world/processes.ts";
import { temporaryFolder } from "../world/world.ts";
import { databaseAccount, giveTo } from "./accounts.ts";
import { startNginx } from "./nginx.ts";
import { peerTest, program } from "./peer_test.ts";
import { channelTo } from "./socket_channel.ts";

/** A database server; `stop` ends it as its operator would. */
interface Database {
  readonly port: number;
  /** What it has said since it was started last. */
  lines(): readonly string[];
  start(): Promise<void>;
  stop(): Promise<unknown>;
}

async function makePostgres(t: TestContext, ...settings: string[]): Promise<Database> {
  const user = await databaseAccount("postgres");
  let server: Background | undefined;
  // A fast shutdown, before the folder goes.
  const stop = async () => await server?.stop("SIGINT");
  t.after(stop);
  const folder = temporaryFolder(t);
  giveTo(user, folder);
  const data = join(folder, "data");
  await output(program("initdb"), ["-D", data, "-U", "owner", "-A", "trust", "--locale=C", "--no-sync"], {
    user,
    cwd: folder,
  });
  const port = await freePort();
  const all = ["listen_addresses=127.0.0.1", `unix_socket_directories=${folder}`, "fsync=off", ...settings];
  const start = async () => {
    const args = ["-D", data, "-p", String(port), ...all.flatMap((setting) => ["-c", setting])];
    server = new Background(program("postgres"), args, { user, cwd: folder });
    await server.line((line) => line.includes("ready to accept connections"));
  };
  await start();
  return { port, lines: () => server?.lines ?? [], start, stop };
}

async function makeMariadb(
  t: TestContext,
  ...settings: string[]
): Promise<Database & { sql(text: string): Promise<string> }> {
  const user = await databaseAccount("mysql");
  let server: Background | undefined;
  const stop = async () => await server?.stop();
  t.after(stop);
  const folder = temporaryFolder(t);
  giveTo(user, folder);
  const data = join(folder, "data");
  const socket = join(folder, "socket");
  const options = { user, cwd: folder };
  await output(
    program("mariadb-install-db"),
    ["--no-defaults", `--datadir=${data}`, "--auth-root-authentication-method=normal", "--skip-test-db"],
    options,
  );
  const port = await freePort();
  const own = ["--no-defaults", `--datadir=${data}`, `--socket=${socket}`, `--pid-file=${join(folder, "pid")}`];
  const start = async () => {
    server = new Background(
      program("mariadbd"),
      [...own, "--bind-address=127.0.0.1", `--port=${port}`, ...settings],
      options,
    );
    await server.line((line) => line.includes("ready for connections"));
  };
  await start();
  const sql = (text: string) =>
    output(program("mariadb"), ["--no-defaults", `--socket=${socket}`, "--user=root", "--batch", "-N"], {
      input: text,
    });
  return { port, lines: () => server?.lines ?? [], start, stop, sql };
}

/** What `petit server status ID` tells of the service, which is probed for it. */
async function serviceOf({ server, id }: Executables) {
  const { stdout } = await petit(["server", "status", id, "--json", "-c", server.config]);
  return (JSON.parse(stdout) as FullStatus).lights.service;
}

/** The light of a service follows what it does: up, down, up again. */
async function followed(t: TestContext, database: Database, probe: string, refused: RegExp): Promise<void> {
  const world = await startExecutables(t, database.port, { client: { "client.local.probe": probe } });
  await eventually("green", async () => (await serviceOf(world)).state === "green");
  assert.equal((await serviceOf(world)).by, "probe");
  await database.stop();
  const down = await serviceOf(world);
  assert.deepEqual([down.state, down.code], ["red", "service-refused"]);
  assert.match(down.error as string, refused);
  await database.start();
  await eventually("green again", async () => (await serviceOf(world)).state === "green");
}

peerTest("the light of a PostgreSQL follows it: up, down, up again", ["initdb", "postgres"], async (t) => {
  await followed(t, await makePostgres(t), "postgresql", /^ECONNREFUSED$/);
});

peerTest("the light of a MariaDB follows it: up, down, up again", ["mariadb-install-db", "mariadbd"], async (t) => {
  await followed(t, await makeMariadb(t), "mysql", /^ECONNREFUSED$/);
});

peerTest(
  "probes leave nothing in the log of a PostgreSQL, with TLS or without",
  ["initdb", "postgres", "openssl"],
  async (t) => {
    const folder = temporaryFolder(t);
    const [key, certificate] = [join(folder, "server.key"), join(folder, "server.crt")];
    await output(program("openssl"), [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x"],
      ...["-keyout", key, "-out", certificate],
    ]);
    giveTo(await databaseAccount("postgres"), folder);
    giveTo(await databaseAccount("postgres"), key);
    for (const tls of [["ssl=off"], ["ssl=on", `ssl_key_file=${key}`, `ssl_cert_file=${certificate}`]]) {
      const { port, lines, stop } = await makePostgres(t, ...tls);
      for (const dialogue of [postgresql, connect]) assert.deepEqual(await probed(port, dialogue), { well: true });
      await stop();
      const log = lines();
      const ready = log.findIndex((line) => line.includes("ready to accept connections"));
      const end = log.findIndex((line) => line.includes("fast shutdown request"));
      assert.ok(end > ready, "it has not told of its end");
      assert.deepEqual(log.slice(ready + 1, end), []);
    }
  },
);

/** A probe of the database on `port` from an address of this machine. */
async function probed(port: number, dialogue: () => Dialogue, from = "127.0.0.1") {
  const { channel, gone } = channelTo(port, from);
  const finding = await converse(channel, dialogue());
  await gone;
  return finding;
}

/** Who hangs up on the greeting. */
const rude = (): Dialogue => ({
  wanted: "nothing",
  begin() {},
  received(_, talk) {
    talk.found({ well: true });
    talk.over();
  },
});

peerTest("a MariaDB that blocks whoever hangs up on it does not block for probes", [
  "mariadb-install-db",
  "mariadbd",
  "mariadb",
], async (t) => {
  // The very address 127.0.0.1 is never blocked, its neighbours are.
  const { port, sql } = await makeMariadb(t, "--max-connect-errors=3", "--performance-schema=ON");
  await sql("CREATE USER someone@'%' IDENTIFIED BY 'x'");
  for (let count = 0; count < 10; count++) {
    assert.deepEqual(await probed(port, mysql, "127.0.0.2"), { well: true });
    assert.deepEqual(await probed(port, connect, "127.0.0.2"), { well: true });
  }
  for (let count = 0; count < 3; count++) await probed(port, rude, "127.0.0.3");
  const blocked = await probed(port, mysql, "127.0.0.3");
  assert.equal(blocked.well, false);
  assert.match(
    JSON.stringify(blocked),
    /The MySQL server refuses: Host '127\.0\.0\.3' is blocked because of many .*\(1129\)/,
  );
  const errors = await sql("SELECT ip, sum_connect_errors FROM performance_schema.host_cache ORDER BY ip");
  assert.equal(errors, "127.0.0.2\t0\n127.0.0.3\t3\n");
});

peerTest("a MariaDB without a connection to spare is red in its own words", [
  "mariadb-install-db",
  "mariadbd",
  "mariadb",
], async (t) => {
  const { port, sql } = await makeMariadb(t);
  await sql("SET GLOBAL max_connections = 10");
  // One more than that is let in, for an administrator.
  const held = Array.from({ length: 12 }, () => connectTcp(port, "127.0.0.1"));
  t.after(() => held.forEach((socket) => socket.destroy()));
  await Promise.all(held.map((socket) => new Promise((resolve) => socket.once("data", resolve))));
  await eventually(
    "too many",
    async () => /Too many connections \(1040\)/.test(JSON.stringify(await probed(port, mysql))),
  );
});

peerTest("an nginx is probed by a path, and is red by what it answers", ["nginx", "curl"], async (t) => {
  const nginx = await startNginx(t);
  const world = await startExecutables(t, nginx.port, { client: { "client.local.probe": "/nothing" } });
  await eventually("green", async () => (await serviceOf(world)).state === "green");
  const database = await startExecutables(t, nginx.port, { client: { "client.local.probe": "mysql" } });
  const light = await serviceOf(database);
  assert.deepEqual([light.state, light.code], ["red", "service-silent"]);
  assert.match(light.error as string, /wanted the greeting of a MySQL or MariaDB server$/);
});
