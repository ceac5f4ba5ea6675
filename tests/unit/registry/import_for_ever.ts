// Takes in forty registrations at a time, each with an alias, until it is killed, and prints the first of them once the registry has returned.
import { writeSync } from "node:fs";
import process from "node:process";
import { SqliteRegistry } from "../../../src/registry/sqlite_registry.ts";

const AT_ONCE = 40;

const [, , file = ""] = process.argv;
const registry = new SqliteRegistry(file);
for (let first = registry.nextPort() - 10080;; first += AT_ONCE) {
  const registrations = Array.from({ length: AT_ONCE }, (_, i) => ({
    id: String(first + i),
    port: first + i + 10080,
    key: "ssh-rsa x",
    fingerprint: "SHA256:x",
    brand: "ce",
    aliases: [`a${first + i}.example`],
    vitae: null,
  }));
  const { added } = registry.import(registrations, { now: 1 });
  writeSync(1, `${first} ${added.length}\n`);
}
