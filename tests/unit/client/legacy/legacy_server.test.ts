import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { FirstMeeting } from "../../../../src/client/legacy/first_meeting.ts";
import {
  forgetLegacyServer,
  isFormerFolder,
  mayBePlain,
  readLegacyServer,
  writeLegacyServer,
} from "../../../../src/client/legacy/legacy_server.ts";
import { serverPorts } from "../../../../src/client/legacy/server_ports.ts";
import { KnownHost } from "../../../../src/client/known_host.ts";
import { clientKey, writeRegistration } from "../../../../src/client/state.ts";
import { generateKey } from "../../../../src/tunnel/keys.ts";
import { temporaryFolder } from "../../../world/world.ts";
import { formerFolder } from "./legacy_folder.ts";

const REGISTERED = { first: { id: "4001", port: 11081 } };
const KEY = generateKey("host").publicKey;
const OPENSSH = "SSH-2.0-OpenSSH_9.2p1";
const PETIT = "SSH-2.0-petit_1.0.0";

test("folder of 0.6.x: an RSA key, a registration, no host key, and no work of petit's", (t) => {
  const folder = formerFolder(t, REGISTERED);
  assert.equal(isFormerFolder(folder), true);
  new KnownHost(folder).pin("gw.example.com", 22, KEY);
  assert.equal(isFormerFolder(folder), false);
  assert.equal(isFormerFolder(formerFolder(t, {})), false);

  const own = temporaryFolder(t);
  clientKey(own);
  writeRegistration(own, "default", { registeredId: "1001", registeredPort: 11081, endpoint: "x" });
  assert.equal(isFormerFolder(own), false);
});

test("folder of 0.6.x: a registration that is damaged is one", (t) => {
  const folder = formerFolder(t, REGISTERED);
  writeFileSync(join(folder, "tenants/first/registration"), '{"id":"40');
  assert.equal(isFormerFolder(folder), true);
});

test("first meeting: the host key of the server that lets the key in is taken, once", (t) => {
  const folder = formerFolder(t, REGISTERED);
  // One that refuses the login is not kept.
  assert.equal(new FirstMeeting(folder, "gw", 22).take(generateKey("other").publicKey, OPENSSH), true);
  const meeting = new FirstMeeting(folder, "gw", 2222);
  assert.equal(meeting.take(KEY, OPENSSH), true);
  const told: object[] = [];
  meeting.keep({ warn: (fields: object) => void told.push(fields) } as never);
  assert.deepEqual(told, [{ code: "host-key-trusted", server: "gw:2222", fingerprint: KEY.fingerprint }]);
  new KnownHost(folder).check("gw", 2222, KEY);
  assert.equal(new FirstMeeting(folder, "gw", 2222).take(KEY, OPENSSH), false);
  rmSync(join(folder, "known_hosts"));
  assert.equal(new FirstMeeting(folder, "gw", 2222).take(KEY, OPENSSH), false);
});

test("plain backchannel: only with a server that is not petit's, and that no join code has vouched for", (t) => {
  const meet = (greeting: string) => {
    const folder = formerFolder(t, REGISTERED);
    const meeting = new FirstMeeting(folder, "gw", 22);
    meeting.take(KEY, greeting);
    meeting.keep(undefined);
    return folder;
  };
  assert.equal(mayBePlain(meet(PETIT), "gw"), false);
  const folder = meet(OPENSSH);
  assert.equal(mayBePlain(folder, "gw"), true);
  assert.equal(mayBePlain(folder, "other"), false);
  forgetLegacyServer(folder, "gw");
  assert.equal(mayBePlain(folder, "gw"), false);
  // Its key still looks like one of 0.6.x, and it is no folder of that any more.
  rmSync(join(folder, "known_hosts"));
  assert.equal(isFormerFolder(folder), false);

  const own = temporaryFolder(t);
  clientKey(own);
  assert.equal(mayBePlain(own, "gw"), false);
  writeLegacyServer(own, { host: "gw", plain: true });
  forgetLegacyServer(own, "gw");
  assert.equal(readLegacyServer(own), undefined);
  writeFileSync(join(own, "legacy_server"), '{"plain": true}');
  assert.throws(() => mayBePlain(own, "gw"), { code: "state-damaged", message: /legacy_server/ });
});

test("server ports: a folder of 0.6.x may find its server at sshd's port or at the gateway's, and then keeps to it", (t) => {
  const folder = formerFolder(t, REGISTERED);
  assert.deepEqual(serverPorts({ host: "gw", port: 22 }, folder), [22, 2222]);
  assert.deepEqual(serverPorts({ host: "gw", port: 2222 }, folder), [2222, 22]);
  assert.deepEqual(serverPorts({ host: "gw", port: 8022 }, folder), [8022]);
  const meeting = new FirstMeeting(folder, "gw", 2222);
  meeting.take(KEY, PETIT);
  meeting.keep(undefined);
  assert.deepEqual(serverPorts({ host: "gw", port: 22 }, folder), [2222]);
  assert.deepEqual(serverPorts({ host: "other", port: 22 }, folder), [22]);

  const own = temporaryFolder(t);
  new KnownHost(own).pin("gw", 2222, KEY);
  assert.deepEqual(serverPorts({ host: "gw", port: 22 }, own), [22]);
});
