import { isDeepStrictEqual } from "node:util";
import type { Registry } from "../registry/registry.ts";
import type { ClientVitae } from "../tunnel/messages.ts";
import type { Routes } from "./routes.ts";

/**
 * Keeps what a client tells of itself. Most tell the same as the last time, and a thousand of them come back at once: only news goes to the disk.
 *
 * @param onUnwritten told where the disk takes nothing, which keeps no client away: it is tried again when the client is back after a restart
 */
export function rememberVitae(
  { registry, routes }: { readonly registry: Registry; readonly routes: Routes },
  fingerprint: string,
  vitae: ClientVitae,
  onUnwritten: (error: unknown) => void,
): void {
  const known = routes.ofKey(fingerprint);
  if (known.every((registration) => isDeepStrictEqual(registration.vitae, vitae))) return;
  try {
    registry.setVitae(fingerprint, vitae);
  } catch (error) {
    onUnwritten(error);
  }
  for (const registration of [...known]) {
    // A client of 0.6.x has told no brand when it registered.
    routes.add({ ...registration, vitae, brand: registration.legacy ? vitae.brand : registration.brand });
  }
}
