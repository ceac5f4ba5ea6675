import type { CommandWords } from "../control/command_words.ts";
import { PetitError } from "../error.ts";
import { checkedAlias } from "../registry/alias.ts";
import type { ServerControl } from "./server_control.ts";
import type { RegistrationStatus } from "./server_status.ts";

/** The server's own words on its command port. */
export function serverCommands(control: ServerControl): CommandWords {
  return {
    STATUS: {
      reads: true,
      async run([id]) {
        if (id === undefined) {
          const status = control.status();
          return { ...status, connections: status.connections.map(asBefore) };
        }
        await control.look(id);
        const found = asBefore(control.statusOf(id));
        return { status: control.phase, ...found, connections: [found] };
      },
    },
    ADDALIAS: { run: (words) => change(words, (id, alias) => control.addAlias(id, alias)) },
    DELALIAS: { run: (words) => change(words, (id, alias) => control.removeAlias(id, alias)) },
  };
}

function change(words: readonly string[], work: (id: string, alias: string) => void): { success: true } {
  const [id, typed, ...more] = words;
  if (id === undefined || typed === undefined || more.length > 0) {
    throw new PetitError("usage", "Wanted: an id and an alias");
  }
  work(id, checkedAlias(typed));
  return { success: true };
}

/** 0.6.x has the address of a connected client, and since when it is connected, among what it tells of itself. */
function asBefore<Status extends RegistrationStatus>(status: Status): object {
  const { vitae, tunnel } = status;
  return { ...status, vitae: tunnel === null ? vitae : { ...vitae, ip: tunnel.address, since: tunnel.since } };
}
