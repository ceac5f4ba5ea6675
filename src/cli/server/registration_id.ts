import { PetitError } from "../../error.ts";

/** The id that was typed. @throws PetitError `usage` */
export function registrationId(typed: string | undefined): string {
  if (typed !== undefined && /^[1-9]\d{0,14}$/.test(typed)) return typed;
  throw new PetitError("usage", typed === undefined ? "An id is missing" : `"${typed}" is not an id`, {
    hint: 'Wanted: a number such as 1001; "petit server status" lists them',
    exitCode: 2,
  });
}
