import type { Command } from "./command.ts";
import { config, json } from "./common_options.ts";

const CREDENTIAL =
  '{"id", "registration": id or "default", "kind": "bearer" or "basic", "user", "label", "created", "expires": null for never}';

/** Who may call, in the order of the help. */
export const accessCommands: readonly Command[] = [
  {
    path: ["server", "access"],
    arguments: "[ID]",
    maxArguments: 1,
    summary: "Show who may call: all registrations, or one in full",
    description: [
      'All that is said of a registration has to hold: the address, the certificate, and one of the credentials. "default" is [server.access], which holds ' +
      'where a registration says nothing itself; set it with "petit server config access.KEY VALUE".',
      'With --json: [{"id", "access"}]; with an ID {"id", "access", "own": null or what it says itself, "effective": what holds}.',
    ],
    options: { ...config, ...json },
    examples: ["petit server access", "petit server access 1001", "petit server access default"],
    run: async (invocation) => (await import("../server/server_access.ts")).serverAccess(invocation),
  },
  {
    path: ["server", "access", "set"],
    arguments: "ID",
    maxArguments: 1,
    summary: "Say who may call a registration",
    description: [
      "What is not named stays as it is. A server that runs takes it up within half a second, and cuts off who may not call any more.",
      'With --json: {"id", "access", "own"}.',
    ],
    options: {
      ...config,
      ...json,
      allow: { type: "string", value: "CIDR,…", help: 'addresses that requests may come from, or "any"' },
      require: { type: "string", value: "WHAT,…", help: 'bearer, basic, certificate, or "nothing"' },
      certificates: { type: "string", value: "NAME,…", help: 'client certificates that are let in, or "any"' },
      strip: {
        type: "string",
        value: "yes|no",
        choices: ["yes", "no"],
        help: "whether credentials are kept from the service",
      },
      field: { type: "string", value: "NAME", help: "the field that credentials come in, in place of authorization" },
      "raw-allow": { type: "string", value: "CIDR,…", help: 'addresses that may use the reverse port, or "any"' },
      "max-raw": { type: "string", value: "N", help: "how many connections the reverse port may have" },
    },
    examples: [
      "petit server access set 1001 --require bearer",
      "petit server access set 1001 --allow 10.0.0.0/8,192.0.2.7 --require basic,certificate",
      "petit server access set 1001 --allow any --require nothing",
    ],
    run: async (invocation) => (await import("../server/server_access.ts")).accessSet(invocation),
  },
  {
    path: ["server", "access", "reset"],
    arguments: "ID",
    maxArguments: 1,
    summary: "Have the default hold for a registration again",
    description: ["Its credentials stay.", 'With --json: {"id", "access", "own": null}.'],
    options: { ...config, ...json },
    examples: ["petit server access reset 1001"],
    run: async (invocation) => (await import("../server/server_access.ts")).accessReset(invocation),
  },
  {
    path: ["server", "access", "grant"],
    arguments: "ID",
    maxArguments: 1,
    summary: "Make a token, or a user and password, for callers",
    description: [
      'It is printed this once, and only what it takes to know it again is kept. With "default" in place of the ID it is good for all registrations ' +
      "that have no requirement of their own.",
      `With --json: ${CREDENTIAL} and "token" or "password", which is left out where it was typed.`,
    ],
    options: {
      ...config,
      ...json,
      bearer: { type: "boolean", help: "a token, for programs" },
      basic: { type: "string", value: "USER", help: "a user with a password that petit makes" },
      "password-stdin": { type: "boolean", help: "the user's own password, on standard input" },
      label: { type: "string", value: "TEXT", help: "what it is called in lists" },
      expires: { type: "string", value: "TIME", help: "how long it is good for (default: until it is revoked)" },
    },
    examples: [
      "petit server access grant 1001 --bearer --label billing --expires 90d",
      "petit server access grant 1001 --basic ann --password-stdin",
      "petit server access grant default --bearer",
    ],
    run: async (invocation) => (await import("../server/access_credentials.ts")).accessGrant(invocation),
  },
  {
    path: ["server", "access", "revoke"],
    arguments: "CREDENTIAL",
    maxArguments: 1,
    summary: "Take a token, or a user, back",
    description: [
      "A server that runs refuses it within half a second, and cuts off what it has let in.",
      `With --json: ${CREDENTIAL}.`,
    ],
    options: { ...config, ...json },
    examples: ["petit server access revoke 3f9a2b1c4d5e"],
    run: async (invocation) => (await import("../server/access_credentials.ts")).accessRevoke(invocation),
  },
  {
    path: ["server", "access", "list"],
    arguments: "[ID]",
    maxArguments: 1,
    summary: "List tokens and users, without their secrets",
    description: [`With --json: [${CREDENTIAL}].`],
    options: { ...config, ...json },
    examples: ["petit server access list", "petit server access list 1001"],
    run: async (invocation) => (await import("../server/access_credentials.ts")).accessList(invocation),
  },
];
