import { arch, hostname, platform, release } from "node:os";
import type { ClientConfig } from "../config/schema.ts";
import { version } from "../platform/version.ts";
import type { ClientVitae } from "../tunnel/messages.ts";

/** What this client tells the server of itself. */
export function clientVitae({ vitae }: ClientConfig): ClientVitae {
  return {
    brand: vitae.brand,
    ...(vitae.bundle === "" ? {} : { bundle: vitae.bundle }),
    hostname: hostname(),
    arch: arch(),
    platform: platform(),
    release: release(),
    version,
  };
}
