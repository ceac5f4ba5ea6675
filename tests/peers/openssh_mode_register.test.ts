import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync, rmSync } from "node:fs";
import type { TestContext } from "node:test";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { describeKey } from "../../src/tunnel/keys.ts";
import { ClientProcess } from "../world/executable.ts";
import { freePort } from "../world/ports.ts";
import { temporaryFolder } from "../world/temporary_folder.ts";
import { NEEDS, startOpensshMode } from "./openssh_mode.ts";
import { peerTest } from "./peer_test.ts";
import { makeKey, type PlainWorld, registerKey, sshRegister, TOLD_OPTIONS, usesLeft } from "./plain_ssh.ts";

/** Whoever has no petit, and a server whose tunnels sshd terminates. */
async function makeWorld(
  t: TestContext,
): Promise<PlainWorld & { readonly sshd: { port: number; user: string; hostKeyFile: string } }> {
  const { server, sshd } = await startOpensshMode(t);
  const folder = temporaryFolder(t);
  const { fingerprint: hostKey } = describeKey(Buffer.from(sshd.hostKey.split(" ")[1] as string, "base64"));
  return { server, folder, keyFile: await makeKey(folder, "id"), hostKey, sshd };
}

peerTest(
  "openssh mode: whoever registers without petit is told of sshd, and of what works there",
  [...NEEDS, "ssh"],
  async (t) => {
    const world = await makeWorld(t);
    const { sshd: { port, user }, server, hostKey, keyFile } = world;
    const input = readFileSync(`${keyFile}.pub`);
    const joined = await sshRegister(t, world, await server.joinCode(), "register", { input });
    assert.equal(joined.code, 0, joined.stderr);
    const typed = await server.command("register", "--key", `${keyFile}.pub`, "--local-name", "shop");
    for (const text of [joined.stdout, typed]) {
      const [, reversePort] = /\nReverse port +(\d+)\n/.exec(text) ?? [];
      const forward = `-N -R ${reversePort}:localhost:8080`;
      assert.ok(text.includes(`\nHost key      ${hostKey}\n`), text);
      assert.ok(text.includes(`\n  ssh ${forward} ${TOLD_OPTIONS} -p ${port} ${user}@127.0.0.1\n`), text);
      assert.ok(
        text.includes(`\n  plink -batch ${forward} -P ${port} -hostkey ${hostKey} -i KEY.ppk ${user}@127.0.0.1\n`),
        text,
      );
      assert.doesNotMatch(text, /-R 0|status/, "neither works at sshd");
    }
  },
);

peerTest("openssh mode: where sshd's host keys cannot be read, nothing is registered, and strangers are told no path", [
  ...NEEDS,
  "ssh",
], async (t) => {
  const world = await makeWorld(t);
  const { server, keyFile, sshd } = world;
  const code = await server.joinCode();
  rmSync(`${sshd.hostKeyFile}.pub`);
  const input = readFileSync(`${keyFile}.pub`);
  const joined = await sshRegister(t, world, code, "register", { input });
  assert.deepEqual([joined.code, joined.stdout], [1, ""]);
  assert.match(
    joined.stderr,
    /petit: The server cannot tell at present where clients log in, so nothing was changed; its log says why\n$/,
  );
  assert.ok(!joined.stderr.includes(sshd.hostKeyFile), joined.stderr);
  await assert.rejects(new ClientProcess(t).register(code, await freePort()), (error: Error) => {
    assert.match(error.message, /cannot tell at present where clients log in/);
    return !error.message.includes(sshd.hostKeyFile);
  });
  await assert.rejects(registerKey(world, `${keyFile}.pub`), /Cannot read the public host keys of sshd/);
  const told = server.daemon.log.filter((line) => line.code === "sshd-host-keys-unreadable");
  assert.equal(told.length, 2, "one for each way to ask");
  assert.ok(told.every(({ msg }) => msg.includes(sshd.hostKeyFile)));
  assert.equal(usesLeft(world, code), 1);
  const registry = openRegistry(server.registryUrl);
  t.after(() => registry.close());
  assert.deepEqual(registry.registrations().filter(({ brand }) => brand !== "nobody"), []);
});
