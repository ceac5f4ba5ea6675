import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openRegistry } from "../../src/registry/open_registry.ts";
import type { Registration } from "../../src/registry/registry.ts";
import { legacyKey, SOME_KEY } from "../unit/registry/legacy_file.ts";
import { petit } from "../world/executable.ts";
import { type Finished, output, type RunOptions } from "../world/processes.ts";
import { temporaryFolder } from "../world/temporary_folder.ts";
import { peerTest, program } from "./peer_test.ts";
import { FORMER_SERVER, formerProgram } from "./former.ts";
import { FormerClient, type FormerRegistration } from "./former_client.ts";
import { FormerServer } from "./former_server.ts";
import { type Redis, startRedis } from "./redis.ts";

const NEEDS = ["redis-server", "redis-cli"];

/** A server's folder, its command line, and what is registered there. */
async function newServer(t: TestContext) {
  const folder = temporaryFolder(t);
  const config = join(folder, "config.toml");
  const run = (words: string[], options: RunOptions = {}): Promise<Finished> =>
    petit(["server", ...words, "-c", config], { env: { HOME: folder }, ...options });
  assert.equal((await run(["init"])).code, 0);
  const registered = (): Registration[] => {
    const registry = openRegistry(`sqlite:${join(folder, "registry.db")}`);
    try {
      return registry.registrations();
    } finally {
      registry.close();
    }
  };
  return { folder, config, run, registered, import: (...words: string[]) => run(["import", ...words]) };
}

/** Runs commands, a line each. Rejects where one of them fails. */
const send = ({ port }: Redis, lines: readonly string[]) =>
  output(program("redis-cli"), ["-e", "-p", String(port)], { input: `${lines.join("\n")}\n` });

/** A word as redis-cli reads it. */
const quoted = (text: string): string => JSON.stringify(text);

/** The commands by which a server of 0.6.34 registers. */
const registration = (id: string, port: string, key: string, vitae?: string): string[] => [
  `SET g2c/ids/${id}/port ${port}`,
  `SETNX g2c/ports/${port} ${id}`,
  `SET g2c/ids/${id}/key ${quoted(key)}`,
  `SADD g2c/allids ${id}`,
  ...(vitae === undefined ? [] : [`SET g2c/ids/${id}/vitae ${quoted(vitae)}`]),
];

/** And those by which it adds an alias: the name of the set has no id in it. */
const alias = (id: string, name: string): string[] => [
  `SADD g2c/ids/{regId}/aliases ${quoted(name)}`,
  `SET g2c/aliases/${name} ${id}`,
];

/** What a Redis holds, whatever it is. */
const everything = (redis: Redis) =>
  output("sh", [
    "-c",
    `${program("redis-cli")} -p ${redis.port} --scan | sort | while read -r key; do echo "$key"; ${
      program("redis-cli")
    } -p ${redis.port} DUMP "$key"; done; ${program("redis-cli")} -p ${redis.port} DBSIZE`,
  ]);

peerTest("import from Redis: ids, ports, keys, aliases and what clients told are those of 0.6", NEEDS, async (t) => {
  const redis = await startRedis(t);
  const [ann, ben] = [legacyKey(), SOME_KEY];
  const vitae = { brand: "acme", hostname: "h", arch: "x64", platform: "win32", release: "10", version: "0.6.34" };
  await send(redis, [
    "SET g2c/max/id 4017",
    "ZADD g2c/openPorts 0 11090 0 11091",
    ...registration("4001", "11081", ann, JSON.stringify(vitae)),
    ...registration("4002", "11085", ann, "no JSON"),
    ...registration("4003", "11086", ben),
    ...alias("4001", "db.example.com"),
    ...alias("4001", "DC.example.com"),
    // As servers before 0.6.34 may have kept it.
    "SADD g2c/ids/4003/aliases old.example.com",
    "SET g2c/aliases/old.example.com 4003",
    `ZADD g2c/registers/acme 1 ${quoted('{"brand":"acme","regId":"4001"}')}`,
    "ZADD g2c/ids/4001/usage 1 {}",
  ]);
  const before = await everything(redis);
  const server = await newServer(t);
  const dry = await server.import(redis.url, "--dry-run");
  assert.deepEqual([dry.code, dry.stdout, dry.stderr], [0, "3 registrations would be taken in\n", ""]);
  assert.deepEqual(server.registered(), []);
  const done = await server.import(redis.url);
  assert.deepEqual([done.code, done.stdout, done.stderr], [0, "3 registrations were taken in\n", ""]);
  const [one, two, three] = server.registered() as [Registration, Registration, Registration];
  assert.deepEqual([one.id, one.port, one.brand, one.vitae], ["4001", 11081, "acme", vitae]);
  assert.deepEqual([...one.aliases].sort(), ["db.example.com", "dc.example.com"]);
  assert.deepEqual([two.id, two.port, two.brand, two.vitae, two.aliases], ["4002", 11085, "ce", null, []]);
  assert.deepEqual([three.id, three.port, three.aliases], ["4003", 11086, ["old.example.com"]]);
  assert.equal(one.fingerprint, two.fingerprint);
  assert.notEqual(one.fingerprint, three.fingerprint);
  const spki = join(server.folder, "ann.pem");
  writeFileSync(spki, ann);
  assert.equal(one.key, (await output("ssh-keygen", ["-i", "-m", "PKCS8", "-f", spki])).trim());
  const again = await server.import(redis.url, "--json");
  assert.deepEqual(JSON.parse(again.stdout), {
    ...{ added: [], known: ["4001", "4002", "4003"], leftOut: [], problems: [], dryRun: false },
  });
  assert.equal(await everything(redis), before, "nothing in Redis has changed");
});

