import process from "node:process";
import { closest } from "../../closest.ts";
import type { Settings, SettingValue } from "../../config/effective.ts";
import { PetitError } from "../../error.ts";
import type { Role } from "../../platform/folder_lock.ts";
import type { Invocation } from "../commands/command.ts";
import { tellDaemon } from "../client/tell_daemon.ts";

/** What a `config` command shows and changes. */
export interface Subject {
  readonly role: Role;
  readonly folder: string;
  /** The settings in force, by section and key. */
  settings(): Settings;
  /** Sets one of them, by section and key. */
  change(section: string, key: string, value: SettingValue): void;
}

/** Shows all settings, or one of them, or sets it, as the arguments say. @throws PetitError `setting-unknown` */
export async function configCommand(invocation: Invocation, subject: Subject): Promise<number> {
  const [name, text] = invocation.positionals;
  const json = invocation.values["json"] === true;
  const settings = subject.settings();
  const out = (value: unknown, forPeople: string) =>
    process.stdout.write(json ? `${JSON.stringify(value)}\n` : forPeople);
  if (name === undefined) {
    out(settings, toml(settings));
    return 0;
  }
  const { section, key } = find(name, settings);
  const before = settings[section]?.[key] as SettingValue;
  if (text === undefined) {
    out(before, `${plain(before)}\n`);
    return 0;
  }
  subject.change(section, key, valueOf(text, before));
  const value = subject.settings()[section]?.[key] as SettingValue;
  const { daemon, restartNeeded } = await tellDaemon(subject.folder, subject.role);
  const late = restartNeeded.includes(`${section}.${key}`);
  out(
    { key: `${section}.${key}`, value, before, daemon, restartNeeded },
    `${section}.${key} = ${JSON.stringify(value)}\n${
      late ? `The running ${subject.role} takes it up when it is restarted: "petit ${subject.role} restart".\n` : ""
    }`,
  );
  return 0;
}

function toml(settings: Settings): string {
  return Object.entries(settings).map(([section, values]) =>
    [`[${section}]`, ...Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}`), ""].join(
      "\n",
    )
  ).join("\n");
}

function plain(value: SettingValue): string {
  return typeof value === "object" ? value.join(",") : String(value);
}

/** "client.local.port", "local.port" or, where only one section has it, "port". */
function find(typed: string, settings: Settings): { section: string; key: string } {
  const all = Object.entries(settings).flatMap(([section, values]) =>
    Object.keys(values).map((key) => ({ section, key, name: `${section}.${key}` }))
  );
  const [first] = Object.keys(settings);
  const found = all.find(({ name }) => name === typed) ?? all.find(({ name }) => name === `${first}.${typed}`) ??
    all.find(({ name }) => name === `${first?.split(".")[0]}.${typed}`);
  if (found !== undefined) return found;
  const nearest = closest(typed, all.flatMap(({ name, key }) => [name, name.slice(name.indexOf(".") + 1), key]));
  throw new PetitError("setting-unknown", `There is no setting "${typed.slice(0, 80)}"`, {
    hint: nearest === undefined ? "Without a key all of them are shown" : `Did you mean "${nearest}"`,
    exitCode: 2,
  });
}

/** What was typed, as the kind of value that stands there. */
function valueOf(text: string, before: SettingValue): SettingValue {
  if (typeof before === "number" && /^\d{1,15}$/.test(text)) return Number(text);
  if (typeof before === "boolean" && (text === "true" || text === "false")) return text === "true";
  if (typeof before === "object") return text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  // What does not fit is refused where all settings are checked, in the same words as in the file.
  return text;
}
