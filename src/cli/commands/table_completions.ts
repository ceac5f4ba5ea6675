import type { Command } from "./command.ts";

/** Shell completions, and what the shells' scripts call. */
export const completionCommands: readonly Command[] = [
  {
    path: ["completions"],
    arguments: "SHELL",
    maxArguments: 1,
    argumentChoices: [["bash", "zsh", "fish", "powershell"]],
    summary: "Print the completions for a shell",
    description: [
      "The shells are bash, zsh, fish and powershell. The script says at its top how to have it in every shell; the examples are for this shell only.",
    ],
    examples: [
      'eval "$(petit completions bash)"',
      'eval "$(petit completions zsh)"',
      "petit completions fish | source",
      "petit completions powershell | Out-String | Invoke-Expression",
    ],
    run: async (invocation) => (await import("../completions/completions.ts")).completions(invocation),
  },
  {
    path: ["__complete"],
    arguments: "WORD… :CURRENT",
    maxArguments: Infinity,
    summary: "What may follow on a command line, for the scripts of the shells",
    hidden: true,
    run: async (invocation) => (await import("../completions/complete.ts")).complete(invocation),
  },
];
