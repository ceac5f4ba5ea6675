import type { Socket } from "node:net";
import { resetConnection } from "../platform/reset.ts";

/** Breaks a connection off that has been silent in both directions for so many milliseconds; 0 is for ever. */
export function endWhenSilent(socket: Socket, milliseconds: number): void {
  if (milliseconds > 0) socket.setTimeout(milliseconds, () => resetConnection(socket));
}