peerTest("import from Redis: what 0.6 could not use either is left out, and said", NEEDS, async (t) => {
  const redis = await startRedis(t);
  await send(redis, [
    "SET g2c/max/id 4020",
    ...registration("4001", "11081", SOME_KEY),
    ...registration("4002", "NaN", SOME_KEY),
    ...registration("4003", "0", SOME_KEY),
    // Unregistered as far as this, when the server was killed.
    "SADD g2c/allids 4004 4005 4006",
    `SET g2c/ids/4005/key ${quoted(SOME_KEY)}`,
    "SET g2c/ids/4006/port 11086",
    // Registered as far as this.
    "SET g2c/ids/4007/port 11087",
    `SET g2c/ids/4007/key ${quoted(SOME_KEY)}`,
    ...alias("4008", "gone.example.com"),
    ...alias("4001", "here.example.com"),
    "SADD g2c/ids/4001/aliases here.example.com only-in-the-set.example.com",
    "SADD g2c/ids/4005/aliases here.example.com",
  ]);
  const server = await newServer(t);
  const { code, stdout, stderr } = await server.import(redis.url, "--json");
  assert.equal(code, 0, stderr);
  const { added, leftOut, problems } = JSON.parse(stdout) as {
    added: string[];
    leftOut: { id: string; reason: string }[];
    problems: unknown[];
  };
  assert.deepEqual([added, problems], [["4001"], []]);
  assert.deepEqual(leftOut.map(({ id, reason }) => `${id} ${reason.split(",")[0]}`), [
    '4002 its port is "NaN"',
    '4003 its port is "0"',
    "4004 it has no key",
    '4005 its alias "here.example.com" led to 4001',
    "4005 its port is missing",
    "4006 it has no key",
    '4008 its alias "gone.example.com" has outlived it',
  ]);
  const [one] = server.registered();
  assert.deepEqual([...one?.aliases ?? []].sort(), ["here.example.com", "only-in-the-set.example.com"]);
  const told = await server.import(redis.url);
  assert.match(told.stderr, /^petit: Left out: 4002: its port is "NaN", which .*register anew$/m);
});

peerTest("import from Redis: where anything is wrong, nothing is taken in", NEEDS, async (t) => {
  const redis = await startRedis(t);
  await send(redis, [
    ...registration("4001", "11081", SOME_KEY),
    ...registration("4002", "11081", SOME_KEY),
    ...registration("4003", "70000", SOME_KEY),
    ...registration("4004", "11084", "no key"),
    ...registration("acme", "11085", SOME_KEY),
    ...registration("4006", "11086", SOME_KEY),
    ...alias("4006", "not_a_name"),
  ]);
  const server = await newServer(t);
  const { code, stderr } = await server.import(redis.url);
  assert.equal(code, 1);
  assert.match(
    stderr,
    new RegExp(`^petit: The Redis at 127\\.0\\.0\\.1:${redis.port} was not taken in, for 5 problems:`),
  );
  for (
    const problem of [
      /^ {2}(4001: the port 11081 belongs to registration 4002|4002: the port 11081 belongs to registration 4001)$/m,
      /^ {2}4003: its port is 70000/m,
      /^ {2}4004: its key cannot be used/m,
      /^ {2}acme: the id "acme" is not a number$/m,
      /^ {2}4006: its alias "not_a_name" is not a host name$/m,
      /Nothing was changed\. Mend it there.*--except/,
    ]
  ) assert.match(stderr, problem);
  assert.deepEqual(server.registered(), []);
  const rest = await server.import(redis.url, "--except", "4002,4003, 4004,acme,4006");
  assert.deepEqual([rest.code, rest.stdout], [0, "Registration 4001 was taken in\n"]);
});

