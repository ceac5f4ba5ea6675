import { PetitError } from "../../error.ts";
import { type OwnAccess, ownAccessSchema } from "../../registry/access.ts";
import type { Invocation } from "../commands/command.ts";
import { textValue } from "../values.ts";

/** The options of "access set", by what they set. An empty list is typed as the word that says what it means. */
const OPTIONS: Record<keyof OwnAccess, { readonly option: string; read(text: string, option: string): unknown }> = {
  allow: { option: "allow", read: list("any") },
  require: { option: "require", read: list("nothing") },
  certificates: { option: "certificates", read: list("any") },
  stripCredentials: { option: "strip", read: yesOrNo },
  credentialField: { option: "field", read: (text) => text },
  rawAllow: { option: "raw-allow", read: list("any") },
  maxRawCallers: { option: "max-raw", read: (text) => /^\d{1,7}$/.test(text) ? Number(text) : text },
};

/** What the options say; at least one of them has to be there. @throws PetitError `usage` */
export function accessOptions(invocation: Invocation): OwnAccess {
  const rule: Record<string, unknown> = {};
  for (const [key, { option, read }] of Object.entries(OPTIONS)) {
    const text = textValue(invocation, option);
    if (text !== undefined) rule[key] = read(text, option);
  }
  if (Object.keys(rule).length === 0) {
    throw new PetitError("usage", "Nothing to set", {
      hint: '"petit server access set --help" tells what',
      exitCode: 2,
    });
  }
  const { success, data, error } = ownAccessSchema.safeParse(rule);
  if (success) return data;
  const [issue] = error.issues;
  const [key, ...path] = (issue?.path ?? []) as [keyof OwnAccess, ...PropertyKey[]];
  const value = path.reduce<unknown>((part, at) => (part as Record<PropertyKey, unknown>)[at], rule[key]);
  throw new PetitError("usage", `"${String(value).slice(0, 80)}" is not a value for --${OPTIONS[key].option}`, {
    hint: `${
      (issue?.message ?? "").replace(/^wanted/, "Wanted:").replace("Wanted: a list, such as", "Wanted: such as")
    }`,
    exitCode: 2,
  });
}

function list(nothing: string): (text: string) => string[] {
  return (text) => text === nothing ? [] : text.split(",").map((part) => part.trim());
}

function yesOrNo(text: string, option: string): boolean {
  if (text === "yes" || text === "no") return text === "yes";
  throw new PetitError("usage", `"${text.slice(0, 80)}" is not a value for --${option}`, {
    hint: 'Wanted: "yes" or "no"',
    exitCode: 2,
  });
}
