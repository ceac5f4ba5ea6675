import { closeSync, fsyncSync, openSync } from "node:fs";
import process from "node:process";

/** Writes a folder's list of files to the disk: a file that was renamed has its new name after a power cut too. @throws Error of the system */
export function syncFolder(folder: string): void {
  // There a folder cannot be opened as a file, and the file system keeps a journal of names.
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
