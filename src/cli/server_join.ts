import process from "node:process";
import { loadConfig } from "../config/load.ts";
import { parseDuration } from "../config/units.ts";
import { PetitError } from "../error.ts";
import { openRegistry } from "../registry/open_registry.ts";
import { readHostKey } from "../server/host_key.ts";
import { encodeJoinCode, hashJoinSecret, newJoinSecret } from "../tunnel/join_code.ts";
import type { Invocation } from "./command.ts";
import { configFile, textValue } from "./values.ts";

/** A code that is good for more than ten years, in milliseconds, is a mistake. */
const LONGEST = 3660 * 24 * 3_600_000;

export function serverJoin(invocation: Invocation): number {
  const uses = Number(textValue(invocation, "uses") ?? "1");
  if (!Number.isInteger(uses) || uses < 1 || uses > 1_000_000) {
    throw new PetitError("usage", `"${textValue(invocation, "uses")}" is not a number of uses`, {
      hint: "Wanted: a whole number from 1",
      exitCode: 2,
    });
  }
  const lifetime = parseDuration(textValue(invocation, "expires") ?? "24h");
  if (lifetime === undefined || lifetime === 0 || lifetime > LONGEST) {
    throw new PetitError("usage", `"${textValue(invocation, "expires")}" is not a time for --expires`, {
      hint: "Wanted: a number with a unit, such as 30m, 24h or 7d",
      exitCode: 2,
    });
  }
  const { server } = loadConfig(configFile(invocation)).config;
  const host = textValue(invocation, "host") ?? server.publicHost;
  if (server.ssh.port === 0) {
    throw new PetitError("port-unknown", "A join code names the gateway's port, and [server.ssh] port is 0", {
      hint: "Set a fixed port",
    });
  }
  const { publicKey } = readHostKey(server.ssh.hostKey);
  const secret = newJoinSecret();
  const expiresAt = Date.now() + lifetime;
  const registry = openRegistry(server.registryUrl);
  try {
    registry.addJoinCode({
      hash: hashJoinSecret(secret),
      brand: textValue(invocation, "brand") ?? "",
      usesLeft: uses,
      expiresAt,
    });
  } finally {
    registry.close();
  }
  const code = encodeJoinCode({ secret, hostKeyFingerprint: publicKey.fingerprint, host, port: server.ssh.port });
  const expires = new Date(expiresAt).toISOString();
  if (invocation.values["json"] === true) {
    process.stdout.write(`${JSON.stringify({ code, expires, uses })}\n`);
    return 0;
  }
  process.stdout.write(`${code}\n`);
  process.stderr.write(
    `Good for ${
      uses === 1 ? "one client" : `${uses} clients`
    } until ${expires}. On the client: petit client register CODE\n` +
      (host === "localhost"
        ? "It names localhost, so it works on this machine only: set [server] publicHost, or use --host NAME.\n"
        : ""),
  );
  return 0;
}
