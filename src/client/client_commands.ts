import type { CommandWords } from "../control/command_words.ts";
import { PetitError } from "../error.ts";
import type { ClientStatus } from "./client_status.ts";

/** The part of a ClientControl that the command port asks. */
export interface Commanded {
  /** Has what `status` tells be true. */
  look(): Promise<void>;
  status(): ClientStatus;
  /** Milliseconds to the registrar and back. @throws PetitError `not-connected` */
  ping(): Promise<number>;
}

/** The client's own words on its command port. */
export function clientCommands(control: Commanded): CommandWords {
  return {
    STATUS: {
      reads: true,
      async run() {
        await control.look();
        return control.status();
      },
    },
    PING: {
      reads: true,
      async run() {
        const milliseconds = await control.ping();
        return { type: "didPing1", success: true, milliseconds };
      },
    },
    UPGRADE: {
      reads: true,
      run() {
        throw new PetitError("not-supported", "Upgrades by this command are not supported yet", {
          hint: "Replace the executable and restart the client",
        });
      },
    },
  };
}
