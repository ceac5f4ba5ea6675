import type { Carrier } from "./contenders.ts";
import type { Disturbance } from "./disturbance.ts";
import type { Goal } from "./goals.ts";
import type { Machine } from "./machine.ts";
import type { ClientsSample } from "./measure_clients.ts";
import type { AccessSample } from "./measure_access.ts";
import type { FloodSample } from "./measure_flood.ts";
import type { FormerSample } from "./measure_former.ts";
import type { LoginsSample } from "./measure_logins.ts";
import type { UsageSample } from "./measure_usage.ts";
import type { Options } from "./options.ts";
import type { Memory } from "./proc.ts";
import type { Series } from "./rounds.ts";

/** One row of the table. */
export interface Row {
  readonly key: string;
  readonly title: string;
  readonly unit: string;
  readonly series: Series;
}

export interface CarrierMemory {
  readonly name: Carrier["name"];
  readonly idle: Memory;
  /** After everything. */
  readonly after: Memory;
}

/** Everything that one run found. */
export interface Results {
  readonly machine: Machine;
  readonly disturbance: Disturbance;
  readonly options: Options;
  readonly rows: readonly Row[];
  readonly memory: readonly CarrierMemory[];
  readonly clients: readonly ClientsSample[];
  readonly usage: readonly UsageSample[];
  readonly access: readonly AccessSample[];
  readonly flood: readonly FloodSample[];
  readonly logins: readonly LoginsSample[];
  readonly former: readonly FormerSample[];
  readonly goals: readonly Goal[];
  /** Answers that were wrong, and runs that failed. */
  readonly failures: readonly string[];
}
