import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { listeningSockets } from "../../../../src/platform/listening_sockets.ts";
import { endSession } from "../../../../src/server/openssh/end_session.ts";
import { freePort } from "../../../world/ports.ts";
import { skipsSessions, startFakeSession } from "./fake_session.ts";

const uid = process.getuid?.() as number;
const inodeOn = (port: number) => listeningSockets().find((socket) => socket.port === port)?.inode as number;

test(
  "a session of sshd is ended for its socket, at the first request or by force",
  { skip: skipsSessions },
  async (t) => {
    for (const code of ["", "$SIG{TERM} = 'IGNORE';"]) {
      const port = await freePort();
      const session = await startFakeSession(t, port, { code });
      assert.ok(await endSession(inodeOn(port), uid));
      await session.exited;
    }
  },
);

test("what is no session of sshd, or another user's, is not ended: not even the sshd that listens for clients", {
  skip: skipsSessions,
}, async (t) => {
  for (
    const [options, user] of [
      [{ name: "nginx" }, uid],
      [{ title: "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups" }, uid],
      [{ title: "/usr/sbin/sshd -D" }, uid],
      [{}, uid + 1],
    ] as const
  ) {
    const port = await freePort();
    const other = await startFakeSession(t, port, { ...options });
    assert.equal(await endSession(inodeOn(port), user), false);
    assert.equal(other.child.exitCode ?? other.child.signalCode, null, JSON.stringify(options));
  }
});

test("a session that has let go of the socket is not ended, be the socket another program's", {
  skip: skipsSessions,
}, async (t) => {
  const port = await freePort();
  const code = `
    my $heir = fork;
    if ($heir == 0) { close STDOUT; close STDERR; exec "sleep", "60" }
    print STDERR "heir $heir\\n";
    $SIG{TERM} = sub { close $s; print STDERR "let go\\n" };`;
  const session = await startFakeSession(t, port, { code });
  const heir = Number((await session.line((line) => line.startsWith("heir "))).split(" ")[1]);
  t.after(() => process.kill(heir, "SIGKILL"));
  assert.equal(await endSession(inodeOn(port), uid), false);
  await session.line((line) => line === "let go");
  assert.equal(session.child.exitCode ?? session.child.signalCode, null);
  await session.stop("SIGKILL");
});
