import process from "node:process";
import { messageOf, PetitError } from "../../error.ts";
import type { Invocation } from "../commands/command.ts";
import { withRegistry } from "./with_registry.ts";

export function joinRevoke(invocation: Invocation): number {
  const typed = invocation.positionals[0];
  if (typed === undefined) throw wrong("The id of a join code is missing");
  // Whoever has the code itself at hand may not know that it has an id too; and what was typed is a secret.
  if (typed.startsWith("petit-")) throw wrong("This is the join code itself, not its id");
  const id = typed.toLowerCase();
  const { uses, usesLeft } = withRegistry(invocation, (registry) => {
    try {
      return registry.revokeJoinCode(id);
    } catch (error) {
      const code = error instanceof PetitError ? error.code : "";
      if (code !== "join-code-unknown" && code !== "join-code-ambiguous") throw error;
      throw new PetitError(code, messageOf(error), { hint: '"petit server join list" shows them', cause: error });
    }
  });
  process.stdout.write(
    `Revoked the join code ${id}: ${usesLeft} of ${uses} uses were left. What was registered with it stays.\n`,
  );
  return 0;
}

function wrong(message: string): PetitError {
  return new PetitError("usage", message, { hint: 'Wanted: an id from "petit server join list"', exitCode: 2 });
}
