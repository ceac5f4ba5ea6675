// Gives back what another key has and takes it again, over and over until it is killed, and prints what it did once the registry has returned.
import { writeSync } from "node:fs";
import process from "node:process";
import { SqliteRegistry } from "../../../src/registry/sqlite_registry.ts";
import { requestOf } from "./fixture.ts";

const [, , file = ""] = process.argv;
const registry = new SqliteRegistry(file);
for (;;) {
  for (const { id, port, vitae } of registry.registrations()) {
    registry.addAlias(id, `a${id}.example`);
    registry.addAlias(id, `b${id}.example`);
    registry.unregister(id);
    writeSync(1, `- ${id}\n`);
    registry.register(requestOf(registry, vitae?.hostname ?? "", { preferred: { id, port } }));
    writeSync(1, `+ ${id}\n`);
  }
}
