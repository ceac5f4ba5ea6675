import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { basic, echoHead } from "../world/access.ts";
import { eventually } from "../world/eventually.ts";
import { type Executables, petit, startExecutables } from "../world/executable.ts";
import type { Finished } from "../world/processes.ts";
import { exchange, head, statusOf } from "../world/raw_http.ts";
import { type Scope, startService } from "../world/world.ts";

interface World extends Executables {
  /** Runs `petit server access …`. */
  access(args: string[], input?: string): Promise<Finished>;
  /** The status of the answer to a request with these fields. */
  status(...lines: string[]): Promise<number>;
}

async function newWorld(scope: Scope, settings: Record<string, string> = {}): Promise<World> {
  const service = await startService(scope, echoHead);
  const world = await startExecutables(scope, service.port, { server: settings });
  return {
    ...world,
    access: (args, input) =>
      petit(["server", "access", ...args, "-c", world.server.config], input === undefined ? {} : { input }),
    status: async (...lines) =>
      statusOf(
        await exchange(world.proxyPort, head("GET / HTTP/1.1", `Host: ${world.host}`, "Connection: close", ...lines)),
      ),
  };
}

const good = ({ code, stdout, stderr }: Finished): string => {
  assert.equal(code, 0, stderr);
  return stdout;
};

test("an operator guards a registration, gives out a token and takes it back, beside a server that runs", async (t) => {
  const { access, status, id, server } = await newWorld(t, { "server.accessLog": "json" });
  assert.equal(await status(), 200);
  const set = await access(["set", id, "--require", "bearer"]);
  assert.equal(good(set), `Who may call ${id}: bearer (0)\n`);
  assert.equal(set.stderr, `Nobody has a credential for it yet: petit server access grant ${id} --bearer\n`);
  await eventually("nobody is let in", async () => await status() === 401);
  const granted = await access(["grant", id, "--bearer", "--label", "billing", "--expires", "90d"]);
  const token = good(granted).trim();
  assert.match(token, /^petit_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
  const credential = token.slice(6, 18);
  assert.match(granted.stderr, new RegExp(`of registration ${id} in, until 20.*shown again.*revoke ${credential}\n$`));
  await eventually("the token lets in", async () => await status(`Authorization: Bearer ${token}`) === 200);
  assert.match(good(await access(["list", id])), new RegExp(`\n${credential} +${id} +bearer +- +billing +20.* +20`));
  assert.equal(good(await access(["revoke", credential])), `Revoked the token ${credential} of ${id}\n`);
  await eventually("it lets in no more", async () => await status(`Authorization: Bearer ${token}`) === 401);
  good(await access(["reset", id]));
  await eventually("everybody is let in", async () => await status() === 200);
  const logs = readdirSync(join(server.folder, "logs")).map((name) => readFileSync(join(server.folder, "logs", name)));
  for (const text of [...server.daemon.process.lines, ...logs]) assert.ok(!text.includes(token.slice(19)));
});

test("a user's own password comes on standard input, and is not printed", async (t) => {
  const { access, status, id, server } = await newWorld(t);
  good(await access(["set", id, "--require", "basic"]));
  const { code, stdout, stderr } = await access(["grant", id, "--basic", "ann", "--password-stdin"], "correct horse\n");
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "");
  assert.doesNotMatch(stderr, /correct|Nobody/);
  // Not by asking again and again: wrong passwords are counted.
  const known = (count: number) =>
    eventually(
      "the server knows",
      async () => (await petit(["server", "status", id, "-c", server.config])).stdout.includes(`basic (${count})`),
    );
  await known(1);
  assert.equal(await status(`Authorization: ${basic("ann", "correct horse")}`), 200);
  const { password, user, expires } = JSON.parse(good(await access(["grant", id, "--basic", "bob", "--json"])));
  assert.deepEqual([user, expires], ["bob", null]);
  await known(2);
  assert.equal(await status(`Authorization: ${basic("bob", password)}`), 200);
  const again = await access(["grant", id, "--basic", "bob"]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /There is a user "bob" already/);
});

