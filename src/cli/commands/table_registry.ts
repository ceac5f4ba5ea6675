import type { Command } from "./command.ts";
import { config, json } from "./common_options.ts";

/** What is done with the registry as a whole. */
export const registryCommands: readonly Command[] = [
  {
    path: ["server", "registry", "begin-anew"],
    summary: "Begin an empty registry where it is lost for good",
    description: [
      "For a registry that is gone, empty or damaged, and of which there is no backup; one that can be used is refused, and so is a server that runs. " +
      "Ids and ports go on after the highest ones that were ever given away, which stand beside the registry in a file that ends in .highest. " +
      "What is left of the former registry is kept under other names. Clients have to register anew.",
      'With --json: {"registry", "lastId", "lastPort", "kept": files}.',
    ],
    options: {
      ...config,
      ...json,
      "last-id": {
        type: "string",
        value: "ID",
        help: "the highest id that was given away, where that file is gone too",
      },
      "last-port": { type: "string", value: "PORT", help: "and the highest reverse port" },
    },
    examples: ["petit server registry begin-anew"],
    run: async (invocation) => (await import("../server/registry_begin_anew.ts")).registryBeginAnew(invocation),
  },
];
