import assert from "node:assert/strict";
import { connect } from "node:net";
import test, { type TestContext } from "node:test";
import pino from "pino";
import { parseConfig } from "../../../src/config/load.ts";
import { OnceAMinute } from "../../../src/observe/once_a_minute.ts";
import { OpenFiles } from "../../../src/platform/open_files.ts";
import { LoginGuard } from "../../../src/server/login/login_guard.ts";
import { PlainBackchannel, type PlainPeer } from "../../../src/server/plain_backchannel.ts";
import type { PlainDialogue } from "../../../src/server/plain_connection.ts";
import { RawPeer } from "../../world/raw_peer.ts";

/** A backchannel beside sshd on which `prove1` asks, and `prove2` proves the key that it names, without a signature. */
async function listening(t: TestContext, ssh = "") {
  const text =
    `[server]\nlegacyBackchannel = true\nbackHost = "127.0.0.1"\nbackPort = 0\n[server.ssh]\nmode = "openssh"\n${ssh}`;
  const { server: config } = parseConfig(text, "/nowhere/config.toml");
  const files = new OpenFiles();
  const dialogue = (peer: PlainPeer): PlainDialogue => ({
    async take(message) {
      const { type, key } = message as { type: string; key: string };
      if (type === "fail") peer.charge();
      if (type === "prove2") peer.proven(key);
      await peer.connection.say({ did: type });
    },
    closed: () => {},
  });
  const backchannel = new PlainBackchannel({
    ...{ config, files, guard: new LoginGuard(config.ssh, files), noise: new OnceAMinute() },
    ...{ log: pino({ level: "silent" }), legacy: dialogue, prove: dialogue },
  });
  const port = await backchannel.listen();
  t.after(() => backchannel.stop());
  return () => {
    const peer = new RawPeer(connect({ port, host: "127.0.0.1", noDelay: true }));
    t.after(() => peer.close());
    return {
      closed: peer.closed,
      leave: () => peer.close(),
      /** Says something; the answer, or undefined where the connection ends instead. */
      async ask(type: string, key?: string): Promise<string | undefined> {
        peer.send(`${JSON.stringify({ type, key })}\x03`);
        const answer = await peer.takeUntil("\x03").catch(() => undefined);
        return answer?.slice(0, -1);
      },
    };
  };
}

test("plain backchannel: of those who came through sshd and prove nothing the oldest gives way", async (t) => {
  const open = await listening(t);
  const proven = open();
  await proven.ask("prove1");
  await proven.ask("prove2", "a");
  const oldest = open();
  await oldest.ask("prove1");
  const others = [];
  for (let count = 0; count < 256; count++) {
    const peer = open();
    assert.equal(await peer.ask("prove1"), '{"did":"prove1"}');
    others.push(peer);
  }
  await oldest.closed;
  assert.equal(await others[0]?.ask("prove1"), '{"did":"prove1"}', "there are 256 places");
  assert.equal(await proven.ask("x"), '{"did":"x"}', "who has proven its key stays");
});

test("plain backchannel: who came through sshd proves its key within loginGraceTime, whatever else it says", async (t) => {
  const open = await listening(t, 'loginGraceTime = "1s"');
  const [stranger, client] = [open(), open()];
  await client.ask("prove1");
  await client.ask("prove2", "a");
  while (await stranger.ask("prove1") !== undefined);
  assert.equal(await client.ask("x"), '{"did":"x"}');
});

test("plain backchannel: a key has 64 connections, and another key its own", async (t) => {
  const open = await listening(t);
  const prove = async (key: string) => {
    const peer = open();
    await peer.ask("prove1");
    return { answer: await peer.ask("prove2", key), peer };
  };
  const first = await prove("a");
  for (let count = 1; count < 64; count++) assert.equal((await prove("a")).answer, '{"did":"prove2"}');
  const { answer, peer } = await prove("a");
  assert.match(answer ?? "", /"code":"channel-refused"/);
  assert.equal((await prove("b")).answer, '{"did":"prove2"}');
  assert.equal(await first.peer.ask("x"), '{"did":"x"}');
  assert.equal(await peer.ask("x"), '{"did":"x"}', "refused is the proof, and not the connection");
});

test("plain backchannel: dialogues of 0.6 count as logins, also from loopback beside sshd, and do not weigh on proofs", async (t) => {
  const open = await listening(t, 'perSourcePenaltyMin = "10s"');
  let taken = 0;
  for (; taken < 50; taken++) {
    const peer = open();
    if (await peer.ask("fail") === undefined) break;
    peer.leave();
    await peer.closed;
  }
  assert.ok(taken > 0 && taken < 20, `${taken} were taken`);
  assert.equal(await open().ask("prove1"), '{"did":"prove1"}');
});
