import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** Whoever ends things when a test is over. */
export type Scope = Pick<TestContext, "after">;

/** A temporary folder that goes with the test. */
export function temporaryFolder(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), "petit-test-"));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
