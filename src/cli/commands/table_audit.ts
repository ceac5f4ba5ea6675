import type { Command } from "./command.ts";
import { config, json } from "./common_options.ts";

/** The commands with which an operator reads the audit log. */
export const auditCommands: readonly Command[] = [
  {
    path: ["server", "audit"],
    summary: "Show who logged in, was refused, and changed what",
    description: [
      "The last entries of the audit log, the newest last. It works whether the server is running or not. " +
      "What anyone on the internet can cause is told once a minute for each address, with the number of repetitions left out before.",
      'With --json one line for each entry: {"seq", "at": milliseconds since 1970, "event", "facts", "hash"}.',
    ],
    options: {
      ...config,
      ...json,
      lines: { type: "string", value: "N", help: "how many of them (default 50)" },
      all: { type: "boolean", help: "all of them" },
      event: { type: "string", value: "NAME", help: "only those of this name, such as login-refused" },
    },
    examples: ["petit server audit", "petit server audit --event login-refused", "petit server audit --all --json"],
    run: async (invocation) => (await import("../server/server_audit.ts")).serverAudit(invocation),
  },
  {
    path: ["server", "audit", "verify"],
    summary: "Check that no entry of the audit log was changed",
    description: [
      "Each entry has a hash over itself and all before it. Whoever can write the file can reckon all hashes anew, or cut its end off: note the head that this prints " +
      "somewhere else, and name it with --head the next time. The server logs it at each start too. Exit code 1 says that the log is broken.",
      'With --json: {"whole", "entries", "first", "head": {"seq", "hash"}, "fault": null or {"seq", "message"}}.',
    ],
    options: {
      ...config,
      ...json,
      head: { type: "string", value: "N:HASH", help: "the head that was noted earlier, which has to be in it still" },
    },
    examples: ["petit server audit verify", "petit server audit verify --json"],
    run: async (invocation) => (await import("../server/server_audit.ts")).auditVerify(invocation),
  },
];
