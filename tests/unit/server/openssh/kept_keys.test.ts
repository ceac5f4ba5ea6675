import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync, renameSync, symlinkSync, unlinkSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import pino from "pino";
import { server } from "../../../../src/config/server_settings.ts";
import { OnceAMinute } from "../../../../src/observe/once_a_minute.ts";
import { KeptKeys } from "../../../../src/server/openssh/kept_keys.ts";
import type { Routes } from "../../../../src/server/routes.ts";
import { publicKeyOf } from "../../../../src/tunnel/keys.ts";
import { eventually } from "../../../world/eventually.ts";
import { temporaryFolder } from "../../../world/temporary_folder.ts";

const ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGdBt9E8f4j7Waq6CfVG/2Z1nI9j+WNPMb7CWegWfAuP";

interface Kept {
  readonly id: string;
  readonly port: number;
  readonly key: string;
  readonly legacy?: boolean;
}

/** The keys of registrations that can be changed, kept in a file, and what was logged of them. */
function keepKeys(t: TestContext, registrations: Kept[]) {
  const log: { code?: string; level: string; ids?: string[]; count?: number; msg: string }[] = [];
  const file = join(temporaryFolder(t), "authorized_keys");
  const { uid, gid, username: name, homedir: home } = userInfo();
  const config = server.parse({});
  const keys = new KeptKeys({
    config,
    account: { name, uid, gid, home, authorizedKeys: file },
    routes: {
      get all() {
        return registrations.map((registration) => ({ fingerprint: registration.key, ...registration }));
      },
    } as unknown as Routes,
    log: pino({ formatters: { level: (level) => ({ level }) } }, { write: (line) => void log.push(JSON.parse(line)) }),
    noise: new OnceAMinute(),
  });
  t.after(() => keys.stop());
  const lines = () => existsSync(file) ? readFileSync(file, "latin1").split("\n").slice(0, -1) : [];
  return { keys, file, log, lines, config };
}

test("kept keys: an RSA key that can be broken is left out, and told of; others are not", (t) => {
  const rsa = (modulusLength: number) => {
    const { privateKey } = generateKeyPairSync("rsa", {
      modulusLength,
      privateKeyEncoding: { type: "pkcs1", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    return publicKeyOf(privateKey).line;
  };
  const [short, long] = [rsa(1024), rsa(2048)];
  const { keys, log, lines } = keepKeys(t, [
    ...[short, long, ED25519].map((key, at) => ({ id: String(1001 + at), port: 11081 + at, key })),
  ]);
  keys.start();
  assert.deepEqual(lines().map((line) => line.split(" ").at(-1)), ["petit:1002", "petit:1003"]);
  assert.deepEqual(log.filter(({ code }) => code === "key-unsound").map(({ ids }) => ids), [["1001"]]);
});

test("kept keys: the ports of sshd, of petit and of the system are nobody's, and a key without another port has no line", (t) => {
  const registrations: Kept[] = [];
  const { keys, log, lines, config } = keepKeys(t, registrations);
  const { ssh: { sshdPort, port }, proxyPort, backPort } = config;
  registrations.push(
    ...[sshdPort, port, proxyPort, backPort, 443].map((port, at) => ({ id: `${at + 1}`, port, key: ED25519 })),
  );
  keys.start();
  assert.deepEqual(lines(), []);
  assert.deepEqual(log.filter(({ code }) => code === "port-reserved").map(({ count }) => count), [5]);
  registrations.push({ id: "9", port: 11081, key: ED25519 });
  keys.follow();
  assert.match(lines().join(), /,permitlisten="127\.0\.0\.1:11081",.* petit:9$/);
  assert.equal(lines().join().match(/permitlisten/g)?.length, 3);
});

test("kept keys: no line has more than sshd takes, and the line of a key with thousands is known again and taken away", (t) => {
  const registrations: Kept[] = Array.from(
    { length: 6000 },
    (_, at) => ({ id: String(1001 + at), port: 11081 + at, key: ED25519, legacy: at % 2 === 0 }),
  );
  const { keys, log, lines } = keepKeys(t, registrations);
  keys.start();
  const [line = "", ...others] = lines();
  assert.deepEqual(others, []);
  const count = line.match(/permitlisten/g)?.length as number;
  assert.ok(count > 4090 && count <= 4096, `${count}`);
  const [told] = log.filter(({ code }) => code === "key-line-full");
  assert.equal(told?.count, 6000 - (line.split(" petit:").at(-1) as string).split(",").length);
  registrations.splice(0, 1);
  keys.follow();
  assert.equal(lines().length, 1);
  registrations.length = 0;
  keys.follow();
  assert.deepEqual(lines(), []);
});

test("kept keys: a file that cannot be looked at any more is told of by its code, and kept again when it can", async (t) => {
  const { keys, file, log, lines } = keepKeys(t, [{ id: "1001", port: 11081, key: ED25519 }]);
  keys.start();
  renameSync(file, `${file}.away`);
  symlinkSync(file, file);
  await eventually(
    "it is told",
    () => log.some(({ code, level }) => code === "authorized-keys-unusable" && level === "error"),
  );
  unlinkSync(file);
  await eventually("it is kept again", () => lines().length === 1);
});
