import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { TenantStatus } from "../../src/client/client_status.ts";
import { FIRST } from "../world/certificates.ts";
import { ClientProcess, petit, ServerProcess } from "../world/executable.ts";
import type { Finished } from "../world/processes.ts";
import { type Scope, temporaryFolder } from "../world/world.ts";

/** A client's folder with a config and a key, and commands on it. */
async function clientFolder(t: Scope) {
  const folder = temporaryFolder(t);
  const config = join(folder, "config.toml");
  const client = (...args: string[]): Promise<Finished> =>
    petit(["client", ...args, "-c", config], { env: { HOME: folder } });
  assert.equal((await client("init")).code, 0);
  const tenants = async () => JSON.parse((await client("tenants", "--json")).stdout) as TenantStatus[];
  return { folder, config, client, tenants };
}

/** Everything below `tenants/`, to see that a command has touched nothing. */
const contentOf = (folder: string) =>
  existsSync(join(folder, "tenants")) ? readdirSync(join(folder, "tenants"), { recursive: true }).sort() : [];

test("lease makes a tenant with the service that was named, and says what to do next", async (t) => {
  const { folder, client } = await clientFolder(t);
  const { code, stdout } = await client("lease", "-t", "shop", "-l", "shop.lan", "-p", "8443", "-s");
  assert.equal(code, 0);
  assert.match(stdout, /Service {2}shop\.lan:8443, TLS verified\n/);
  assert.match(stdout, /Next: "petit client register -t shop/);
  const ca = join(folder, "ca.pem");
  writeFileSync(ca, FIRST.cert);
  const second = await client("lease", "-p", "8444", "-s", "--ca", ca, "--json");
  assert.deepEqual(JSON.parse(second.stdout), {
    tenant: "2",
    index: 2,
    dir: join(folder, "tenants", "2"),
    local: { host: "localhost", port: 8444, tls: true, tlsVerify: true, tlsCa: ca, probe: "connect" },
    registration: null,
    daemon: "not running",
  });
});

test("lease, evict and the like: what is wrong is told with the exit code of it, and nothing is touched", async (t) => {
  const { folder, client } = await clientFolder(t);
  await client("lease", "-t", "shop");
  writeFileSync(join(folder, "no.pem"), "nothing");
  const before = contentOf(folder);
  for (
    const [exit, told, ...args] of [
      [2, /"\.\.\/x" cannot name a tenant/, "lease", "-t", "../x"],
      [2, /"nul\.txt" cannot name a tenant: Windows/, "lease", "-t", "nul.txt"],
      [1, /There is a tenant "shop" already/, "lease", "-t", "shop"],
      [1, /There is a tenant "SHOP" already/, "lease", "-t", "SHOP"],
      [2, /"0" is not a port/, "lease", "-p", "0"],
      [2, /"a:1" is not a host/, "lease", "-l", "a:1"],
      [2, /--insecure is about the certificate/, "lease", "--insecure"],
      [2, /holds no certificate/, "lease", "-s", "--ca", join(folder, "no.pem")],
      [2, /Cannot read the certificates/, "lease", "-s", "--ca", join(folder, "gone.pem")],
      [2, /exclude each other/, "lease", "-s", "--insecure", "--ca", join(folder, "no.pem")],
      [2, /"petit-x" stands alone/, "lease", "petit-x"],
      [2, /This is not a join code/, "lease", "-t", "b", "--register", "petit-x"],
      [2, /Wanted: the name of a tenant/, "evict"],
      [2, /There is no tenant "b"/, "evict", "b"],
      [2, /cannot name a tenant/, "evict", "../shop"],
      [2, /There is no tenant "b"/, "register", "-t", "b"],
      [2, /A join code is needed/, "register", "-t", "shop"],
      [2, /--local is for the tenant "default"/, "register", "-t", "shop", "--local", "a:1"],
      [2, /exactly one of/, "unregister"],
      [2, /exactly one of/, "unregister", "-a", "-t", "shop"],
      [1, /has no registration "77"/, "unregister", "-r", "77"],
      [1, /"shop" is not registered/, "unregister", "-t", "shop"],
      [2, /There is no tenant "b"/, "config", "-t", "b"],
      [2, /There is no setting "prot"[^]*Did you mean "port"/, "config", "-t", "shop", "prot"],
      [2, /"local\.port" is "x"/, "config", "-t", "shop", "port", "x"],
      [2, /"client\.local\.port" is 70000/, "config", "local.port", "70000"],
    ] as const
  ) {
    const { code, stderr, stdout } = await client(...args);
    assert.match(stderr, told, args.join(" "));
    assert.equal(code, exit, `${args.join(" ")}: ${stderr}`);
    assert.equal(stdout, "", args.join(" "));
  }
  assert.deepEqual(contentOf(folder), before);
});

test("register, unregister and evict, typed one after the other", async (t) => {
  const server = await (await ServerProcess.init(t)).start();
  const code = await server.joinCode(9);
  const { folder, client, tenants } = await clientFolder(t);
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await client(...args, "--json");
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const { id, port, endpoint, server: there } = await json("register", code);
  assert.deepEqual(there, { host: "127.0.0.1", port: server.sshPort });
  const { registration } = await json("lease", "-t", "shop", "-p", "9", "--register", code);
  const [first, shop] = await tenants();
  assert.deepEqual([first?.tenant, first?.id, first?.port, first?.endpoint], ["default", id, port, endpoint]);
  assert.deepEqual([shop?.tenant, shop?.id, shop?.served], ["shop", registration.id, false]);
  assert.match(
    (await client("tenants")).stdout,
    /^TENANT +ID +PORT +ENDPOINT +LOCAL +CLIENT +TUNNEL +SERVICE +STATE\ndefault +\d+ .* down +- +- +registered\n/,
  );

  assert.deepEqual(await json("unregister", "-r", registration.id), {
    unregistered: [{ tenant: "shop", id: registration.id, port: registration.port, server: "unregistered" }],
    daemon: "not running",
  });
  const preferred = JSON.parse(readFileSync(join(folder, "tenants/shop/preferred"), "utf8"));
  assert.deepEqual(preferred, { id: registration.id, port: registration.port });
  assert.equal((await json("register", code, "-t", "shop")).id, registration.id);
  assert.equal((await json("evict", "shop")).registration.server, "unregistered");
  assert.deepEqual((await tenants()).map(({ tenant }) => tenant), ["default"]);

  await server.daemon.stop();
  for (const args of [["unregister", "-a"], ["evict", "default"]]) {
    const { code, stderr } = await client(...args);
    assert.equal(code, 1);
    assert.match(stderr, /nothing was changed[^]*--force/);
  }
  assert.equal((await tenants())[0]?.id, id);
  assert.deepEqual((await json("unregister", "-a", "--force")).unregistered[0].server, "not told");
  assert.equal((await tenants())[0]?.id, null);
  assert.deepEqual((await json("unregister", "-a")).unregistered, []);
});

test("config shows what is in force, one value, and sets it", async (t) => {
  const { client, config } = await clientFolder(t);
  assert.match((await client("config")).stdout, /^\[client\]\nhost = "localhost"\nport = 2222\n/);
  assert.equal((await client("config", "vitae.brand")).stdout, "ce\n");
  assert.equal((await client("config", "client.connectTimeout", "--json")).stdout, '"15s"\n');
  writeFileSync(config, `# mine\n${readFileSync(config, "utf8")}`);
  assert.deepEqual(JSON.parse((await client("config", "reconnectDelayMax", "1m", "--json")).stdout), {
    key: "client.reconnectDelayMax",
    value: "1m",
    before: "30s",
    daemon: "not running",
    restartNeeded: [],
  });
  assert.match(readFileSync(config, "utf8"), /^# mine\n[^]*\nreconnectDelayMax = "1m"\n/);
  await client("lease", "-t", "shop", "-p", "9000");
  assert.equal((await client("config", "-t", "shop", "tls", "true")).stdout, "local.tls = true\n");
  const { local } = JSON.parse((await client("config", "-t", "shop", "--json")).stdout);
  assert.deepEqual([local.port, local.tls, local.tlsVerify], [9000, true, true]);
  assert.equal(
    (await client("config", "-t", "shop", "allow.methods", "GET,HEAD")).stdout,
    'allow.methods = ["GET","HEAD"]\n',
  );
  assert.equal((await client("config", "-t", "shop", "allow.paths", "api")).code, 2);
  assert.deepEqual(JSON.parse((await client("config", "-t", "shop", "--json")).stdout).allow, {
    methods: ["GET", "HEAD"],
    paths: ["*"],
  });
  assert.equal((await client("config", "allow.methods")).stdout, "*\n");
  assert.equal((await client("config", "-t", "default", "port", "5432")).code, 0);
  assert.equal((await client("config", "local.port")).stdout, "5432\n");
});

test("a running server takes up what config sets, and says what has to wait", async (t) => {
  const server = await (await ServerProcess.init(t)).start();
  const config = (...args: string[]) =>
    petit(["server", "config", ...args, "--json", "-c", server.config], { env: { HOME: server.folder } });
  const { before, ...rest } = JSON.parse((await config("trustedProxies", "10.0.0.0/8,192.0.2.1")).stdout);
  assert.deepEqual(before, []);
  assert.deepEqual(rest, {
    key: "server.trustedProxies",
    value: ["10.0.0.0/8", "192.0.2.1"],
    daemon: "reloaded",
    restartNeeded: [],
  });
  assert.deepEqual(JSON.parse((await config("ssh.loginGraceTime", "10s")).stdout).restartNeeded, [
    "server.ssh.loginGraceTime",
  ]);
  for (
    const [name, value, told] of [["idelTimeout", "5s", /Did you mean "idleTimeout"/], [
      "idleTimeout",
      "5",
      /a unit/,
    ]] as const
  ) {
    const { code, stderr } = await config(name, value);
    assert.equal(code, 2);
    assert.match(stderr, told);
  }
});

test("a running client serves at once what is leased, and no longer what is evicted", async (t) => {
  const server = await (await ServerProcess.init(t)).start();
  const code = await server.joinCode(2);
  const daemon = await (await new ClientProcess(t).register(code, 9)).start();
  const client = (...args: string[]) =>
    petit(["client", ...args, "-c", daemon.config], { env: { HOME: daemon.folder } });
  const leased = JSON.parse((await client("lease", "-t", "shop", "--register", code, "--json")).stdout);
  assert.equal(leased.daemon, "reloaded");
  const served = async () =>
    (JSON.parse((await client("tenants", "--json")).stdout) as TenantStatus[]).map((one) => one.served);
  assert.deepEqual(await served(), [true, true]);
  assert.match((await client("tenants")).stdout, /\nshop .* served\n/);
  assert.equal(JSON.parse((await client("evict", "shop", "--json")).stdout).daemon, "reloaded");
  assert.deepEqual(await served(), [true]);
  mkdirSync(join(daemon.folder, "tenants/broken"));
  writeFileSync(join(daemon.folder, "tenants/broken/config.toml"), "[local\n");
  const { stderr, code: exit } = await client("config", "reconnectDelayMax", "40s");
  assert.match(stderr, /The running client has not taken this up yet: .*broken\/config\.toml:2:1/);
  assert.equal(exit, 0);
});
