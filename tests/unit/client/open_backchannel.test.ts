import assert from "node:assert/strict";
import test from "node:test";
import { openBackchannel } from "../../../src/client/backchannel.ts";
import { LegacyBackchannel } from "../../../src/client/legacy/legacy_backchannel.ts";
import { writeLegacyServer } from "../../../src/client/legacy/legacy_server.ts";
import { parseConfig } from "../../../src/config/load.ts";
import type { SshClientConnection } from "../../../src/tunnel/ssh_client.ts";
import { type Scope, temporaryFolder } from "../../world/world.ts";

/** A folder whose client was registered with such a server. */
function parts(scope: Scope, plain: boolean | undefined) {
  const folder = temporaryFolder(scope);
  if (plain !== undefined) writeLegacyServer(folder, { host: "gw", plain });
  const { client: config } = parseConfig('[client]\nhost = "gw"\n', `${folder}/config.toml`);
  return { config, folder, holds: false };
}

/** An SSH server that opens no channel, for this reason (RFC 4254, section 5.1). */
function refusing(greeting: string, reason: number): SshClientConnection {
  const cause = Object.assign(new Error("(SSH) Channel open failure: open failed"), { reason });
  const open = () => Promise.reject(new Error("open failed", { cause }));
  return { link: { wire: { greeting } }, open } as unknown as SshClientConnection;
}

const OPENSSH = "SSH-2.0-OpenSSH_9.2p1";
const PETIT = "SSH-2.0-petit_1.0.0";
const PROHIBITED = 1;
const CONNECT_FAILED = 2;

test("a server of 0.6.x has a plain backchannel, where the client was registered in its way", async (t) => {
  const backchannel = await openBackchannel(refusing(OPENSSH, PROHIBITED), parts(t, true));
  assert.ok(backchannel instanceof LegacyBackchannel);
});

for (
  const [which, greeting, reason, plain] of [
    ["petit's gateway, whatever was before", PETIT, PROHIBITED, true],
    ["an sshd behind which petit does not run at the moment", OPENSSH, CONNECT_FAILED, true],
    ["a server that a join code has vouched for", OPENSSH, PROHIBITED, undefined],
    ["a petit server that a folder of 0.6.x has found", OPENSSH, PROHIBITED, false],
  ] as const
) {
  test(`nothing goes over a plain backchannel to ${which}`, async (t) => {
    await assert.rejects(openBackchannel(refusing(greeting, reason), parts(t, plain)), { code: "backchannel-refused" });
  });
}
