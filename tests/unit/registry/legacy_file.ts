import { generateKeyPairSync } from "node:crypto";

/** A client's key as a server of 0.6.x kept it. */
export function legacyKey(): string {
  return generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({
    type: "spki",
    format: "pem",
  }) as string;
}

/** Making one takes a while, and most tests do not care which it is. */
export const SOME_KEY = legacyKey();

/** One registration in a registry file of 0.6.x. */
export interface LegacyEntry {
  port?: unknown;
  key?: unknown;
  vitae?: unknown;
  aliases?: unknown;
}

/** A registry file as petit 0.6.34 writes it. */
export function legacyFile(entries: Record<string, LegacyEntry>, more: Record<string, unknown> = {}): string {
  const ids = Object.keys(entries).map(Number).filter(Number.isInteger);
  const ports = Object.values(entries).map(({ port }) => Number(port)).filter(Number.isInteger);
  return JSON.stringify(
    {
      maxRegisteredId: Math.max(1000, ...ids),
      maxRegisteredPort: Math.max(11080, ...ports),
      comments: ["of no meaning"],
      version: 1,
      registeredIds: entries,
      ...more,
    },
    null,
    2,
  );
}