peerTest("import from Redis: many registrations are read in batches", NEEDS, async (t) => {
  const redis = await startRedis(t);
  const count = 3000;
  const ids = Array.from({ length: count }, (_, index) => 4001 + index);
  await send(redis, [
    "SET g2c/max/id 9000",
    ...ids.flatMap((id) => registration(String(id), String(id + 8000), SOME_KEY)),
    ...ids.flatMap((id) => alias(String(id), `a${id}.example.com`)),
  ]);
  const server = await newServer(t);
  const { code, stdout, stderr } = await server.import(redis.url);
  assert.deepEqual([code, stdout], [0, `${count} registrations were taken in\n`], stderr);
  const registered = server.registered();
  assert.deepEqual(registered.map(({ id }) => Number(id)), ids);
  assert.deepEqual(registered.at(-1)?.aliases, [`a${ids.at(-1)}.example.com`]);
});

peerTest(
  "import from Redis: a password is taken from standard input or the config, and never repeated",
  NEEDS,
  async (t) => {
    const redis = await startRedis(t);
    await redis.command("CONFIG", "SET", "requirepass", "s3cret&more");
    const login = "AUTH s3cret&more";
    await send(redis, [login, "SELECT 3", ...registration("4001", "11081", SOME_KEY)]);
    const server = await newServer(t);
    const url = (password: string) => `redis://:${encodeURIComponent(password)}@127.0.0.1:${redis.port}/3`;
    const none = await server.import(`${redis.url}/3`);
    assert.equal(none.code, 1);
    assert.match(
      none.stderr,
      /^petit: The Redis at 127\.0\.0\.1:\d+ cannot be read: it wants a password\n.*"petit server import -"/,
    );
    const wrong = await server.run(["import", "-"], { input: `${url("wr0ng")}\n` });
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /cannot be read: it does not take this password\n/);
    assert.doesNotMatch(wrong.stderr, /wr0ng/);
    const empty = await server.run(["import", "-"], { input: `${url("s3cret&more").replace(/3$/, "4")}\n` });
    assert.match(empty.stderr, /holds no registry of petit 0\.6: "g2c\/allids" is not there\n.*database/);
    assert.deepEqual(server.registered(), []);
    const typed = await server.run(["import", "-", "--dry-run"], { input: `${url("s3cret&more")}\n` });
    assert.equal(typed.stdout, "Registration 4001 would be taken in\n", typed.stderr);

    const text = readFileSync(server.config, "utf8");
    writeFileSync(
      server.config,
      text.replace(/^registryUrl = .*/m, `registryUrl = ${JSON.stringify(url("s3cret&more"))}`),
    );
    const start = await server.run(["start"]);
    assert.equal(start.code, 2);
    assert.match(start.stderr, /"server\.registryUrl" names a Redis of petit 0\.6.*\n.*"petit server import"/);
    assert.doesNotMatch(start.stderr, /s3cret/);
    const taken = await server.import();
    assert.deepEqual([taken.code, taken.stdout], [0, "Registration 4001 was taken in\n"], taken.stderr);
    const set = await server.run(["config", "server.registryUrl", "sqlite:./registry.db"]);
    assert.equal(set.code, 0, set.stderr);
    const list = await server.run(["unregister", "4001"]);
    assert.match(list.stdout, /^Removed registration 4001: port 11081/, list.stderr);
  },
);

peerTest("import from Redis: keys of another type are a sentence", NEEDS, async (t) => {
  const redis = await startRedis(t);
  await send(redis, ["SET g2c/allids 4001"]);
  const { code, stderr } = await (await newServer(t)).import(redis.url);
  assert.equal(code, 1);
  assert.match(stderr, /^petit: The Redis at .* cannot be read: WRONGTYPE/);
});

peerTest(
  "import from Redis: what a server of 0.6.34 has made there itself",
  [...FORMER_SERVER, "ssh-keygen"],
  async (t) => {
    const former = await (await FormerServer.make(t)).start();
    const [ann, ben] = [await FormerClient.init(t, former.target), await FormerClient.init(t, former.target)];
    const wanted = [await ann.register(8088, "one"), await ann.register(8089, "two"), await ben.register(8090)];
    const [{ id: first }] = wanted as [FormerRegistration, ...FormerRegistration[]];
    await output(formerProgram("petit-server"), ["addalias", first, "db.example.com", "-c", former.config]);
    assert.equal(
      await former.redis.command("EXISTS", `g2c/ids/${first}/aliases`),
      "0\n",
      "it does not put the id into the name",
    );
    await former.stop();

    const server = await newServer(t);
    const { code, stdout, stderr } = await server.import(former.redis.url);
    assert.deepEqual([code, stdout, stderr], [0, "3 registrations were taken in\n", ""]);
    const registered = server.registered();
    assert.deepEqual(registered.map(({ id, port }) => ({ id, port: Number(port) })), wanted);
    assert.deepEqual(registered.map(({ aliases }) => aliases), [["db.example.com"], [], []]);
    const keys = await Promise.all(
      [ann, ann, ben].map(({ folder }) => output("ssh-keygen", ["-y", "-f", join(folder, "key")])),
    );
    assert.deepEqual(registered.map(({ key }) => key), keys.map((key) => key.trim()));
  },
);
