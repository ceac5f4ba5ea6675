import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeJoinCode } from "../../src/tunnel/join_code.ts";
import { output, run } from "../world/processes.ts";
import {
  makeKey,
  makePlainWorld,
  plainOptions,
  registerKey,
  sshRegister,
  TOLD_OPTIONS,
  typing,
  usesLeft,
} from "./plain_ssh.ts";
import { peerTest, program } from "./peer_test.ts";

const publicKey = (file: string) => readFileSync(`${file}.pub`);

peerTest("ssh join@host register < key.pub makes a registration, with a join code as the password", [
  "ssh",
  "ssh-keygen",
], async (t) => {
  const world = await makePlainWorld(t);
  const code = await world.server.joinCode();
  const input = publicKey(world.keyFile);
  const { code: exit, stdout, stderr } = await sshRegister(t, world, code, "register", { input });
  assert.equal(exit, 0, stderr);
  const [, id, port] = /^Registered +(\d+)\nEndpoint.*\nReverse port +(\d+)\n/.exec(stdout) ?? [];
  const forward = `-R ${port}:localhost:8080 ${TOLD_OPTIONS}`;
  assert.ok(stdout.includes(`  ssh -N ${forward} -p ${world.server.sshPort} ${id}@127.0.0.1\n`), stdout);
  assert.ok(stdout.includes(world.hostKey));
  assert.equal(usesLeft(world, code), 0);
  // An answer that got lost loses nothing, and the code's secret alone is as good as the code.
  const again = await sshRegister(t, world, decodeJoinCode(code).secret, "register --json", { input });
  assert.deepEqual([again.code, JSON.parse(again.stdout).registeredId], [0, id]);
  // For anybody else it is used up.
  const other = publicKey(await makeKey(world.folder, "other"));
  const used = await sshRegister(t, world, code, "register", { input: other });
  assert.equal(used.code, 1);
  assert.match(used.stderr, /petit: This join code has been used already\n/);
  const audit = await world.server.command("audit", "--json");
  assert.ok(audit.includes('"registration-made"'), audit);
});

peerTest("a code that nobody knows is a password that is refused", ["ssh", "ssh-keygen"], async (t) => {
  const world = await makePlainWorld(t);
  const code = await world.server.joinCode();
  const input = publicKey(world.keyFile);
  const mistyped = `${code.slice(0, 20)}${code[20] === "A" ? "B" : "A"}${code.slice(21)}`;
  for (const typed of [mistyped, "", "petit-", "x".repeat(100_000)]) {
    const { code: exit, stdout, stderr } = await sshRegister(t, world, typed, "register", { input });
    assert.deepEqual([exit, stdout], [255, ""], typed.slice(0, 80));
    assert.match(stderr, /Permission denied|Connection (closed|reset)|Timeout/);
  }
  assert.equal(usesLeft(world, code), 1);
});

peerTest("whoever has nothing but a join code may register, and nothing else", ["ssh", "ssh-keygen"], async (t) => {
  const world = await makePlainWorld(t);
  const code = await world.server.joinCode();
  const { registeredPort, registeredId } = await registerKey(world, `${world.keyFile}.pub`);
  const env = typing(t, code);
  const ssh = (...args: string[]) =>
    run(program("ssh"), [...plainOptions(world), "-o", "PubkeyAuthentication=no", ...args], { env });
  const to = "join@127.0.0.1";
  for (const port of [registeredPort, 0]) {
    const { code: exit, stderr } = await ssh("-N", "-o", "ExitOnForwardFailure=yes", "-R", `${port}:localhost:9`, to);
    assert.equal(exit, 255);
    assert.match(stderr, /remote port forwarding failed/);
  }
  for (const target of [`127.0.0.1:${world.server.proxyPort}`, "localhost:3014"]) {
    const { code: exit, stderr } = await ssh("-W", target, to);
    assert.equal(exit, 255);
    assert.match(stderr, /administratively prohibited: this server connects its clients to nothing/);
  }
  for (const command of ["status", `status ${registeredId}`, "true", "scp -t /tmp", "registerx"]) {
    const { code: exit, stdout, stderr } = await ssh(to, command);
    assert.deepEqual([exit, stdout], [127, ""], command);
    assert.match(stderr, /^petit: .*\n/m);
  }
  const shell = await ssh(to);
  assert.deepEqual([shell.code, shell.stdout], [2, ""]);
  assert.match(shell.stderr, /petit: There is no shell here\n/);
  assert.equal((await ssh("-s", to, "sftp")).code, 255);
  assert.equal(usesLeft(world, code), 1);
});

peerTest("without standard input the key that has logged in is registered", ["ssh", "ssh-keygen"], async (t) => {
  const world = await makePlainWorld(t);
  const more = ["-i", world.keyFile, "-o", "IdentitiesOnly=yes"];
  const none = await sshRegister(t, world, await world.server.joinCode(), "register", {});
  assert.equal(none.code, 2);
  assert.match(none.stderr, /There is no public key to register on standard input/);
  const code = await world.server.joinCode();
  for (const terminal of ["-T", "-tt"]) {
    const { code: exit, stdout, stderr } = await sshRegister(t, world, code, "register --json", {
      more: [...more, terminal],
    });
    assert.equal(exit, 0, stderr);
    const fingerprint = (await output(program("ssh-keygen"), ["-l", "-f", `${world.keyFile}.pub`])).split(" ")[1];
    assert.equal(JSON.parse(stdout).fingerprint, fingerprint);
  }
});

