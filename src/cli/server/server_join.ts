import process from "node:process";
import { parseDuration } from "../../config/units.ts";
import { PetitError } from "../../error.ts";
import { LONGEST_LIFETIME, makeJoinCode, MOST_USES } from "../../server/make_join_code.ts";
import type { Invocation } from "../commands/command.ts";
import { textValue } from "../values.ts";
import { withRegistry } from "./with_registry.ts";

export function serverJoin(invocation: Invocation): number {
  const uses = Number(textValue(invocation, "uses") ?? "1");
  if (!Number.isInteger(uses) || uses < 1 || uses > MOST_USES) {
    throw new PetitError("usage", `"${textValue(invocation, "uses")}" is not a number of uses`, {
      hint: "Wanted: a whole number from 1",
      exitCode: 2,
    });
  }
  const lifetime = parseDuration(textValue(invocation, "expires") ?? "24h");
  if (lifetime === undefined || lifetime === 0 || lifetime > LONGEST_LIFETIME) {
    throw new PetitError("usage", `"${textValue(invocation, "expires")}" is not a time for --expires`, {
      hint: "Wanted: a number with a unit, such as 30m, 24h or 7d",
      exitCode: 2,
    });
  }
  const brand = textValue(invocation, "brand") ?? "";
  const wishes = { uses, lifetime, brand, host: textValue(invocation, "host") };
  const made = withRegistry(invocation, (registry, server) => makeJoinCode(server, registry, wishes));
  const { code, host, hostKey, ssh } = made;
  const expires = new Date(made.expiresAt).toISOString();
  if (invocation.values["json"] === true) {
    process.stdout.write(`${JSON.stringify({ code, expires, uses, hostKey, ssh })}\n`);
    return 0;
  }
  process.stdout.write(`${code}\n`);
  process.stderr.write(
    `Good for ${
      uses === 1 ? "one client" : `${uses} clients`
    } until ${expires}. On the client: petit client register, which asks for it\n` +
      `Without petit: ${ssh}\n` +
      `  with the code as the password, once the host key is ${hostKey}\n` +
      (host === "localhost"
        ? "It names localhost, so it works on this machine only: set [server] publicHost, or use --host NAME.\n"
        : ""),
  );
  return 0;
}
