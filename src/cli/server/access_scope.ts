import { PetitError } from "../../error.ts";
import { registrationId } from "./registration_id.ts";

/** What stands for all registrations that follow [server.access]. */
export const DEFAULT = "default";

/** The id that was typed; null for "default". @throws PetitError `usage` */
export function accessScope(typed: string | undefined): string | null {
  if (typed === DEFAULT) return null;
  if (typed !== undefined && /^[1-9]\d{0,14}$/.test(typed)) return registrationId(typed);
  throw new PetitError("usage", typed === undefined ? "An id is missing" : `"${typed}" is not an id`, {
    hint: 'Wanted: a number such as 1001, or "default" for all registrations that follow [server.access]',
    exitCode: 2,
  });
}
