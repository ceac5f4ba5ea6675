import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../scripts/project.ts";

const CORPUS = join(root, "tests", "fuzz", "corpus");

/** One input that is kept: what is right, so that mutations begin near it, and what once went wrong. */
export interface KeptInput {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The inputs that are kept for a target, in the order of their names. */
export function keptInputs(target: string): KeptInput[] {
  const folder = join(CORPUS, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).sort().map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
}

/** Keeps an input that a target failed with; returns its path below the project. */
export function keepInput(target: string, bytes: Buffer): string {
  mkdirSync(join(CORPUS, target), { recursive: true });
  const name = `found-${createHash("sha256").update(bytes).digest("hex").slice(0, 12)}`;
  writeFileSync(join(CORPUS, target, name), bytes);
  return `tests/fuzz/corpus/${target}/${name}`;
}
