import process from "node:process";
import { type SeenServer, seeServer } from "../../client/legacy/see_server.ts";
import type { ClientConfig } from "../../config/schema.ts";
import { PetitError } from "../../error.ts";
import type { PublicKey } from "../../tunnel/keys.ts";
import { askLine } from "../terminal/ask_line.ts";
import { canAsk } from "../terminal/ask_secret.ts";
import { withProgress } from "../terminal/progress.ts";

/** Milliseconds for a look at the server, where nobody has said yet that it is one of 0.6.x. */
const LOOK_FOR = 5000;

const PLAIN = "The backchannel of a petit 0.6 server is not encrypted, and registers whoever comes";

/**
 * The host key of a server of 0.6.x, which knows no join codes: a person at the terminal says whether it is the right one, or the option --host-key does.
 *
 * @param option what --host-key says
 * @returns undefined where the server is petit's, or cannot be looked at: a join code is needed
 * @throws PetitError `usage`, `host-key-needed`, `host-key-mismatch`, `host-key-refused`; as `seeServer` where --host-key is given
 */
export async function vouchForHost(config: ClientConfig, option: string | undefined): Promise<PublicKey | undefined> {
  const { host, port } = config;
  const where = `${host}:${port}`;
  if (option !== undefined && !/^SHA256:[A-Za-z0-9+/]{43}$/.test(option)) {
    throw new PetitError("usage", `"${option}" is not the fingerprint of a host key`, {
      hint:
        'Wanted: as "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" prints it on the server, SHA256: and 43 characters',
      exitCode: 2,
    });
  }
  const server = await withProgress(`Looking at ${where}`, () => look(config, option !== undefined));
  if (server?.petit === true && option !== undefined) {
    throw new PetitError("join-code-needed", `${where} is a petit server, which registers by join code`, {
      hint: "--host-key is for petit 0.6 servers. Ask the server's operator for a join code",
      exitCode: 2,
    });
  }
  if (server === undefined || server.petit) return undefined;
  const { hostKey } = server;
  if (option === undefined) await ask(where, hostKey);
  else if (option !== hostKey.fingerprint) {
    throw new PetitError("host-key-mismatch", `${where} shows the host key ${hostKey.fingerprint}, and not ${option}`, {
      hint: "Either the fingerprint is that of another of its keys, or something else answers there",
    });
  }
  return hostKey;
}

async function look(config: ClientConfig, needed: boolean): Promise<SeenServer | undefined> {
  const timeout = needed ? config.connectTimeout : Math.min(LOOK_FOR, config.connectTimeout);
  try {
    return await seeServer(config, timeout, AbortSignal.timeout(2 * timeout));
  } catch (error) {
    if (needed) throw error;
    return undefined;
  }
}

/** @throws PetitError `host-key-needed` where there is nobody to be asked, `host-key-refused` */
async function ask(where: string, { fingerprint, line }: PublicKey): Promise<void> {
  if (!canAsk()) {
    throw new PetitError("host-key-needed", `Nobody vouches for the host key of ${where}, which is no petit server's`, {
      hint:
        `With a join code from a petit server's operator, give that. A petit 0.6 server has none: compare its key with "ssh-keygen -l" there, and give --host-key ${fingerprint}. ${PLAIN}`,
      exitCode: 2,
    });
  }
  process.stderr.write(
    `${where} is no petit server, but may be the sshd of a petit 0.6 server. No join code vouches for it.\n` +
      `Its ${line.split(" ")[0]} host key is ${fingerprint}.\n${PLAIN}.\n`,
  );
  const answer = await askLine("Is this the right key, and register there (yes/no, or the fingerprint)? ");
  if (/^yes$/i.test(answer) || answer === fingerprint) return;
  throw new PetitError("host-key-refused", "The host key was not confirmed; nothing was changed");
}
