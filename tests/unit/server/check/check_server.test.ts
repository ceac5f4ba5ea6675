import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { parseConfig } from "../../../../src/config/load.ts";
import { checkServer } from "../../../../src/server/check/check_server.ts";
import { FIRST } from "../../../world/certificates.ts";
import { freePort } from "../../../world/ports.ts";
import { type Scope, temporaryFolder } from "../../../world/temporary_folder.ts";

/** What a check of a server finds that is set up with these lines; its other ports are free. */
async function check(scope: Scope, lines: string, ssh = "") {
  const folder = temporaryFolder(scope);
  const text =
    `[server]\nproxyPort = ${await freePort()}\n${lines}\n[server.ssh]\nport = ${await freePort()}\n${ssh}\n`;
  const { server } = parseConfig(text, join(folder, "config.toml"));
  const found = async () => {
    const items = await checkServer(server, [], false);
    return Object.fromEntries(items.map((item) => [item.name, item]));
  };
  return { folder, found };
}

/** A port that another program has, on one address of this machine. */
async function occupied(scope: Scope, host: string): Promise<number> {
  const port = await freePort();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(port, host, resolve));
  scope.after(() => other.close());
  return port;
}

test("check: the port of the plain backchannel is looked at where it is opened, on the address where it is", async (t) => {
  const port = await occupied(t, "127.0.0.1");
  const state = async (lines: string, ssh?: string) => {
    const { found } = await check(t, `backPort = ${port}\n${lines}`, ssh);
    return (await found())["backPort"]?.state;
  };
  assert.equal(await state(""), undefined);
  assert.equal(await state("legacyBackchannel = true"), "failed");
  assert.equal(await state('legacyBackchannel = true\nbackHost = "127.0.0.2"'), "ok");
  assert.equal(await state("", 'mode = "openssh"'), "failed");
});

test("check: the HTTPS proxy's port is looked at where there are certificates", async (t) => {
  const { folder, found } = await check(
    t,
    `secureProxyPort = ${await occupied(t, "127.0.0.1")}\nsecureProxyHost = "127.0.0.1"`,
  );
  assert.equal((await found())["secureProxyPort"], undefined);
  mkdirSync(join(folder, "certificates"));
  writeFileSync(join(folder, "certificates", "server.crt"), FIRST.cert);
  writeFileSync(join(folder, "certificates", "server.key"), FIRST.key, { mode: 0o600 });
  assert.equal((await found())["secureProxyPort"]?.state, "failed");
});

for (
  const [lines, state] of [
    ["", "ok"],
    ["legacyBackchannel = true", "ok"],
    ['backHost = "::"', "ok"],
    ['backHost = "127.0.0.1"\nlegacyBackchannel = true', "ok"],
    ['backHost = "192.0.2.1"', "failed"],
    ['backHost = "127.0.0.2"', "failed"],
  ] as const
) {
  test(`check: in openssh mode the backchannel is where sshd lets clients through to: ${JSON.stringify(lines)}`, async (t) => {
    const { found } = await check(t, lines, 'mode = "openssh"');
    const item = (await found())["backHost"];
    assert.equal(item?.state, state);
    if (state === "failed") {
      assert.match(item?.detail ?? "", /^\[server\] backHost is ".*", and sshd lets .* localhost only/);
    }
  });
}
