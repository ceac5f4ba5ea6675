import { readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { callDaemon } from "../../control/api_client.ts";
import { messageOf, PetitError } from "../../error.ts";
import { readHostKey } from "../../server/host_key/host_key.ts";
import { loginOf, registeredKey, registeredKeyText } from "../../server/plain_ssh.ts";
import { registerPublicKey } from "../../server/register_public_key.ts";
import { toldPort } from "../../server/told_port.ts";
import { checkTenantName, DEFAULT_TENANT } from "../../tenant_name.ts";
import { MAX_KEY_TEXT, readPublicKey } from "../../tunnel/public_key_text.ts";
import { daemonFolder } from "../daemon/daemon_folder.ts";
import type { Invocation } from "../commands/command.ts";
import { textValue } from "../values.ts";
import { withRegistryAwaited } from "./with_registry.ts";

/** Milliseconds; a server looks at the registry twice a second. */
const NOTICED_WITHIN = 3000;
const BETWEEN_LOOKS = 50;

/** Makes a registration for a public key, whose owner then needs no petit: any SSH client will do. */
export async function serverRegister(invocation: Invocation): Promise<number> {
  const file = textValue(invocation, "key");
  if (file === undefined) {
    throw new PetitError("usage", "A public key is missing", {
      hint: 'Wanted: --key FILE, such as "petit server register --key id_ed25519.pub"; "-" is standard input',
      exitCode: 2,
    });
  }
  const tenant = textValue(invocation, "local-name") ?? DEFAULT_TENANT;
  checkTenantName(tenant);
  const typed = await bytesOf(file);
  const registered = await withRegistryAwaited(invocation, async (registry, server) => {
    toldPort(server, "A client has to be told");
    const key = readPublicKey(typed, server.ssh.pubkeyAcceptedAlgorithms);
    const login = loginOf(server, readHostKey(server.ssh.hostKey).publicKey.fingerprint);
    const wishes = { key, tenant, brand: textValue(invocation, "brand") };
    const { registration } = await registerPublicKey(registry, server, wishes);
    return registeredKey(server, registration, login, textValue(invocation, "host"));
  });
  await noticed(invocation, registered.registeredId);
  process.stdout.write(
    invocation.values["json"] === true ? `${JSON.stringify(registered)}\n` : registeredKeyText(registered),
  );
  return 0;
}

/** Waits until a server that runs knows of it: what is printed can be typed at once. Without one there is nothing to wait for. */
async function noticed(invocation: Invocation, id: string): Promise<void> {
  const folder = daemonFolder(invocation);
  const until = performance.now() + NOTICED_WITHIN;
  while (performance.now() < until) {
    try {
      return await callDaemon({ folder, role: "server", path: `/status/${id}`, timeout: NOTICED_WITHIN });
    } catch (error) {
      if (!(error instanceof PetitError) || error.code !== "registration-unknown") return;
      await sleep(BETWEEN_LOOKS);
    }
  }
}

/** As much of it as a key may have, and a byte more. @throws PetitError `key-unreadable` */
async function bytesOf(file: string): Promise<Buffer> {
  try {
    if (file !== "-") return readFileSync(file);
    const pieces: Buffer[] = [];
    let size = 0;
    for await (const piece of process.stdin) {
      pieces.push(piece as Buffer);
      if ((size += (piece as Buffer).length) > MAX_KEY_TEXT) break;
    }
    return Buffer.concat(pieces);
  } catch (error) {
    throw new PetitError("key-unreadable", `Cannot read "${file}": ${messageOf(error)}`, { cause: error });
  }
}