peerTest(
  "a key that has a registration already is given another one only by whoever has it",
  ["ssh", "ssh-keygen"],
  async (t) => {
    const world = await makePlainWorld(t);
    const input = publicKey(world.keyFile);
    const first = await registerKey(world, `${world.keyFile}.pub`);
    const code = await world.server.joinCode();
    const stranger = await makeKey(world.folder, "stranger");
    for (const more of [["-o", "PubkeyAuthentication=no"], ["-i", stranger, "-o", "IdentitiesOnly=yes"]]) {
      const { code: exit, stderr } = await sshRegister(t, world, code, "register --local-name more", { input, more });
      assert.equal(exit, 1);
      assert.match(stderr, /This key has a registration already, and this login does not prove that it is yours/);
    }
    assert.equal(usesLeft(world, code), 1);
    const more = ["-i", world.keyFile, "-o", "IdentitiesOnly=yes"];
    const { stdout } = await sshRegister(t, world, code, "register --local-name=more --json", { input, more });
    const second = JSON.parse(stdout);
    assert.notEqual(second.registeredId, first.registeredId);
    assert.equal(second.tenant, "more");
  },
);

peerTest("bad keys and bad words are refused with a sentence, and cost no code", ["ssh", "ssh-keygen"], async (t) => {
  const world = await makePlainWorld(t);
  const { folder, keyFile } = world;
  const code = await world.server.joinCode();
  const good = publicKey(keyFile);
  const short = publicKey(await makeKey(folder, "short", "-t", "rsa", "-b", "1024"));
  const ecdsa = publicKey(await makeKey(folder, "ecdsa", "-t", "ecdsa"));
  await output(program("ssh-keygen"), ["-q", "-s", keyFile, "-I", "x", `${keyFile}.pub`]);
  const inputs: [typed: Buffer | string, words: string, sentence: RegExp][] = [
    [readFileSync(keyFile), "register", /This is a private key, which nobody else may ever see/],
    [short, "register", /RSA keys need 2048 bits at least/],
    [ecdsa, "register", /"ecdsa-sha2-nistp256" are not in \[server\.ssh\] pubkeyAcceptedAlgorithms\nMake another/],
    [readFileSync(`${keyFile}-cert.pub`), "register", /This is a certificate/],
    [Buffer.alloc(10 * 1024 ** 2, "x"), "register", /longer than any key/],
    [randomBytes(5000), "register", /This is no public key/],
    [good, "register --local-name ../../etc", /cannot name a tenant/],
    [good, "register --local-name", /--local-name needs a value/],
    [good, "register --brand x", /"--brand" means nothing to "register"/],
    [good, "register me", /"me" means nothing to "register"/],
    [good, `register ${"x".repeat(20_000)}`, /longer than 1000 characters/],
  ];
  for (const [input, words, sentence] of inputs) {
    const { code: exit, stdout, stderr } = await sshRegister(t, world, code, words, { input });
    assert.deepEqual([exit, stdout], [2, ""], `${words.slice(0, 60)}: ${stderr}`);
    assert.match(stderr, sentence);
    assert.ok(!stderr.includes("PRIVATE"), stderr);
  }
  assert.equal(usesLeft(world, code), 1);
  // PuTTYgen and others write RFC 4716; PowerShell writes UTF-16.
  const rfc4716 = await output(program("ssh-keygen"), ["-e", "-f", `${keyFile}.pub`]);
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(good.toString(), "utf16le")]);
  const ids = [];
  for (const input of [rfc4716, utf16, good]) {
    const { stdout, stderr } = await sshRegister(t, world, code, "register --json", { input });
    assert.ok(stdout !== "", stderr);
    ids.push(JSON.parse(stdout).registeredId);
  }
  assert.equal(new Set(ids).size, 1);
});

peerTest(
  "petit server register makes a registration, beside a running server or without one",
  ["ssh-keygen"],
  async (t) => {
    const world = await makePlainWorld(t);
    const { server, folder, keyFile } = world;
    const made = await registerKey(world, `${keyFile}.pub`, "--local-name", "shop", "--brand", "acme");
    assert.equal(
      made.ssh,
      `ssh -N -R ${made.registeredPort}:localhost:8080 ${TOLD_OPTIONS} -p ${server.sshPort} ${made.registeredId}@127.0.0.1`,
    );
    assert.ok(made.plink.includes(`-hostkey ${world.hostKey}`));
    assert.deepEqual(await registerKey(world, `${keyFile}.pub`, "--local-name", "shop"), made);
    const other = await registerKey(world, `${keyFile}.pub`, "--local-name", "lab");
    assert.notEqual(other.registeredId, made.registeredId);
    const audit = await server.command("audit", "--json");
    assert.equal(audit.match(/"registration-made"/g)?.length, 2, audit);
    await server.daemon.stop();
    const third = await registerKey(world, `${await makeKey(folder, "third")}.pub`);
    assert.equal(Number(third.registeredId), Number(other.registeredId) + 1);
    writeFileSync(join(folder, "empty.pub"), "");
    for (const file of [keyFile, join(folder, "empty.pub"), join(folder, "none.pub")]) {
      await assert.rejects(server.command("register", "--key", file), (error: Error) => {
        assert.match(
          error.message,
          /petit: (This is a private key|This is no public key: there is nothing in it|Cannot read)/,
        );
        return !/BEGIN OPENSSH/.test(error.message);
      });
    }
  },
);
