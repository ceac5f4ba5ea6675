import type { Command } from "./command.ts";
import { config, json } from "./common_options.ts";

const SHAPE =
  '{"current": {"fingerprint", "since"}, "next": null or {"fingerprint", "since", "aware": how many clients know it, "unaware": ' +
  '[{"ids", "connected"}]}, "former": null or {"fingerprint", "file"}, "clients": how many there are, "openJoinCodes"}';

/** How the server's host key is replaced, in the order in which it is done. */
export const hostKeyCommands: readonly Command[] = [
  {
    path: ["server", "hostkey"],
    summary: "Show the host key, and which clients know the next one",
    description: [
      "The server has to be running. A client that is not in the list of those who do not know it will not notice the change.",
      `With --json: ${SHAPE}.`,
    ],
    options: { ...config, ...json },
    examples: ["petit server hostkey"],
    run: async (invocation) => (await import("../server/host_key_show.ts")).hostKeyShow(invocation),
  },
  {
    path: ["server", "hostkey", "rotate"],
    summary: "Make the next host key; the current one vouches for it",
    description: [
      'Clients that are connected learn it at once, all others when they connect. Nothing else changes before "petit server hostkey finish".',
      `With --json: "success", and what "petit server hostkey --json" prints.`,
    ],
    options: { ...config, ...json },
    examples: ["petit server hostkey rotate"],
    run: async (invocation) => (await import("../server/host_key_rotate.ts")).hostKeyRotate(invocation),
  },
  {
    path: ["server", "hostkey", "finish"],
    summary: "Make the next host key the current one",
    description: [
      "Refused as long as a client does not know it. Tunnels that stand go on; new connections are shown the new key. The former one stays as a file " +
      "that nobody needs. Join codes that have not been used name the former key, and are revoked.",
      'With --json: "success", what "petit server hostkey --json" prints, "left": clients that do not know the new key, and "revokedJoinCodes".',
    ],
    options: {
      ...config,
      ...json,
      force: { type: "boolean", help: "leave those behind that do not know it; they have to register anew" },
    },
    examples: ["petit server hostkey finish"],
    run: async (invocation) => (await import("../server/host_key_finish.ts")).hostKeyFinish(invocation),
  },
  {
    path: ["server", "hostkey", "abort"],
    summary: "Give the next host key up; clients forget it",
    description: [`With --json: "success", and what "petit server hostkey --json" prints.`],
    options: { ...config, ...json },
    examples: ["petit server hostkey abort"],
    run: async (invocation) => (await import("../server/host_key_abort.ts")).hostKeyAbort(invocation),
  },
];
