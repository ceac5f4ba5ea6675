import { LIGHT_NAMES, type Lights } from "../../tunnel/lights.ts";
import type { Column } from "./table.ts";

const WORDS = { green: "up", red: "down", unknown: undefined } as const;

/** A column for each light: "up", "down", or "-" where nothing is known. */
export function lightColumns<Row extends { readonly lights: Lights }>(): Column<Row>[] {
  return LIGHT_NAMES.map((name) => ({
    title: name.toUpperCase(),
    value: ({ lights }: Row) => WORDS[lights[name].state],
  }));
}
