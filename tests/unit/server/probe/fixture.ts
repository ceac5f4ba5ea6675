import { converse, type Dialogue, type Finding } from "../../../../src/server/probe/converse.ts";
import { MemoryLink } from "../../../world/memory_link.ts";

/** How long a service of a test may be silent, in milliseconds. */
export const PATIENCE = 50;

/** What a dialogue finds out about a service, whose part the test plays; and what it sent. */
export async function found(
  dialogue: Dialogue,
  service: (link: MemoryLink) => void,
): Promise<{ finding: Finding; link: MemoryLink }> {
  const link = new MemoryLink();
  const finding = converse(link.channel, dialogue, PATIENCE);
  service(link);
  return { finding: await finding, link };
}

/** The service says this, in one piece. */
export const says = (bytes: Buffer | string) => (link: MemoryLink): void => link.receive(bytes);

/** The service says this, byte by byte. */
export const dribbles = (bytes: Buffer | string) => (link: MemoryLink): void => {
  for (const byte of typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes) link.receive(Buffer.of(byte));
};

/** The service says this and hangs up. */
export const leaves = (bytes: Buffer | string) => (link: MemoryLink): void => {
  link.receive(bytes);
  link.receiveEof();
  link.receiveClose();
};

/** The sentence about a service that is not well. */
export function errorOf(finding: Finding): string {
  return finding.well ? "well" : `${finding.code}: ${finding.error}`;
}

/** Every byte value, many times: whatever a protocol looks for is not there. */
export const GARBAGE = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * 7 + 33) & 0xff));