test("the default is set as other settings are, and what each registration comes to is shown", async (t) => {
  const { access, status, id, server } = await newWorld(t, {});
  good(await petit(["server", "config", "access.require", "bearer", "-c", server.config]));
  await eventually("nobody is let in", async () => await status() === 401);
  const token = good(await access(["grant", "default", "--bearer"])).trim();
  await eventually("the token lets in", async () => await status(`Authorization: Bearer ${token}`) === 200);
  good(await access(["set", id, "--allow", "10.0.0.0/8, 2001:db8::/32", "--raw-allow", "10.1.2.3", "--max-raw", "5"]));
  const rows = JSON.parse(good(await access(["--json"])));
  const line = "10.0.0.0/8, 2001:db8::/32; bearer (1); reverse port: 10.1.2.3";
  assert.deepEqual(rows.map((row: { id: string; access: string }) => [row.id, row.access]), [
    ["default", "bearer (1)"],
    ["1001", "bearer (1)"],
    [id, line],
  ]);
  assert.match(
    good(await access([id])),
    /\nAddresses +10\.0\.0\.0\/8, 2001:db8::\/32\nHas to show +bearer {2}\(default\)\n/,
  );
  await eventually(
    "status tells too",
    async () =>
      (await petit(["server", "status", id, "-c", server.config])).stdout.includes(`Access          ${line}\n`),
  );
});

test("what cannot be right is refused with the value and what is wanted", async (t) => {
  const { access, id } = await newWorld(t);
  const cases: [args: string[], message: RegExp][] = [
    [["set", id], /Nothing to set/],
    [["set", id, "--allow", "10.0.0.0/8,10.0.0.0/99"], /"10\.0\.0\.0\/99" is not a value for --allow\n.*CIDR/],
    [["set", id, "--raw-allow", "localhost"], /"localhost" is not a value for --raw-allow/],
    [["set", id, "--require", "token"], /"token" is not a value for --require\n.*"bearer", "basic" or "certificate"/],
    [["set", id, "--certificates", "sha256:12"], /"sha256:12" is not a value for --certificates\n.*64 hex/],
    [["set", id, "--field", "cookie"], /"cookie" is not a value for --field/],
    [["set", id, "--field", "X-Forwarded-For"], /is not a value for --field/],
    [["set", id, "--strip", "maybe"], /"maybe" is not a value for --strip\n.*"yes" or "no"/],
    [["set", id, "--max-raw", "0"], /"0" is not a value for --max-raw/],
    [["set", "default", "--allow", "any"], /"default" is not an id/],
    [["grant", id], /either --bearer or --basic USER/],
    [["grant", id, "--bearer", "--basic", "ann"], /either --bearer or --basic USER/],
    [["grant", id, "--bearer", "--password-stdin"], /A token is made by petit/],
    [["grant", id, "--basic", "a:b"], /without a colon/],
    [["grant", id, "--basic", "ann", "--expires", "soon"], /"soon" is not a time for --expires/],
    [["grant", "all", "--bearer"], /"all" is not an id\n.*"default"/],
    [["revoke"], /The id of a credential is missing/],
    [["revoke", "petit_0123456789ab_abcdef"], /This is not the id of a credential\n(?!.*abcdef)/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await access(args, "");
    assert.equal(code, 2, `${args.join(" ")}: ${stdout}${stderr}`);
    assert.match(stderr, message, args.join(" "));
  }
  const short = await access(["grant", id, "--basic", "ann", "--password-stdin"], "short");
  assert.equal(short.code, 2);
  assert.doesNotMatch(short.stderr, /short/);
  for (
    const [args, message] of [
      [["4711"], /no registration "4711"/],
      [["set", "4711", "--allow", "any"], /no registration "4711"/],
      [["grant", "4711", "--bearer"], /no registration "4711"/],
      [["list", "4711"], /no registration "4711"/],
      [["revoke", "0123456789ab"], /no credential "0123456789ab"/],
    ] as [string[], RegExp][]
  ) {
    const { code, stderr } = await access(args);
    assert.equal(code, 1, stderr);
    assert.match(stderr, message);
  }
});
