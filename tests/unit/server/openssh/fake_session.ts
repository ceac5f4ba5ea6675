import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type Background, background } from "../../../world/processes.ts";
import { type Scope, temporaryFolder } from "../../../world/temporary_folder.ts";

const PERL = "/usr/bin/perl";

/** For tests that start some. */
export const skipsSessions = process.platform === "linux" && existsSync(PERL) ? false : `needs Linux and ${PERL}`;

/**
 * A process that is a session of sshd by all that can be seen, the name of its program and its title, and listens on a port of 127.0.0.1. Resolves
 * when it does.
 *
 * @param code Perl that it runs then, with the socket as $s; it goes on until a signal ends it
 */
export async function startFakeSession(
  scope: Scope,
  port: number,
  { code = "", title = "sshd: somebody", name = "sshd" } = {},
): Promise<Background> {
  const sshd = join(temporaryFolder(scope), name);
  copyFileSync(PERL, sshd);
  const lines = [
    "use IO::Socket::INET; use IO::Handle; STDERR->autoflush(1); $^F = 100;",
    'my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", LocalPort => $ARGV[0], ReuseAddr => 1) or die $!;',
    `$0 = "${title}";`,
    code,
    'print STDERR "listens\\n"; sleep 1 while 1;',
  ];
  const session = background(scope, sshd, ["-e", lines.join("\n"), String(port)]);
  await session.line((line) => line === "listens");
  return session;
}
