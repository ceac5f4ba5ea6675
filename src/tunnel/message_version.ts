import { PetitError } from "../error.ts";
import { version as program } from "../platform/version.ts";
import { HANDSHAKE_VERSION } from "./messages.ts";

/**
 * Refuses a message of another version of the backchannel, before anything else of it is used: what that version means by its other fields,
 * or which it has, is not known here. A message that names no version goes through.
 *
 * @param raw not yet checked
 * @param sender whose it is; the other one is this program
 * @throws PetitError `version-refused`, which says who has to upgrade
 */
export function refuseOtherVersion(raw: unknown, sender: "client" | "server"): void {
  const { handshakeVersion, vitae } = (raw ?? {}) as {
    handshakeVersion?: unknown;
    vitae?: { version?: unknown } | null;
  };
  if (!Number.isSafeInteger(handshakeVersion) || handshakeVersion === HANDSHAKE_VERSION) return;
  const told = vitae?.version;
  // A stranger's words, in a log and on a terminal.
  const known = typeof told === "string" && /^[\w.+-]{1,64}$/.test(told) ? ` (petit ${told})` : "";
  const receiver = sender === "client" ? "server" : "client";
  throw new PetitError(
    "version-refused",
    `The ${sender}${known} speaks version ${handshakeVersion} of the backchannel, and this ${receiver} (petit ${program}) version ${HANDSHAKE_VERSION}: ` +
      `upgrade the ${Number(handshakeVersion) < HANDSHAKE_VERSION ? sender : receiver}`,
  );
}
